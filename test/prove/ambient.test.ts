import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';

const pod = (namespace: string, name: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template: { metadata: { labels: { app: ${name} } }, spec: { serviceAccountName: ${name}, containers: [{ name: a, image: a, ports: [{ containerPort: 8080 }] }] } }
---
`;
const mesh = (waypoint: boolean, more = ''): string => `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient${waypoint ? ', istio.io/use-waypoint: wp' : ''} } }
---
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio.io/dataplane-mode: ambient } }
---
${pod('shop', 'stock')}${pod('app', 'web')}
apiVersion: v1
kind: Service
metadata: { name: stock, namespace: shop }
spec: { selector: { app: stock }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: wp, namespace: shop }
spec: { gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec: { mtls: { mode: STRICT } }
---
${more}`;
const policy = (name: string, spec: string): string =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: ${name}, namespace: shop }\nspec: ${spec}\n---\n`;
const NOBODY = policy('nobody', '{ targetRefs: [{ kind: Service, group: "", name: stock }] }');
const THROUGH_WAYPOINT = policy(
  'by-waypoint',
  '{ selector: { matchLabels: { app: stock } }, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/wp] } }] }] }',
);

function verdict(manifests: string, rule: string): { readonly verdict: string; readonly because: readonly string[] } {
  const { rules, problems } = readRules(`rules: [{ name: it, ${rule} }]`);
  expect(problems).toEqual([]);
  return prove(buildMesh(loadText(manifests).manifests), rules)[0]!;
}

describe('rules in ambient mode', () => {
  it('know the identity that ztunnel shows', () => {
    const of = (rest: string): string => `require: { from: app, to: { services: [shop/stock] }, ${rest} }`;
    expect(verdict(mesh(false), of('identity: true')).verdict).toBe('proved');
    expect(verdict(mesh(false), of('authenticated: true')).verdict).toBe('proved');
    const web = (identity: string): string => `require: { from: app/web, to: { services: [shop/stock] }, identity: ${identity} }`;
    expect(verdict(mesh(false), web('app/web')).verdict).toBe('proved');
    expect(verdict(mesh(false), web('app/other')).verdict).toBe('refuted');
  }); // prettier-ignore

  it.each([
    ['require: { from: app, to: { services: [shop/stock] }, through: shop/wp }', ''],
    ['forbid: { from: app, to: { services: [shop/stock] } }', NOBODY],
  ])('say who comes past the waypoint, unless ztunnel keeps them out: %s', (rule, more) => {
    const open = verdict(mesh(true, more), rule);
    expect([open.verdict, open.because[0]]).toEqual(['proved', expect.stringContaining('past its waypoint')]);
    const kept = verdict(mesh(true, more + THROUGH_WAYPOINT), rule);
    expect([kept.verdict, kept.because.join()]).toEqual(['proved', expect.not.stringContaining('past its waypoint')]);
  });
});
