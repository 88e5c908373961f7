/** Headers that proxies make of claims, and that routes and policies ask about: what is said of them is said of the claims. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace/index';
import type { TraceRequest } from '../../src/trace/types';

const object = (api: string, kind: string, name: string, spec: string): string =>
  `---\napiVersion: ${api}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: shop }\nspec: ${spec}\n`;
const workload = (name: string): string =>
  object('apps/v1', 'Deployment', name, `{ selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name} } }, spec: { containers: [{ name: a, image: a, ports: [{ containerPort: 8080 }] }] } } }`) +
  object('v1', 'Service', name, `{ selector: { app: ${name} }, ports: [{ name: http, port: 80, targetPort: 8080 }] }`); // prettier-ignore

const ISSUER = 'https://login.example.com';
const MESH =
  `---\napiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio-injection: enabled } }\n${workload('web')}${workload('cart')}` +
  object('security.istio.io/v1', 'RequestAuthentication', 'tokens', `{ selector: { matchLabels: { app: web } }, jwtRules: [{ issuer: "${ISSUER}", jwksUri: "${ISSUER}/keys", outputClaimToHeaders: [{ header: x-role, claim: role }] }] }`); // prettier-ignore
const when = (name: string, key: string, values: string): string => object('security.istio.io/v1', 'AuthorizationPolicy', name, `{ selector: { matchLabels: { app: web } }, rules: [{ when: [{ key: "${key}", values: ${values} }] }] }`); // prettier-ignore
const byHeader = (values: string, name = 'roles'): string => MESH + when(name, 'request.headers[x-role]', values);

function told(was: string, is: string): readonly TraceRequest[] {
  const sides = [loadText(was).manifests, loadText(is).manifests] as const;
  const found = diff(...sides);
  expect([found.undecided, found.complete]).toEqual([[], true]);
  for (const { request, was: before, is: after } of found.changes)
    expect(sides.map((side) => trace(buildMesh(side), request).outcome)).toEqual([before.outcome, after.outcome]);
  return found.changes.map(({ request }) => request);
}

const roles = (requests: readonly TraceRequest[]): readonly unknown[] =>
  requests.flatMap(({ tokens = {} }) => Object.values(tokens).map(({ role }) => role));

describe('a header made of a claim', () => {
  it('is asked about by the claim', () => {
    expect(told(byHeader('[admin]'), byHeader('[admin]', 'other'))).toEqual([]);
    expect(told(byHeader('["ad*", owner]'), byHeader('[owner, "ad*"]'))).toEqual([]);
    expect(told(byHeader('[admin]'), byHeader('["*"]')).length).toBeGreaterThan(0);
  });

  it('is no text where the claim is a list', () => {
    const requests = told(byHeader('[admin]'), MESH + when('roles', 'request.auth.claims[role]', '[admin]'));
    // A policy about the claim takes lists that have it, and nobody without a token.
    expect(roles(requests)).toContainEqual(['admin']);
    expect(requests.some(({ headers = {}, tokens }) => headers['x-role'] === 'admin' && tokens === undefined)).toBe(true); // prettier-ignore
  });

  it('that leads to another route does so by the claim', () => {
    const route = object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'web', '{ parentRefs: [{ name: edge }], hostnames: [shop.example.com], rules: [{ matches: [{ headers: [{ name: x-role, value: admin }] }], backendRefs: [{ name: cart, port: 80 }] }, { backendRefs: [{ name: web, port: 80 }] }] }'); // prettier-ignore
    const edge =
      '---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: { name: eg }\nspec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }\n' +
      workload('web') +
      workload('cart') +
      object('gateway.networking.k8s.io/v1', 'Gateway', 'edge', '{ gatewayClassName: eg, listeners: [{ name: http, port: 80, protocol: HTTP }] }') +
      route; // prettier-ignore
    const policy = (more: string): string =>
      edge +
      object('gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy', 'tokens', `{ targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: web }], jwt: { providers: [{ name: p, issuer: "${ISSUER}", remoteJWKS: { uri: "${ISSUER}/keys" }${more} }] } }`); // prettier-ignore
    const requests = told(policy(''), policy(', recomputeRoute: true, claimToHeaders: [{ header: x-role, claim: role }]')); // prettier-ignore
    expect(roles(requests)).toContain('admin');
    expect(requests.some(({ headers = {} }) => headers['x-role'] === 'admin')).toBe(true);
  });
});
