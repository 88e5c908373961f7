/** Two revisions of istiod in one cluster: each namespace is judged by its own, by its settings and by its release. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const istiod = (revision: string, release: string, mesh: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: istio-${revision}, namespace: istio-system, labels: { istio.io/rev: ${revision} } }
data:
  mesh: '${mesh}'
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: istiod-${revision}, namespace: istio-system, labels: { app: istiod, istio.io/rev: ${revision} } }
spec:
  selector: { matchLabels: { app: istiod, istio.io/rev: ${revision} } }
  template:
    metadata: { labels: { app: istiod, istio.io/rev: ${revision}, sidecar.istio.io/inject: 'false' } }
    spec: { containers: [{ name: discovery, image: 'istio/pilot:${release}' }] }
`;
const logs = (name: string): string => `"extensionProviders": [{"name": "${name}", "envoyFileAccessLog": {"path": "/dev/stdout"}}]`; // prettier-ignore
const OLD = istiod('1-29', '1.29.1', `{"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, ${logs('old-logs')}}`);
const NEW = istiod('1-30', '1.30.2', `{"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}, ${logs('new-logs')}}`);
const TAG = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: { name: istio-revision-tag-prod, labels: { istio.io/tag: prod, istio.io/rev: 1-30 } }
webhooks: []
`;
const namespace = (name: string, revision: string): string =>
  `\napiVersion: v1\nkind: Namespace\nmetadata: { name: ${name}, labels: { istio.io/rev: ${revision} } }\n`;
const MESH = [OLD, NEW, TAG, namespace('old', '1-29'), namespace('new', '1-30'), namespace('tagged', 'prod')];

/** The same object in each of the namespaces. */
const inEach = (object: string): readonly string[] =>
  ['old', 'new', 'tagged'].map((name) => `\n${object.replace('NAMESPACE', name)}\n`);

function found(id: string, ...objects: readonly string[]): readonly string[] {
  const { findings } = check(loadText([...MESH, ...objects].join('---'), 'all.yaml'));
  return findings
    .filter((one) => one.id === id)
    .map(({ severity, object }) => `${severity} ${object?.namespace ?? ''}`);
}

it.each([
  [
    'the outbound mode, that a Sidecar overrides',
    'EDGE502',
    'apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: default, namespace: NAMESPACE }\nspec: { outboundTrafficPolicy: { mode: ALLOW_ANY } }',
    ['info old'],
  ],
  [
    'the outbound mode, under which an undeclared name fails',
    'EDGE906',
    'apiVersion: v1\nkind: Service\nmetadata: { name: ext, namespace: NAMESPACE }\nspec: { type: ExternalName, externalName: ext.example.com, ports: [{ port: 443, name: tls }] }',
    ['warning old', 'info new', 'info tagged'],
  ],
  [
    'providers of logs',
    'EDGE608',
    'apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: { name: logs, namespace: NAMESPACE }\nspec: { accessLogging: [{ providers: [{ name: new-logs }] }] }',
    ['error old'],
  ],
  [
    'fields that its release does not know',
    'EDGE002',
    'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: who, namespace: NAMESPACE }\nspec: { rules: [{ from: [{ source: { trustDomains: [example.com] } }] }] }',
    ['warning old'],
  ],
  [
    'annotations that its release does not read',
    'EDGE032',
    'apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: ext, namespace: NAMESPACE, annotations: { istio.io/connect-strategy: RACE } }\nspec: { hosts: [ext.example.com], resolution: DNS, ports: [{ number: 443, name: tls, protocol: TLS }] }',
    ['warning old'],
  ],
])('a namespace is judged by its own control plane: %s', (_which, id, object, expected) => {
  expect(found(id, ...inEach(object))).toEqual(expected);
});

it('what holds for the whole mesh is judged by each of them', () => {
  const sidecar = 'apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: default, namespace: istio-system }\nspec: { outboundTrafficPolicy: { mode: ALLOW_ANY } }'; // prettier-ignore
  expect(found('EDGE502', `\n${sidecar}\n`)).toEqual(['info istio-system']);
});

it('an object that is labelled for one revision is read by that one alone', () => {
  const policy = (revision: string): string =>
    `\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: who, namespace: old, labels: { istio.io/rev: ${revision} } }\nspec: { rules: [{ from: [{ source: { trustDomains: [example.com] } }] }] }\n`;
  expect(found('EDGE002', policy('1-30'))).toEqual([]);
  expect(found('EDGE002', policy('1-29'))).toEqual(['warning old']);
});
