/**
 * Random meshes of sidecars: who sees what (`exportTo`, Sidecars with ports, Services' own audience), what stands behind a host (endpoints,
 * WorkloadEntries, subsets), peers by port, NetworkPolicies, and what the mesh's configuration says of all of them.
 */
import type { TraceRequest } from '../../src/trace/types';
import type { Body } from './one-field';
import { given, maybe, object, pick, some, those } from './picking';
import type { Random } from './worlds';

const NETWORKING = 'networking.istio.io/v1';
const NAMESPACES = ['shop', 'pay', 'legacy'] as const;
const WORKLOADS = [
  ['shop', 'web', 'v1'],
  ['shop', 'cart', 'v1'],
  ['pay', 'pay', 'v1'],
  ['pay', 'pay-next', 'v2'],
  ['legacy', 'old', 'v1'],
] as const;
/** Of a workload: those of a Service stand behind it by this. */
const appOf = (name: string): string => name.replace('-next', '');
const SERVICES = ['web.shop', 'cart.shop', 'pay.pay', 'old.legacy'].map((name) => `${name}.svc.cluster.local`);
const ENTRIES = ['api.example.com', 'db.example.org', '*.wild.example', 'vm.example.net'] as const;
const SEEN_BY = [undefined, undefined, undefined, ['.'], ['*'], ['shop'], ['pay', 'legacy'], ['~']] as const;

const exportTo = (next: Random): Body => {
  const to = pick(next, SEEN_BY);
  return to === undefined ? {} : { exportTo: to };
};

function namespaceOf(next: Random, name: string): Body {
  const isIn = name === 'legacy' ? maybe(next, 0.3) : maybe(next, 0.95);
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { ...(isIn ? { 'istio-injection': 'enabled' } : {}), team: pick(next, ['a', 'b']) } },
  };
}

const CAPTURE = 'traffic.sidecar.istio.io';

function workload(next: Random, [namespace, name, version]: (typeof WORKLOADS)[number]): Body {
  const labels = {
    app: appOf(name),
    version,
    ...given(next, 0.08, () => ({ 'sidecar.istio.io/inject': pick(next, ['true', 'false']) })),
    ...given(next, 0.3, () => ({ tier: pick(next, ['front', 'back']) })),
  };
  const annotations = given(next, 0.12, () => ({
    [`${CAPTURE}/${pick(next, ['includeOutboundIPRanges', 'excludeOutboundIPRanges'])}`]: pick(next, ['192.0.2.0/24', '10.0.0.0/8', '198.51.100.0/25']), // prettier-ignore
  }));
  const ports = [8080, 6379, 9090].map((containerPort) => ({ containerPort }));
  return object('apps/v1', 'Deployment', namespace, name, {
    spec: {
      selector: { matchLabels: { app: appOf(name), version } },
      template: {
        metadata: { labels, annotations },
        spec: {
          serviceAccountName: pick(next, [name, 'default']),
          containers: [{ name, image: name, ports }],
        },
      },
    },
  });
}

function service(next: Random, host: string, index: number): Body {
  const [name = '', namespace = ''] = host.split('.');
  const audience = pick(next, [undefined, undefined, undefined, '.', 'pay', '*', 'shop,legacy', '~']);
  const ports = [
    { name: pick(next, ['http', 'http', 'tcp-web']), port: 80, targetPort: 8080 },
    { name: 'tcp-data', port: 6379, targetPort: pick(next, [6379, 6379, 9090]) },
  ];
  return {
    ...object('v1', 'Service', namespace, name, {
      spec: {
        clusterIP: pick(next, [`10.96.0.${10 + index}`, `10.96.0.${10 + index}`, `10.96.0.${10 + index}`, 'None']),
        selector: { app: name },
        ports,
      },
    }),
    metadata: {
      name,
      namespace,
      annotations: audience === undefined ? {} : { 'networking.istio.io/exportTo': audience },
    },
  };
}

function endpoints(next: Random): Body[] {
  return some(next, 2, (index) => ({
    address: `198.51.100.${20 + index}`,
    ...given(next, 0.5, () => ({ labels: { version: pick(next, ['v1', 'v2']) } })),
    ...given(next, 0.4, () => ({ ports: { http: pick(next, [8080, 9090]) } })),
    ...given(next, 0.2, () => ({ serviceAccount: pick(next, ['vm', 'default']) })),
  }));
}

