/** Objects of Gateway API, Envoy Gateway and Istio's own API, each as a construct that renders it field by field. */
import { join } from 'node:path';
import { adopt as adoptWith, type Adopted } from '../../src/adopt/adopt';
import type { Constructs } from '../../src/adopt/run';
import { load, loadObjects } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';
import { judgeSample } from './judge';

const constructs: Constructs = { cdk8s: jest.requireActual('cdk8s'), edge: jest.requireActual('../../src/index') };
const adopt = (manifests: readonly Manifest[]): Adopted => adoptWith(manifests, {}, constructs);
const edgeOf = ({ files }: Adopted): string => files.find(({ path }) => path === 'edge.ts')?.text ?? '';
const whyOf = ({ kept }: Adopted): readonly string[] =>
  kept.map(({ manifest, why }) => `${manifest.kind} ${manifest.name}: ${why}`);

const route = (name: string, spec: object, kind = 'HTTPRoute'): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind,
  metadata: { name, namespace: 'shop' },
  spec,
});

describe("a team's edge", () => {
  const { manifests } = load([join(__dirname, 'fixtures', 'platform.yaml')]);
  const adopted = adopt(manifests);
  const edge = edgeOf(adopted);

  it('becomes constructs whole, which render the same objects and the same traffic', () => {
    expect(whyOf(adopted)).toEqual([]);
    expect(adopted.lifted).toBe(manifests.length);
    expect(judgeSample(manifests, adopted)).toEqual([]);
  });

  it('names gateways and routes by their variables, and needs none for what nobody names', () => {
    expect(edge).toContain("const thePublic = new IngressGateway(this, 'public', {");
    expect(edge).toContain('gateway: thePublic');
    expect(edge).toContain('target: PolicyTarget.route(shop)');
    expect(edge).toContain('gateways: [classic]');
    expect(edge).toMatch(/^ {4}new AuthorizationPolicy\(/m);
  });

  it('says by props what has one, and patches the rest', () => {
    expect(edge).toContain('IngressListener.http({ routesFromAnywhere: true })');
    expect(edge).toContain("ListenerCertificate.secret('shop-tls', 'certs', { grantedElsewhere: true })");
    expect(edge).toContain('timeout: Duration.millis(1500)');
    expect(edge).toContain(
      "IngressBackend.service('api', 8080, { namespace: 'legacy', weight: 10, grantedElsewhere: true })",
    );
    expect(edge).toContain("retries: { attempts: 3, on: ['5xx'], perTryTimeout: Duration.seconds(1) }");
    expect(edge).toMatch(/thePublic\.resource\.addJsonPatch\(\n\s+JsonPatch\.add\('\/spec\/addresses', \[/);
    expect(edge).toMatch(/JsonPatch\.add\('\/spec\/useClientProtocol', true\)/);
    // Filters are applied in the order in which they were written.
    expect(edge).toMatch(/JsonPatch\.replace\('\/spec\/rules\/0\/filters', \[/);
  });
});

it('says CORS and the gateways of matches of a VirtualService by props', () => {
  const { manifests } = loadObjects([
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'api', namespace: 'shop' },
      spec: {
        hosts: ['api.example.com'],
        gateways: ['mesh', 'edge/public'],
        http: [
          {
            match: [
              { uri: { prefix: '/api' }, gateways: ['edge/public'], queryParams: { v: { exact: '1' } } },
              { uri: { exact: '/Own' }, ignoreUriCase: true, gateways: ['mesh'] },
            ],
            corsPolicy: {
              allowOrigins: [{ exact: 'https://shop.example.com' }, { regex: 'https://[a-z]+[.]example[.]com' }],
              allowMethods: ['GET', 'POST'],
              allowHeaders: ['authorization'],
              allowCredentials: true,
              maxAge: '86400s',
              unmatchedPreflights: 'IGNORE',
            },
            route: [{ destination: { host: 'api' } }],
          },
          { corsPolicy: { allowOrigins: [{ exact: '*' }] }, route: [{ destination: { host: 'web' } }] },
        ],
      },
    },
  ]);
  const adopted = adopt(manifests);
  expect(adopted.converted.map(({ patched }) => patched)).toEqual([[]]);
  expect(edgeOf(adopted)).toContain("CorsOrigin.exact('https://shop.example.com')");
  expect(edgeOf(adopted)).toContain('CorsOrigin.any()');
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('says limits of connections of a DestinationRule by props, and patches the rest', () => {
  const rule = (name: string, trafficPolicy: object): object => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name, namespace: 'shop' },
    spec: { host: name, trafficPolicy },
  });
  const tcp = { maxConnections: 100, connectTimeout: '5s', idleTimeout: '60s' };
  const http = { http1MaxPendingRequests: 10, http2MaxRequests: 1000, maxRequestsPerConnection: 5, idleTimeout: '60s' };
  const { manifests } = loadObjects([
    rule('web', { connectionPool: { tcp, http: { ...http, h2UpgradePolicy: 'UPGRADE' } } }),
    rule('api', { connectionPool: { tcp, http: { http2MaxRequests: 7 } }, loadBalancer: { simple: 'RANDOM' } }),
    rule('cart', {
      loadBalancer: { consistentHash: { httpCookie: { name: 'cart', ttl: '3600s' } } },
      tls: { mode: 'ISTIO_MUTUAL' },
    }),
    rule('docs', { loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } } }),
    rule('ring', {
      loadBalancer: { simple: 'ROUND_ROBIN' },
      portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'DISABLE' } }],
    }),
  ]);
  const adopted = adopt(manifests);
  expect(Object.fromEntries(adopted.converted.map(({ manifest, patched }) => [manifest.name, patched]))).toEqual({
    web: [],
    api: ['/spec/trafficPolicy/connectionPool/tcp/idleTimeout'],
    cart: [],
    docs: [],
    ring: ['/spec/trafficPolicy/portLevelSettings'],
  });
  expect(edgeOf(adopted)).toContain('maxPendingRequests: 10');
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('names a gateway that is made elsewhere, and has no leave rendered for it', () => {
  const { manifests } = loadObjects([
    route('web', {
      parentRefs: [{ name: 'public', namespace: 'edge' }],
      rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
    }),
    route('api', { parentRefs: [{ name: 'public', namespace: 'edge' }], rules: [{ backendRefs: [{ name: 'api', namespace: 'other', port: 80 }] }] }), // prettier-ignore
  ]);
  const adopted = adopt(manifests);
  expect(edgeOf(adopted).match(/IngressGateway\.fromAttributes\(/g)).toHaveLength(1);
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('takes a Service as the parent of routes for its clients', () => {
  const parentRefs = [{ group: '', kind: 'Service', name: 'reviews', port: 9080 }];
  const { manifests } = loadObjects([
    route('reviews', { parentRefs, rules: [{ backendRefs: [{ name: 'v2', port: 9080 }] }] }),
  ]);
  const adopted = adopt(manifests);
  expect(edgeOf(adopted)).toContain("new MeshService(this, 'reviews-service', { name: 'reviews', namespace: 'shop' })");
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it.each([
  ['a route of no gateway', route('web', { rules: [] }), 'HTTPRoute web: it is attached to no gateway'],
  [
    'what the construct refuses',
    route('web', { parentRefs: [{ name: 'public' }], rules: [{}] }),
    'HTTPRoute web: a rule sends requests nowhere',
  ],
  [
    'a listener that no construct makes',
    { ...route('way', { gatewayClassName: 'istio-waypoint', listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }] }), kind: 'Gateway' }, // prettier-ignore
    'Gateway way: no IngressListener is for HBONE',
  ],
  [
    'a policy whose targets are chosen by labels',
    {
      ...route('limits', { targetSelectors: [{ kind: 'Gateway', matchLabels: { a: 'b' } }] }, 'BackendTrafficPolicy'),
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    },
    'BackendTrafficPolicy limits: it chooses its targets by labels',
  ],
])('keeps as it is, with the reason: %s', (_what, object, why) => {
  const { manifests } = loadObjects([object]);
  const adopted = adopt(manifests);
  expect(whyOf(adopted)).toEqual([why]);
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('leaves a route with a gateway that constructs refuse to name it as one made elsewhere', () => {
  const gateway = { ...route('public', { gatewayClassName: 'eg', listeners: [{ name: 'bad_name', port: 80, protocol: 'HTTP' }] }), kind: 'Gateway' }; // prettier-ignore
  const { manifests } = loadObjects([
    gateway,
    route('web', { parentRefs: [{ name: 'public' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] }),
  ]);
  const adopted = adopt(manifests);
  expect(whyOf(adopted)).toEqual(['Gateway public: listener name "bad_name" is not a DNS label']);
  expect(edgeOf(adopted)).toContain("ingressClass: IngressClass.named('eg')");
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('keeps the version of a kind that older clusters do not serve as v1', () => {
  const tcp = { ...route('db', { parentRefs: [{ name: 'public', sectionName: 'db' }], rules: [{ backendRefs: [{ name: 'db', port: 5432 }] }] }, 'TCPRoute'), apiVersion: 'gateway.networking.k8s.io/v1alpha2' }; // prettier-ignore
  const adopted = adopt(loadObjects([tcp]).manifests);
  expect(edgeOf(adopted)).toContain("JsonPatch.replace('/apiVersion', 'gateway.networking.k8s.io/v1alpha2')");
});

describe("Envoy Gateway's proxies and their extensions", () => {
  const own = (kind: string, spec: object): object => ({ apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind, metadata: { name: 'own', namespace: 'shop' }, spec }); // prettier-ignore
  const adoptedOf = (...objects: readonly object[]): { readonly edge: string; readonly faults: readonly string[] } => {
    const { manifests } = loadObjects(objects);
    const adopted = adopt(manifests);
    return { edge: edgeOf(adopted), faults: [...judgeSample(manifests, adopted), ...whyOf(adopted)] };
  };

  it('are said by props, and what no prop says is patched', () => {
    const { edge, faults } = adoptedOf(
      own('EnvoyProxy', {
        provider: { type: 'Kubernetes', kubernetes: { envoyDeployment: { replicas: 2, container: { resources: { requests: { cpu: '1' } } } }, envoyService: { type: 'NodePort' } } }, // prettier-ignore
        telemetry: { accessLog: { settings: [{ format: { type: 'Text', text: 'x\n' }, sinks: [{ type: 'File', file: { path: '/dev/stdout' } }] }] } }, // prettier-ignore
        concurrency: 4,
      }),
    );
    expect(faults).toEqual([]);
    expect(edge).toContain("requests: { cpu: '1' }");
    expect(edge).toContain('serviceType: ProxyServiceType.NODE_PORT');
    expect(edge).toContain("accessLogFormat: 'x\\n'");
    expect(edge).toContain("JsonPatch.add('/spec/concurrency', 4)");
  });

  it('name what runs, and the gateway that it runs at', () => {
    const { edge, faults } = adoptedOf(
      own('EnvoyExtensionPolicy', {
        targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'public' }],
        lua: [{ type: 'Inline', inline: 'function envoy_on_request(handle) end' }],
        wasm: [{ name: 'w', code: { type: 'Image', image: { url: 'registry.example.com/w:1' } }, failOpen: true }],
        extProc: [
          { backendRefs: [{ name: 'processor', port: 9000 }], processingMode: { request: { body: 'Streamed' } } },
        ],
      }),
    );
    expect(faults).toEqual([]);
    expect(edge).toContain("EnvoyExtension.wasmImage('registry.example.com/w:1', { name: 'w', failOpen: true })");
    expect(edge).toContain('request: { body: ProcessedBody.STREAMED }');
  });
});

it('says several sources and operations of a rule as its alternatives', () => {
  const { manifests } = loadObjects([
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        action: 'ALLOW',
        rules: [
          {
            from: [
              { source: { principals: ['cluster.local/ns/shop/sa/orders'] } },
              { source: { namespaces: ['billing'] } },
              { source: { ipBlocks: ['10.0.0.0/8'] } },
            ],
            to: [{ operation: { methods: ['GET'] } }, { operation: { methods: ['POST'], paths: ['/orders/*'] } }],
          },
        ],
      },
    },
  ]);
  const adopted = adopt(manifests);
  expect(whyOf(adopted)).toEqual([]);
  expect(edgeOf(adopted)).toContain("orFrom: [{ callers: [Workloads.in('billing')] }, { addresses: ['10.0.0.0/8'] }]");
  expect(edgeOf(adopted)).toContain("orTo: [{ methods: ['POST'], paths: ['/orders/*'] }]");
  expect(edgeOf(adopted)).not.toContain('JsonPatch');
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('says a Sidecar by its hosts and mode, and carries what no prop says', () => {
  const sidecar = (name: string, spec: object): object => ({ apiVersion: 'networking.istio.io/v1', kind: 'Sidecar', metadata: { name, namespace: name }, spec }); // prettier-ignore
  const { manifests } = loadObjects([
    sidecar('shop', { egress: [{ hosts: ['./*', 'istio-system/*'] }], outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }), // prettier-ignore
    sidecar('pay', { workloadSelector: { labels: { app: 'pay' } }, egress: [{ hosts: ['./*'] }], inboundConnectionPool: { tcp: { maxConnections: 9 } } }), // prettier-ignore
    sidecar('ports', { egress: [{ port: { number: 9080, protocol: 'HTTP', name: 'egresshttp' }, bind: '10.0.0.1', captureMode: 'NONE', hosts: ['shop/*'] }, { port: { number: 0, protocol: 'TCP' }, bind: 'unix:///var/run/db', hosts: ['./db'] }, { hosts: ['istio-system/*'] }] }), // prettier-ignore
    sidecar('alone', { egress: [{ port: { number: 80, protocol: 'HTTP' }, hosts: ['*/a.example.com'] }] }),
    sidecar('odd', { egress: [{ hosts: ['./*'] }, { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*/a.example.com'] }] }), // prettier-ignore
  ]);
  const adopted = adopt(manifests);
  expect(whyOf(adopted)).toEqual(['Sidecar odd: a listener without a port comes before others, which Istio refuses']);
  expect(edgeOf(adopted).replace(/\s+/g, ' ')).toContain("port: 9080, protocol: 'HTTP', name: 'egresshttp', bind: '10.0.0.1', capture: ListenerCapture.NONE, hosts: ['shop/*']"); // prettier-ignore
  expect(edgeOf(adopted)).toContain("{ port: 0, bind: 'unix:///var/run/db', hosts: ['./db'] }");
  expect(edgeOf(adopted).match(/addJsonPatch/g)).toHaveLength(1);
  expect(edgeOf(adopted)).toContain("hosts: ['./*', 'istio-system/*'], mode: OutboundMode.REGISTRY_ONLY");
  expect(edgeOf(adopted)).toContain("JsonPatch.add('/spec/inboundConnectionPool'");
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('says a Telemetry by its logs, traces and metrics, and carries the rest', () => {
  const telemetry = (name: string, spec: object): object => ({ apiVersion: 'telemetry.istio.io/v1', kind: 'Telemetry', metadata: { name, namespace: 'istio-system' }, spec }); // prettier-ignore
  const { manifests } = loadObjects([
    telemetry('logs', { accessLogging: [{ providers: [{ name: 'envoy' }] }] }),
    telemetry('errors', { selector: { matchLabels: { app: 'web' } }, accessLogging: [{ providers: [{ name: 'envoy' }, { name: 'otel' }], filter: { expression: 'response.code >= 400' }, match: { mode: 'SERVER' } }, { disabled: true, match: { mode: 'CLIENT' } }] }), // prettier-ignore
    telemetry('traces', { tracing: [{ providers: [{ name: 'zipkin' }], randomSamplingPercentage: 5, enableIstioTags: false, customTags: { team: { literal: { value: 'a' } }, user: { header: { name: 'x-user', defaultValue: 'none' } }, pod: { environment: { name: 'POD' } } } }] }), // prettier-ignore
    telemetry('metrics', { metrics: [{ providers: [{ name: 'prometheus' }], reportingInterval: '10s', overrides: [{ match: { metric: 'REQUEST_COUNT', mode: 'CLIENT' }, tagOverrides: { host: { value: 'request.host' }, reporter: { operation: 'REMOVE' } } }, { match: { customMetric: 'own' }, disabled: true }, { tagOverrides: { a: { operation: 'UPSERT', value: "'b'" } } }] }] }), // prettier-ignore
    telemetry('nothing', { selector: { matchLabels: { app: 'pay' } } }),
  ]);
  const adopted = adopt(manifests);
  expect(whyOf(adopted)).toEqual(['Telemetry nothing: it says nothing of logs, traces or metrics']);
  expect(edgeOf(adopted)).toContain("format: AccessLogFormat.installed('envoy')");
  expect(edgeOf(adopted)).toContain("filter: 'response.code >= 400', side: ProxySide.SERVER");
  expect(edgeOf(adopted)).toContain("user: TraceTag.header('x-user', 'none')");
  expect(edgeOf(adopted).replace(/\s+/g, ' ')).toContain("tags: { host: 'request.host' }, removedTags: ['reporter']");
  const paths = [...edgeOf(adopted).matchAll(/JsonPatch\.\w+\('([^']+)'/g)].map(([, path]) => path);
  expect(paths.sort()).toEqual(['/spec/metrics/0/overrides/2/tagOverrides/a/operation', '/spec/tracing/0/enableIstioTags']); // prettier-ignore
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('says who is asked by a policy of action CUSTOM, and which hosts may be reached through a gateway', () => {
  const policy = (name: string, spec: object): object => ({ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata: { name, namespace: 'istio-system' }, spec }); // prettier-ignore
  const selector = { matchLabels: { istio: 'egressgateway' } };
  const principals = ['cluster.local/ns/shop/sa/payments'];
  const { manifests } = loadObjects([
    policy('asked', { selector, action: 'CUSTOM', provider: { name: 'opa' }, rules: [{ to: [{ operation: { paths: ['/headers'] } }] }] }), // prettier-ignore
    policy('all', { action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] }),
    policy('nobody', { selector, action: 'CUSTOM', rules: [{}] }),
    policy('http', { selector, rules: [{ from: [{ source: { principals } }], to: [{ operation: { hosts: ['api.stripe.com', 'api.stripe.com:*', '*.example.com'], ports: ['8080'] } }] }] }), // prettier-ignore
    policy('tls', { selector, rules: [{ from: [{ source: { principals } }], when: [{ key: 'connection.sni', values: ['api.bank.com', '*.bank.com'] }] }] }), // prettier-ignore
    policy('header', { selector, action: 'DENY', rules: [{ when: [{ key: 'request.headers[x-team]', values: ['a'] }] }] }), // prettier-ignore
  ]);
  const adopted = adopt(manifests);
  expect(whyOf(adopted)).toEqual(['AuthorizationPolicy nobody: its action is CUSTOM, and it names no provider']);
  expect(edgeOf(adopted)).toContain("AuthorizationAction.custom(ExternalAuthorizer.fromName('opa'))");
  expect(edgeOf(adopted)).toContain("hosts: ['api.stripe.com', '*.example.com']");
  expect(edgeOf(adopted)).toContain("serverNames: ['api.bank.com', '*.bank.com']");
  expect(new Set(edgeOf(adopted).match(/JsonPatch\.\w+\(.*/g))).toEqual(new Set(["JsonPatch.remove('/spec/action'),"]));
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('says endpoints of a ServiceEntry', () => {
  const entry = (name: string, spec: object): object => ({ apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', metadata: { name, namespace: 'shop' }, spec: { hosts: [`${name}.example.com`], location: 'MESH_EXTERNAL', ...spec } }); // prettier-ignore
  const { manifests } = loadObjects([
    entry('static', { ports: [{ number: 80, name: 'http', protocol: 'HTTP' }], resolution: 'STATIC', endpoints: [{ address: '192.0.2.1', locality: 'eu/a', weight: 2 }, { address: '192.0.2.2', ports: { http: 8080 }, network: 'other' }] }), // prettier-ignore
    entry('vms', { ports: [{ number: 80, name: 'http', protocol: 'HTTP' }], resolution: 'STATIC', workloadSelector: { labels: { app: 'vm' } }, location: 'MESH_INTERNAL' }), // prettier-ignore
    entry('network', { ports: [{ number: 80, name: 'http', protocol: 'HTTP' }], resolution: 'STATIC', endpoints: [{ network: 'other' }] }), // prettier-ignore
    entry('dns', { ports: [{ number: 443, name: 'https', protocol: 'HTTPS' }], resolution: 'DNS', endpoints: [{ address: 'eu.example.com' }, { address: 'us.example.com' }] }), // prettier-ignore
  ]);
  const adopted = adopt(manifests);
  expect(whyOf(adopted)).toEqual(['ServiceEntry network: an endpoint has no address']);
  expect(edgeOf(adopted)).toContain("Resolution.workloads({ app: 'vm' })");
  expect(edgeOf(adopted)).toContain("{ address: '192.0.2.1', locality: 'eu/a', weight: 2 }");
  expect(judgeSample(manifests, adopted)).toEqual([]);
});
