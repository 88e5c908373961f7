import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';

/** A namespace of which manifests show one workload, and what it may ask for. */
const MESH = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { serviceAccountName: web, containers: [{ name: web, image: web }] }
---
apiVersion: v1
kind: Service
metadata: { name: api, namespace: back }
spec: { selector: { app: api }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api, namespace: back }
spec:
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api, sidecar.istio.io/inject: 'true' } }
    spec: { containers: [{ name: api, image: api, ports: [{ containerPort: 8080 }] }] }
---
`;
const callers = (source: string): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: api, namespace: back }
spec: { rules: [{ from: [{ source: ${source} }] }] }
`;
const held = (selector: string): string => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: held, namespace: shop }
spec: { podSelector: ${selector}, policyTypes: [Egress] }
`;
const scopes = (others: string): string => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: web, namespace: shop }
spec: { workloadSelector: { labels: { app: web } }, egress: [{ hosts: ['*/*'] }] }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: others, namespace: shop }
spec: { outboundTrafficPolicy: { mode: REGISTRY_ONLY }, egress: [{ hosts: ['${others}'] }] }
`;
const ONLY_WEB = callers('{ principals: [cluster.local/ns/shop/sa/web] }');
const manifests = (text: string): ReturnType<typeof loadText>['manifests'] => loadText(MESH + text).manifests;

describe('workloads of a namespace that manifests do not show, beside one that they do', () => {
  it.each([
    ['an account that is trusted becomes its namespace', ONLY_WEB, callers('{ namespaces: [shop] }'), 'widened'],
    ['a NetworkPolicy becomes one of all Pods', held('{ matchLabels: { app: web } }'), held('{}'), 'narrowed'],
    ['a Sidecar changes that the one shown has not', scopes('*/*'), scopes('./*'), 'narrowed'],
  ])('are told apart: %s', (_law, was, is, effect) => {
    const { changes } = diff(manifests(was), manifests(is));
    const about = changes.filter((change) => change.to === 'http://api.back.svc.cluster.local/');
    expect(about.map((change) => [change.effect, change.from])).toEqual([[effect, ['shop/(other workloads)']]]);
  });

  it.each([
    ['{ namespaces: [shop] }', 'refuted'],
    ['{ principals: [cluster.local/ns/shop/sa/web] }', 'proved'],
  ])('are among those whom a rule is about: callers %s', (source, verdict) => {
    const { rules } = readRules(
      'rules: [{ name: only web, forbid: { from: { except: [shop/web] }, to: { hosts: [api.back.svc.cluster.local] } } }]',
    );
    const [proof] = prove(buildMesh(manifests(callers(source))), rules);
    expect(proof?.verdict).toBe(verdict);
  });
});
