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
    sidecar('odd', { egress: [{ hosts: ['./*'] }, { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*/a.example.com'] }] }), // prettier-ignore
  ]);
  const adopted = adopt(manifests);
  expect(whyOf(adopted)).toEqual(['Sidecar odd: its hosts are told by listeners of their own']);
  expect(edgeOf(adopted)).toContain("hosts: ['./*', 'istio-system/*'], mode: OutboundMode.REGISTRY_ONLY");
  expect(edgeOf(adopted)).toContain("JsonPatch.add('/spec/inboundConnectionPool'");
  expect(judgeSample(manifests, adopted)).toEqual([]);
});

it('says a Telemetry by the provider of its access logs, and carries the rest', () => {
  const telemetry = (name: string, spec: object): object => ({ apiVersion: 'telemetry.istio.io/v1', kind: 'Telemetry', metadata: { name, namespace: 'istio-system' }, spec }); // prettier-ignore
  const { manifests } = loadObjects([
    telemetry('logs', { accessLogging: [{ providers: [{ name: 'envoy' }], filter: { expression: 'response.code >= 400' } }] }), // prettier-ignore
    telemetry('some', { selector: { matchLabels: { app: 'web' } }, accessLogging: [{ providers: [{ name: 'otel' }] }], tracing: [{ randomSamplingPercentage: 5 }] }), // prettier-ignore
    telemetry('traces', { selector: { matchLabels: { app: 'pay' } }, tracing: [{ randomSamplingPercentage: 5 }] }),
  ]);
  const adopted = adopt(manifests);
  expect(whyOf(adopted)).toEqual(['Telemetry traces: it is about metrics or traces, which no construct says']);
  expect(edgeOf(adopted)).toContain("format: AccessLogFormat.installed('envoy')");
  expect(edgeOf(adopted)).toContain("JsonPatch.add('/spec/accessLogging/0/filter'");
  expect(edgeOf(adopted)).toContain("JsonPatch.add('/spec/tracing'");
  expect(judgeSample(manifests, adopted)).toEqual([]);
});
