/** Forms of Services, entries and mesh settings that fewer people write, each with what it takes to be asked for. */
import fc from 'fast-check';
import { metadata, pick, type Thing } from './vocabulary';

const NETWORKING = 'networking.istio.io/v1';

/** Hosts that only these forms make. */
export const RARE_HOSTS = [
  'alias.app.svc.cluster.local',
  'alias.app',
  'alias',
  'legacy.web.svc.cluster.local',
  'vm.web.svc.cluster.local',
  'vm.example.com',
  'twin.web.svc.cluster.local',
  'api',
] as const;

function service(name: string, owner: string, spec: object, annotations: object = {}): Thing {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: owner, annotations }, spec };
}

function slice(name: string, owner: string, address: string, ports: readonly object[], pod?: string): Thing {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    metadata: { name: `${name}-1`, namespace: owner, labels: { 'kubernetes.io/service-name': name } },
    endpoints: [
      {
        addresses: [address],
        conditions: { ready: true },
        ...(pod === undefined ? {} : { targetRef: { kind: 'Pod', name: pod, namespace: owner } }),
      },
    ],
    ports,
  };
}

function workloadEntry(name: string, owner: string, age: number, spec: object): Thing {
  return { apiVersion: NETWORKING, kind: 'WorkloadEntry', metadata: metadata(name, owner, age), spec };
}

const port = (name: string, number: number, targetPort = number): object => ({ name, port: number, targetPort });

const externalName = fc
  .record({
    target: pick('api.example.com', 'www.example.com', 'store.web.svc.cluster.local'),
    ports: pick([port('http', 80)], [port('https', 443)], [], [port('http', 80), port('tcp', 3306)]),
    seenBy: pick('', '*', '.'),
    routed: pick(undefined, 'alias.app.svc.cluster.local', 'api.example.com'),
  })
  .map(({ target, ports, seenBy, routed }): Thing[] => [
    service(
      'alias',
      'app',
      { type: 'ExternalName', externalName: target, ports },
      seenBy === '' ? {} : { 'networking.istio.io/exportTo': seenBy },
    ),
    // A VirtualService for its full name, which leads to the Service itself or to a host that may have an entry.
    ...(routed === undefined
      ? []
      : [
          {
            apiVersion: NETWORKING,
            kind: 'VirtualService',
            metadata: metadata('alias', 'app', 70),
            spec: {
              hosts: ['alias.app.svc.cluster.local'],
              http: [{ route: [{ destination: { host: routed, port: { number: 80 } } }] }],
            },
          },
        ]),
  ]);

/** A Service without a selector, and the slice that its owner keeps. */
const withoutSelector = pick<[string, number]>(['http', 80], ['tcp', 3306], ['https', 443], ['db', 9000]).map(
  ([name, number]): Thing[] => [
    service('legacy', 'web', { clusterIP: '10.96.0.70', ports: [port(name, number)] }),
    slice('legacy', 'web', '198.51.100.50', [{ name, port: 9080, protocol: 'TCP' }]),
  ],
);

const machine = fc.record({
  address: pick('198.51.100.40', '198.51.100.41'),
  labels: pick<Record<string, string>>({ app: 'vm' }, { app: 'vm', version: 'v1' }, { app: 'else' }),
  serviceAccount: pick(undefined, 'vm'),
  ports: pick(undefined, { http: 8085 }),
});

/** A machine outside the cluster behind a Service of it. */
const behindService = machine.map((spec) => [
  service('vm', 'web', { clusterIP: '10.96.0.71', selector: { app: 'vm' }, ports: [port('http', 80, 8080)] }),
  workloadEntry('vm-1', 'web', 5, spec),
]);

/** A machine outside the cluster behind an entry that selects it. */
const behindEntry = fc
  .record({ spec: machine, resolution: pick('STATIC', 'DNS'), location: pick('MESH_INTERNAL', 'MESH_EXTERNAL') })
  .map(({ spec, resolution, location }) => [
    {
      apiVersion: NETWORKING,
      kind: 'ServiceEntry',
      metadata: metadata('machines', 'web', 7),
      spec: {
        hosts: ['vm.example.com'],
        location,
        resolution,
        ports: [
          { number: 80, name: 'http', protocol: 'HTTP', targetPort: 8090 },
          { number: 3306, name: 'tcp', protocol: 'TCP' },
        ],
        addresses: ['203.0.113.40'],
        workloadSelector: { labels: { app: 'vm' } },
      },
    } satisfies Thing,
    workloadEntry('vm-2', 'web', 8, spec),
  ]);

