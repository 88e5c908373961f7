/** Random ambient meshes: namespaces in and out of the mesh, waypoints of every kind, policies at ztunnel and at waypoints, peers. */
import type { TraceRequest } from '../../src/trace/types';
import type { Body } from './one-field';
import type { Random } from './worlds';

const pick = <T>(next: Random, of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
const maybe = (next: Random, share: number): boolean => next() < share;

const NAMESPACES = ['shop', 'pay', 'edge'] as const;
const WORKLOADS = [
  ['shop', 'web', 'web'],
  ['shop', 'cart', 'cart'],
  ['pay', 'pay', 'pay'],
  ['pay', 'jobs', 'default'],
] as const;
const WAYPOINTS = ['way', 'all', 'none', 'absent'] as const;

const object = (apiVersion: string, kind: string, namespace: string, name: string, more: Body): Body => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  ...more,
});

function useWaypoint(next: Random, share: number): Record<string, string> {
  if (!maybe(next, share)) return {};
  return {
    'istio.io/use-waypoint': pick(next, WAYPOINTS),
    ...(maybe(next, 0.5) ? { 'istio.io/use-waypoint-namespace': pick(next, NAMESPACES) } : {}),
  };
}

function namespaceOf(next: Random, name: string): Body {
  const mode = pick(next, [
    { 'istio.io/dataplane-mode': 'ambient' },
    { 'istio.io/dataplane-mode': 'ambient' },
    { 'istio.io/dataplane-mode': 'ambient' },
    { 'istio-injection': 'enabled' },
    {},
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { ...mode, ...useWaypoint(next, 0.4), team: pick(next, ['a', 'b']) } },
  };
}

const waypoint = (next: Random, namespace: string, name: string, traffic: string | undefined): Body => ({
  ...object('gateway.networking.k8s.io/v1', 'Gateway', namespace, name, {
    spec: {
      gatewayClassName: 'istio-waypoint',
      listeners: [
        {
          name: 'mesh',
          port: 15008,
          protocol: 'HBONE',
          allowedRoutes: { namespaces: { from: pick(next, ['Same', 'All', 'All']) } },
        },
      ],
    },
  }),
  metadata: { name, namespace, ...(traffic === undefined ? {} : { labels: { 'istio.io/waypoint-for': traffic } }) },
});

function workload(next: Random, [namespace, name, account]: (typeof WORKLOADS)[number]): Body[] {
  const labels = {
    app: name,
    ...(maybe(next, 0.1) ? { 'istio.io/dataplane-mode': pick(next, ['none', 'ambient']) } : {}),
    ...useWaypoint(next, 0.15),
  };
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'tcp-data', port: 6379, targetPort: 6379 },
  ];
  return [
    object('apps/v1', 'Deployment', namespace, name, {
      spec: {
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: account,
            containers: [{ name, image: name, ports: [{ containerPort: 8080 }, { containerPort: 6379 }] }],
          },
        },
      },
    }),
    {
      ...object('v1', 'Service', namespace, name, { spec: { selector: { app: name }, ports } }),
      metadata: { name, namespace, labels: useWaypoint(next, 0.3) },
    },
  ];
}

const HOSTS = ['api.example.com', 'db.example.org'] as const;

function entry(next: Random, host: string, index: number): Body {
  const namespace = pick(next, NAMESPACES);
  const isDatabase = host === 'db.example.org';
  return {
    ...object('networking.istio.io/v1', 'ServiceEntry', namespace, `entry${index}`, {
      spec: {
        hosts: [host],
        resolution: 'DNS',
        location: 'MESH_EXTERNAL',
        exportTo: pick(next, [undefined, undefined, ['.'], ['*']]),
        ports: isDatabase
          ? [{ number: 5432, name: 'tcp', protocol: 'TCP' }]
          : [
              { number: 80, name: 'http', protocol: 'HTTP', ...(maybe(next, 0.3) ? { targetPort: 443 } : {}) },
              { number: 443, name: 'tls', protocol: pick(next, ['TLS', 'TLS', 'HTTPS']) },
            ],
      },
    }),
    metadata: { name: `entry${index}`, namespace, labels: useWaypoint(next, 0.5) },
  };
}

