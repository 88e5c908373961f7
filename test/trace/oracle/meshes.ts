/**
 * Random meshes that a team could have written: a few namespaces and hosts, so that objects meet, overlap and contradict one
 * another; requests that mostly ask for what is there. What the oracle cannot see is left out (see docs/accuracy.md).
 */
import fc from 'fast-check';

export interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface Ask {
  readonly from: string;
  readonly scheme: 'http' | 'https' | 'tls' | 'tcp';
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly path: string;
}

export interface GeneratedMesh {
  readonly outbound: 'REGISTRY_ONLY' | 'ALLOW_ANY';
  readonly things: readonly Thing[];
  readonly asks: readonly Ask[];
}

const NAMESPACES = ['app', 'web', 'edge', 'istio-system'] as const;
const HOSTS = ['api.example.com', 'www.example.com', 'example.com', 'db.partner.io', 'a.b.partner.io'] as const;
const WILD = ['*.example.com', '*.partner.io', '*.com', '*.b.partner.io'] as const;
const INSIDE = ['shop.app.svc.cluster.local', 'store.web.svc.cluster.local', 'head.web.svc.cluster.local'] as const;
const GATEWAYS = [
  {
    namespace: 'edge',
    name: 'egw',
    ip: '10.244.2.10',
    labels: { istio: 'egressgateway', app: 'egw' },
    host: 'egw.edge.svc.cluster.local',
  },
  {
    namespace: 'istio-system',
    name: 'istio-egressgateway',
    ip: '10.244.3.10',
    labels: { istio: 'egressgateway', app: 'istio-egressgateway' },
    host: 'istio-egressgateway.istio-system.svc.cluster.local',
  },
] as const;

const pick = <T>(...items: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...items);
const maybe = <T>(arbitrary: fc.Arbitrary<T>, weight = 1, none = 1): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary, weight }, { arbitrary: fc.constant(undefined), weight: none });
const some = <T>(arbitrary: fc.Arbitrary<T>, min: number, max: number): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: min, maxLength: max });

const namespace = pick(...NAMESPACES);
const outsideHost = fc.oneof({ arbitrary: pick(...HOSTS), weight: 4 }, { arbitrary: pick(...WILD), weight: 1 });
const anyHost = fc.oneof({ arbitrary: outsideHost, weight: 5 }, { arbitrary: pick(...INSIDE), weight: 1 });
const gatewayHost = pick(...GATEWAYS.map((gateway) => gateway.host));
const exportTo = maybe(
  fc.oneof(
    pick(['*'], ['.'], ['app'], ['web', 'edge'], ['app', 'web'], ['.', 'edge'], ['edge', 'istio-system'], ['.', 'app']),
  ),
  1,
  2,
);

function metadata(name: string, owner: string, age: number, extra: object = {}): Thing['metadata'] {
  return {
    name,
    namespace: owner,
    creationTimestamp: new Date(Date.UTC(2024, 0, 1) + age * 60_000).toISOString().replace('.000Z', 'Z'),
    ...extra,
  };
}

const entryPort = pick(
  { number: 80, name: 'http', protocol: 'HTTP' },
  { number: 443, name: 'tls', protocol: 'TLS' },
  { number: 443, name: 'https', protocol: 'HTTPS' },
  { number: 8080, name: 'http-alt', protocol: 'HTTP' },
  { number: 8080, name: 'tcp-alt', protocol: 'TCP' },
  { number: 443, name: 'http-on-443', protocol: 'HTTP' },
  { number: 3306, name: 'tcp', protocol: 'TCP' },
  { number: 80, name: 'tcp-on-80', protocol: 'TCP' },
  { number: 9000, name: 'grpc', protocol: 'GRPC' },
  { number: 9000, name: 'any', protocol: '' },
  { number: 80, name: 'http-too', protocol: 'HTTP' },
  { number: 80, name: 'moved', protocol: 'HTTP', targetPort: 443 },
  { number: 8443, name: 'tls-alt', protocol: 'TLS' },
);

const addresses = maybe(
  pick(
    ['203.0.113.10'],
    ['203.0.113.11'],
    ['203.0.113.0/24'],
    ['203.0.113.10', '203.0.113.12'],
    ['10.0.0.0/8'],
    ['203.0.113.10/32'],
  ),
  1,
  3,
);
const endpoint = pick(
  { address: '198.51.100.1' },
  { address: '198.51.100.2', labels: { version: 'v1' } },
  { address: '198.51.100.3', ports: { http: 8081, tls: 8444 } },
  { address: 'backend.example.net' },
);

