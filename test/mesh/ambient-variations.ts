/** One host for each way of binding, holding and routing that differs: what istiod and a waypoint do with it is compared with what trace says. */
import { type KubeObject } from '../lab/api';

type Spec = Readonly<Record<string, unknown>>;
type Labels = Readonly<Record<string, string>>;

const hostOf = (name: string): string => `${name}.example.com`;
const bound = (waypoint: string): Labels => ({
  'istio.io/use-waypoint': waypoint,
  'istio.io/use-waypoint-namespace': 'waypoints',
});
const MAIN = bound('main');
const SITE = [{ address: 'edition.cnn.com' }];
const HTTP = { number: 80, name: 'http', protocol: 'HTTP' };
const TLS = { number: 443, name: 'tls', protocol: 'TLS' };
const TCP = { number: 81, name: 'tcp', protocol: 'TCP', targetPort: 80 };
const UPGRADED = { ...HTTP, targetPort: 443 };
const SIMPLE = { mode: 'SIMPLE', sni: 'edition.cnn.com', subjectAltNames: ['edition.cnn.com'] };

function object(
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  spec: Spec,
  labels?: Labels,
): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace, labels }, spec };
}

function namespace(name: string, labels: Labels = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function waypoint(name: string, from: string, traffic?: string): KubeObject {
  const listener = { name: 'mesh', port: 15008, protocol: 'HBONE', allowedRoutes: { namespaces: { from } } };
  const labels = traffic === undefined ? undefined : { 'istio.io/waypoint-for': traffic };
  const spec = { gatewayClassName: 'istio-waypoint', listeners: [listener] };
  return object('gateway.networking.k8s.io/v1', 'Gateway', 'waypoints', name, spec, labels);
}

function entry(at: string, name: string, labels: Labels, spec: Spec = {}): KubeObject {
  const usual = { hosts: [hostOf(name)], resolution: 'DNS', ports: [HTTP, TLS, TCP], endpoints: SITE };
  return object('networking.istio.io/v1', 'ServiceEntry', at, name, { ...usual, ...spec }, labels);
}

const without = { endpoints: undefined };

function rule(at: string, name: string, spec: Spec): KubeObject {
  return object('networking.istio.io/v1', 'DestinationRule', at, name, { host: hostOf(name), ...spec });
}

const onPort80 = (tls: Spec): Spec => ({ trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls }] } });

function routes(at: string, name: string, http: readonly Spec[], more: Spec = {}): KubeObject {
  return object('networking.istio.io/v1', 'VirtualService', at, name, { hosts: [hostOf(name)], http, ...more });
}

const to = (name: string, more: Spec = {}): Spec => ({ route: [{ destination: { host: hostOf(name), ...more } }] });
const answer = (status: number): Spec => ({ directResponse: { status } });
const port = (number: number): Spec => ({ port: { number } });

/** A redirect of Gateway API for the ServiceEntry of that name and namespace. */
function httpRoute(at: string, name: string, target: string): KubeObject {
  const parent = { group: 'networking.istio.io', kind: 'ServiceEntry', name, namespace: target };
  const redirect = { type: 'RequestRedirect', requestRedirect: { hostname: 'other.example.com', statusCode: 302 } };
  const spec = { parentRefs: [parent], rules: [{ filters: [redirect] }] };
  return object('gateway.networking.k8s.io/v1', 'HTTPRoute', at, name, spec);
}

function policy(at: string, name: string, spec: Spec): KubeObject {
  return object('security.istio.io/v1', 'AuthorizationPolicy', at, name, spec);
}

const targeting = (name: string): Spec => ({
  targetRefs: [{ group: 'networking.istio.io', kind: 'ServiceEntry', name }],
});
const OTHERS = { from: [{ source: { principals: ['cluster.local/ns/shop/sa/other'] } }] };

