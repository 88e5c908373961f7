/** Objects that istiod's webhook refuses, or nearly: the change of one field of a good one, of which many a form is no fault. */
import fc from 'fast-check';
import { pick, type Thing } from './vocabulary';

/** A place by its path (an index for an item), and what is put there; undefined takes it away. */
type Change = readonly [path: string, value: unknown];

const EXPORTS: readonly Change[] = [
  ['exportTo', ['.', '.']],
  ['exportTo', ['*', 'app']],
  ['exportTo', ['~']],
  ['exportTo', ['~', '.']],
  ['exportTo', ['App']],
  ['exportTo', ['']],
  ['exportTo', []],
];

const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  ServiceEntry: [
    ...EXPORTS,
    ['hosts', []],
    ['hosts', ['*']],
    ['hosts', ['*.']],
    ['hosts', ['a_b.example.com']],
    ['hosts', ['api.*.com']],
    ['hosts', ['api.example.com.']],
    ['hosts', ['API.example.com']],
    ['hosts', ['api']],
    ['hosts', ['api.example.com', 'api.example.com']],
    ['hosts', ['203.0.113.10']],
    ['ports', []],
    ['ports', [{ number: 80, name: 'a', protocol: 'HTTP' }, { number: 80, name: 'b', protocol: 'HTTP' }]], // prettier-ignore
    ['ports', [{ number: 80, name: 'a', protocol: 'HTTP' }, { number: 81, name: 'a', protocol: 'HTTP' }]], // prettier-ignore
    ['ports.0.number', 0],
    ['ports.0.number', 65536],
    ['ports.0.name', ''],
    ['ports.0.name', 'Upper'],
    ['ports.0.protocol', 'FOO'],
    ['ports.0.protocol', 'UDP'],
    ['ports.0.targetPort', 70000],
    ['resolution', 'STATIC'],
    ['resolution', 'DNS'],
    ['resolution', 'NONE'],
    ['resolution', 'DNS_ROUND_ROBIN'],
    ['resolution', 'DYNAMIC_DNS'],
    ['addresses', ['nonsense']],
    ['addresses', ['203.0.113.0/33']],
    ['addresses', ['203.0.113.0/24']],
    ['addresses', ['fd00::1', '203.0.113.10']],
    ['addresses', ['']],
    ['endpoints', [{ address: 'bad host' }]],
    ['endpoints', [{ address: '' }]],
    ['endpoints', [{ address: '198.51.100.1', ports: { none: 80 } }]],
    ['endpoints', [{ address: '198.51.100.1', ports: { http: 0 } }]],
    ['endpoints', [{ address: 'unix:///var/run/x.sock' }]],
    ['endpoints', [{ address: '198.51.100.1' }, { address: 'backend.example.net' }]],
    ['endpoints', []],
    ['workloadSelector', { labels: { app: 'vm' } }],
    ['workloadSelector', {}],
    ['subjectAltNames', ['a b']],
  ],
  VirtualService: [
    ...EXPORTS,
    ['hosts', []],
    ['hosts', ['*']],
    ['hosts', ['api.example.com', 'api.example.com']],
    ['hosts', ['API.example.com']],
    ['hosts', ['*.example.com', 'api.example.com']],
    ['hosts', ['203.0.113.10']],
    ['hosts', ['api']],
    ['gateways', ['Bad Name']],
    ['gateways', ['a/b/c']],
    ['gateways', ['']],
    ['gateways', []],
    ['http.0.route', []],
    ['http.0.route', [{ weight: 1 }]],
    ['http.0.route', [{ destination: { host: 'api.example.com' }, weight: -1 }]],
    ['http.0.route', [{ destination: { host: 'api.example.com' }, weight: 0 }]],
    ['http.0.route', [{ destination: { host: 'api.example.com' }, weight: 60 }, { destination: { host: 'www.example.com' }, weight: 60 }]], // prettier-ignore
    ['http.0.route.0.destination.host', ''],
    ['http.0.route.0.destination.host', '*.example.com'],
    ['http.0.route.0.destination.port', { number: 0 }],
    ['http.0.route.0.destination.port', { number: 70000 }],
    ['http.0.route.0.destination.subset', 'Bad Name'],
    ['http.0.redirect', { uri: '/x' }],
    ['http.0.directResponse', { status: 99 }],
    ['http.0.directResponse', { status: 700 }],
    ['http.0.match', []],
    ['http.0.match', [{}]],
    ['http.0.match', [{ uri: { regex: '(' } }]],
    ['http.0.match', [{ uri: { regex: '(?=a)' } }]],
    ['http.0.match', [{ uri: { exact: '' } }]],
    ['http.0.match', [{ uri: {} }]],
    ['http.0.match', [{ headers: { '': { exact: 'a' } } }]],
    ['http.0.match', [{ headers: { 'x y': { exact: 'a' } } }]],
    ['http.0.match', [{ headers: { uri: { exact: 'a' } } }]],
    ['http.0.match', [{ headers: { 'x-team': { regex: '' } } }]],
    ['http.0.match', [{ queryParams: { '': { exact: 'a' } } }]],
    ['http.0.match', [{ port: 0 }]],
    ['http.0.match', [{ port: 70000 }]],
    ['http.0.match', [{ sourceLabels: { 'a b': 'c' } }]],
    ['http.0.match', [{ gateways: ['app/unknown'] }]],
    ['http.0.match', [{ method: { prefix: '' } }]],
    ['http.0.delegate', { name: 'leaf', namespace: 'app' }],
    ['http.0.timeout', '0.0001s'],
    ['http.0.timeout', '-1s'],
    ['http.0.retries', { attempts: -1 }],
    ['http.0.retries', { attempts: 0, perTryTimeout: '1s' }],
    ['http.0.retries', { attempts: 1, retryOn: 'nonsense' }],
    ['http.0.retries', { attempts: 1, retryOn: '503,5xx' }],
    ['http.0.fault', { abort: {} }],
    ['http.0.fault', { abort: { httpStatus: 600, percentage: { value: 10 } } }],
    ['http.0.fault', { delay: { fixedDelay: '5s', percentage: { value: 101 } } }],
    ['http.0.mirror', { host: '' }],
    ['http.0.mirrorPercentage', { value: 120 }],
    ['http.0.corsPolicy', { allowOrigins: [{ regex: '(' }] }],
    ['http.0.corsPolicy', { maxAge: '0.5ms' }],
    ['http.0.rewrite', {}],
    ['http.0.rewrite', { uri: '/a', uriRegexRewrite: { match: 'a', rewrite: 'b' } }],
    ['http.0.rewrite', { uriRegexRewrite: { match: '(', rewrite: 'b' } }],
    ['http.0.rewrite', { uriRegexRewrite: { match: 'a', rewrite: '\\1' } }],
    ['http.0.headers', { request: { set: { 'x y': 'a' } } }],
    ['http.0.headers', { request: { remove: ['host'] } }],
    ['http.0.headers', { request: { set: { '': 'a' } } }],
    ['http', []],
    ['tls', [{ match: [{ sniHosts: [] }], route: [{ destination: { host: 'api.example.com' } }] }]],
    ['tls', [{ match: [{ sniHosts: ['other.net'] }], route: [{ destination: { host: 'api.example.com' } }] }]],
    ['tls', [{ match: [{ sniHosts: ['*'] }], route: [{ destination: { host: 'api.example.com' } }] }]],
    ['tls', [{ route: [{ destination: { host: 'api.example.com' } }] }]],
    ['tls', [{ match: [{ sniHosts: ['api.example.com'] }], route: [] }]],
    ['tcp', [{ match: [{ destinationSubnets: ['nonsense'] }], route: [{ destination: { host: 'api.example.com' } }] }]], // prettier-ignore
    ['tcp', [{ match: [{ sourceSubnet: '10.0.0.0/8' }], route: [{ destination: { host: 'api.example.com' } }] }]],
    ['tcp', [{ route: [{ destination: { host: 'api.example.com' }, weight: 50 }] }]],
    ['tcp', [{}]],
  ],
  DestinationRule: [
    ...EXPORTS,
    ['host', ''],
    ['host', '*'],
    ['host', '*.'],
    ['host', 'api.*'],
    ['host', 'A.example.com'],
    ['subsets', [{ name: 's1' }, { name: 's1' }]],
    ['subsets', [{ name: '' }]],
    ['subsets', [{ name: 'Bad Name' }]],
    ['subsets', [{ name: 's1', labels: { 'a b': 'c' } }]],
    ['trafficPolicy', { tls: { mode: 'MUTUAL' } }],
    ['trafficPolicy', { tls: { mode: 'MUTUAL', clientCertificate: '/c.pem' } }],
    ['trafficPolicy', { tls: { mode: 'SIMPLE', clientCertificate: '/c.pem' } }],
    ['trafficPolicy', { tls: { mode: 'ISTIO_MUTUAL', caCertificates: '/c.pem' } }],
    ['trafficPolicy', { tls: { mode: 'SIMPLE', credentialName: 'a', caCertificates: '/c.pem' } }],
    ['trafficPolicy', { tls: { mode: 'SIMPLE', insecureSkipVerify: true, caCertificates: '/c.pem' } }],
    ['trafficPolicy', { tls: { mode: 'SIMPLE', sni: 'Bad Name' } }],
    ['trafficPolicy', { tls: { mode: 'SIMPLE', subjectAltNames: [''] } }],
    ['trafficPolicy', { portLevelSettings: [{ port: { number: 0 } }] }],
    ['trafficPolicy', { portLevelSettings: [{ port: {} }] }],
    ['trafficPolicy', { portLevelSettings: [{}] }],
    ['trafficPolicy', { loadBalancer: { consistentHash: {} } }],
    ['trafficPolicy', { loadBalancer: { consistentHash: { httpHeaderName: '' } } }],
    ['trafficPolicy', { connectionPool: { tcp: { maxConnections: -1 } } }],
    ['trafficPolicy', { connectionPool: {} }],
    ['trafficPolicy', { connectionPool: { tcp: { connectTimeout: '0s' } } }],
    ['trafficPolicy', { connectionPool: { http: { idleTimeout: '-1s' } } }],
    ['trafficPolicy', { outlierDetection: { interval: '0s' } }],
    ['trafficPolicy', { outlierDetection: { maxEjectionPercent: 101 } }],
    ['trafficPolicy', { tunnel: { targetHost: '', targetPort: 80 } }],
    ['trafficPolicy', { tunnel: { targetHost: 'api.example.com', targetPort: 0 } }],
    ['trafficPolicy', { tunnel: { targetHost: 'api.example.com', targetPort: 80, protocol: 'FOO' } }],
    ['trafficPolicy', {}],
    ['workloadSelector', {}],
    ['workloadSelector', { matchLabels: { 'a b': 'c' } }],
  ],
  Gateway: [
    ['servers', []],
    ['servers.0.hosts', []],
    ['servers.0.hosts', ['a/b/c']],
    ['servers.0.hosts', ['*a.example.com']],
    ['servers.0.hosts', ['/api.example.com']],
    ['servers.0.hosts', ['App/api.example.com']],
    ['servers.0.hosts', ['~/api.example.com']],
    ['servers.0.hosts', ['api.example.com', 'api.example.com']],
    ['servers.0.port.name', ''],
    ['servers.0.port.number', 0],
    ['servers.0.port.protocol', 'FOO'],
    ['servers.0.port.protocol', 'UDP'],
    ['servers.0.tls', undefined],
    ['servers.0.tls', { mode: 'SIMPLE' }],
    ['servers.0.tls', { mode: 'SIMPLE', credentialName: 'a', serverCertificate: '/c', privateKey: '/k' }],
    ['servers.0.tls', { mode: 'MUTUAL', serverCertificate: '/c', privateKey: '/k' }],
    ['servers.0.tls', { mode: 'ISTIO_MUTUAL', credentialName: 'a' }],
    ['servers.0.tls', { mode: 'PASSTHROUGH', credentialName: 'a' }],
    ['servers.0.tls', { mode: 'SIMPLE', credentialName: 'a', cipherSuites: ['nonsense'] }],
    ['servers.0.tls', { mode: 'SIMPLE', credentialName: 'a', minProtocolVersion: 'TLSV1_3', maxProtocolVersion: 'TLSV1_2' }], // prettier-ignore
    ['servers.0.tls', { httpsRedirect: true, mode: 'SIMPLE', credentialName: 'a' }],
    ['servers.0.bind', 'nonsense'],
    ['servers.0.name', 'Bad Name'],
    ['selector', { 'a b': 'c' }],
    ['selector', {}],
  ],
  Sidecar: [
    ['egress', []],
    ['egress.0.hosts', []],
    ['egress.0.hosts', ['api.example.com']],
    ['egress.0.hosts', ['*/*', '*/*']],
    ['egress.0.hosts', ['a/b/c']],
    ['egress.0.hosts', ['~/api.example.com']],
    ['egress.0.hosts', ['App/*']],
    ['egress.0.port', { number: 0, protocol: 'HTTP', name: 'a' }],
    ['egress.0.port', { number: 80, protocol: 'FOO', name: 'a' }],
    ['egress.0.port', { number: 80, protocol: 'HTTP' }],
    ['egress.0.bind', '127.0.0.1'],
    ['egress.0.captureMode', 'NONE'],
    ['outboundTrafficPolicy', { mode: 'ALLOW_ANY', egressProxy: { host: '' } }],
    [
      'outboundTrafficPolicy',
      { mode: 'REGISTRY_ONLY', egressProxy: { host: 'api.example.com', port: { number: 80 } } },
    ],
    ['workloadSelector', { labels: { 'a b': 'c' } }],
    ['workloadSelector', {}],
    ['ingress', [{ port: { number: 80, protocol: 'HTTP', name: 'a' }, defaultEndpoint: 'nonsense' }]],
    ['ingress', [{ port: { number: 80, protocol: 'HTTP', name: 'a' }, defaultEndpoint: '127.0.0.1:80' }]],
  ],
  PeerAuthentication: [
    ['portLevelMtls', { 80: { mode: 'STRICT' } }],
    ['portLevelMtls', { 0: { mode: 'STRICT' } }],
    ['selector', { matchLabels: { '': 'a' } }],
    ['selector', { matchLabels: { 'a b': 'c' } }],
    ['selector', { matchLabels: { 'a*': 'c' } }],
  ],
};

