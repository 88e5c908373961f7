/**
 * Random ways in by the Gateway API, at a Gateway of Istio's or of Envoy Gateway's: routes of every kind, grants, TLS towards backends, and
 * Envoy Gateway's policies at each level, merged and not.
 */
import type { TraceRequest } from '../../src/trace/types';
import type { Body } from './one-field';
import { given, maybe, object, pick, some, those } from './picking';
import type { Random } from './worlds';

export type Controller = 'istio' | 'envoy gateway';

const API = 'gateway.networking.k8s.io';
const OWN = 'gateway.envoyproxy.io';
const NAMESPACES = ['edge', 'shop', 'pay'] as const;
const SERVERS = [
  ['shop', 'web'],
  ['shop', 'cart'],
  ['pay', 'pay'],
] as const;
const ROUTES = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'] as const;
const HOSTS = ['api.example.com', 'www.example.com', '*.example.com', 'db.example.org'] as const;
const SECTIONS = ['http', 'named', 'https', 'passed', 'ended', 'tcp', 'udp'] as const;

function gateway(next: Random, controller: Controller): Body {
  const allowedRoutes = (kinds?: readonly string[]): Body => ({
    allowedRoutes: {
      namespaces: pick<Body>(next, [{ from: 'All' }, { from: 'All' }, { from: 'Same' }, { from: 'Selector', selector: { matchLabels: { team: pick(next, ['a', 'b']) } } }]), // prettier-ignore
      ...(kinds === undefined ? {} : given(next, 0.2, () => ({ kinds: kinds.map((kind) => ({ kind })) }))),
    },
  });
  const hostname = (share: number): Body => given(next, share, () => ({ hostname: pick(next, HOSTS) }));
  const certificate = given(next, 0.3, () => ({ namespace: pick(next, NAMESPACES) }));
  return object(`${API}/v1`, 'Gateway', 'edge', 'front', {
    spec: {
      gatewayClassName: controller === 'istio' ? 'istio' : 'teg',
      listeners: [
        { name: 'http', port: 80, protocol: 'HTTP', ...allowedRoutes(['HTTPRoute']), ...hostname(0.2) },
        { name: 'named', port: 80, protocol: 'HTTP', ...allowedRoutes(), hostname: pick(next, ['named.example.com', 'www.example.com']) }, // prettier-ignore
        { name: 'https', port: 443, protocol: 'HTTPS', ...allowedRoutes(['HTTPRoute', 'GRPCRoute']), ...hostname(0.5), tls: { mode: 'Terminate', certificateRefs: [{ name: 'cert', ...certificate }] } }, // prettier-ignore
        { name: 'passed', port: 8443, protocol: 'TLS', ...allowedRoutes(['TLSRoute']), ...hostname(0.5), tls: { mode: 'Passthrough' } }, // prettier-ignore
        { name: 'ended', port: 9443, protocol: 'TLS', ...allowedRoutes(), ...hostname(0.3), tls: { mode: 'Terminate', certificateRefs: [{ name: 'cert' }] } }, // prettier-ignore
        { name: 'tcp', port: 5432, protocol: 'TCP', ...allowedRoutes(['TCPRoute']) },
        { name: 'udp', port: 5353, protocol: 'UDP', ...allowedRoutes() },
      ],
    },
  });
}

function backend(next: Random, controller: Controller): Body {
  const [namespace, name] = pick(next, SERVERS);
  const more = {
    ...given(next, 0.6, () => ({ namespace })),
    ...given(next, 0.2, () => ({ weight: pick(next, [0, 1, 3]) })),
  };
  if (controller === 'envoy gateway' && maybe(next, 0.25))
    return { group: OWN, kind: 'Backend', name: pick(next, ['site', 'pods']), ...more };
  return { name, port: pick(next, [80, 80, 6379, 443]), ...more };
}

const backends = (next: Random, controller: Controller): Body => ({
  backendRefs: [backend(next, controller), ...(maybe(next, 0.2) ? [backend(next, controller)] : [])],
});

const httpMatch = (next: Random): Body => ({
  ...given(next, 0.8, () => ({ path: { type: pick(next, ['PathPrefix', 'Exact']), value: pick(next, ['/', '/a', '/admin']) } })), // prettier-ignore
  ...given(next, 0.2, () => ({ method: pick(next, ['GET', 'POST']) })),
  ...given(next, 0.3, () => ({ headers: [{ name: 'x-t', value: pick(next, ['a', 'b']) }] })),
});