const httpPorts = (next: Random): Body[] => [
  { number: 80, name: 'http', protocol: 'HTTP', ...given(next, 0.3, () => ({ targetPort: pick(next, [443, 8080]) })) },
  ...(maybe(next, 0.7) ? [{ number: 443, name: 'tls', protocol: pick(next, ['TLS', 'TLS', 'HTTPS', 'TCP']) }] : []),
];

function entry(next: Random, host: (typeof ENTRIES)[number], index: number): Body {
  const location = pick(next, ['MESH_EXTERNAL', 'MESH_EXTERNAL', 'MESH_INTERNAL']);
  const spec = {
    'api.example.com': () => ({ resolution: pick(next, ['DNS', 'DNS', 'STATIC', 'NONE']), ports: httpPorts(next), endpoints: endpoints(next) }), // prettier-ignore
    'db.example.org': () => ({
      resolution: pick(next, ['NONE', 'NONE', 'STATIC']),
      addresses: those(next, 0.6, ['192.0.2.0/24', '192.0.2.7', '198.51.100.64/26']),
      ports: [{ number: pick(next, [5432, 5432, 80]), name: 'tcp', protocol: 'TCP' }],
      ...given(next, 0.3, () => ({ endpoints: endpoints(next) })),
    }),
    '*.wild.example': () => ({ resolution: 'NONE', ports: httpPorts(next) }),
    'vm.example.net': () => ({
      resolution: pick(next, ['STATIC', 'STATIC', 'DNS']),
      ports: httpPorts(next),
      addresses: given(next, 0.5, () => ({ of: ['10.97.0.5'] })).of,
      workloadSelector: { labels: { app: pick(next, ['vm', 'web']), ...given(next, 0.3, () => ({ version: 'v1' })) } },
    }),
  }[host]();
  const namespace = pick(next, NAMESPACES);
  const { resolution, endpoints: own } = spec as Body;
  const isBound = resolution === 'NONE' || (own ?? []).length === 0;
  return object(NETWORKING, 'ServiceEntry', namespace, `entry${index}`, {
    spec: { hosts: [host], location, ...exportTo(next), ...spec, ...(isBound ? { endpoints: undefined } : {}) },
  });
}

const workloadEntry = (next: Random, index: number): Body =>
  object(NETWORKING, 'WorkloadEntry', pick(next, NAMESPACES), `vm${index}`, {
    spec: {
      address: `198.51.100.${40 + index}`,
      labels: { app: pick(next, ['vm', 'web']), version: pick(next, ['v1', 'v2']) },
      serviceAccount: pick(next, ['vm', 'default']),
      ...given(next, 0.3, () => ({ ports: { http: 8080 } })),
    },
  });

const anyHost = (next: Random): string => pick(next, [...ENTRIES, ...SERVICES]);

function destination(next: Random, subsets = true): Body {
  return {
    host: anyHost(next).replace('*.', 'a.'),
    ...given(next, 0.5, () => ({ port: { number: pick(next, [80, 80, 443, 6379]) } })),
    ...(subsets ? given(next, 0.3, () => ({ subset: pick(next, ['v1', 'v2']) })) : {}),
  };
}

const client = (next: Random): Body => ({
  ...given(next, 0.25, () => ({ sourceNamespace: pick(next, NAMESPACES) })),
  ...given(next, 0.25, () => ({ sourceLabels: { tier: pick(next, ['front', 'back']) } })),
});

function httpRule(next: Random): Body {
  return {
    match: [{ uri: { prefix: pick(next, ['/', '/a', '/admin']) }, ...given(next, 0.3, () => ({ port: pick(next, [80, 443]) })), ...client(next) }], // prettier-ignore
    route: [{ destination: destination(next) }],
  };
}

function streamRule(next: Random): Body {
  const subnets = those(next, 0.3, ['192.0.2.0/25', '192.0.2.0/28', '198.51.100.64/28']);
  return {
    match: [{ port: pick(next, [5432, 6379, 443]), ...(subnets.length > 0 ? { destinationSubnets: subnets } : {}), ...client(next) }], // prettier-ignore
    route: [{ destination: destination(next, false) }],
  };
}

function tlsRule(next: Random, host: string): Body {
  return { match: [{ port: 443, sniHosts: [host], ...client(next) }], route: [{ destination: destination(next) }] };
}