const serviceEntry = fc
  .record({
    hosts: fc.uniqueArray(anyHost, { minLength: 1, maxLength: 3 }),
    ports: fc.uniqueArray(entryPort, { minLength: 1, maxLength: 3, selector: (port) => port.number }),
    resolution: fc.oneof(
      { arbitrary: pick('DNS', 'NONE', 'STATIC'), weight: 6 },
      { arbitrary: pick('DNS_ROUND_ROBIN', 'DYNAMIC_DNS'), weight: 1 },
    ),
    addresses,
    endpoints: maybe(some(endpoint, 1, 2), 1, 3),
    location: pick('MESH_EXTERNAL', 'MESH_EXTERNAL', 'MESH_INTERNAL'),
    exportTo,
    owner: namespace,
  })
  .map(({ owner, endpoints, ...made }) => {
    const isByName = made.ports.every((port) => port.protocol !== 'TCP' && port.protocol !== '');
    const hosts = isByName ? made.hosts : made.hosts.slice(0, 1);
    const isWild = hosts.some((host) => host.startsWith('*'));
    const isDns = made.resolution === 'DNS' || made.resolution === 'DNS_ROUND_ROBIN';
    const resolution =
      made.resolution === 'DYNAMIC_DNS' && !(isByName && hosts.every((host) => host.startsWith('*')))
        ? 'NONE'
        : isDns && isWild && endpoints === undefined
          ? 'NONE'
          : made.resolution;
    const named = resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN';
    const given =
      resolution === 'STATIC'
        ? (endpoints ?? [{ address: '198.51.100.9' }]).map((one) =>
            one.address.startsWith('1') ? one : { address: '198.51.100.7' },
          )
        : resolution === 'DNS'
          ? endpoints
          : resolution === 'DNS_ROUND_ROBIN'
            ? endpoints?.slice(0, 1)
            : undefined;
    const ports =
      resolution === 'NONE' || given === undefined
        ? made.ports.map((port) => (resolution === 'DYNAMIC_DNS' ? { ...port, targetPort: undefined } : port))
        : made.ports;
    return {
      owner,
      spec: {
        ...made,
        hosts,
        ports,
        resolution,
        endpoints: given,
        addresses:
          resolution === 'DYNAMIC_DNS'
            ? undefined
            : ports.some((port) => port.protocol === '')
              ? made.addresses?.slice(0, 1).filter((address) => !named || !address.includes('/'))
              : named
                ? made.addresses?.filter((address) => !address.includes('/'))
                : made.addresses,
      },
    };
  });

const serverPort = pick(
  { port: { number: 80, name: 'http', protocol: 'HTTP' } },
  { port: { number: 80, name: 'http2', protocol: 'HTTP2' } },
  { port: { number: 443, name: 'tls', protocol: 'TLS' }, tls: { mode: 'PASSTHROUGH' } },
  { port: { number: 443, name: 'https', protocol: 'HTTPS' }, tls: { mode: 'ISTIO_MUTUAL' } },
  { port: { number: 443, name: 'https-simple', protocol: 'HTTPS' }, tls: { mode: 'SIMPLE', credentialName: 'cert' } },
  { port: { number: 443, name: 'https-mutual', protocol: 'HTTPS' }, tls: { mode: 'MUTUAL', credentialName: 'cert' } },
  { port: { number: 443, name: 'tls-mesh', protocol: 'TLS' }, tls: { mode: 'ISTIO_MUTUAL' } },
  { port: { number: 443, name: 'https-pass', protocol: 'HTTPS' }, tls: { mode: 'PASSTHROUGH' } },
  { port: { number: 3306, name: 'tcp', protocol: 'TCP' } },
  { port: { number: 80, name: 'redirect', protocol: 'HTTP' }, tls: { httpsRedirect: true } },
  { port: { number: 8443, name: 'tls-alt', protocol: 'TLS' }, tls: { mode: 'SIMPLE', credentialName: 'cert' } },
  { port: { number: 443, name: 'auto', protocol: 'TLS' }, tls: { mode: 'AUTO_PASSTHROUGH' } },
);
const serverHost = fc.oneof(
  { arbitrary: anyHost, weight: 6 },
  {
    arbitrary: pick(
      '*',
      'app/*',
      './api.example.com',
      '*/www.example.com',
      'edge/*.example.com',
      'web/*.partner.io',
      'egw.edge.svc.cluster.local',
    ),
    weight: 2,
  },
);