const httpFilter = (next: Random): Body =>
  pick<Body>(next, [
    { type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } },
    { type: 'URLRewrite', urlRewrite: { hostname: 'other.example.com' } },
    { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/b' } } },
    { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-t', value: 'b' }] } },
  ]);

function ruleOf(next: Random, kind: (typeof ROUTES)[number], controller: Controller): Body {
  const to = backends(next, controller);
  const name = given(next, 0.5, () => ({ name: pick(next, ['one', 'two']) }));
  if (kind === 'HTTPRoute') {
    const filters = given(next, 0.25, () => ({ filters: [httpFilter(next)] }));
    const isAnswered = filters.filters?.[0]?.type === 'RequestRedirect';
    return {
      ...name,
      ...given(next, 0.9, () => ({ matches: [httpMatch(next)] })),
      ...filters,
      ...(isAnswered ? {} : to),
    };
  }
  if (kind === 'GRPCRoute')
    return { ...name, ...given(next, 0.7, () => ({ matches: [{ method: { service: pick(next, ['shop.Cart', 'pay.Pay']), ...given(next, 0.5, () => ({ method: 'Get' })) } }] })), ...to }; // prettier-ignore
  return { ...name, ...to };
}

const SECTIONS_OF: Readonly<Record<(typeof ROUTES)[number], readonly string[]>> = {
  HTTPRoute: ['http', 'named', 'https'],
  GRPCRoute: ['https', 'http'],
  TLSRoute: ['passed', 'passed', 'ended'],
  TCPRoute: ['tcp', 'tcp', 'ended'],
  UDPRoute: ['udp'],
};

function route(next: Random, kind: (typeof ROUTES)[number], index: number, controller: Controller): Body {
  const isStream = kind === 'TCPRoute' || kind === 'UDPRoute';
  const section = pick(next, SECTIONS_OF[kind]);
  const rules = [ruleOf(next, kind, controller), ...(isStream || maybe(next, 0.4) ? [] : [ruleOf(next, kind, controller)])]; // prettier-ignore
  return object(
    `${API}/${isStream ? 'v1alpha2' : 'v1'}`,
    kind,
    pick(next, NAMESPACES),
    `${kind.toLowerCase()}${index}`,
    {
      spec: {
        parentRefs: [
          {
            name: 'front',
            namespace: 'edge',
            ...(kind === 'HTTPRoute' || kind === 'GRPCRoute' ? given(next, 0.5, () => ({ sectionName: section })) : { sectionName: section }), // prettier-ignore
            ...given(next, 0.1, () => ({ port: pick(next, [80, 443, 8443, 5432]) })),
          },
        ],
        ...(isStream ? {} : given(next, kind === 'TLSRoute' ? 0.9 : 0.7, () => ({ hostnames: [pick(next, HOSTS)] }))),
        rules,
      },
    },
  );
}

const grant = (next: Random, index: number): Body =>
  object(`${API}/v1beta1`, 'ReferenceGrant', pick(next, NAMESPACES), `grant${index}`, {
    spec: {
      from: [{ group: API, kind: pick(next, [...ROUTES, 'HTTPRoute', 'HTTPRoute', 'Gateway']), namespace: pick(next, NAMESPACES) }], // prettier-ignore
      to: [
        pick<Body>(next, [
          { group: '', kind: 'Service' },
          { group: '', kind: 'Service' },
          { group: '', kind: 'Service', name: pick(next, ['web', 'pay']) },
          { group: '', kind: 'Secret' },
          { group: OWN, kind: 'Backend' },
        ]),
      ],
    },
  });

function backendTls(next: Random, index: number, controller: Controller): Body {
  const [namespace, name] = pick(next, SERVERS);
  const target =
    controller === 'envoy gateway' && maybe(next, 0.3)
      ? { group: OWN, kind: 'Backend', name: pick(next, ['site', 'pods']) }
      : { group: '', kind: 'Service', name };
  return object(`${API}/v1`, 'BackendTLSPolicy', namespace, `secure${index}`, {
    spec: {
      targetRefs: [{ ...target, ...given(next, 0.4, () => ({ sectionName: pick(next, ['http', 'tls', 'absent']) })) }],
      validation: { hostname: pick(next, ['web.example.net', 'pay.example.net']), wellKnownCACertificates: 'System' },
    },
  });
}

const ownBackend = (next: Random, namespace: string, name: string): Body =>
  object(`${OWN}/v1alpha1`, 'Backend', namespace, name, {
    spec: {
      endpoints: [
        pick<Body>(next, [
          { fqdn: { hostname: 'site.example.net', port: pick(next, [80, 443]) } },
          { ip: { address: pick(next, ['198.51.100.7', '198.51.100.8']), port: 8080 } },
        ]),
      ],
      ...given(next, 0.2, () => ({ tls: { insecureSkipVerify: true } })),
    },
  });

const action = (next: Random): string => pick(next, ['Allow', 'Deny']);

function authorization(next: Random): Body {
  const principal = (): Body =>
    pick<Body>(next, [
      { clientCIDRs: ['0.0.0.0/0'] },
      { clientCIDRs: ['192.0.2.0/24'] },
      { headers: [{ name: 'x-t', values: ['a'] }] },
      { clientCIDRs: ['0.0.0.0/0'], headers: [{ name: 'x-t', values: ['a', 'b'] }] },
    ]);
  return {
    ...given(next, 0.7, () => ({ defaultAction: action(next) })),
    rules: some(next, 2, () => ({
      action: action(next),
      principal: principal(),
      ...given(next, 0.3, () => ({ operation: { methods: [pick(next, ['GET', 'POST'])] } })),
    })),
  };
}

const SETTINGS: Readonly<Record<string, (next: Random) => Body>> = {
  SecurityPolicy: (next) => ({
    ...given(next, 0.8, () => ({ authorization: authorization(next) })),
    ...given(next, 0.3, () => ({ cors: { allowOrigins: ['https://www.example.com'], allowMethods: [pick(next, ['GET', 'POST'])] } })), // prettier-ignore
    ...given(next, 0.1, () => ({ basicAuth: { users: { name: 'users' } } })),
  }),
  BackendTrafficPolicy: (next) => ({
    ...given(next, 0.5, () => ({ faultInjection: { abort: { httpStatus: pick(next, [503, 429]), percentage: pick(next, [undefined, 100, 0]) } } })), // prettier-ignore
    ...given(next, 0.3, () => ({ routingType: pick(next, ['Service', 'Endpoint']) })),
    ...given(next, 0.3, () => ({ timeout: { http: { requestTimeout: pick(next, ['5s', '10s']) } } })),
    ...given(next, 0.2, () => ({ requestBuffer: { limit: '4Mi' } })),
  }),
  ClientTrafficPolicy: (next) => ({
    ...given(next, 0.4, () => ({ path: { disableMergeSlashes: maybe(next, 0.5), ...given(next, 0.5, () => ({ escapedSlashesAction: pick(next, ['KeepUnchanged', 'RejectRequest', 'UnescapeAndForward']) })) } })), // prettier-ignore
    ...given(next, 0.4, () => ({ headers: { earlyRequestHeaders: pick<Body>(next, [{ set: [{ name: 'x-t', value: 'a' }] }, { remove: ['x-t'] }]) } })), // prettier-ignore
    ...given(next, 0.2, () => ({ tls: { clientValidation: { optional: maybe(next, 0.5), caCertificateRefs: [{ name: 'ca', kind: 'ConfigMap' }] } } })), // prettier-ignore
    ...given(next, 0.2, () => ({ http3: {} })),
  }),
};

function ownPolicy(next: Random, index: number, routes: readonly Body[]): Body {
  const kind = pick(next, ['SecurityPolicy', 'SecurityPolicy', 'BackendTrafficPolicy', 'ClientTrafficPolicy']);
  const isOfRoute = kind !== 'ClientTrafficPolicy' && maybe(next, 0.6);
  const of = isOfRoute ? pick(next, routes) : undefined;
  const ref = of
    ? { kind: of.kind, name: of.metadata.name, ...given(next, 0.3, () => ({ sectionName: pick(next, ['one', 'two', 'absent']) })) } // prettier-ignore
    : { kind: 'Gateway', name: 'front', ...given(next, 0.5, () => ({ sectionName: pick(next, SECTIONS) })) };
  return object(`${OWN}/v1alpha1`, kind, of?.metadata.namespace ?? 'edge', `policy${index}`, {
    spec: {
      targetRefs: [{ group: API, ...ref }],
      ...(of ? given(next, 0.5, () => ({ mergeType: pick(next, ['StrategicMerge', 'JSONMerge']) })) : {}),
      ...SETTINGS[kind]?.(next),
    },
  });
}

/** Istio's own policies at its gateway. */
const istioPolicy = (next: Random, index: number): Body =>
  object('security.istio.io/v1', 'AuthorizationPolicy', 'edge', `policy${index}`, {
    spec: {
      ...given(next, 0.7, () => ({ targetRefs: [{ group: API, kind: 'Gateway', name: pick(next, ['front', 'absent']) }] })), // prettier-ignore
      action: pick(next, ['ALLOW', 'DENY']),
      rules: [
        {
          ...given(next, 0.3, () => ({ from: [{ source: { ipBlocks: [pick(next, ['0.0.0.0/0', '192.0.2.0/24'])] } }] })), // prettier-ignore
          ...given(next, 0.8, () => ({
            to: [{ operation: pick<Body>(next, [{ hosts: ['api.example.com'] }, { paths: ['/admin*'] }, { ports: ['80'] }, { ports: ['5432'] }, { methods: ['GET'] }]) }], // prettier-ignore
          })),
          ...given(next, 0.1, () => ({ when: [{ key: 'connection.sni', values: ['api.example.com'] }] })),
        },
      ],
    },
  });

const server = (next: Random, [namespace, name]: (typeof SERVERS)[number]): Body[] => [
  object('apps/v1', 'Deployment', namespace, name, {
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, ...given(next, 0.3, () => ({ 'sidecar.istio.io/inject': pick(next, ['true', 'false']) })) } }, // prettier-ignore
        spec: { containers: [{ name, image: name }] },
      },
    },
  }),
  object('v1', 'Service', namespace, name, {
    spec: {
      selector: { app: name },
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'tls', port: 443, targetPort: 8443, ...given(next, 0.2, () => ({ appProtocol: 'https' })) },
        { name: 'tcp-data', port: 6379 },
      ],
    },
  }),
];