function virtualService(next: Random, index: number): Body {
  const host = anyHost(next);
  return object(NETWORKING, 'VirtualService', pick(next, NAMESPACES), `routes${index}`, {
    spec: {
      hosts: [host],
      ...exportTo(next),
      http: [...some(next, 2, () => httpRule(next)), ...(maybe(next, 0.7) ? [{ route: [{ destination: destination(next) }] }] : [])], // prettier-ignore
      tcp: some(next, 1, () => streamRule(next)),
      tls: some(next, 1, () => tlsRule(next, host)),
    },
  });
}

const tls = (next: Random): Body =>
  pick<Body>(next, [
    { mode: 'DISABLE' },
    { mode: 'ISTIO_MUTUAL' },
    { mode: 'SIMPLE', sni: 'api.example.com' },
    { mode: 'SIMPLE', sni: 'other.example.com', subjectAltNames: ['other.example.com'] },
    { mode: 'MUTUAL', credentialName: 'own' },
  ]);

const destinationRule = (next: Random, index: number): Body =>
  object(NETWORKING, 'DestinationRule', pick(next, [...NAMESPACES, 'istio-system']), `rule${index}`, {
    spec: {
      host: pick(next, [...ENTRIES, ...SERVICES, '*.example.com', '*.local']),
      ...exportTo(next),
      ...given(next, 0.25, () => ({ workloadSelector: { matchLabels: { tier: pick(next, ['front', 'back']) } } })),
      trafficPolicy: {
        ...given(next, 0.6, () => ({ tls: tls(next) })),
        ...given(next, 0.3, () => ({ portLevelSettings: [{ port: { number: pick(next, [80, 443]) }, tls: tls(next) }] })), // prettier-ignore
      },
      subsets: those(next, 0.6, ['v1', 'v2']).map((version) => ({
        name: version,
        labels: { version: pick(next, [version, version, 'v3']) },
        ...given(next, 0.2, () => ({ trafficPolicy: { tls: tls(next) } })),
      })),
    },
  });

const SCOPED = ['*/*', './*', 'shop/*', 'pay/*', '*/api.example.com', '~/*', 'shop/cart.shop.svc.cluster.local', '*/*.wild.example', '*/db.example.org'] as const; // prettier-ignore

const sidecar = (next: Random, index: number): Body =>
  object(NETWORKING, 'Sidecar', pick(next, [...NAMESPACES, 'istio-system']), `scope${index}`, {
    spec: {
      ...given(next, 0.3, () => ({ workloadSelector: { labels: { tier: pick(next, ['front', 'back']) } } })),
      egress: [
        ...some(next, 2, () => ({
          port: pick<Body>(next, [
            { number: 80, name: 'http', protocol: 'HTTP' },
            { number: 443, name: 'tls', protocol: 'TLS' },
            { number: 5432, name: 'tcp', protocol: 'TCP' },
            { number: 9080, name: 'http', protocol: 'HTTP' },
          ]),
          hosts: those(next, 0.4, SCOPED).concat('./*'),
          ...given(next, 0.2, () => ({ bind: '127.0.0.1' })),
        })),
        { hosts: those(next, 0.3, SCOPED).concat(pick(next, SCOPED)) },
      ],
      ...given(next, 0.3, () => ({ outboundTrafficPolicy: { mode: pick(next, ['REGISTRY_ONLY', 'ALLOW_ANY']) } })),
      ...given(next, 0.25, () => ({
        ingress: [{ port: { number: pick(next, [8080, 9090]), name: 'in', protocol: pick(next, ['HTTP', 'TCP']) }, ...given(next, 0.5, () => ({ defaultEndpoint: '127.0.0.1:9999' })) }], // prettier-ignore
      })),
    },
  });

function peers(next: Random, index: number): Body {
  const namespace = pick(next, [...NAMESPACES, 'istio-system']);
  const isOfOne = namespace !== 'istio-system' && maybe(next, 0.6);
  return object('security.istio.io/v1', 'PeerAuthentication', namespace, `peers${index}`, {
    spec: {
      ...(isOfOne ? { selector: { matchLabels: { app: pick(next, ['web', 'pay', 'old']) } } } : {}),
      ...given(next, 0.8, () => ({ mtls: { mode: pick(next, ['STRICT', 'PERMISSIVE', 'DISABLE', 'UNSET']) } })),
      ...(isOfOne
        ? given(next, 0.6, () => ({ portLevelMtls: { [pick(next, [8080, 6379])]: { mode: pick(next, ['PERMISSIVE', 'STRICT', 'DISABLE']) } } })) // prettier-ignore
        : {}),
    },
  });
}

