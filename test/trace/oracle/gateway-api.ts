/** Random ways in and ways across by the Gateway API, for the oracle: Gateways, routes, grants and policies that meet and contradict one another. */
import fc from 'fast-check';
import { type Ask, type GeneratedMesh, maybe, metadata, pick, some, type Thing } from './vocabulary';

const GROUP = 'gateway.networking.k8s.io';
const HOSTS = ['api.example.com', 'www.example.com', 'example.com', 'a.b.example.com', 'db.partner.io'] as const;
const namespace = pick('edge', 'app', 'web');
const MESH = { 'security.istio.io/tlsMode': 'istio' };

const pod = (name: string, owner: string, ip: string, labels: object, annotations: object = {}): Thing => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: owner, labels, annotations },
  spec: { serviceAccountName: name, containers: [{ name: 'app', image: 'none' }] },
  status: { podIP: ip },
});
const service = (
  name: string,
  owner: string,
  clusterIP: string,
  selector: object,
  ports: readonly object[],
): Thing => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: owner },
  spec: { clusterIP, selector, ports },
});
const slice = (name: string, owner: string, target: string, ip: string, ports: readonly object[]): Thing => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  addressType: 'IPv4',
  metadata: { name: `${name}-1`, namespace: owner, labels: { 'kubernetes.io/service-name': name } },
  endpoints: [{ addresses: [ip], conditions: { ready: true }, targetRef: { kind: 'Pod', name: target, namespace: owner } }], // prettier-ignore
  ports,
});

const http = [{ name: 'http', port: 80, targetPort: 8080 }];
const both = [...http, { name: 'https', port: 443, targetPort: 8443 }];
const inSlice = (ports: readonly { name: string; targetPort: number }[]): readonly object[] =>
  ports.map((one) => ({ name: one.name, port: one.targetPort, protocol: 'TCP' }));
const front = [80, 8080, 443].map((port) => ({ name: `p${port}`, port, targetPort: port }));

const WORLD: readonly Thing[] = [
  ...['edge', 'app', 'web'].map((name): Thing => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'istio-injection': 'enabled', ...(name === 'app' ? { team: 'shop' } : {}) } },
  })),
  {
    apiVersion: `${GROUP}/v1`,
    kind: 'GatewayClass',
    metadata: { name: 'istio' },
    spec: { controllerName: 'istio.io/gateway-controller' },
  },
  ...['front', 'side'].flatMap((name, index): Thing[] => [
    pod(`${name}-istio`, 'edge', `10.244.4.1${index}`, { [`${GROUP}/gateway-name`]: name, istio: 'gateway-of-api' }, { 'inject.istio.io/templates': 'gateway' }), // prettier-ignore
    service(`${name}-istio`, 'edge', `10.96.0.8${index}`, { [`${GROUP}/gateway-name`]: name }, front),
    slice(`${name}-istio`, 'edge', `${name}-istio`, `10.244.4.1${index}`, inSlice(front)),
  ]),
  pod('sleep', 'app', '10.244.1.10', { app: 'sleep', ...MESH }),
  pod('sleep', 'web', '10.244.1.20', { app: 'sleep', ...MESH }),
  pod('shop', 'app', '10.244.1.30', { app: 'shop', ...MESH }),
  service('shop', 'app', '10.96.0.60', { app: 'shop' }, both),
  slice('shop', 'app', 'shop', '10.244.1.30', inSlice(both)),
  pod('store', 'web', '10.244.1.40', { app: 'store', 'sidecar.istio.io/inject': 'false' }),
  service('store', 'web', '10.96.0.61', { app: 'store' }, http),
  slice('store', 'web', 'store', '10.244.1.40', inSlice(http)),
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: metadata('site', 'app', 1),
    spec: {
      hosts: ['api.example.com'],
      ports: [
        { number: 80, name: 'http', protocol: 'HTTP' },
        { number: 443, name: 'tls', protocol: 'TLS' },
      ],
      resolution: 'DNS',
    },
  },
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: metadata('sites', 'web', 2),
    spec: {
      hosts: ['www.example.com', 'db.partner.io', '*.b.example.com'],
      ports: [
        { number: 80, name: 'http', protocol: 'HTTP' },
        { number: 8080, name: 'http-alt', protocol: 'HTTP' },
      ],
      resolution: 'NONE',
    },
  },
];

const listener = fc
  .record({
    base: pick<{ port: number; protocol: string; tls?: object }>(
      { port: 80, protocol: 'HTTP' },
      { port: 80, protocol: 'HTTP' },
      { port: 8080, protocol: 'HTTP' },
      { port: 443, protocol: 'TLS', tls: { mode: 'Passthrough' } },
      { port: 8080, protocol: 'TCP' },
    ),
    hostname: maybe(pick<string>(...HOSTS, '*.example.com', '*.b.example.com'), 1, 1),
    from: pick<object | undefined>(
      undefined,
      { namespaces: { from: 'All' } },
      { namespaces: { from: 'Same' } },
      { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'shop' } } } },
      { namespaces: { from: 'All' }, kinds: [{ kind: 'GRPCRoute' }] },
    ),
  })
  .map(({ base, hostname, from }) => ({ ...base, hostname, allowedRoutes: from }));