const gateway = fc.record({
  owner: namespace,
  selector: fc.oneof(
    { arbitrary: fc.constant<Record<string, string>>({ istio: 'egressgateway' }), weight: 3 },
    {
      arbitrary: pick<Record<string, string>>({ app: 'egw' }, { app: 'istio-egressgateway' }, { istio: 'nothing' }),
      weight: 1,
    },
  ),
  servers: some(
    fc.record({ base: serverPort, hosts: fc.uniqueArray(serverHost, { minLength: 1, maxLength: 3 }) }),
    1,
    3,
  ),
});

const path = pick('/', '/v1', '/v1/items', '/health', '/v2');
const uri = maybe(
  pick({ prefix: '/v1' }, { exact: '/health' }, { prefix: '/' }, { regex: '/v[0-9]+.*' }, { prefix: '/nowhere' }),
  1,
  2,
);
const matchGateways = (known: readonly string[]): fc.Arbitrary<string[] | undefined> =>
  maybe(fc.constantFrom<string[]>(['mesh'], ...known.map((name) => [name]), ['mesh', known[0] ?? 'mesh']), 2, 1);

interface Sources {
  readonly gateways: readonly string[];
}

const destination = fc.oneof(
  {
    arbitrary: fc.record({
      host: gatewayHost,
      subset: maybe(pick('s1', 's2')),
      port: maybe(pick({ number: 80 }, { number: 443 }, { number: 3306 }, { number: 8443 }), 4, 1),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({
      host: pick(...HOSTS),
      subset: maybe(pick('s1', 'out'), 1, 3),
      port: maybe(pick({ number: 80 }, { number: 443 }, { number: 8080 }, { number: 3306 }), 2, 1),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({
      host: anyHost,
      subset: fc.constant(undefined),
      port: maybe(pick({ number: 80 }, { number: 443 })),
    }),
    weight: 1,
  },
);

const source = fc.record({
  sourceLabels: maybe(pick({ app: 'sleep' }, { app: 'other' }, { tier: 'front' }), 1, 6),
  sourceNamespace: maybe(pick('app', 'web'), 1, 8),
});

function httpRule({ gateways }: Sources): fc.Arbitrary<object> {
  const match = fc
    .record({ uri, port: maybe(pick(80, 443, 8080), 1, 2), gateways: matchGateways(gateways), source })
    .map(({ source: from, ...rest }) => ({ ...rest, ...from }));
  const action = fc.oneof(
    { arbitrary: destination.map((target) => ({ route: [{ destination: target }] })), weight: 12 },
    { arbitrary: pick({ redirect: { uri: '/elsewhere' } }, { directResponse: { status: 418 } }), weight: 1 },
  );
  return fc.tuple(maybe(some(match, 1, 2), 3, 1), action).map(([matches, does]) => ({ match: matches, ...does }));
}

function tlsRule({ gateways }: Sources, hosts: readonly string[]): fc.Arbitrary<object> {
  const match = fc
    .record({
      sniHosts: fc.uniqueArray(fc.constantFrom(...hosts), { minLength: 1, maxLength: 2 }),
      port: maybe(pick(443, 8443, 80), 2, 1),
      gateways: matchGateways(gateways),
      source,
    })
    .map(({ source: from, ...rest }) => ({ ...rest, ...from }));
  return fc
    .tuple(some(match, 1, 2), destination)
    .map(([matches, target]) => ({ match: matches, route: [{ destination: target }] }));
}

function tcpRule({ gateways }: Sources): fc.Arbitrary<object> {
  const match = fc
    .record({
      port: maybe(pick(3306, 443, 8443, 8080, 9000), 2, 1),
      gateways: matchGateways(gateways),
      destinationSubnets: maybe(pick(['203.0.113.0/24'], ['203.0.113.10']), 1, 6),
      source,
    })
    .map(({ source: from, ...rest }) => ({ ...rest, ...from }));
  return fc
    .tuple(maybe(some(match, 1, 2), 3, 1), destination)
    .map(([matches, target]) => ({ match: matches, route: [{ destination: target }] }));
}

function virtualService(sources: Sources): fc.Arbitrary<{ owner: string; spec: object }> {
  const bound = maybe(
    fc.oneof(
      fc.constant(['mesh']),
      fc.constant(['mesh', ...sources.gateways]),
      ...sources.gateways.map((name) => pick([name], ['mesh', name])),
    ),
    5,
    1,
  );
  return fc
    .tuple(namespace, fc.uniqueArray(anyHost, { minLength: 1, maxLength: 2 }), bound, exportTo)
    .chain(([owner, hosts, gateways, seenBy]) =>
      fc
        .record({
          http: maybe(some(httpRule(sources), 1, 3), 2, 1),
          tls: maybe(some(tlsRule(sources, hosts), 1, 2), 1, 1),
          tcp: maybe(some(tcpRule(sources), 1, 2), 1, 3),
        })
        .map((rules) => ({
          owner,
          spec: {
            hosts,
            gateways,
            exportTo: seenBy,
            ...rules,
            http:
              rules.http ??
              (rules.tls === undefined && rules.tcp === undefined
                ? [{ route: [{ destination: { host: hosts[0] } }] }]
                : undefined),
          },
        })),
    );
}

const clientTls = pick(
  { mode: 'SIMPLE' },
  { mode: 'SIMPLE', sni: 'sni.example.com' },
  { mode: 'DISABLE' },
  { mode: 'ISTIO_MUTUAL' },
  { mode: 'ISTIO_MUTUAL', sni: 'api.example.com' },
  { mode: 'ISTIO_MUTUAL', sni: 'www.example.com' },
  { mode: 'MUTUAL', credentialName: 'client' },
  { mode: 'SIMPLE', credentialName: 'ca' },
  {
    mode: 'MUTUAL',
    clientCertificate: '/c.pem',
    privateKey: '/k.pem',
    caCertificates: '/ca.pem',
    sni: 'db.partner.io',
  },
);
const policy = fc.oneof(
  clientTls.map((tls) => ({ tls })),
  fc.constant({ loadBalancer: { simple: 'ROUND_ROBIN' } }),
  fc
    .tuple(pick(80, 443), clientTls, maybe(clientTls, 1, 2))
    .map(([number, tls, outer]) => ({ tls: outer, portLevelSettings: [{ port: { number }, tls }] })),
  pick({
    portLevelSettings: [{ port: { number: 443 }, loadBalancer: { simple: 'ROUND_ROBIN' } }],
    tls: { mode: 'SIMPLE' },
  }),
  pick({ loadBalancer: { simple: 'PASSTHROUGH' } }),
);
const destinationRule = fc
  .record({
    owner: namespace,
    host: fc.oneof(
      { arbitrary: gatewayHost, weight: 3 },
      { arbitrary: anyHost, weight: 3 },
      { arbitrary: pick('*.svc.cluster.local', '*.local', '*'), weight: 1 },
    ),
    trafficPolicy: maybe(policy, 1, 2),
    subsets: maybe(
      fc.uniqueArray(
        fc.record({
          name: pick('s1', 's2', 'out'),
          trafficPolicy: maybe(policy),
          labels: maybe(pick({ version: 'v1' }), 1, 6),
        }),
        { minLength: 1, maxLength: 2, selector: (subset) => subset.name },
      ),
      2,
      1,
    ),
    exportTo,
    workloadSelector: maybe(
      pick({ matchLabels: { app: 'sleep' } }, { matchLabels: { app: 'other' } }, { matchLabels: { app: 'egw' } }),
      1,
      8,
    ),
  })
  .map(({ owner, ...spec }) => ({
    owner,
    spec: { ...spec, exportTo: spec.workloadSelector === undefined ? spec.exportTo : undefined },
  }));

const sidecarHost = pick(
  '*/*',
  './*',
  'app/*',
  'edge/*',
  'istio-system/*',
  '*/*.example.com',
  '*/api.example.com',
  'web/*',
  '*/egw.edge.svc.cluster.local',
  '~/*',
  'edge/api.example.com',
);
const egress = fc.record({
  port: maybe(
    pick(
      { number: 80, protocol: 'HTTP', name: 'http' },
      { number: 443, protocol: 'TLS', name: 'tls' },
      { number: 3306, protocol: 'TCP', name: 'tcp' },
      { number: 9999, protocol: 'HTTP', name: 'odd' },
    ),
    1,
    3,
  ),
  hosts: fc.uniqueArray(sidecarHost, { minLength: 1, maxLength: 3 }),
});
const sidecar = fc
  .record({
    owner: pick('app', 'web', 'istio-system'),
    egress: fc
      .tuple(
        fc.uniqueArray(
          egress.filter((one) => one.port !== undefined),
          { maxLength: 1, selector: (one) => one.port?.number },
        ),
        maybe(
          egress.map((one) => ({ hosts: one.hosts })),
          4,
          1,
        ),
      )
      .map(([own, all]) =>
        all === undefined && own.length === 0 ? [{ hosts: ['*/*'] }] : all === undefined ? own : [...own, all],
      ),
    outboundTrafficPolicy: maybe(pick({ mode: 'REGISTRY_ONLY' }, { mode: 'ALLOW_ANY' })),
    workloadSelector: maybe(pick({ labels: { app: 'sleep' } }, { labels: { app: 'other' } }), 1, 2),
  })
  .map(({ owner, ...spec }) => ({
    owner,
    spec: owner === 'istio-system' ? { ...spec, workloadSelector: undefined } : spec,
  }));

const peerAuthentication = fc
  .record({
    owner: pick('app', 'web', 'edge', 'istio-system'),
    mode: pick('STRICT', 'PERMISSIVE', 'DISABLE', 'UNSET'),
    selector: maybe(pick({ matchLabels: { app: 'shop' } }, { matchLabels: { app: 'store' } }), 1, 2),
    ports: maybe(pick({ 8080: { mode: 'DISABLE' } }, { 8443: { mode: 'STRICT' } }), 1, 2),
  })
  .map(({ owner, mode, selector, ports }) => ({
    owner,
    spec:
      selector === undefined || owner === 'istio-system'
        ? { mtls: { mode } }
        : { mtls: { mode }, selector, portLevelMtls: ports },
  }));

const servicePorts = pick(
  [{ name: 'http', port: 80, targetPort: 8080 }],
  [
    { name: 'http', port: 8080, targetPort: 8080 },
    { name: 'tcp', port: 3306, targetPort: 3306 },
  ],
  [{ name: 'web', port: 80, targetPort: 8080 }],
  [
    { name: 'https', port: 443, targetPort: 8443 },
    { name: 'grpc', port: 9000, targetPort: 9000 },
  ],
  [
    { name: 'any', port: 9000, targetPort: 9000 },
    { name: 'http', port: 80, targetPort: 8080 },
  ],
);

function pod(name: string, owner: string, ip: string, labels: object, annotations: object = {}): Thing {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: owner, labels, annotations },
    spec: { serviceAccountName: name, containers: [{ name: 'app', image: 'none' }] },
    status: { podIP: ip, phase: 'Running' },
  };
}

function service(name: string, owner: string, clusterIP: string, selector: object, ports: readonly object[]): Thing {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: owner },
    spec: { clusterIP, selector, ports },
  };
}