export function gatewayWorld(next: Random, controller: Controller): Body[] {
  const isOwn = controller === 'envoy gateway';
  const kinds = ROUTES.flatMap((kind) => (kind === 'HTTPRoute' ? [kind, kind] : those(next, kind === 'UDPRoute' ? 0.15 : 0.6, [kind]))); // prettier-ignore
  const routes = kinds.map((kind, index) => route(next, kind, index, controller));
  return [
    ...NAMESPACES.map((name): Body => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { team: pick(next, ['a', 'b']), ...given(next, 0.5, () => ({ 'istio-injection': 'enabled' })) } }, // prettier-ignore
    })),
    ...SERVERS.flatMap((one) => server(next, one)),
    ...(isOwn ? [{ apiVersion: `${API}/v1`, kind: 'GatewayClass', metadata: { name: 'teg' }, spec: { controllerName: `${OWN}/gatewayclass-controller` } }] : []), // prettier-ignore
    gateway(next, controller),
    ...routes,
    ...some(next, 3, (index) => grant(next, index)),
    ...some(next, 1, (index) => backendTls(next, index, controller)),
    ...(isOwn
      ? [
          ownBackend(next, 'shop', 'site'),
          ownBackend(next, 'pay', 'pods'),
          ...some(next, 4, (index) => ownPolicy(next, index, routes)),
        ]
      : some(next, 2, (index) => istioPolicy(next, index))),
  ];
}