export const WORLD: readonly KubeObject[] = [
  namespace('shop', { 'istio.io/dataplane-mode': 'ambient' }),
  namespace('waypoints'),
  namespace('bound', MAIN),
  namespace('third'),
  waypoint('main', 'All'),
  waypoint('closed', 'Same', 'all'),
  waypoint('for-workloads', 'All', 'workload'),
  waypoint('for-nothing', 'All', 'none'),

  // Who is bound.
  entry('bound', 'by-namespace', {}),
  entry('bound', 'opted-out', { 'istio.io/use-waypoint': 'none' }),
  entry('bound', 'own-label', { 'istio.io/use-waypoint': 'main' }),
  entry('third', 'unbound', {}),
  entry('third', 'not-admitted', bound('closed')),
  entry('waypoints', 'admitted', bound('closed')),
  entry('waypoints', 'to-workloads', bound('for-workloads')),
  entry('waypoints', 'to-nothing', bound('for-nothing')),
  entry('waypoints', 'missing', bound('nobody')),
  entry('third', 'private', MAIN, { exportTo: ['.'] }),
  entry('third', 'private-tls', MAIN, { exportTo: ['.'], ports: [UPGRADED] }),
  rule('waypoints', 'private-tls', onPort80(SIMPLE)),

  // Who has an address.
  entry('waypoints', 'no-address', { ...MAIN, 'networking.istio.io/enable-autoallocate-ip': 'false' }),
  entry('waypoints', 'no-resolution', MAIN, { resolution: 'NONE', ...without }),
  entry('waypoints', 'original', MAIN, { resolution: 'NONE', addresses: ['203.0.113.10'], ...without }),
  entry('waypoints', 'range', MAIN, { resolution: 'NONE', addresses: ['198.51.100.0/24'], ...without }),
  entry('waypoints', 'range-of-one', MAIN, {
    resolution: 'STATIC',
    addresses: ['198.51.100.7/32'],
    endpoints: [{ address: '203.0.113.10' }],
  }),
  entry('waypoints', 'static', MAIN, { resolution: 'STATIC', endpoints: [{ address: '203.0.113.11' }] }),
  entry('waypoints', 'wild', MAIN, { hosts: ['*.cnn.com'], resolution: 'DYNAMIC_DNS', ports: [HTTP], ...without }),
  entry('waypoints', 'wild-tls', MAIN, { hosts: ['*.wikipedia.org'], resolution: 'DYNAMIC_DNS', ports: [HTTP, TLS], ...without }), // prettier-ignore
  entry('waypoints', 'wild-dns', MAIN, { hosts: ['*.wild-dns.example.com'] }),
  entry('third', 'wild-unbound', {}, { hosts: ['*.github.com'], resolution: 'DYNAMIC_DNS', ports: [HTTP], ...without }),

  // TLS that a DestinationRule asks for, by where it lies.
  entry('third', 'tls-beside-waypoint', MAIN, { ports: [UPGRADED] }),
  rule('waypoints', 'tls-beside-waypoint', { ...onPort80(SIMPLE), exportTo: ['.'] }),
  entry('third', 'tls-beside-entry', MAIN, { ports: [UPGRADED] }),
  rule('third', 'tls-beside-entry', onPort80(SIMPLE)),
  entry('waypoints', 'tls-elsewhere', MAIN, { ports: [UPGRADED] }),
  rule('third', 'tls-elsewhere', onPort80(SIMPLE)),
  entry('third', 'tls-private', MAIN, { ports: [UPGRADED] }),
  rule('third', 'tls-private', { ...onPort80(SIMPLE), exportTo: ['.'] }),
  entry('waypoints', 'tls-of-root', MAIN, { ports: [UPGRADED] }),
  rule('istio-system', 'tls-of-root', onPort80(SIMPLE)),
  entry('waypoints', 'tls-of-mesh', MAIN, { ports: [HTTP] }),
  rule('waypoints', 'tls-of-mesh', onPort80({ mode: 'ISTIO_MUTUAL' })),
  entry('waypoints', 'tls-of-subset', MAIN, { ports: [UPGRADED] }),
  rule('waypoints', 'tls-of-subset', { subsets: [{ name: 'out', trafficPolicy: { tls: SIMPLE } }] }),
  routes('waypoints', 'tls-of-subset', [to('tls-of-subset', { subset: 'out' })]),
  entry('waypoints', 'tls-of-host', MAIN, { ports: [UPGRADED, TLS] }),
  rule('waypoints', 'tls-of-host', { trafficPolicy: { tls: SIMPLE } }),
  entry('waypoints', 'to-tls-port', MAIN),
  routes('waypoints', 'to-tls-port', [to('to-tls-port', port(443))]),
  entry('waypoints', 'lost-subset', MAIN),
  routes('waypoints', 'lost-subset', [to('lost-subset', { subset: 'nowhere' })]),

  // Whom policies hold.
  entry('waypoints', 'by-selector', MAIN),
  policy('waypoints', 'by-selector', {
    selector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'main' } },
    rules: [OTHERS],
  }),
  entry('waypoints', 'by-target', MAIN),
  policy('waypoints', 'by-target', { ...targeting('by-target'), rules: [OTHERS] }),
  entry('third', 'by-target-elsewhere', MAIN),
  policy('waypoints', 'by-target-elsewhere', { ...targeting('by-target-elsewhere'), rules: [OTHERS] }),
  entry('waypoints', 'by-port', MAIN),
  policy('waypoints', 'by-port', { ...targeting('by-port'), rules: [{ to: [{ operation: { ports: ['80'] } }] }] }),
  entry('waypoints', 'by-sni', MAIN),
  policy('waypoints', 'by-sni', {
    ...targeting('by-sni'),
    rules: [{ when: [{ key: 'connection.sni', values: [hostOf('by-sni')] }] }],
  }),
  entry('waypoints', 'by-path', MAIN),
  policy('waypoints', 'by-path', {
    ...targeting('by-path'),
    action: 'DENY',
    rules: [{ to: [{ operation: { paths: ['/by-*'] } }] }],
  }),
  entry('waypoints', 'rehearsed', MAIN),
  {
    ...policy('waypoints', 'rehearsed', { ...targeting('rehearsed'), rules: [OTHERS] }),
    metadata: { name: 'rehearsed', namespace: 'waypoints', annotations: { 'istio.io/dry-run': 'true' } },
  },
  entry('waypoints', 'of-closed', bound('closed')),
  policy('waypoints', 'of-closed', {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'closed' }],
    rules: [OTHERS],
  }),

  // Where routes lead.
  entry('third', 'routed-beside-waypoint', MAIN),
  routes('waypoints', 'routed-beside-waypoint', [answer(418)]),
  entry('third', 'routed-beside-entry', MAIN),
  routes('third', 'routed-beside-entry', [answer(418)]),
  entry('waypoints', 'routed-elsewhere', MAIN),
  routes('third', 'routed-elsewhere', [answer(418)]),
  entry('third', 'routed-in-private', MAIN),
  routes('third', 'routed-in-private', [answer(418)], { exportTo: ['.'] }),
  entry('waypoints', 'routed-for-gateway', MAIN),
  routes('waypoints', 'routed-for-gateway', [answer(418)], { gateways: ['waypoints/main'] }),
  entry('waypoints', 'unmatched', MAIN),
  routes('waypoints', 'unmatched', [{ match: [{ uri: { prefix: '/only' } }], ...to('unmatched') }]),
  entry('waypoints', 'by-labels', MAIN),
  routes('waypoints', 'by-labels', [{ match: [{ sourceLabels: { app: 'caller' } }], ...answer(418) }, answer(419)]),
  entry('waypoints', 'by-labels-alone', MAIN),
  routes('waypoints', 'by-labels-alone', [{ match: [{ sourceLabels: { app: 'caller' } }], ...answer(418) }]),
  entry('waypoints', 'by-source', MAIN),
  routes('waypoints', 'by-source', [
    { match: [{ sourceNamespace: 'shop' }], ...answer(418) },
    { match: [{ sourceNamespace: 'waypoints' }], ...answer(419) },
    answer(420),
  ]),
  entry('waypoints', 'to-other-port', MAIN),
  routes('waypoints', 'to-other-port', [to('to-other-port', port(81))]),
  entry('waypoints', 'to-own', MAIN),
  routes('waypoints', 'to-own', [to('by-namespace', port(80))]),
  entry('waypoints', 'to-foreign', MAIN),
  routes('waypoints', 'to-foreign', [to('unbound', port(80))]),
  entry('waypoints', 'to-nobody', MAIN),
  routes('waypoints', 'to-nobody', [to('nobody', port(80))]),
  entry('waypoints', 'rewritten', MAIN),
  routes('waypoints', 'rewritten', [{ rewrite: { authority: 'other.example.com' }, ...to('rewritten', port(80)) }]),
  entry('waypoints', 'by-http-route', MAIN),
  httpRoute('waypoints', 'by-http-route', 'waypoints'),
  entry('third', 'by-http-route-beside', MAIN),
  httpRoute('third', 'by-http-route-beside', 'third'),
  entry('waypoints', 'by-http-route-elsewhere', MAIN),
  httpRoute('third', 'by-http-route-elsewhere', 'waypoints'),
  entry('waypoints', 'routed-tcp', MAIN),
  routes('waypoints', 'routed-tcp', [], {
    http: undefined,
    tcp: [{ match: [{ port: 81 }], ...to('by-namespace', port(80)) }],
    tls: [{ match: [{ port: 443, sniHosts: [hostOf('routed-tcp')] }], ...to('by-namespace', port(443)) }],
  }),
];