function slice(
  name: string,
  owner: string,
  target: { readonly name: string; readonly ip: string } | undefined,
  ports: readonly { name: string; targetPort: number }[],
): Thing {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    metadata: { name: `${name}-1`, namespace: owner, labels: { 'kubernetes.io/service-name': name } },
    endpoints:
      target === undefined
        ? []
        : [
            {
              addresses: [target.ip],
              conditions: { ready: true },
              targetRef: { kind: 'Pod', name: target.name, namespace: owner },
            },
          ],
    ports: ports.map((port) => ({ name: port.name, port: port.targetPort, protocol: 'TCP' })),
  };
}

interface Base {
  readonly mapped: boolean;
  readonly shopPorts: readonly { name: string; port: number; targetPort: number }[];
  readonly shopRuns: boolean;
  readonly shopInMesh: boolean;
  readonly headless: readonly { name: string; port: number; targetPort: number }[];
}

function base({ mapped, shopPorts, shopRuns, shopInMesh, headless }: Base): readonly Thing[] {
  const mesh = { 'security.istio.io/tlsMode': 'istio' };
  const gatewayPorts = [
    { name: 'http2', port: 80, targetPort: mapped ? 8080 : 80 },
    { name: 'https', port: 443, targetPort: mapped ? 8443 : 443 },
    { name: 'tcp', port: 3306, targetPort: 3306 },
    { name: 'tls-alt', port: 8443, targetPort: mapped ? 9443 : 8443 },
  ];
  return [
    pod('sleep', 'app', '10.244.1.10', { app: 'sleep', tier: 'front', ...mesh }),
    pod('other', 'app', '10.244.1.11', { app: 'other', ...mesh }),
    pod('sleep', 'web', '10.244.1.20', { app: 'sleep', ...mesh }),
    ...GATEWAYS.flatMap((one, index) => [
      pod(one.name, one.namespace, one.ip, one.labels, { 'inject.istio.io/templates': 'gateway' }),
      service(one.name, one.namespace, `10.96.0.${50 + index}`, { app: one.labels.app }, gatewayPorts),
      slice(one.name, one.namespace, one, gatewayPorts),
    ]),
    pod('shop', 'app', '10.244.1.30', { app: 'shop', ...(shopInMesh ? mesh : { 'sidecar.istio.io/inject': 'false' }) }),
    service('shop', 'app', '10.96.0.60', { app: 'shop' }, shopPorts),
    slice('shop', 'app', shopRuns ? { name: 'shop', ip: '10.244.1.30' } : undefined, shopPorts),
    pod('store', 'web', '10.244.1.40', { app: 'store', version: 'v1', ...mesh }),
    service('store', 'web', '10.96.0.61', { app: 'store' }, [{ name: 'http', port: 80, targetPort: 8080 }]),
    slice('store', 'web', { name: 'store', ip: '10.244.1.40' }, [{ name: 'http', targetPort: 8080 }]),
    pod('head', 'web', '10.244.1.50', { app: 'head', ...mesh }),
    service('head', 'web', 'None', { app: 'head' }, headless),
    slice('head', 'web', { name: 'head', ip: '10.244.1.50' }, headless),
  ];
}

