/** Callers whom policies name where manifests show nobody who calls: beside gateways, and in the control plane's namespace. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';

const APP = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {clusterIP: 10.0.0.9, selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: api, namespace: shop}, spec: {selector: {matchLabels: {app: api}}, template: {metadata: {labels: {app: api}}, spec: {containers: [{name: api, image: api}]}}}}
`;
const namespace = (name: string, labels = ''): string =>
  `---\n{apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {${labels}}}}\n`;
const GATEWAY = `${namespace('edge', 'istio-injection: enabled')}---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: door, namespace: edge}, spec: {selector: {matchLabels: {istio: door}}, template: {metadata: {labels: {istio: door}, annotations: {inject.istio.io/templates: gateway}}, spec: {serviceAccountName: door, containers: [{name: istio-proxy, image: auto}]}}}}
`;
const letsIn = (source: string): string =>
  `---\n{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: api, namespace: shop}, spec: {selector: {matchLabels: {app: api}}, rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}${source === '' ? '' : `, {source: {${source}}}`}]}]}}\n`;
const networkPolicy = (from: string): string =>
  `---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: api, namespace: shop}, spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}${from}]}]}}\n`;

const compared = (mesh: string, was: string, is: string) =>
  diff(loadText(mesh + was).manifests, loadText(mesh + is).manifests);

describe('diff tells of callers that a policy newly lets in', () => {
  it.each([
    [
      'an account beside a gateway',
      GATEWAY,
      'principals: [cluster.local/ns/edge/sa/batch]',
      'edge/serviceaccount=batch',
    ],
    ['the namespace of a gateway', GATEWAY, 'namespaces: [edge]', 'edge'],
    ['all accounts of it', GATEWAY, 'principals: ["cluster.local/ns/edge/*"]', 'edge'],
    ['an account by its short name', GATEWAY, 'serviceAccounts: [edge/batch]', 'edge/serviceaccount=batch'],
    ['a gateway that no manifest shows', '', 'principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account]', 'istio-system/serviceaccount=istio-ingressgateway-service-account'], // prettier-ignore
    ['the same, of a namespace that is shown and not injected', namespace('istio-system'), 'principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account]', 'istio-system/serviceaccount=istio-ingressgateway-service-account'], // prettier-ignore
    ['the namespace of the control plane', '', 'namespaces: [istio-system]', 'istio-system'],
  ])('%s', (_what, mesh, source, from) => {
    const { changes, complete } = compared(APP + mesh, letsIn(''), letsIn(source));
    expect(changes.map((change) => [change.effect, change.from])).toEqual([['widened', [from]]]);
    expect(complete).toBe(true);
  });

  it('where injection is off for the namespace, they have no identity, and nothing changes', () => {
    const off = namespace('istio-system', 'istio-injection: disabled');
    expect(compared(APP + off, letsIn(''), letsIn('namespaces: [istio-system]'))).toMatchObject({ changes: [], complete: true }); // prettier-ignore
  });

  it('and of a NetworkPolicy, which knows no identities', () => {
    const from = ', {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}';
    const other = from.replace('monitoring', 'kube-system');
    for (const [one, name] of [
      [from, 'monitoring'],
      [other, 'kube-system'],
    ] as const) {
      const { changes } = compared(APP, networkPolicy(''), networkPolicy(one));
      expect(changes.flatMap((change) => (change.effect === 'widened' ? change.from : []))).toContain(name);
    }
  });

  it('but not of the account of a gateway, which passes on what others send', () => {
    expect(compared(APP + GATEWAY, letsIn(''), letsIn('principals: [cluster.local/ns/edge/sa/door]')).changes).toEqual([]); // prettier-ignore
  });
});

describe('prove counts them', () => {
  it.each([
    ['namespaces: [edge]', '{ except: [shop] }', 'refuted'],
    ['namespaces: [edge]', '"*"', 'refuted'],
    ['namespaces: [edge]', 'edge', 'refuted'],
    ['principals: [cluster.local/ns/edge/sa/batch]', '{ except: [shop] }', 'refuted'],
    ['principals: [cluster.local/ns/edge/sa/door]', '{ except: [shop] }', 'proved'],
  ])('of a policy with %s, from %s: %s', (source, from, verdict) => {
    const mesh = buildMesh(loadText(APP + GATEWAY + letsIn(source)).manifests);
    const { rules } = readRules(`rules: [{ name: it, forbid: { from: ${from}, to: { services: [shop/api] } } }]`);
    expect(prove(mesh, rules)[0]?.verdict).toBe(verdict);
  });
});