const changes = fc.array(fc.record({ object: fc.nat(40), change: fc.nat(200) }), { minLength: 1, maxLength: 3 });

/** Most often none: what is refused is not there. */
export const spoiling: fc.Arbitrary<readonly { readonly object: number; readonly change: number }[]> = fc.oneof(
  { arbitrary: pick([]), weight: 2 },
  { arbitrary: changes, weight: 1 },
);

/** The objects with these changes, each of an object that may be refused. */
export function spoilt(
  things: readonly Thing[],
  spoilings: readonly { readonly object: number; readonly change: number }[],
): readonly Thing[] {
  const made = [...things];
  const open = made.flatMap(({ kind }, index) => (Object.hasOwn(CHANGES, kind) ? [index] : []));
  if (open.length === 0) return made;
  for (const { object, change } of spoilings) {
    const index = open[object % open.length] ?? 0;
    const thing = made[index] as Thing;
    const all = CHANGES[thing.kind] ?? [];
    const [path, value] = all[change % all.length] ?? ['', undefined];
    made[index] = { ...thing, spec: changed(thing.spec, path.split('.'), value) };
  }
  return made;
}

function changed(node: unknown, [step = '', ...rest]: readonly string[], value: unknown): unknown {
  if (Array.isArray(node)) {
    const at = Number(step);
    return at < node.length ? node.map((one, index) => (index === at ? next(one) : one)) : node;
  }
  // A rule that is not there is not made.
  if (rest.length > 0 && (node as Record<string, unknown> | undefined)?.[step] === undefined) return node;
  return { ...(node as object), [step]: next((node as Record<string, unknown> | undefined)?.[step]) };

  function next(one: unknown): unknown {
    return rest.length === 0 ? value : changed(one, rest, value);
  }
}