const WAYS = ['http', 'tls', 'originate', 'mutual', 'mutual-tcp', 'tcp'] as const;

const SERVERS: Readonly<
  Record<(typeof WAYS)[number], { readonly port: object; readonly number: number; readonly tls?: object }>
> = {
  http: { number: 80, port: { number: 80, name: 'http', protocol: 'HTTP' } },
  originate: { number: 80, port: { number: 80, name: 'http', protocol: 'HTTP' } },
  tls: { number: 443, port: { number: 443, name: 'tls', protocol: 'TLS' }, tls: { mode: 'PASSTHROUGH' } },
  mutual: { number: 443, port: { number: 443, name: 'https', protocol: 'HTTPS' }, tls: { mode: 'ISTIO_MUTUAL' } },
  'mutual-tcp': { number: 443, port: { number: 443, name: 'tls', protocol: 'TLS' }, tls: { mode: 'ISTIO_MUTUAL' } },
  tcp: { number: 3306, port: { number: 3306, name: 'tcp', protocol: 'TCP' } },
};

/** A host sent through a gateway the way documents tell it, with up to a few mistakes that people make. */
const forwarded = fc.record({
  host: pick(...HOSTS),
  way: pick(...WAYS),
  gateway: pick<(typeof GATEWAYS)[number]>(...GATEWAYS),
  owner: namespace,
  ruleOwner: fc.oneof({ arbitrary: fc.constant('same' as const), weight: 3 }, { arbitrary: namespace, weight: 1 }),
  routeOwner: fc.oneof({ arbitrary: fc.constant('same' as const), weight: 3 }, { arbitrary: namespace, weight: 1 }),
  serverHost: fc.oneof(
    { arbitrary: fc.constant('same' as const), weight: 6 },
    { arbitrary: pick('*.example.com', '*', 'other.example.com'), weight: 1 },
  ),
  bound: fc.oneof(
    { arbitrary: fc.constant('both' as const), weight: 8 },
    { arbitrary: pick('mesh' as const, 'gateway' as const), weight: 1 },
  ),
  noSubset: fc.integer({ min: 0, max: 7 }).map((dice) => dice === 0),
  noMatch: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  sni: fc.oneof(
    { arbitrary: fc.constant('same' as const), weight: 6 },
    { arbitrary: pick('none' as const, 'www.example.com' as const), weight: 1 },
  ),
  target: fc.oneof({ arbitrary: fc.constant(0), weight: 6 }, { arbitrary: pick(80, 443, 8080), weight: 1 }),
  seenBy: exportTo,
  resolution: pick('DNS', 'DNS', 'NONE', 'STATIC'),
});

