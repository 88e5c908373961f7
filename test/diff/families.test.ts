/** Clients of whom no manifest shows one, and that policies tell apart all the same. */
import { diff } from '../../src/diff/diff';
import type { Diff } from '../../src/diff/types';
import { loadText } from '../../src/model/load';

const MESH = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: stock, namespace: shop }
spec: { clusterIP: 10.0.0.1, selector: { app: stock }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: stock, namespace: shop }
spec:
  selector: { matchLabels: { app: stock } }
  template: { metadata: { labels: { app: stock } }, spec: { serviceAccountName: stock, containers: [{ name: stock, image: stock }] } }
---
`;
const between = (was: string, is: string): Diff => diff(loadText(MESH + was).manifests, loadText(MESH + is).manifests);
const policy = (source: string): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: stock, namespace: shop }
spec: { rules: [{ from: [{ source: ${source} }] }] }`;
const network = (rule: string): string => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: stock, namespace: shop }
spec: { podSelector: { matchLabels: { app: stock } }, ingress: [{ from: [${rule}] }] }`;

describe('diff tells', () => {
  it.each([
    ['namespaces of a family that a shown one is of', '{ namespaces: [shop] }', '{ namespaces: ["sh*"] }'],
    ['a wider family of namespaces', '{ namespaces: ["sh*", "shop-a*"] }', '{ namespaces: ["shop-a*"] }'],
    ['accounts of a family that a shown one is of', '{ principals: ["cluster.local/ns/shop/sa/stock"] }', '{ principals: ["*/sa/sto*", "*ck"] }'],
  ])('%s', (_what, was, is) => {
    expect(between(policy(was), policy(is)).changes.length).toBeGreaterThan(0);
  }); // prettier-ignore

  it('what hangs on labels of namespaces that no manifest shows as not decided', () => {
    const found = between(
      network('{ namespaceSelector: { matchLabels: { team: a } } }'),
      network('{ namespaceSelector: { matchLabels: { team: b } } }'),
    );
    expect(found.complete).toBe(false);
    expect(found.undecided[0]?.what).toMatch(/namespace other-namespace has the label team=a/);
    expect(found.undecided[0]?.why).toMatch(/no manifest tells which these are$/);
    const written = network('{ namespaceSelector: { matchExpressions: [{ key: team, operator: In, values: [a] }] } }');
    const same = between(network('{ namespaceSelector: { matchLabels: { team: a } } }'), written);
    expect([same.changes, same.undecided]).toEqual([[], []]);
    const byName = (name: string): string =>
      network(`{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${name} } } }`);
    expect(between(byName('a'), byName('b')).changes.length).toBeGreaterThan(0);
  });

  it('of workloads without a proxy what a label of the server changes', () => {
    const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: stock, namespace: shop }
spec: { selector: { matchLabels: { tier: inner } }, mtls: { mode: STRICT } }
---
`;
    const labelled = (MESH + strict).replace('metadata: { labels: { app: stock } }', 'metadata: { labels: { app: stock, tier: inner } }'); // prettier-ignore
    const { changes } = diff(loadText(MESH + strict).manifests, loadText(labelled).manifests);
    expect(changes.map(({ effect, from }) => [effect, from])).toContainEqual([
      'narrowed',
      ['any workload without a sidecar'],
    ]);
  });
});