function source(next: Random): Body {
  const [namespace, , account] = pick(next, WORKLOADS);
  return pick<Body>(next, [
    { principals: [`cluster.local/ns/${namespace}/sa/${account}`] },
    { namespaces: [pick(next, ['shop', 'pay', 'sh*'])] },
    { notNamespaces: ['pay'] },
    { serviceAccounts: [`${namespace}/${account}`] },
    { notPrincipals: ['*'] },
    { principals: ['*'] },
  ]);
}

function policyRule(next: Random): Body {
  const operation = pick<Body>(next, [
    undefined,
    undefined,
    { ports: [pick(next, ['8080', '6379', '80', '443'])] },
    { paths: [pick(next, ['/a', '/a*', '/admin*'])] },
    { notPaths: ['/admin*'] },
    { methods: [pick(next, ['GET', 'POST'])] },
    { hosts: ['api.example.com'] },
  ]);
  return {
    ...(maybe(next, 0.7) ? { from: [{ source: source(next) }] } : {}),
    ...(operation === undefined ? {} : { to: [{ operation }] }),
    ...(maybe(next, 0.15)
      ? {
          when: [
            pick<Body>(next, [
              { key: 'request.headers[x-t]', values: ['a'] },
              { key: 'destination.port', values: ['8080'] },
              { key: 'source.namespace', notValues: ['shop'] },
              { key: 'connection.sni', values: ['api.example.com'] },
            ]),
          ],
        }
      : {}),
  };
}

function policy(next: Random, index: number): Body {
  const namespace = pick(next, [...NAMESPACES, 'istio-system']);
  const target = pick<Body>(next, [
    {},
    {},
    { selector: { matchLabels: { app: pick(next, ['web', 'cart', 'pay']) } } },
    { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: pick(next, ['way', 'all']) }] },
    { targetRefs: [{ group: '', kind: 'Service', name: pick(next, ['web', 'cart', 'pay']) }] },
    { targetRefs: [{ group: 'networking.istio.io', kind: 'ServiceEntry', name: pick(next, ['entry0', 'entry1']) }] },
  ]);
  return object('security.istio.io/v1', 'AuthorizationPolicy', namespace, `policy${index}`, {
    spec: {
      ...target,
      action: pick(next, ['ALLOW', 'DENY', 'DENY', undefined]),
      rules: [policyRule(next), ...(maybe(next, 0.3) ? [policyRule(next)] : [])],
    },
  });
}

function peers(next: Random, index: number): Body {
  const namespace = pick(next, [...NAMESPACES, 'istio-system']);
  const isOfOne = namespace !== 'istio-system' && maybe(next, 0.4);
  return object('security.istio.io/v1', 'PeerAuthentication', namespace, `peers${index}`, {
    spec: {
      ...(isOfOne ? { selector: { matchLabels: { app: pick(next, ['web', 'pay']) } } } : {}),
      mtls: { mode: pick(next, ['STRICT', 'STRICT', 'PERMISSIVE', 'DISABLE']) },
      ...(isOfOne && maybe(next, 0.5)
        ? { portLevelMtls: { 8080: { mode: pick(next, ['PERMISSIVE', 'STRICT']) } } }
        : {}),
    },
  });
}