/** Addresses of both families. */
const dualStack = pick('http', 'any', 'tls').map((name): Thing[] => [
  service('twin', 'web', {
    clusterIP: '10.96.0.72',
    clusterIPs: ['10.96.0.72', 'fd00::72'],
    ipFamilies: ['IPv4', 'IPv6'],
    selector: { app: 'store' },
    ports: [port(name, 80, 8080), { name: 'x', appProtocol: 'tcp', port: 3306, targetPort: 3306 }],
  }),
  slice('twin', 'web', '10.244.1.40', [{ name, port: 8080, protocol: 'TCP' }, { name: 'x', port: 3306, protocol: 'TCP' }], 'store'), // prettier-ignore
]);

const scopedSidecar = fc
  .record({
    listener: pick<object>(
      { port: { number: 80, protocol: 'HTTP', name: 'http' }, bind: '127.0.0.1' },
      { port: { number: 3306, protocol: 'TCP', name: 'tcp' }, captureMode: 'NONE' },
      { port: { number: 8080, protocol: 'HTTP_PROXY', name: 'proxy' }, bind: '127.0.0.1', captureMode: 'NONE' },
      { captureMode: 'IPTABLES' },
    ),
    policy: pick<object | undefined>(
      undefined,
      {},
      { mode: 'ALLOW_ANY', egressProxy: { host: 'api.example.com', port: { number: 8080 } } },
      { mode: 'ALLOW_ANY', egressProxy: { host: 'egw.edge.svc.cluster.local', port: { number: 80 }, subset: 's1' } },
    ),
  })
  .map(({ listener, policy }): Thing[] => [
    {
      apiVersion: NETWORKING,
      kind: 'Sidecar',
      metadata: metadata('scoped', 'web', 3),
      spec: {
        egress: [{ ...listener, hosts: ['*/*'] }, ...('port' in listener ? [{ hosts: ['*/*'] }] : [])],
        outboundTrafficPolicy: policy,
      },
    },
  ]);

/** A VirtualService that hands paths to others. */
const delegates = fc
  .record({
    prefix: pick('/v1', '/'),
    leafOwner: pick('web', 'edge'),
    leaf: pick<object | undefined>(undefined, { uri: { prefix: '/v1/items' } }, { uri: { exact: '/health' } }),
    seenBy: pick<string[] | undefined>(undefined, ['.'], ['app']),
    rewrite: pick<object | undefined>(undefined, { authority: 'api.example.com' }),
    isMissing: fc.boolean(),
  })
  .map(({ prefix, leafOwner, leaf, seenBy, rewrite, isMissing }): Thing[] => {
    const route = (host: string): object[] => [{ destination: { host } }];
    return [
      {
        apiVersion: NETWORKING,
        kind: 'VirtualService',
        metadata: metadata('root', 'app', 1),
        spec: {
          hosts: ['api.example.com'],
          http: [
            { match: [{ uri: { prefix } }], delegate: { name: 'leaf', namespace: leafOwner }, rewrite },
            { route: route('www.example.com') },
          ],
        },
      },
      ...(isMissing
        ? []
        : [
            {
              apiVersion: NETWORKING,
              kind: 'VirtualService',
              metadata: metadata('leaf', leafOwner, 2),
              spec: {
                exportTo: seenBy,
                http: [
                  { match: leaf === undefined ? undefined : [leaf], route: route('db.partner.io'), name: 'inner' },
                  {
                    match: [{ uri: { prefix: '/v1' }, headers: { 'x-team': { exact: 'blue' } } }],
                    route: route('api'),
                  },
                ],
              },
            } satisfies Thing,
          ]),
    ];
  });

/** Names that their object's own namespace completes. */
const shortNames = pick('app', 'web').map((owner): Thing[] => [
  {
    apiVersion: NETWORKING,
    kind: 'VirtualService',
    metadata: metadata('short', owner, 4),
    spec: { hosts: ['shop', 'store'], http: [{ route: [{ destination: { host: 'store', subset: 'v1' } }] }] },
  },
  {
    apiVersion: NETWORKING,
    kind: 'DestinationRule',
    metadata: metadata('short', owner, 4),
    spec: { host: 'store', subsets: [{ name: 'v1', labels: { version: 'v1' } }] },
  },
]);

const INGRESS_SETTINGS = { ingressSelector: 'egressgateway' };