const PATHS = ['/', '/a', '/a/b', '/admin', '/b', '/shop.Cart/Get', '/pay.Pay/Put', '/a//b', '/a%2Fb'];

export function gatewayRequests(next: Random, count: number): TraceRequest[] {
  const hosts = [
    'api.example.com',
    'www.example.com',
    'named.example.com',
    'any.example.com',
    'db.example.org',
    'nobody.example.net',
  ];
  const doors = ['http://H', 'http://H', 'https://H', 'https://H', 'https://H:8443', 'https://H:9443', 'tcp://H:5432'];
  return Array.from({ length: count }, (): TraceRequest => {
    const target = pick(next, doors).replace('H', pick(next, hosts));
    const client = { from: 'outside', at: 'edge/front' };
    if (target.startsWith('tcp:')) return { ...client, request: target };
    const path = pick(next, PATHS);
    const isCall = path.startsWith('/shop.') || path.startsWith('/pay.');
    const method = isCall ? 'POST' : pick(next, ['GET', 'GET', 'POST']);
    const headers = { ...(maybe(next, 0.4) ? { 'x-t': pick(next, ['a', 'b', 'c']) } : {}), ...(isCall ? { 'content-type': 'application/grpc' } : {}) }; // prettier-ignore
    return { ...client, request: `${target}${path}`, method, headers };
  });
}
