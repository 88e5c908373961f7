/** Random ways in through Envoy Gateway: routes and its own policies at a Gateway whose proxies it runs. */
import fc from 'fast-check';
import { type KubeObject } from '../../lab/api';
import { type Thing, maybe, metadata, pick, some } from '../../trace/oracle/vocabulary';
import { aim, routeTargets } from './aim';
import { HOSTS, grants, rule } from './ingress';
import { tokenHeaders, tokenPolicy } from './tokens';
import { isSince } from '../../../src/model/releases';
import { LAB_RELEASES } from '../../lab/versions';

const GATEWAY_API = 'gateway.networking.k8s.io/v1';
/** What the Envoy Gateway of the lab has, and older ones have not. */
const has = (release: string, ...forms: readonly object[]): readonly object[] =>
  isSince('envoyGateway', LAB_RELEASES.envoyGatewayVersion, release) ? forms : [];
const ENVOY_GATEWAY = 'gateway.envoyproxy.io/v1alpha1';

/** The Gateway; its class has sidecars beside the proxies, as `dist/envoy-gateway-in-mesh` says. */
export const ENVOY_FRONT: KubeObject = {
  apiVersion: GATEWAY_API,
  kind: 'Gateway',
  metadata: { name: 'front', namespace: 'edge' },
  spec: {
    gatewayClassName: 'teg',
    listeners: [
      { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
      {
        name: 'www',
        port: 80,
        protocol: 'HTTP',
        hostname: 'www.example.com',
        allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'pay' } } } },
      },
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
        tls: { mode: 'Terminate', certificateRefs: [{ name: 'front' }] },
        allowedRoutes: { namespaces: { from: 'All' } },
      },
      {
        name: 'tls',
        port: 8443,
        protocol: 'TLS',
        hostname: '*.example.com',
        tls: { mode: 'Passthrough' },
        allowedRoutes: { namespaces: { from: 'All' } },
      },
    ],
  },
};

/** Filters of Envoy Gateway's own, of which routes name one. */
const FILTERS: readonly Thing[] = ['edge', 'app', 'web'].flatMap((namespace) => [
  {
    apiVersion: ENVOY_GATEWAY,
    kind: 'HTTPRouteFilter',
    metadata: { name: 'teapot', namespace },
    spec: { directResponse: { contentType: 'text/plain', statusCode: 418, body: { type: 'Inline', inline: 'no' } } },
  },
  {
    apiVersion: ENVOY_GATEWAY,
    kind: 'HTTPRouteFilter',
    metadata: { name: 'by-header', namespace },
    spec: { urlRewrite: { hostname: { type: 'Header', header: 'x-team' } } },
  },
]);
const ownFilter = maybe(pick('teapot', 'by-header', 'absent'), 1, 5);

const owner = pick('edge', 'edge', 'app', 'web');
const route = fc.record({
  namespace: owner,
  hostnames: maybe(
    fc.uniqueArray(pick(...HOSTS, '*.example.com', '*.b.example.com'), { minLength: 1, maxLength: 2 }),
    1,
    1,
  ),
  section: maybe(pick('http', 'www', 'special', 'https', 'tls', 'absent'), 1, 2),
  port: maybe(pick(80, 8080, 443), 1, 5),
  rules: some(fc.record({ rule, own: ownFilter }), 1, 3),
  age: fc.nat(50),
});
const tlsRoute = fc.record({
  namespace: owner,
  hostnames: fc.uniqueArray(pick('api.example.com', '*.example.com', 'a.b.example.com'), {
    minLength: 1,
    maxLength: 2,
  }),
  backend: pick('shop', 'nobody'),
  age: fc.nat(50),
});

