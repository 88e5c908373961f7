/** Changed policies for what is in another repository: nothing is said of requests that nobody can follow. */
import { diff } from '../../src/diff/diff';
import type { Diff } from '../../src/diff/types';
import { loadText } from '../../src/model/load';

const object = (api: string, kind: string, namespace: string, name: string, spec: string): string =>
  `---\napiVersion: ${api}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${spec}\n`;
const between = (was: string, is: string): Diff => diff(loadText(was).manifests, loadText(is).manifests);
const security = (kind: string, spec: string, name = 'p', namespace = 'shop'): string =>
  object('security.istio.io/v1', kind, namespace, name, spec);
const ROUTE = 'targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: web }]';
const atRoute = (spec: string, name = 'p'): string =>
  object('gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy', 'shop', name, `{ ${ROUTE}, ${spec} }`);
const from = (namespaces: string): string => `{ selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { namespaces: ${namespaces} } }] }] }`; // prettier-ignore
const ingress = (rules: string): string =>
  object('networking.k8s.io/v1', 'NetworkPolicy', 'shop', 'p', `{ podSelector: {}, policyTypes: [Ingress], ingress: ${rules} }`); // prettier-ignore
const gateway = (paths: string): string => security('AuthorizationPolicy', `{ targetRefs: [{ kind: Gateway, group: gateway.networking.k8s.io, name: edge }], rules: [{ to: [{ operation: { paths: ${paths} } }] }] }`); // prettier-ignore

const CHANGES = {
  'an AuthorizationPolicy': [security('AuthorizationPolicy', from('[a]')), security('AuthorizationPolicy', from('[a, b]'))], // prettier-ignore
  'one for a Gateway': [gateway('[/a]'), gateway('[/a, /b]')],
  'a RequestAuthentication': [security('RequestAuthentication', '{ jwtRules: [{ issuer: a, jwksUri: "https://a/keys" }] }'), ''],
  'a PeerAuthentication': ['', security('PeerAuthentication', '{ mtls: { mode: STRICT } }')],
  'one for the whole mesh': ['', security('PeerAuthentication', '{ mtls: { mode: STRICT } }', 'default', 'istio-system')],
  'a NetworkPolicy': [ingress('[]'), ingress('[{}]')],
  'a SecurityPolicy': [atRoute('basicAuth: { users: { name: a } }'), atRoute('basicAuth: { users: { name: b } }')],
} as const; // prettier-ignore

describe('a change is not decided of', () => {
  it.each(Object.entries(CHANGES))('%s whose targets no manifest shows', (_what, [was, is]) => {
    for (const found of [between(was, is), between(is, was)]) {
      expect([found.changes, found.complete, found.withoutEffect]).toEqual([[], false, []]);
      expect(found.undecided.map(({ why }) => why)).toContainEqual(
        expect.stringMatching(/of which no manifest shows any/),
      );
    }
  });
});

describe('a rule for a Service that no manifest shows', () => {
  const HOST = 'web.other.svc.cluster.local';
  const rule = (mode: string, more = ''): string =>
    object('networking.istio.io/v1', 'DestinationRule', 'shop', 'web', `{ host: ${HOST}, trafficPolicy: { tls: { mode: ${mode} }${more} } }`); // prettier-ignore
  const route = (more = '', timeout = '1s'): string =>
    object('networking.istio.io/v1', 'VirtualService', 'shop', 'web', `{ hosts: [${HOST}], http: [${more} { timeout: ${timeout}, route: [{ destination: { host: ${HOST} } }] }] }`); // prettier-ignore
  const closed = '{ match: [{ uri: { prefix: /admin } }], directResponse: { status: 403 } },';

  it('is not decided', () => {
    expect(between(rule('DISABLE'), rule('ISTIO_MUTUAL'))).toMatchObject({ changes: [], complete: false });
    expect(between(route(), route(closed)).undecided).toMatchObject([{ why: expect.stringContaining(`it is for ${HOST}, a Service of a namespace`) }]); // prettier-ignore
  });

  it('is decided where settings differ alone, or the Service is shown', () => {
    expect(between(rule('DISABLE'), rule('DISABLE', ', loadBalancer: { simple: RANDOM }'))).toMatchObject({ complete: true }); // prettier-ignore
    expect(between(route(), route('', '2s'))).toMatchObject({ changes: [], complete: true });
    const service = object('v1', 'Service', 'other', 'web', '{ selector: { app: web }, ports: [{ name: http, port: 80 }] }'); // prettier-ignore
    expect(between(service + route(), service + route(closed))).toMatchObject({ complete: true });
    expect(between(service + route(), service + route(closed)).changes).not.toEqual([]);
  });
});

describe('a route to a Service that no manifest shows', () => {
  const CLASSIC = (name: string, more = '', backend = 'web'): string =>
    object('networking.istio.io/v1', 'VirtualService', 'shop', name, `{ hosts: [a.example.com], gateways: [edge/public], http: [{ match: [{ uri: { prefix: /a } }], ${more} route: [{ destination: { host: ${backend} } }] }] }`); // prettier-ignore
  const API = (name: string, more = '', backend = 'web'): string =>
    object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'shop', name, `{ parentRefs: [{ name: public, namespace: edge }], hostnames: [a.example.com], rules: [{ matches: [{ path: { value: /a } }], ${more} backendRefs: [{ name: ${backend}, port: 80 }] }] }`); // prettier-ignore
  const REWRITES = ['rewrite: { uri: /b },', 'filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /b } } }],']; // prettier-ignore

  const EG: typeof API = (...given) =>
    '---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: { name: eg }\nspec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }\n' +
    object('gateway.networking.k8s.io/v1', 'Gateway', 'edge', 'public', '{ gatewayClassName: eg, listeners: [{ name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }] }') +
    API(...given); // prettier-ignore

  it.each([CLASSIC, API, EG])('is the same by another name, and not by another way', (route) => {
    expect(between(route('one'), route('other'))).toMatchObject({ changes: [], undecided: [], complete: true });
    const rewrite = REWRITES[route === CLASSIC ? 0 : 1];
    for (const other of [route('one', rewrite), route('one', '', 'cart')]) {
      const { changes, undecided } = between(route('one'), other);
      expect(changes).toEqual([]);
      expect(undecided).not.toEqual([]);
      expect(undecided.every(({ what }) => /web\.shop\.svc\.cluster\.local:\d+ is there/.test(what))).toBe(true);
    }
  });
});

describe('nothing changes by', () => {
  it('another name, or another order', () => {
    const was = security('AuthorizationPolicy', from('[a, b]')) + atRoute('basicAuth: { users: { name: a } }');
    const is = security('AuthorizationPolicy', from('[b, a]'), 'q') + atRoute('basicAuth: { users: { name: a } }', 'q');
    expect(between(was, is)).toMatchObject({ changes: [], complete: true });
    expect(between(was, was.replaceAll('[a, b]', '[b, a]'))).toMatchObject({ changes: [], complete: true });
  });

  it('a policy that selects none of the workloads that are shown', () => {
    const pods = object('apps/v1', 'Deployment', 'shop', 'cart', '{ selector: { matchLabels: { app: cart } }, template: { metadata: { labels: { app: cart } }, spec: { containers: [{ name: a, image: a }] } } }'); // prettier-ignore
    const [was, is] = CHANGES['an AuthorizationPolicy'];
    expect(between(pods + was, pods + is)).toMatchObject({ changes: [], complete: true });
  });
});