function routeAt(next: Random, index: number): Body {
  const isEntry = maybe(next, 0.4);
  const namespace = pick(next, NAMESPACES);
  const parent = isEntry
    ? { group: 'networking.istio.io', kind: 'ServiceEntry', name: pick(next, ['entry0', 'entry1']) }
    : {
        group: '',
        kind: 'Service',
        name: pick(next, ['web', 'cart', 'pay']),
        ...(maybe(next, 0.3) ? { port: 80 } : {}),
      };
  const match = {
    path: { type: pick(next, ['Exact', 'PathPrefix']), value: pick(next, ['/', '/a', '/admin']) },
    ...(maybe(next, 0.3) ? { headers: [{ name: 'x-t', value: pick(next, ['a', 'b']) }] } : {}),
  };
  const rule = maybe(next, 0.3)
    ? { matches: [match], filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'other.example.com' } }] }
    : { matches: [match], backendRefs: [{ name: pick(next, ['web', 'cart', 'pay']), port: 80 }] };
  return object('gateway.networking.k8s.io/v1', 'HTTPRoute', namespace, `route${index}`, {
    spec: { parentRefs: [parent], rules: [rule] },
  });
}

function destinationRule(next: Random, index: number): Body {
  return object('networking.istio.io/v1', 'DestinationRule', pick(next, NAMESPACES), `rule${index}`, {
    spec: {
      host: pick(next, ['api.example.com', 'web.shop.svc.cluster.local']),
      trafficPolicy: { tls: pick<Body>(next, [{ mode: 'SIMPLE', sni: 'api.example.com' }, { mode: 'DISABLE' }]) },
    },
  });
}

const some = (next: Random, most: number, one: (index: number) => Body): Body[] =>
  Array.from({ length: Math.floor(next() * (most + 1)) }, (_one, index) => one(index));

export function ambientWorld(next: Random): Body[] {
  return [
    ...NAMESPACES.map((name) => namespaceOf(next, name)),
    ...WORKLOADS.flatMap((one) => workload(next, one)),
    waypoint(next, 'shop', 'way', pick(next, [undefined, 'service', 'workload', 'all'])),
    waypoint(next, 'edge', 'way', pick(next, [undefined, 'all', 'none'])),
    waypoint(next, 'pay', 'all', 'all'),
    ...HOSTS.map((host, index) => entry(next, host, index)),
    ...some(next, 3, (index) => policy(next, index)),
    ...some(next, 2, (index) => peers(next, index)),
    ...some(next, 2, (index) => routeAt(next, index)),
    ...some(next, 1, (index) => destinationRule(next, index)),
    ...(maybe(next, 0.3)
      ? [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: 'istio', namespace: 'istio-system' },
            data: { mesh: `outboundTrafficPolicy: { mode: ${pick(next, ['REGISTRY_ONLY', 'ALLOW_ANY'])} }` },
          },
        ]
      : []),
  ];
}

const PATHS = ['/', '/a', '/ab', '/admin', '/admin/x', '/b'];

/** Who may send, and where to: those of the mesh, of namespaces that nobody named, and hosts that nobody knows. */
export function ambientRequests(next: Random, count: number): TraceRequest[] {
  const targets = [
    ...WORKLOADS.flatMap(([namespace, name]) => {
      const host = `${name}.${namespace}.svc.cluster.local`;
      return [`http://${host}`, `http://${host}`, `tcp://${host}:6379`];
    }),
    'http://api.example.com', 'http://api.example.com', 'https://api.example.com', 'tcp://db.example.org:5432', 'http://nobody.example.net', 'https://nobody.example.net',
  ]; // prettier-ignore
  const clients = [...WORKLOADS.map(([namespace, name]) => `${namespace}/${name}`), 'edge', 'somewhere'];
  return Array.from({ length: count }, (): TraceRequest => {
    const target = pick(next, targets);
    const from = pick(next, clients);
    if (target.startsWith('tcp:')) return { from, request: target };
    return {
      from,
      request: `${target}${pick(next, PATHS)}`,
      method: pick(next, ['GET', 'GET', 'POST']),
      headers: maybe(next, 0.3) ? { 'x-t': pick(next, ['a', 'b']) } : {},
    };
  });
}