const action = pick('Allow', 'Deny');
const principal = pick<object>(
  { clientCIDRs: ['0.0.0.0/0'] },
  { clientCIDRs: ['192.0.2.0/24'] },
  { clientCIDRs: ['10.0.0.0/8', '192.0.2.0/24'] },
  { clientCIDRs: ['0.0.0.0/0'], headers: [{ name: 'x-team', values: ['pay', 'dev'] }] },
);
const authorization = fc.record({
  defaultAction: maybe(action, 2, 1),
  rules: some(fc.record({ action, principal, methods: maybe(pick(['GET'], ['POST']), 1, 2) }), 1, 2),
});
const clientSettings = fc.record({
  path: maybe(
    fc.record({
      disableMergeSlashes: maybe(fc.boolean()),
      escapedSlashesAction: maybe(pick('KeepUnchanged', 'RejectRequest', 'UnescapeAndForward', 'UnescapeAndRedirect')),
    }),
    2,
    1,
  ),
  headers: maybe(
    fc.record({
      withUnderscoresAction: maybe(pick('Allow', 'DropHeader', 'RejectRequest')),
      earlyRequestHeaders: maybe(
        pick<object>(
          { set: [{ name: 'x-team', value: 'ops' }] },
          { add: [{ name: 'x-team', value: 'pay' }] },
          { remove: ['x-team'] },
          { addIfAbsent: [{ name: 'x-team', value: 'pay' }] },
          { add: [{ name: 'x-team', value: 'pay' }], set: [{ name: 'X-Team', value: 'ops' }] },
          ...has(
            '1.8',
            { removeOnMatch: [{ type: 'Prefix', value: 'x-te' }] },
            { removeOnMatch: [{ value: 'X-Team' }] },
          ),
        ),
      ),
      host: maybe(pick<object | undefined>(undefined, ...has('1.9', { stripTrailingHostDot: true }))),
    }),
  ),
  healthCheck: maybe(pick({ path: '/health' }, { path: '/v1?v=2' }), 1, 3),
  clientIPDetection: maybe(
    pick<object>(
      { customHeader: { name: 'x-client', failClosed: true } },
      { customHeader: { name: 'x-client' } },
      { xForwardedFor: { numTrustedHops: 1 } },
      { xForwardedFor: { numTrustedHops: 2 } },
    ),
    1,
    2,
  ),
});
const policy = fc.record({
  /** Of a route by its number, or of the Gateway. */
  of: maybe(fc.nat(2), 3, 1),
  section: maybe(pick('http', 'https', 'special'), 1, 3),
  what: fc.oneof(
    authorization.map(({ defaultAction, rules }) => ({
      kind: 'SecurityPolicy',
      spec: {
        authorization: {
          defaultAction,
          rules: rules.map((one) => ({
            action: one.action,
            principal: one.principal,
            operation: one.methods === undefined ? undefined : { methods: one.methods },
          })),
        },
      },
    })),
    pick({ kind: 'SecurityPolicy', spec: { basicAuth: { users: { name: 'users' } } } }),
    tokenPolicy,
    pick(503, 429).map((httpStatus) => ({
      kind: 'BackendTrafficPolicy',
      spec: { faultInjection: { abort: { httpStatus } } },
    })),
    clientSettings.map((spec) => ({ kind: 'ClientTrafficPolicy', spec })),
    clientSettings.map((spec) => ({ kind: 'ClientTrafficPolicy', spec })),
    pick({
      kind: 'SecurityPolicy',
      spec: { cors: { allowOrigins: ['https://www.example.com'], allowMethods: ['GET'] } },
    }),
    // Which source a response has to have is for an Envoy that the lab has not.
    pick(401, 403, 404, 503).map((value) => ({
      kind: 'BackendTrafficPolicy',
      spec: { responseOverride: [{ match: { statusCodes: [{ value }] }, response: { statusCode: 418 } }] },
    })),
    pick('Service', 'Endpoint').map((routingType) => ({ kind: 'BackendTrafficPolicy', spec: { routingType } })),
  ),
  age: fc.nat(50),
});

