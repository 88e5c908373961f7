/** Random ways in: routes of the Gateway API at a Gateway that istiod deploys, and Istio's own Gateways and VirtualServices. */
import fc from 'fast-check';
import { type KubeObject } from '../../lab/api';
import { type Thing, maybe, metadata, pick, some } from '../../trace/oracle/vocabulary';
import { type LiveAsk, type LiveMesh } from './meshes';
import { aim, routeTargets, ruleTargets, type Target } from './aim';
import { authorizationPolicy, enriched, enrichment, policyThing } from './policies';
import { authentication, claimCondition, tokenHeaders } from './tokens';

/** The Gateway of the Gateway API, and the Pod that istiod makes for it. */
export const FRONT = 'edge/front-istio';
export const INGRESS_WORLD: readonly KubeObject[] = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: {
      name: 'front',
      namespace: 'edge',
      annotations: { 'networking.istio.io/service-type': 'ClusterIP' },
    },
    spec: {
      gatewayClassName: 'istio',
      listeners: [
        { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
        {
          name: 'special',
          port: 8080,
          protocol: 'HTTP',
          hostname: '*.example.com',
          allowedRoutes: { namespaces: { from: 'Same' } },
        },
        {
          name: 'https',
          port: 443,
          protocol: 'HTTPS',
          hostname: 'api.example.com',
          tls: { mode: 'Terminate', certificateRefs: [{ name: 'cert' }] },
          allowedRoutes: { namespaces: { from: 'All' } },
        },
      ],
    },
  },
];

export const HOSTS = ['api.example.com', 'www.example.com', 'example.com', 'a.b.example.com', 'db.partner.io'] as const;
const owner = pick('edge', 'edge', 'app', 'web');

const header = pick(
  { name: 'x-team', value: 'pay' },
  { name: 'X-Team', value: 'ops' },
  { name: 'x-team', type: 'RegularExpression', value: 'p.*' },
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
  headers: maybe(some(header, 1, 1), 1, 3),
  method: maybe(pick('GET', 'POST'), 1, 3),
  queryParams: maybe(pick([{ name: 'v', value: '2' }]), 1, 5),
});
const filter = pick<object>(
  { type: 'RequestRedirect', requestRedirect: { scheme: 'https' } },
  { type: 'RequestRedirect', requestRedirect: { hostname: 'www.example.com', statusCode: 302 } },
  { type: 'RequestRedirect', requestRedirect: { path: { type: 'ReplaceFullPath', replaceFullPath: '/v2' } } },
  { type: 'URLRewrite', urlRewrite: { hostname: 'shop.app.svc.cluster.local' } },
  { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/v2' } } },
  { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } },
  { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-team', value: 'ops' }] } },
  { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['server'] } },
);
const backend = fc.record({
  ref: pick(
    ...Array.from({ length: 10 }, () => ({ name: 'shop', namespace: 'app', port: 80 })),
    ...Array.from({ length: 10 }, () => ({ name: 'store', namespace: 'web', port: 80 })),
    { name: 'shop', namespace: 'app', port: 81 },
    { name: 'nobody', namespace: 'app', port: 80 },
  ),
  weight: maybe(pick(0, 1, 3), 1, 2),
});
export const rule = fc
  .record({
    matches: maybe(some(match, 1, 2), 4, 1),
    filter: maybe(filter, 1, 3),
    backends: some(backend, 1, 2),
  })
  .map(({ matches, filter: own, backends }) => ({
    matches,
    filters: own === undefined ? undefined : [own],
    backendRefs: JSON.stringify(own ?? {}).includes('RequestRedirect')
      ? undefined
      : backends.map(({ ref, weight }) => ({ ...ref, weight })),
  }));
const httpRoute = fc
  .record({
    owner,
    hostnames: maybe(
      fc.uniqueArray(pick(...HOSTS, '*.example.com', '*.b.example.com'), { minLength: 1, maxLength: 2 }),
      4,
      1,
    ),
    section: maybe(pick('http', 'http', 'special', 'https', 'https'), 1, 1),
    rules: some(rule, 1, 3),
    age: fc.nat(50),
  })
  // The special listener takes routes of its own namespace alone; a few try from others.
  .map(({ owner: namespace, section, age, ...rest }) => ({
    namespace,
    section: section === 'special' && namespace !== 'edge' && age > 10 ? 'http' : section,
    age,
    ...rest,
  }));

