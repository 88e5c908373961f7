/** Who lets requests pass by what no manifest shows - authorizers, passwords, sessions - leaves everything else decided. */
import { diff } from '../../src/diff/diff';
import type { Diff } from '../../src/diff/types';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';

const object = (api: string, kind: string, namespace: string, name: string, spec: string): string =>
  `---\napiVersion: ${api}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${spec}\n`;
const workload = (name: string): string =>
  object('apps/v1', 'Deployment', 'shop', name, `{ selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name} } }, spec: { serviceAccountName: ${name}, containers: [{ name: a, image: a, ports: [{ containerPort: 8080 }] }] } } }`) +
  object('v1', 'Service', 'shop', name, `{ selector: { app: ${name} }, ports: [{ name: http, port: 80, targetPort: 8080 }] }`); // prettier-ignore

const MESH = `---\napiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio-injection: enabled } }\n${workload('web')}${workload('cart')}${workload('authz')}`;
const provider = (more = ''): string =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: istio, namespace: istio-system }\ndata:\n  mesh: |\n    extensionProviders: [{ name: opa, envoyExtAuthzHttp: { service: authz.shop.svc.cluster.local, port: 80${more} } }]\n`;
const policy = (name: string, spec: string): string => object('security.istio.io/v1', 'AuthorizationPolicy', 'shop', name, `{ selector: { matchLabels: { app: web } }, ${spec} }`); // prettier-ignore
const custom = (name: string, paths: string): string => policy(name, `action: CUSTOM, provider: { name: opa }, rules: [{ to: [{ operation: { paths: ${paths} } }] }]`); // prettier-ignore
const from = (source: string, when = ''): string =>
  policy('callers', `rules: [{ from: [{ source: ${source} }]${when} }]`);

const ROUTE = 'targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: web }]';
const EDGE = `---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: { name: eg }\nspec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }\n${workload('web')}${workload('cart')}${object('gateway.networking.k8s.io/v1', 'Gateway', 'shop', 'edge', '{ gatewayClassName: eg, listeners: [{ name: http, port: 80, protocol: HTTP }] }')}`;
const route = (rules: string): string => object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'shop', 'web', `{ parentRefs: [{ name: edge }], hostnames: [shop.example.com], rules: [${rules}] }`); // prettier-ignore
const security = (name: string, spec: string): string => object('gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy', 'shop', name, `{ ${ROUTE}, ${spec} }`); // prettier-ignore
const TO_WEB = '{ backendRefs: [{ name: web, port: 80 }] }';

const between = (was: string, is: string): Diff => diff(loadText(was).manifests, loadText(is).manifests, { mesh: { outbound: 'REGISTRY_ONLY' } }); // prettier-ignore

function nothingBetween(was: string, is: string): void {
  const { changes, undecided, complete } = between(was, is);
  expect({ changes, undecided, complete }).toEqual({ changes: [], undecided: [], complete: true });
}

describe('a policy that leaves requests to an external authorizer', () => {
  const mesh = MESH + provider();

  it('changes nothing by another name, nor split in two', () => {
    nothingBetween(mesh + custom('ask', '["/admin*"]'), mesh + custom('ask-opa', '["/admin*"]'));
    nothingBetween(
      mesh + custom('ask', '["/admin*", /x]'),
      mesh + custom('ask', '["/admin*"]') + custom('more', '[/x]'),
    );
  });

  it('changes nothing by another name of the same provider', () => {
    const other = (text: string): string => text.replace('name: opa', 'name: policies');
    nothingBetween(mesh + custom('ask', '["/admin*"]'), MESH + other(provider()) + other(custom('ask', '["/admin*"]')));
  });

  it('leaves decided what other policies say', () => {
    const asked = mesh + custom('ask', '["*"]');
    nothingBetween(
      asked + from('{ principals: ["cluster.local/ns/shop/sa/cart"] }'),
      asked + from('{ serviceAccounts: [cart] }'),
    );
    const widened = between(asked + from('{ serviceAccounts: [cart] }'), asked + from('{ namespaces: [shop] }'));
    expect(widened.undecided.map(({ what, why }) => `${what}: ${why}`)).toEqual([
      expect.stringMatching(/^the external authorizer authz\.shop\.svc\.cluster\.local:80 lets it pass: before: refused with 403 .*; now: directly/),
    ]); // prettier-ignore
  });

  it('is told where it no longer asks, or asks another', () => {
    expect(between(mesh + custom('ask', '["/admin*"]'), mesh + custom('ask', '["/admin/*"]')).changes).toMatchObject([
      { effect: 'unclear', requests: 'path /admin* and not /admin/*' },
      { effect: 'unclear', requests: 'path /admin* and not /admin/*' },
    ]);
    const failing = MESH + provider(', failOpen: true') + custom('ask', '["/admin*"]');
    expect(between(mesh + custom('ask', '["/admin*"]'), failing).complete).toBe(false);
  });

  it('leaves open what is asked of headers that the authorizer may write', () => {
    const when = ', when: [{ key: "request.headers[x-role]", values: [admin] }]';
    const spelled = [from('{ serviceAccounts: [cart] }', when), from('{ principals: ["cluster.local/ns/shop/sa/cart"] }', when)]; // prettier-ignore
    const told = (more: string): boolean => {
      const asked = MESH + provider(more) + custom('ask', '["*"]');
      return between(asked + spelled[0], asked + spelled[1]).complete;
    };
    expect([told(''), told(', headersToUpstreamOnAllow: [x-user]')]).toEqual([true, true]);
    expect([told(', headersToUpstreamOnAllow: [x-role]'), told(', headersToUpstreamOnAllow: ["x-*"]')]).toEqual([false, false]); // prettier-ignore
  });
});

describe('a SecurityPolicy that asks others', () => {
  const KINDS = {
    extAuth: 'extAuth: { http: { backendRefs: [{ name: cart, port: 80 }] } }',
    basicAuth: 'basicAuth: { users: { name: users } }',
    apiKeyAuth: 'apiKeyAuth: { credentialRefs: [{ name: keys }], extractFrom: [{ headers: [x-key] }] }',
    oidc: 'oidc: { provider: { issuer: "https://login.example.com" }, clientID: shop, clientSecret: { name: oidc } }',
  };

  it.each(Object.entries(KINDS))('changes nothing by another name: %s', (_kind, spec) => {
    nothingBetween(EDGE + route(TO_WEB) + security('one', spec), EDGE + route(TO_WEB) + security('other', spec));
  });

  it.each(Object.entries(KINDS))('leaves a route decided that is written otherwise: %s', (_kind, spec) => {
    const split = `{ matches: [{ path: { value: /cart } }], backendRefs: [{ name: web, port: 80 }] }, ${TO_WEB}`;
    nothingBetween(EDGE + route(TO_WEB) + security('one', spec), EDGE + route(split) + security('one', spec));
    const elsewhere = split.replace('name: web', 'name: cart');
    const { undecided } = between(EDGE + route(TO_WEB) + security('one', spec), EDGE + route(elsewhere) + security('one', spec)); // prettier-ignore
    expect(undecided).not.toEqual([]);
    expect(undecided.every(({ what }) => what.includes('/cart'))).toBe(true);
  });

  it.each(Object.entries(KINDS))('is not decided where it asks otherwise: %s', (_kind, spec) => {
    const other = spec.replace(/cart|users \}|keys|login\./, (found) => (found === 'users }' ? 'people }' : found === 'cart' ? 'web' : `x${found}`)); // prettier-ignore
    expect(other).not.toBe(spec);
    expect(between(EDGE + route(TO_WEB) + security('one', spec), EDGE + route(TO_WEB) + security('one', other)).complete).toBe(false); // prettier-ignore
  });
});

describe('a rule of prove', () => {
  const verdict = (manifests: string, rule: string): string => {
    const mesh = buildMesh(loadText(manifests).manifests, { outbound: 'REGISTRY_ONLY' });
    return prove(mesh, readRules(`rules:\n  - { name: it, ${rule} }\n`).rules)[0]?.verdict ?? '';
  };
  const TO_WEB_SERVICE = 'forbid: { from: outside, to: { services: [shop/web] } }';

  it('is not proved of a Service that a request may get to by its password', () => {
    const edge = EDGE + route(TO_WEB);
    expect(verdict(edge + security('one', 'basicAuth: { users: { name: users } }'), TO_WEB_SERVICE)).toBe('undecided');
    expect(verdict(edge + security('one', 'extAuth: { http: { backendRefs: [{ name: cart, port: 80 }] } }'), TO_WEB_SERVICE)).toBe('undecided'); // prettier-ignore
    expect(verdict(edge, TO_WEB_SERVICE)).toBe('refuted');
  });

  it('is proved of a Service that no Gateway leads to, unless it is open by itself', () => {
    const mesh = EDGE + route(TO_WEB);
    const toCart = 'forbid: { from: outside, to: { services: [shop/cart] } }';
    expect(verdict(mesh, toCart)).toBe('proved');
    for (const how of ['type: NodePort', 'type: LoadBalancer', 'externalIPs: [203.0.113.7]']) {
      const open = mesh.replace('selector: { app: cart }', `${how}, selector: { app: cart }`);
      expect([how, verdict(open, toCart)]).toEqual([how, 'undecided']);
      expect(verdict(open, 'forbid: { from: outside, to: { services: [shop/cart], ports: [8080] } }')).toBe('proved');
    }
    expect(verdict(workload('cart').replace('selector: { app: cart }', 'type: NodePort, selector: { app: cart }'), toCart)).toBe('undecided'); // prettier-ignore
    expect(verdict(workload('cart'), toCart)).toBe('vacuous');
  });

  it('is proved where nobody gets there whatever the authorizer answers', () => {
    const mesh = MESH + provider() + custom('ask', '["/admin*"]') + from('{ serviceAccounts: [cart] }');
    expect(verdict(mesh, 'forbid: { from: { except: [shop/cart] }, to: { services: [shop/web] } }')).toBe('proved');
    expect(verdict(mesh, 'forbid: { from: shop/cart, to: { services: [shop/web], paths: [/admin] } }')).toBe(
      'undecided',
    );
    expect(verdict(mesh, 'forbid: { from: shop/cart, to: { services: [shop/web], paths: [/] } }')).toBe('refuted');
  });
});