export interface EnvoyAsk {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ask = fc.record({
  aim,
  at: pick<Pick<EnvoyAsk, 'scheme' | 'port'>>(
    { scheme: 'http', port: 80 },
    { scheme: 'http', port: 80 },
    { scheme: 'http', port: 8080 },
    { scheme: 'https', port: 443 },
    { scheme: 'https', port: 8443 },
  ),
  host: pick(...HOSTS, 'other.net', 'www.example.com.'),
  path: fc.oneof(
    { weight: 2, arbitrary: pick('/', '/v1', '/v1/items', '/v12', '/health', '/v2', '/v1?v=2', '/?v=2') },
    pick('/v1//items', '/v1%2Fitems', '/v2/../v1', '/%761', '//v1/./items', '/health/', '/V1', '/v1%5citems?v=%2F'),
  ),
  method: pick('GET', 'GET', 'POST', 'OPTIONS'),
  headers: fc.oneof(
    {
      arbitrary: pick<Record<string, string>>(
        {},
        { 'x-team': 'pay' },
        { 'x-team': 'ops' },
        { x_team: 'pay' },
        { 'x-client': '192.0.2.9', 'x-team': 'pay' },
        { 'x-forwarded-for': '192.0.2.9' },
        { 'x-forwarded-for': '192.0.2.9, 198.51.100.1', 'x-team': 'pay' },
        { origin: 'https://www.example.com', 'access-control-request-method': 'GET' },
      ),
      weight: 2,
    },
    { arbitrary: tokenHeaders, weight: 1 },
  ),
});

const portOf = (port: number): Pick<EnvoyAsk, 'scheme' | 'port'> => ({ scheme: port === 443 ? 'https' : 'http', port });

/** Where a request is sent that is aimed at a route of one listener. */
const LISTENERS: Readonly<Record<string, Pick<EnvoyAsk, 'scheme' | 'port'>>> = {
  http: portOf(80),
  www: portOf(80),
  special: portOf(8080),
  https: portOf(443),
};

export interface EnvoyMesh {
  readonly things: readonly Thing[];
  readonly asks: readonly EnvoyAsk[];
}

const granting = (owner: string, from: string, kind: string): Thing => ({
  apiVersion: 'gateway.networking.k8s.io/v1beta1',
  kind: 'ReferenceGrant',
  metadata: { name: `${kind.toLowerCase()}-from-${from}`, namespace: owner },
  spec: {
    from: [{ group: 'gateway.networking.k8s.io', kind, namespace: from }],
    to: [{ group: '', kind: 'Service' }],
  },
});

export function envoyMeshes(requests: number): fc.Arbitrary<EnvoyMesh> {
  return fc
    .record({
      routes: some(route, 1, 4),
      tls: some(tlsRoute, 0, 2),
      grants,
      policies: fc.oneof({ arbitrary: some(policy, 0, 0), weight: 2 }, { arbitrary: some(policy, 1, 2), weight: 1 }),
      asks: some(ask, requests, requests),
    })
    .map((mesh) => ({
      things: [
        ...FILTERS,
        ...mesh.routes.map(({ namespace, hostnames, section, port, rules, age }, index): Thing => ({
          apiVersion: GATEWAY_API,
          kind: 'HTTPRoute',
          metadata: metadata(`route${index}`, namespace, age),
          spec: {
            parentRefs: [{ name: 'front', namespace: 'edge', sectionName: section, port }],
            hostnames,
            rules: rules.map(({ rule: one, own }) => {
              if (own === undefined) return one;
              const extensionRef = { group: 'gateway.envoyproxy.io', kind: 'HTTPRouteFilter', name: own };
              return { ...one, filters: [...(one.filters ?? []), { type: 'ExtensionRef', extensionRef }] };
            }),
          },
        })),
        ...mesh.tls.map(({ namespace, hostnames, backend, age }, index): Thing => ({
          apiVersion: 'gateway.networking.k8s.io/v1alpha2',
          kind: 'TLSRoute',
          metadata: metadata(`tls${index}`, namespace, age),
          spec: {
            parentRefs: [{ name: 'front', namespace: 'edge', sectionName: 'tls' }],
            hostnames,
            rules: [{ backendRefs: [{ name: backend, namespace: 'app', port: 443 }] }],
          },
        })),
        ...[...new Map(mesh.grants.map((one) => [`${one.owner} ${one.from}`, one])).values()].flatMap(
          ({ owner: home, from }) => [granting(home, from, 'HTTPRoute'), granting(home, from, 'TLSRoute')],
        ),
        ...mesh.policies.map(({ of, section, what, age }, index): Thing => {
          const target =
            of === undefined || what.kind === 'ClientTrafficPolicy' ? undefined : mesh.routes[of % mesh.routes.length];
          const ref = target
            ? { kind: 'HTTPRoute', name: `route${of! % mesh.routes.length}` }
            : { kind: 'Gateway', name: 'front', sectionName: section };
          return {
            apiVersion: ENVOY_GATEWAY,
            kind: what.kind,
            metadata: metadata(`policy${index}`, target?.namespace ?? 'edge', age),
            spec: { targetRefs: [{ group: 'gateway.networking.k8s.io', ...ref }], ...what.spec },
          };
        }),
      ],
      asks: mesh.asks.map(({ at, aim: number, ...one }) => {
        const targets = mesh.routes.flatMap(({ hostnames, rules, section, port }) =>
          routeTargets(
            hostnames,
            rules.map(({ rule: each }) => each),
            'www.example.com',
          ).map((target) => ({ ...target, at: LISTENERS[section ?? ''] ?? portOf(port ?? 80) })),
        );
        const target = number === undefined ? undefined : targets[number % targets.length];
        if (target === undefined) return { ...one, ...at };
        const { at: where, ...rest } = target;
        return { ...one, ...rest, ...where, headers: { ...one.headers, ...target.headers } };
      }),
    }));
}