interface Grant {
  readonly owner: string;
  readonly from: string;
}
const FROM = ['edge', 'app', 'web'] as const;
const EVERY: readonly Grant[] = ['app', 'web'].flatMap((owner) => FROM.map((from) => ({ owner, from })));
const few: fc.Arbitrary<readonly Grant[]> = some(fc.record({ owner: pick('app', 'web'), from: pick(...FROM) }), 0, 4);
/** All of the grants that there can be for most, so that a request has a way to go on, or some of them. */
export const grants = fc.oneof({ arbitrary: fc.constant(EVERY), weight: 5 }, { arbitrary: few, weight: 1 });

const server = pick(
  { port: { number: 80, name: 'http', protocol: 'HTTP' } },
  { port: { number: 80, name: 'http', protocol: 'HTTP' } },
  { port: { number: 443, name: 'https', protocol: 'HTTPS' }, tls: { mode: 'SIMPLE', credentialName: 'cert' } },
  { port: { number: 80, name: 'redirect', protocol: 'HTTP' }, tls: { httpsRedirect: true } },
  { port: { number: 443, name: 'https', protocol: 'HTTPS' }, tls: { mode: 'SIMPLE', credentialName: 'cert' } },
  { port: { number: 443, name: 'https-absent', protocol: 'HTTPS' }, tls: { mode: 'MUTUAL', credentialName: 'cert' } },
  { port: { number: 443, name: 'tls', protocol: 'TLS' }, tls: { mode: 'PASSTHROUGH' } },
);
const classic = fc.record({
  owner: pick('edge', 'app'),
  servers: some(
    fc.record({
      base: server,
      hosts: fc.uniqueArray(pick(...HOSTS, '*.example.com', '*', '*', '*', '*', 'app/*', './*.example.com'), {
        minLength: 1,
        maxLength: 2,
      }),
    }),
    1,
    2,
  ),
});
const virtualService = fc.record({
  owner: pick('edge', 'app', 'web'),
  hosts: fc.uniqueArray(pick(...HOSTS, '*.example.com'), { minLength: 1, maxLength: 2 }),
  rules: some(
    fc.record({
      uri: maybe(pick({ prefix: '/v1' }, { exact: '/health' }, { prefix: '/' }), 2, 1),
      to: pick(
        'shop.app.svc.cluster.local',
        'shop.app.svc.cluster.local',
        'shop.app.svc.cluster.local',
        'store.web.svc.cluster.local',
        'store.web.svc.cluster.local',
        'store.web.svc.cluster.local',
        'nobody.app.svc.cluster.local',
      ),
      claim: maybe(claimCondition, 1, 5),
      more: enrichment,
    }),
    1,
    2,
  ),
  sni: fc.boolean(),
});

const NETWORKING = 'networking.istio.io/v1';
export const services: readonly Thing[] = [
  [
    'shop',
    'app',
    [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'https', port: 443, targetPort: 8443 },
    ],
  ],
  ['store', 'web', [{ name: 'http', port: 80, targetPort: 8080 }]],
  [
    'egw',
    'edge',
    [
      { name: 'http2', port: 80, targetPort: 8080 },
      { name: 'https', port: 443, targetPort: 8443 },
    ],
  ],
].map(([name, namespace, ports]) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: String(name), namespace: String(namespace) },
  spec: { selector: { app: name }, ports },
}));

const ask = fc
  .record({
    at: pick('edge/front', 'edge/front', 'classic'),
    aim,
    scheme: pick('http' as const, 'http' as const, 'https' as const),
    host: pick(...HOSTS, 'other.net'),
    special: fc.boolean(),
    path: fc.oneof(
      { weight: 3, arbitrary: pick('/', '/v1', '/v1/items', '/v12', '/health', '/v2', '/v1?v=2', '/?v=2') },
      pick('/v1//items', '/v1%2Fitems', '/v2/../v1', '/%761', '//v1', '/V1', '/v1/%2e%2E/health', '/v1\\items'),
    ),
    method: pick('GET', 'GET', 'POST'),
    headers: fc.oneof(pick<Record<string, string>>({}, {}, { 'x-team': 'pay' }, { 'x-team': 'ops' }), tokenHeaders),
  })
  .map(({ special, ...one }) => ({
    ...one,
    from: 'outside',
    port: one.scheme === 'https' ? 443 : special && one.at === 'edge/front' ? 8080 : 80,
    address: undefined,
    through: one.at === 'classic' ? 'egw.edge' : 'front-istio.edge',
  }));