type Forwarded = typeof forwarded extends fc.Arbitrary<infer T> ? T : never;

interface Part {
  readonly kind: string;
  readonly owner: string;
  readonly name: string;
  readonly spec: object;
}

function partsOf(made: Forwarded, index: number): readonly Part[] {
  const { host, way, gateway: through, owner } = made;
  const server = SERVERS[way];
  const name = `f${index}`;
  const subset = made.noSubset ? undefined : name;
  const sni = made.sni === 'same' ? host : made.sni === 'none' ? undefined : made.sni;
  const isL4 = way === 'tls' || way === 'tcp' || way === 'mutual-tcp';
  const entry = way === 'tcp' ? 3306 : way === 'tls' || way === 'mutual-tcp' ? 443 : 80;
  const outPort = made.target || (way === 'originate' || way === 'mutual' ? 443 : entry);
  const toGateway = { route: [{ destination: { host: through.host, subset, port: { number: server.number } } }] };
  const toHost = { route: [{ destination: { host, port: { number: outPort } } }] };
  const gatewayName = `${owner}/${name}`;
  const on = (where: string, number: number): object => ({
    gateways: [where],
    port: number,
    ...(way === 'tls' || way === 'mutual-tcp' ? { sniHosts: [host] } : {}),
  });
  const first = made.noMatch
    ? { ...toGateway, ...(isL4 ? { match: [on('mesh', entry)] } : {}) }
    : { ...toGateway, match: [on('mesh', entry)] };
  const second =
    way === 'mutual-tcp'
      ? { ...toHost, match: [{ gateways: [gatewayName], port: server.number }] }
      : { ...toHost, match: [on(gatewayName, server.number)] };
  const kind = way === 'tcp' ? 'tcp' : isL4 ? 'tls' : 'http';
  const rules = way === 'mutual-tcp' ? { tls: [first], tcp: [second] } : { [kind]: [first, second] };
  const mutual = way === 'mutual' || way === 'mutual-tcp';
  return [
    {
      kind: 'ServiceEntry',
      owner,
      name: `${name}-se`,
      spec: {
        hosts: [host],
        ports: [
          { number: 80, name: 'http', protocol: 'HTTP' },
          { number: 443, name: 'tls', protocol: 'TLS' },
          ...(way === 'tcp' ? [{ number: 3306, name: 'tcp', protocol: 'TCP' }] : []),
        ],
        resolution: made.resolution,
        endpoints: made.resolution === 'STATIC' ? [{ address: '198.51.100.20' }] : undefined,
        location: 'MESH_EXTERNAL',
      },
    },
    {
      kind: 'Gateway',
      owner,
      name,
      spec: {
        selector: { app: through.labels.app },
        servers: [{ port: server.port, tls: server.tls, hosts: [made.serverHost === 'same' ? host : made.serverHost] }],
      },
    },
    {
      kind: 'DestinationRule',
      owner: made.ruleOwner === 'same' ? owner : made.ruleOwner,
      name: `${name}-hop`,
      spec: {
        host: through.host,
        exportTo: made.seenBy,
        subsets: [
          {
            name,
            trafficPolicy: mutual
              ? { portLevelSettings: [{ port: { number: 443 }, tls: { mode: 'ISTIO_MUTUAL', sni } }] }
              : undefined,
          },
        ],
      },
    },
    {
      kind: 'VirtualService',
      owner: made.routeOwner === 'same' ? owner : made.routeOwner,
      name: `${name}-route`,
      spec: {
        hosts: [host],
        gateways: made.bound === 'both' ? ['mesh', gatewayName] : made.bound === 'mesh' ? ['mesh'] : [gatewayName],
        exportTo: made.seenBy,
        ...rules,
      },
    },
    ...(way === 'originate' || way === 'mutual'
      ? [
          {
            kind: 'DestinationRule',
            owner: through.namespace,
            name: `${name}-tls`,
            spec: {
              host,
              trafficPolicy: { portLevelSettings: [{ port: { number: 443 }, tls: { mode: 'SIMPLE', sni: host } }] },
            },
          },
        ]
      : []),
  ];
}