const METADATA = 'kubernetes.io/metadata.name';
const pods = (next: Random): Body =>
  pick<Body>(next, [
    { matchLabels: { app: pick(next, ['web', 'cart', 'pay', 'old']) } },
    { matchLabels: { tier: 'front' } },
    { matchExpressions: [{ key: 'tier', operator: pick(next, ['Exists', 'DoesNotExist']) }] },
    { matchExpressions: [{ key: 'app', operator: pick(next, ['In', 'NotIn']), values: ['web', 'pay'] }] },
    {},
  ]);
const home = (next: Random): Body =>
  pick<Body>(next, [
    { matchLabels: { [METADATA]: pick(next, NAMESPACES) } },
    { matchLabels: { team: 'a' } },
    { matchExpressions: [{ key: METADATA, operator: pick(next, ['In', 'NotIn']), values: ['shop'] }] },
    { matchExpressions: [{ key: 'istio-injection', operator: 'Exists' }] },
    {},
  ]);
const block = (next: Random): Body => ({
  ipBlock: {
    cidr: pick(next, ['0.0.0.0/0', '0.0.0.0/0', '192.0.2.0/24', '198.51.100.0/24']),
    ...given(next, 0.6, () => ({ except: those(next, 0.5, ['192.0.2.0/26', '198.51.100.128/25', '10.0.0.0/8', '203.0.113.0/24']) })), // prettier-ignore
  },
});
const peer = (next: Random): Body =>
  pick<() => Body>(next, [
    () => block(next),
    () => block(next),
    () => ({ podSelector: pods(next) }),
    () => ({ namespaceSelector: home(next) }),
    () => ({ namespaceSelector: home(next), podSelector: pods(next) }),
  ])();
const networkPort = (next: Random): Body =>
  pick<Body>(next, [{ port: 8080 }, { port: 80 }, { port: 443, protocol: 'TCP' }, { port: 5000, endPort: 6400 }, { port: 53, protocol: 'UDP' }]); // prettier-ignore

function networkPolicy(next: Random, index: number): Body {
  const rules = (side: 'from' | 'to'): Body[] =>
    some(next, 2, () => ({
      ...given(next, 0.8, () => ({ [side]: [peer(next), ...(maybe(next, 0.3) ? [peer(next)] : [])] })),
      ...given(next, 0.5, () => ({ ports: [networkPort(next), ...(maybe(next, 0.3) ? [networkPort(next)] : [])] })),
    }));
  const isOut = maybe(next, 0.7);
  return object('networking.k8s.io/v1', 'NetworkPolicy', pick(next, NAMESPACES), `net${index}`, {
    spec: {
      podSelector: pods(next),
      policyTypes: isOut ? pick(next, [['Egress'], ['Ingress', 'Egress']]) : ['Ingress'],
      ...(isOut ? { egress: rules('to') } : {}),
      ...(isOut ? {} : { ingress: rules('from') }),
    },
  });
}

const TRUST = ['cluster.local', 'old.example', 'new.example'] as const;

function source(next: Random): Body {
  const [namespace, name] = pick(next, WORKLOADS);
  return pick<Body>(next, [
    { principals: [`${pick(next, TRUST)}/ns/${namespace}/sa/${name}`] },
    { principals: [`*/ns/${namespace}/sa/${name}`] },
    { principals: ['old.example/*'] },
    { namespaces: [pick(next, ['shop', 'pay', 'sh*', 'legacy'])] },
    { notNamespaces: ['pay'] },
    { notPrincipals: ['*'] },
    { serviceAccounts: [`${namespace}/${name}`] },
    { ipBlocks: ['10.0.0.0/8'] },
  ]);
}