const header = pick(
  { name: 'x-team', value: 'blue' },
  { name: 'X-Team', value: 'red' },
  { name: 'x-team', type: 'RegularExpression', value: 'b.*' },
);
const match = fc.record({
  path: maybe(
    pick(
      { type: 'PathPrefix', value: '/' },
      { type: 'PathPrefix', value: '/v1' },
      { type: 'PathPrefix', value: '/v1/' },
      { type: 'Exact', value: '/v1' },
      { type: 'Exact', value: '/health' },
      { type: 'RegularExpression', value: '/v[0-9]' },
    ),
    3,
    1,
  ),
  headers: maybe(some(header, 1, 2), 1, 3),
  method: maybe(pick('GET', 'POST'), 1, 3),
  queryParams: maybe(pick([{ name: 'beta', value: 'yes' }]), 1, 5),
});
const filter = pick<object>(
  { type: 'RequestRedirect', requestRedirect: { scheme: 'https' } },
  { type: 'URLRewrite', urlRewrite: { hostname: 'shop.app.svc.cluster.local' } },
  { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/v2' } } },
  { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } },
  { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-team', value: 'red' }] } },
);
const backend = fc
  .record({
    ref: pick<object>(
      { name: 'shop', namespace: 'app', port: 80 },
      { name: 'shop', namespace: 'app', port: 80 },
      { name: 'store', namespace: 'web', port: 80 },
      { name: 'shop', port: 80 },
      { name: 'store', port: 80 },
      { name: 'shop', namespace: 'app', port: 81 },
      { name: 'shop', namespace: 'app', port: 443 },
      { name: 'nobody', namespace: 'app', port: 80 },
      { group: 'networking.istio.io', kind: 'Hostname', name: 'api.example.com', port: 80 },
      { group: 'networking.istio.io', kind: 'Hostname', name: 'api.example.com', port: 443 },
    ),
    weight: maybe(pick(0, 1, 3), 1, 2),
  })
  .map(({ ref, weight }) => ({ ...ref, weight }));
const rule = fc
  .record({ matches: maybe(some(match, 1, 2), 4, 1), own: maybe(filter, 1, 3), backends: some(backend, 1, 2) })
  .map(({ matches, own, backends }) => ({
    matches,
    filters: own === undefined ? undefined : [own],
    backendRefs: JSON.stringify(own ?? {}).includes('RequestRedirect') ? undefined : backends,
  }));
const grpcRule = fc
  .record({
    method: maybe(
      pick<object>({ service: 'v1' }, { service: 'v1', method: 'items' }, { method: 'items' }, { type: 'RegularExpression', service: 'v.' }), // prettier-ignore
      2,
      1,
    ),
    backends: some(backend, 1, 1),
  })
  .map(({ method, backends }) => ({ matches: method === undefined ? undefined : [{ method }], backendRefs: backends }));

const parent = fc.oneof(
  {
    arbitrary: fc.record({
      name: pick('front', 'front', 'side'),
      namespace: fc.constant('edge'),
      sectionName: maybe(pick('l0', 'l1'), 1, 2),
      port: maybe(pick(80, 443), 1, 5),
    }),
    weight: 3,
  },
  {
    arbitrary: pick<object>(
      { group: '', kind: 'Service', name: 'shop', namespace: 'app' },
      { group: '', kind: 'Service', name: 'shop', namespace: 'app', port: 80 },
      { group: '', kind: 'Service', name: 'store', namespace: 'web' },
      { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'site', namespace: 'app' },
      { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'site', namespace: 'app', port: 80 },
      { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'sites', namespace: 'web' },
      { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'sites', namespace: 'web', port: 8080 },
      { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'site' },
    ),
    weight: 3,
  },
);
const route = fc
  .record({
    kind: pick('HTTPRoute', 'HTTPRoute', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'),
    owner: namespace,
    parents: some(parent, 1, 2),
    hostnames: maybe(fc.uniqueArray(pick<string>(...HOSTS, '*.example.com'), { minLength: 1, maxLength: 2 }), 3, 1),
    rules: some(rule, 1, 3),
    grpc: some(grpcRule, 1, 2),
    streams: some(backend, 1, 2),
  })
  .map(({ kind, rules, grpc, streams, hostnames, ...rest }) => ({
    ...rest,
    kind,
    hostnames: kind === 'TCPRoute' ? undefined : hostnames,
    rules: kind === 'HTTPRoute' ? rules : kind === 'GRPCRoute' ? grpc : [{ backendRefs: streams }],
  }));

const grant = fc.record({ owner: pick('app', 'web'), from: namespace, kind: pick('HTTPRoute', 'HTTPRoute', 'GRPCRoute'), name: maybe(pick('shop', 'store'), 1, 2) }); // prettier-ignore
const tlsPolicy = fc.record({
  owner: pick('app', 'web'),
  target: pick<object>(
    { group: '', kind: 'Service', name: 'shop' },
    { group: '', kind: 'Service', name: 'shop', sectionName: 'https' },
    { group: '', kind: 'Service', name: 'store' },
    { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'site' },
    { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'site', sectionName: 'http' },
    { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'sites', sectionName: 'http-alt' },
  ),
  hostname: pick('shop.example.com', 'api.example.com'),
});

const ask: fc.Arbitrary<Ask> = fc
  .record({
    from: pick('edge/front-istio', 'edge/front-istio', 'edge/side-istio', 'app/sleep', 'web/sleep'),
    scheme: pick('http' as const, 'http' as const, 'http' as const, 'https' as const),
    outside: pick<string>(...HOSTS, 'other.net'),
    inside: pick('shop.app', 'shop.app.svc.cluster.local', 'store.web.svc.cluster.local', 'api.example.com', 'www.example.com', 'db.partner.io', 'a.b.example.com'), // prettier-ignore
    special: pick(false, false, true),
    path: pick('/', '/v1', '/v1/items', '/v12', '/health', '/v2', '/v1?beta=yes'),
    method: pick('GET', 'GET', 'POST'),
    headers: pick<Record<string, string>>({}, { 'x-team': 'blue' }, { 'x-team': 'red' }),
  })
  .map(({ outside, inside, special, ...one }): Ask => {
    const isInside = !one.from.startsWith('edge/');
    const host = isInside ? inside : outside;
    return {
      ...one,
      ...(isInside ? {} : { at: one.from.replace('-istio', '') }),
      host,
      address: isInside
        ? host.startsWith('shop') ? '10.96.0.60' : host.startsWith('store') ? '10.96.0.61' : '203.0.113.10' // prettier-ignore
        : one.from === 'edge/front-istio' ? '10.244.4.10' : '10.244.4.11', // prettier-ignore
      port: one.scheme === 'https' ? 443 : special && (!isInside || host.includes('example.com') || host === 'db.partner.io') ? 8080 : 80, // prettier-ignore
    };
  });

/** A mesh whose ways are the Gateway API's, with `requests` requests from outside and inside. */
export function gatewayApiMeshes(requests: number): fc.Arbitrary<GeneratedMesh> {
  return fc
    .record({
      listeners: fc.tuple(some(listener, 1, 3), some(listener, 1, 2)),
      routes: some(route, 1, 5),
      grants: some(grant, 0, 3),
      policies: some(tlsPolicy, 0, 2),
      outbound: pick('REGISTRY_ONLY' as const, 'ALLOW_ANY' as const),
      asks: some(ask, requests, requests),
      ages: fc.shuffledSubarray(
        Array.from({ length: 20 }, (_value, index) => index),
        { minLength: 20, maxLength: 20 },
      ),
    })
    .map(({ listeners, routes, grants, policies, outbound, asks, ages }): GeneratedMesh => {
      let next = 0;
      const age = (): number => (ages[next++] ?? next) + 5;
      const things: Thing[] = [
        ...WORLD,
        ...listeners.map((own, index): Thing => ({
          apiVersion: `${GROUP}/v1`,
          kind: 'Gateway',
          metadata: metadata(['front', 'side'][index] as string, 'edge', index),
          spec: {
            gatewayClassName: 'istio',
            listeners: own.map((one, position) => ({
              name: `l${position}`,
              ...one,
              hostname: one.protocol === 'TCP' ? undefined : one.hostname,
            })),
          },
        })),
        ...routes.map((one, index): Thing => ({
          apiVersion: `${GROUP}/${one.kind === 'TLSRoute' || one.kind === 'TCPRoute' ? 'v1alpha2' : 'v1'}`,
          kind: one.kind,
          metadata: metadata(`r${index}`, one.owner, age()),
          spec: { parentRefs: one.parents, hostnames: one.hostnames, rules: one.rules },
        })),
        ...grants.map((one, index): Thing => ({
          apiVersion: `${GROUP}/v1beta1`,
          kind: 'ReferenceGrant',
          metadata: { name: `grant${index}`, namespace: one.owner },
          spec: {
            from: [{ group: GROUP, kind: one.kind, namespace: one.from }],
            to: [{ group: '', kind: 'Service', name: one.name }],
          },
        })),
        ...policies.map((one, index): Thing => ({
          apiVersion: `${GROUP}/v1`,
          kind: 'BackendTLSPolicy',
          metadata: metadata(`tls${index}`, one.owner, age()),
          spec: { targetRefs: [one.target], validation: { hostname: one.hostname, wellKnownCACertificates: 'System' } },
        })),
      ];
      return { outbound, config: {}, things, asks };
    });
}