const ask = fc
  .record({
    from: pick('app/sleep', 'app/sleep', 'web/sleep', 'app/other'),
    scheme: pick('http' as const, 'http' as const, 'https' as const, 'tls' as const, 'tcp' as const),
    host: fc.oneof(
      { arbitrary: pick(...HOSTS), weight: 8 },
      {
        arbitrary: pick(
          'other.example.com',
          'unknown.net',
          'x.b.partner.io',
          'shop.app',
          'shop',
          'store.web.svc',
          'store.web.svc.cluster.local',
          'shop.app.svc.cluster.local',
          'head.web',
        ),
        weight: 3,
      },
    ),
    address: pick(
      '203.0.113.10',
      '203.0.113.10',
      '203.0.113.11',
      '203.0.113.99',
      '192.0.2.1',
      '10.96.0.60',
      '10.96.0.61',
      '10.96.0.50',
      '10.244.1.50',
      '203.0.113.12',
    ),
    port: fc.oneof(
      { arbitrary: pick(80, 443), weight: 4 },
      { arbitrary: pick(8080, 3306, 9000, 8443, 9999), weight: 1 },
    ),
    path,
  })
  .map((one) => ({ ...one, port: one.scheme === 'https' && one.port === 80 ? 443 : one.port }));

const SECURITY = 'security.istio.io/v1';
const NETWORKING = 'networking.istio.io/v1';