const https = (name: string) => `https://${hostOf(name)}/${name}`;

/** Labels by which the lab's internet knows hosts of wildcards. */
const LABELS: Labels = { '*.cnn.com': 'edition', '*.github.com': 'api' };

/** A request to port 80 of every host, and more where other ports differ. */
export const REQUESTS: readonly string[] = [
  ...WORLD.filter(({ kind }) => kind === 'ServiceEntry').map(({ metadata, spec }) => {
    const [host = ''] = (spec as { hosts: readonly string[] }).hosts;
    return `http://${host.replace('*', LABELS[host] ?? 'www')}/${metadata.name}`;
  }),
  ...[
    'by-namespace',
    'by-target',
    'by-port',
    'by-sni',
    'by-path',
    'routed-tcp',
    'routed-beside-entry',
    'tls-of-host',
  ].map(https),
  ...['by-namespace', 'by-target', 'by-port', 'by-sni', 'routed-tcp'].map(
    (name) => `http://${hostOf(name)}:81/${name}`,
  ),
  'http://by-namespace.example.com:82/by-namespace',
  'http://by-namespace.example.com:443/by-namespace',
  'https://by-namespace.example.com:80/by-namespace',
  'https://by-namespace.example.com:81/by-namespace',
  'https://www.wikipedia.org/wild-tls',
];