const policy = (next: Random, index: number): Body =>
  object('security.istio.io/v1', 'AuthorizationPolicy', pick(next, [...NAMESPACES, 'istio-system']), `policy${index}`, {
    spec: {
      ...given(next, 0.5, () => ({ selector: { matchLabels: { app: pick(next, ['web', 'cart', 'pay', 'old']) } } })),
      action: pick(next, ['ALLOW', 'DENY', 'AUDIT', undefined]),
      rules: [
        {
          ...given(next, 0.8, () => ({ from: [{ source: source(next) }] })),
          ...given(next, 0.5, () => ({
            to: [{ operation: pick<Body>(next, [{ ports: [pick(next, ['8080', '6379', '80'])] }, { paths: ['/a*'] }, { notPaths: ['/admin*'] }, { methods: ['GET'] }]) }], // prettier-ignore
          })),
        },
      ],
    },
  });

/** The whole of the mesh's configuration, of which one setting is another. */
function configMap(next: Random): Body {
  const config = {
    outboundTrafficPolicy: { mode: pick(next, ['REGISTRY_ONLY', 'ALLOW_ANY']) },
    ...given(next, 0.4, () => ({ trustDomain: pick(next, TRUST) })),
    ...given(next, 0.4, () => ({ trustDomainAliases: those(next, 0.5, TRUST) })),
    ...given(next, 0.2, () => ({ defaultServiceExportTo: [pick(next, ['.', '*'])] })),
    ...given(next, 0.2, () => ({ defaultVirtualServiceExportTo: [pick(next, ['.', '*'])] })),
    ...given(next, 0.2, () => ({ defaultDestinationRuleExportTo: [pick(next, ['.', '*'])] })),
    ...given(next, 0.2, () => ({ enableAutoMtls: maybe(next, 0.5) })),
    ...given(next, 0.2, () => ({ pathNormalization: { normalization: pick(next, ['NONE', 'BASE', 'MERGE_SLASHES']) } })), // prettier-ignore
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'istio-system' },
    data: { mesh: JSON.stringify(config) },
  };
}

/** `discovery`, who sees what and goes where; `network`, what the cluster lets through; both with the mesh around them. */
export function sidecarWorld(next: Random, about: 'discovery' | 'network'): Body[] {
  const isNetwork = about === 'network';
  return [
    ...NAMESPACES.map((name) => namespaceOf(next, name)),
    ...WORKLOADS.map((one) => workload(next, one)),
    ...SERVICES.map((host, index) => service(next, host, index)),
    ...ENTRIES.map((host, index) => entry(next, host, index)),
    ...some(next, isNetwork ? 1 : 2, (index) => workloadEntry(next, index)),
    ...some(next, isNetwork ? 1 : 3, (index) => virtualService(next, index)),
    ...some(next, isNetwork ? 1 : 3, (index) => destinationRule(next, index)),
    ...some(next, isNetwork ? 1 : 2, (index) => sidecar(next, index)),
    ...some(next, isNetwork ? 2 : 1, (index) => peers(next, index)),
    ...some(next, isNetwork ? 2 : 0, (index) => policy(next, index)),
    ...(isNetwork ? [networkPolicy(next, 0), ...some(next, 2, (index) => networkPolicy(next, index + 1))] : []),
    configMap(next),
  ];
}

const PATHS = ['/', '/a', '/ab', '/admin', '/admin/x', '/b'];
const ADDRESSES = ['192.0.2.7', '192.0.2.8', '192.0.2.40', '192.0.2.100', '192.0.2.200', '198.51.100.65', '198.51.100.90', '198.51.100.200', '203.0.113.9', '10.1.2.3'] as const; // prettier-ignore

export function sidecarRequests(next: Random, count: number): TraceRequest[] {
  const names = ['api.example.com', 'a.wild.example', 'vm.example.net', 'nobody.example.net'] as const;
  const targets = [
    ...SERVICES.flatMap((host) => [`http://${host}`, `http://${host}`, `tcp://${host}:6379`]),
    ...names.flatMap((host) => [`http://${host}`, `https://${host}`]),
    ...ADDRESSES.flatMap((address) => [5432, 443, 80].map((port) => `tcp://${address}:${port}`)),
  ];
  const clients = [...WORKLOADS.map(([namespace, name]) => `${namespace}/${name}`), 'shop', 'pay', 'somewhere'];
  return Array.from({ length: count }, (): TraceRequest => {
    const target = pick(next, targets);
    const from = pick(next, clients);
    if (target.startsWith('tcp:')) return { from, request: target };
    return {
      from,
      request: `${target}${pick(next, PATHS)}`,
      method: pick(next, ['GET', 'GET', 'POST']),
    };
  });
}