const backend = pick<object>(
  { service: { name: 'shop', port: { number: 80 } } },
  { service: { name: 'store', port: { name: 'http' } } },
  { service: { name: 'store', port: { name: 'none' } } },
  { service: { name: 'nobody', port: { number: 80 } } },
);
const ingressRule = fc.record({
  host: pick(undefined, 'api.example.com', '*.example.com', 'www.example.com'),
  http: fc.record({
    paths: fc.array(
      fc.record({
        path: pick('/', '/v1', '/v1/', '/v1/*', '/health', ''),
        pathType: pick('Prefix', 'Prefix', 'Exact', 'ImplementationSpecific'),
        backend,
      }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
});
/** Ingress objects of Kubernetes; whose they are hangs on a class, an annotation, and the mesh's settings. */
const ingresses = fc
  .array(
    fc.record({
      owner: pick('app', 'web'),
      annotation: pick(undefined, 'istio', 'nginx'),
      className: pick(undefined, 'istio', 'other'),
      rules: fc.array(ingressRule, { minLength: 1, maxLength: 2 }),
      tls: pick(undefined, [{ secretName: 'cert', hosts: ['api.example.com'] }], [{ secretName: 'cert' }], [{}]),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((all): Thing[] => [
    ...['istio', 'other'].map((name): Thing => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name },
      spec: { controller: name === 'istio' ? 'istio.io/ingress-controller' : 'example.com/other' },
    })),
    ...all.map(({ owner, annotation, className, rules, tls }, index): Thing => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: metadata(`in${index}`, owner, index, {
        annotations: annotation === undefined ? {} : { 'kubernetes.io/ingress.class': annotation },
      }),
      spec: { ingressClassName: className, rules, tls },
    })),
  ]);

/** None, one or two of them. */
export const rareForms: fc.Arbitrary<readonly Thing[]> = fc
  .subarray([0, 1, 2, 3, 4, 5, 6, 7, 8] as const, { minLength: 0, maxLength: 2 })
  .chain((chosen) =>
    fc.tuple(
      ...chosen.map(
        (index) =>
          [
            externalName,
            withoutSelector,
            behindService,
            behindEntry,
            dualStack,
            scopedSidecar,
            delegates,
            shortNames,
            ingresses,
          ][index] as fc.Arbitrary<Thing[]>,
      ),
    ),
  )
  .map((forms) => forms.flat());

/** A request for what only these forms make. */
export const rareAsk = fc
  .record({
    host: pick(...RARE_HOSTS),
    scheme: pick('http' as const, 'http' as const, 'https' as const, 'tcp' as const),
    address: pick('10.96.0.70', '10.96.0.71', '10.96.0.72', '203.0.113.40', '203.0.113.10'),
    odd: pick(0, 0, 0, 9000, 3306),
  })
  .map(({ odd, ...rest }) => ({ ...rest, port: odd || { http: 80, https: 443, tcp: 3306 }[rest.scheme] }));

/** Sidecars answer DNS queries, with addresses of Istio's own for hosts that have none. */
export const CAPTURES_DNS = { defaultConfig: { proxyMetadata: { ISTIO_META_DNS_CAPTURE: 'true' } } };

interface Entry {
  readonly hosts: readonly string[];
  readonly resolution: string;
  readonly addresses?: readonly string[];
}

/** ServiceEntries with the addresses that Istio's controller would give their hosts. */
export function withAddresses(things: readonly Thing[]): readonly Thing[] {
  let next = 1;
  return things.map((thing) => {
    if (thing.kind !== 'ServiceEntry') return thing;
    const { hosts, resolution, addresses } = thing.spec as Entry;
    if (resolution === 'NONE' || (addresses ?? []).length > 0) return thing;
    const own = hosts.filter((host) => !host.startsWith('*') || resolution === 'DYNAMIC_DNS');
    return { ...thing, status: { addresses: own.map((host) => ({ host, value: `240.240.0.${next++}` })) } };
  });
}

/** The addresses that a sidecar would answer for a host: each of the entries that declare it has one of its own. */
export function givenAddresses(things: readonly Thing[], host: string): readonly string[] {
  return things
    .flatMap(
      ({ status }) =>
        (status as { readonly addresses?: readonly { host: string; value: string }[] } | undefined)?.addresses ?? [],
    ) // prettier-ignore
    .flatMap((one) => (one.host === host ? [one.value] : []));
}

/** The same manifests as they lie in a repository: nobody has written addresses into them. */
export function withoutAddresses(things: readonly Thing[]): readonly Thing[] {
  return things.map((thing) => (thing.kind === 'ServiceEntry' ? { ...thing, status: undefined } : thing));
}

export const meshSettings = fc.oneof(
  { arbitrary: fc.constant<object>({}), weight: 5 },
  {
    arbitrary: pick<object>(
      { defaultServiceExportTo: ['.'] },
      { defaultVirtualServiceExportTo: ['.'] },
      { defaultDestinationRuleExportTo: ['.'] },
      { defaultServiceExportTo: ['~'] },
      { rootNamespace: 'edge' },
      { enableAutoMtls: false },
      { trustDomain: 'example.org' },
      CAPTURES_DNS,
      CAPTURES_DNS,
      INGRESS_SETTINGS,
      { ...INGRESS_SETTINGS, ingressControllerMode: 'DEFAULT' },
      { ...INGRESS_SETTINGS, ingressControllerMode: 'OFF' },
    ),
    weight: 2,
  },
);