/** A mesh of a few objects of each kind, with `requests` requests. */
export function meshes(requests: number): fc.Arbitrary<GeneratedMesh> {
  const parts = fc.record({
    base: fc.record({
      mapped: fc.boolean(),
      shopPorts: servicePorts,
      shopRuns: fc.boolean(),
      shopInMesh: fc.boolean(),
      headless: servicePorts,
    }),
    entries: some(serviceEntry, 0, 4),
    gateways: some(gateway, 0, 3),
    rules: some(destinationRule, 0, 5),
    sidecars: some(sidecar, 0, 2),
    peers: some(peerAuthentication, 0, 2),
    outbound: pick('REGISTRY_ONLY' as const, 'ALLOW_ANY' as const),
    asks: some(ask, requests, requests),
    forwards: some(forwarded, 0, 3),
  });
  return parts.chain((made) => {
    const names = made.gateways.map((one, index) => `${one.owner}/gw${index}`);
    return fc
      .tuple(
        some(virtualService({ gateways: names }), 0, 5),
        fc.shuffledSubarray(
          Array.from({ length: 60 }, (_value, index) => index),
          { minLength: 60, maxLength: 60 },
        ),
      )
      .map(([routes, ages]): GeneratedMesh => {
        let next = 0;
        const age = (): number => ages[next++] ?? next + 60;
        const make =
          (kind: string, prefix: string, apiVersion: string) =>
          (one: { owner: string; spec: object }, index: number): Thing => ({
            apiVersion,
            kind,
            metadata: metadata(`${prefix}${index}`, one.owner, age()),
            spec: one.spec,
          });
        const things: Thing[] = [
          ...base(made.base),
          ...made.entries.map(make('ServiceEntry', 'se', NETWORKING)),
          ...made.gateways.map((one, index): Thing => ({
            apiVersion: NETWORKING,
            kind: 'Gateway',
            metadata: metadata(`gw${index}`, one.owner, age()),
            spec: {
              selector: one.selector,
              servers: one.servers.map((server, position) => ({
                ...server.base,
                port: { ...server.base.port, name: `${server.base.port.name}-${position}` },
                hosts: server.hosts,
              })),
            },
          })),
          ...routes.map(make('VirtualService', 'vs', NETWORKING)),
          ...made.rules.map(make('DestinationRule', 'dr', NETWORKING)),
          ...made.sidecars.map(make('Sidecar', 'sc', NETWORKING)),
          ...made.peers.map(make('PeerAuthentication', 'pa', SECURITY)),
          ...made.forwards.flatMap((one, index) =>
            partsOf(one, index).map((part): Thing => ({
              apiVersion: NETWORKING,
              kind: part.kind,
              metadata: metadata(part.name, part.owner, age()),
              spec: part.spec,
            })),
          ),
        ];
        // Half of the requests are for what is forwarded, as its clients would send them.
        const asks = made.asks.map((one, index): Ask => {
          const wanted = made.forwards[index % Math.max(1, made.forwards.length)];
          if (wanted === undefined || index % 2 === 0) return one;
          const { way, host } = wanted;
          const scheme = way === 'tcp' ? 'tcp' : way === 'tls' || way === 'mutual-tcp' ? 'https' : 'http';
          return { ...one, host, scheme, port: way === 'tcp' ? 3306 : scheme === 'https' ? 443 : 80 };
        });
        return { outbound: made.outbound, things, asks };
      });
  });
}