type IngressAsk = typeof ask extends fc.Arbitrary<infer T> ? T : never;

/** The listeners that a route may name, by their ports. */
const SECTIONS: Readonly<Record<string, number>> = { http: 80, special: 8080, https: 443 };

/** A request with what it is aimed at in the place of what was drawn. */
function aimed(
  { aim: number, ...drawn }: IngressAsk,
  targets: readonly (Target & { readonly port: number })[],
): LiveAsk {
  const target = number === undefined ? undefined : targets[number % Math.max(1, targets.length)];
  if (target === undefined) return drawn;
  const headers = { ...drawn.headers, ...target.headers };
  const isTls = target.port === 443;
  // The one name that the Gateway of the Gateway API has a certificate for.
  const host = isTls && drawn.at === 'edge/front' ? 'api.example.com' : target.host;
  return { ...drawn, ...target, host, headers, scheme: isTls ? 'https' : 'http' };
}

export function ingressMeshes(requests: number): fc.Arbitrary<LiveMesh> {
  return fc
    .record({
      outbound: pick('REGISTRY_ONLY' as const, 'ALLOW_ANY' as const),
      routes: some(httpRoute, 1, 4),
      grants,
      gateway: classic,
      virtualServices: some(virtualService, 1, 3),
      policies: fc.oneof(
        { arbitrary: some(authorizationPolicy, 0, 0), weight: 2 },
        { arbitrary: some(authorizationPolicy, 1, 2), weight: 1 },
      ),
      authentication,
      asks: some(ask, requests, requests),
    })
    .map(({ outbound, routes, grants: granted, gateway, virtualServices, policies, authentication: tokens, asks }) => ({
      outbound,
      things: [
        ...services,
        ...routes.map(({ namespace, hostnames, section, rules, age }, index): Thing => ({
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'HTTPRoute',
          metadata: metadata(`route${index}`, namespace, age),
          spec: { parentRefs: [{ name: 'front', namespace: 'edge', sectionName: section }], hostnames, rules },
        })),
        ...granted.map((one, index): Thing => ({
          apiVersion: 'gateway.networking.k8s.io/v1beta1',
          kind: 'ReferenceGrant',
          metadata: { name: `grant${index}`, namespace: one.owner },
          spec: {
            from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: one.from }],
            to: [{ group: '', kind: 'Service' }],
          },
        })),
        {
          apiVersion: NETWORKING,
          kind: 'Gateway',
          metadata: { name: 'classic', namespace: gateway.owner },
          spec: {
            selector: { app: 'egw' },
            servers: gateway.servers.map(({ base, hosts }, position) => ({
              ...base,
              port: { ...base.port, name: `${base.port.name}-${position}` },
              hosts,
            })),
          },
        },
        ...virtualServices.map((one, index): Thing => ({
          apiVersion: NETWORKING,
          kind: 'VirtualService',
          metadata: metadata(`vs${index}`, one.owner, index),
          spec: {
            hosts: one.hosts,
            gateways: [`${gateway.owner}/classic`],
            http: one.rules.map(({ uri, to, claim, more }) =>
              enriched(
                {
                  match: uri === undefined && claim === undefined ? undefined : [{ uri, ...claim }],
                  route: [{ destination: { host: to, port: { number: 80 } } }],
                },
                { ...more, second: 'store.web.svc.cluster.local' },
              ),
            ),
            tls: one.sni
              ? [
                  {
                    match: [{ port: 443, sniHosts: one.hosts }],
                    route: [{ destination: { host: 'shop.app.svc.cluster.local', port: { number: 443 } } }],
                  },
                ]
              : undefined,
          },
        })),
        ...policies.map(policyThing),
        ...(tokens === undefined ? [] : [tokens]),
      ],
      asks: asks.map((one) =>
        one.at === 'classic'
          ? {
              ...aimed(
                one,
                virtualServices.flatMap(({ hosts, rules }) =>
                  ruleTargets(hosts, rules).map((target, index) => ({
                    ...target,
                    port: gateway.servers[index % gateway.servers.length]!.base.port.number,
                  })),
                ),
              ),
              at: `${gateway.owner}/classic`,
            }
          : aimed(
              one,
              routes.flatMap(({ hostnames, rules, section }) =>
                routeTargets(hostnames, rules, 'api.example.com').map((target) => ({
                  ...target,
                  port: SECTIONS[section ?? 'http'] ?? 80,
                })),
              ),
            ),
      ),
    }));
}
