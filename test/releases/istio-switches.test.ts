/** What istiod does otherwise with the same objects from one release to the next, seen by a request. */
import { outcome, traceIn } from '../trace/text';

const namespace = (name: string, labels = 'istio-injection: enabled'): string =>
  `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {${labels}}}}`;
const workload = (name: string, home: string): string => `
{apiVersion: apps/v1, kind: Deployment, metadata: {name: ${name}, namespace: ${home}}, spec: {selector: {matchLabels: {app: ${name}}}, template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: c, image: c}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: ${home}}, spec: {selector: {app: ${name}}, ports: [{name: http, port: 80}, {name: grpc, port: 90}]}}`;
const istiod = (meshConfig: string, env = ''): string =>
  `{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: mesh}, spec: {meshConfig: {${meshConfig}}, values: {pilot: {env: {${env}}}}}}`;
const together = (...documents: readonly string[]): string => documents.join('\n---\n');

describe('defaults of exportTo with several namespaces', () => {
  const DIRECT =
    '{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: api, namespace: near}, spec: {hosts: [api.example.com], http: [{directResponse: {status: 202}}]}}';
  const mesh = (kind: string): string =>
    together(
      namespace('app'),
      workload('sleep', 'app'),
      namespace('near'),
      istiod(`${kind}: [., app]`),
      '{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api, namespace: near}, spec: {hosts: [api.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}}',
      ...(kind === 'defaultServiceExportTo' ? [] : [DIRECT]),
    );

  it.each([
    ['1.30.2', 'defaultServiceExportTo', 'BlackHoleCluster 502 at sidecar'],
    ['1.30.3', 'defaultServiceExportTo', 'delivered to api.example.com:80'],
    ['1.30.2', 'defaultVirtualServiceExportTo', 'delivered to api.example.com:80'],
    ['1.31', 'defaultVirtualServiceExportTo', 'direct_response 202 at sidecar'],
  ])('count as %s reads them: %s', (istioVersion, kind, end) => {
    const trace = traceIn(mesh(kind), { outbound: 'REGISTRY_ONLY', istioVersion });
    expect(outcome(trace('http://api.example.com/', { from: 'app/sleep' }))).toBe(end);
  });
});

describe('an HTTPRoute and a GRPCRoute for one host', () => {
  const mesh = together(
    namespace('app'),
    workload('web', 'app'),
    '{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: edge, namespace: app}, spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}}',
    '{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web, namespace: app}, spec: {parentRefs: [{name: edge}], hostnames: [shop.example.com], rules: [{backendRefs: [{name: web, port: 80}]}]}}',
    '{apiVersion: gateway.networking.k8s.io/v1, kind: GRPCRoute, metadata: {name: api, namespace: app}, spec: {parentRefs: [{name: edge}], hostnames: [shop.example.com], rules: [{matches: [{method: {service: shop.Cart}}], backendRefs: [{name: web, port: 90}]}]}}',
  );

  it.each([
    ['1.29', '80', '80'],
    ['1.30', '90', '80'],
  ])('in Istio %s: methods of gRPC to port %s, the others to %s', (istioVersion, grpc, http) => {
    const trace = traceIn(mesh, { istioVersion });
    const ends = ['/shop.Cart/Add', '/'].map((path) =>
      outcome(trace(`http://shop.example.com${path}`, { from: 'outside', at: 'app/edge', method: 'POST' })),
    );
    expect(ends).toEqual([grpc, http].map((port) => `delivered to web.app.svc.cluster.local:${port}`));
  });
});

describe("one of Istio's Gateways for Pods that the Gateway API makes", () => {
  const mesh = (home: string, env = ''): string =>
    together(
      namespace('app'),
      namespace('edge'),
      workload('web', 'app'),
      istiod('', env),
      '{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: edge, namespace: edge}, spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP, hostname: public.example.com}]}}',
      `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: own, namespace: ${home}}, spec: {selector: {gateway.networking.k8s.io/gateway-name: edge}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}}`,
      `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: web, namespace: ${home}}, spec: {hosts: [shop.example.com], gateways: [own], http: [{route: [{destination: {host: web.app.svc.cluster.local, port: {number: 80}}}]}]}}`,
    );

  it.each([
    ['1.30', 'app', '', 'delivered to web.app.svc.cluster.local:80'],
    ['1.31', 'app', '', 'NR 404 at ingress-gateway'],
    ['1.31', 'edge', '', 'delivered to web.app.svc.cluster.local:80'],
    ['1.31', 'app', "PILOT_ENABLE_STRICT_GATEWAY_MERGING: 'false'", 'delivered to web.app.svc.cluster.local:80'],
  ])('is merged into them in Istio %s, from namespace %s with {%s}: %s', (istioVersion, home, env, end) => {
    const trace = traceIn(mesh(home, env), { istioVersion });
    expect(outcome(trace('http://shop.example.com/', { from: 'outside', at: 'edge/edge' }))).toBe(end);
  });
});

describe('a DestinationRule and a BackendTLSPolicy for one host', () => {
  const mesh = (policy: string): string =>
    together(
      namespace('app'),
      workload('web', 'app'),
      '{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: edge, namespace: app}, spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}}',
      '{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web, namespace: app}, spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: web, port: 80}]}]}}',
      '{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, metadata: {name: web, namespace: app}, spec: {targetRefs: [{group: "", kind: Service, name: web}], validation: {hostname: web.internal.example, wellKnownCACertificates: System}}}',
      `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: web, namespace: app}, spec: {host: web.app.svc.cluster.local, trafficPolicy: {${policy}}}}`,
    );

  it.each([
    ['1.30', 'tls: {mode: DISABLE}', 'SIMPLE'],
    ['1.31', 'tls: {mode: DISABLE}', 'NONE'],
    ['1.31', 'portLevelSettings: [{port: {number: 80}, tls: {mode: DISABLE}}]', 'NONE'],
    ['1.31', 'portLevelSettings: [{port: {number: 90}, tls: {mode: DISABLE}}]', 'SIMPLE'],
    ['1.31', 'connectionPool: {tcp: {maxConnections: 9}}', 'SIMPLE'],
  ])('in Istio %s with %s: TLS %s', (istioVersion, policy, tls) => {
    const [first] = traceIn(mesh(policy), { istioVersion })('http://shop.example.com/', { from: 'outside', at: 'app/edge' }).hops; // prettier-ignore
    expect(first?.sends?.tls).toBe(tls);
  });
});

describe('an entry with a range of addresses, for ztunnel', () => {
  const entry = (name: string, range: string, waypoint: boolean): string =>
    `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: ${name}, namespace: edge, labels: {${waypoint ? 'istio.io/use-waypoint: waypoint' : ''}}}, spec: {hosts: [${name}.example.com], addresses: [${range}], ports: [{number: 5432, name: tcp, protocol: TCP}], resolution: NONE, location: MESH_EXTERNAL}}`;
  const mesh = together(
    namespace('app', 'istio.io/dataplane-mode: ambient'),
    namespace('edge', ''),
    workload('sleep', 'app'),
    '{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: waypoint, namespace: edge, labels: {istio.io/waypoint-for: service}}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}}',
    entry('wide', '198.51.100.0/24', true),
    entry('narrow', '198.51.100.64/26', false),
  );

  it.each([
    ['1.29', '198.51.100.7', 'ztunnel'],
    ['1.30', '198.51.100.7', 'ztunnel, waypoint'],
    ['1.30', '198.51.100.70', 'ztunnel'],
  ])('in Istio %s: %s by %s', (istioVersion, address, through) => {
    const { hops } = traceIn(mesh, { istioVersion })(`tcp://${address}:5432`, { from: 'app/sleep' });
    expect(hops.map(({ proxy }) => proxy.kind).join(', ')).toBe(through);
  });
});

describe('a Gateway that asks for an address', () => {
  const mesh = (address: string): string =>
    together(
      namespace('app'),
      workload('web', 'app'),
      `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: edge, namespace: app}, spec: {gatewayClassName: istio, addresses: [${address}], listeners: [{name: http, port: 80, protocol: HTTP}]}}`,
      '{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web, namespace: app}, spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: web, port: 80}]}]}}',
    );

  it.each([['{value: 203.0.113.9}'], ['{type: IPAddress, value: 203.0.113.9}']])('has Pods that istiod makes: %s', (address) => {
    const trace = traceIn(mesh(address))('http://shop.example.com/', { from: 'outside', at: 'app/edge' });
    expect(outcome(trace)).toBe('delivered to web.app.svc.cluster.local:80');
  }); // prettier-ignore
});

describe('serviceEntryVisibility', () => {
  const entry = (home: string): string =>
    `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api, namespace: ${home}}, spec: {hosts: [api.${home}.example], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}}`;
  const mesh = (setting: string, labels = 'istio-injection: enabled'): string =>
    together(
      namespace('app', labels),
      workload('sleep', 'app'),
      namespace('open', 'reach: all'),
      namespace('shut', 'reach: none'),
      ...['app', 'open', 'shut'].map(entry),
      istiod(`serviceEntryVisibility: ${setting}`),
    );
  const ends = (yaml: string, istioVersion = '1.31'): readonly string[] =>
    ['app', 'open', 'shut'].map((home) => {
      const { outcome: end, hops } = traceIn(yaml, { outbound: 'REGISTRY_ONLY', istioVersion })(`http://api.${home}.example/`, { from: 'app/sleep' });
      return hops.at(-1)?.cluster === 'PassthroughCluster' ? 'passes' : end;
    });
  const OWN = '{defaultVisibility: NAMESPACE, applyToSidecars: true}';
  const BY_LABEL = '{applyToSidecars: true, defaultVisibility: NAMESPACE, policies: [{visibility: NONE, matchingRules: [{namespaceSelector: {matchLabels: {reach: none}}}]}, {visibility: PUBLIC, matchingRules: [{namespaceSelector: {matchExpressions: [{key: reach, operator: Exists}]}}]}]}';
  const ALL = ['delivered', 'delivered', 'delivered'];

  it.each([
    ['its own namespace', OWN, '1.31', ['delivered', 'refused', 'refused']],
    ['whom the first policy that fits says', BY_LABEL, '1.31', ['delivered', 'delivered', 'refused']],
    ['nobody', '{defaultVisibility: NONE, applyToSidecars: true}', '1.31', ['refused', 'refused', 'refused']],
    ['ztunnel alone, and sidecars see all', '{defaultVisibility: NONE}', '1.31', ALL],
    ['everybody by a release that does not read it', OWN, '1.30', ALL],
  ])('lets %s know an entry', (_whom, setting, istioVersion, expected) => {
    expect(ends(mesh(setting), istioVersion)).toEqual(expected);
  });

  it('is for ztunnel in any case, which passes on what it may not know', () => {
    const known = (setting: string, home: string): boolean =>
      traceIn(mesh(setting, 'istio.io/dataplane-mode: ambient'), { istioVersion: '1.31' })(`http://api.${home}.example/`, { from: 'app/sleep' })
        .noted.every(({ kind }) => kind !== 'not-known-by-name');
    expect(['app', 'open'].map((home) => known('{defaultVisibility: PUBLIC}', home))).toEqual([true, true]);
    expect(['app', 'open'].map((home) => known('{defaultVisibility: NAMESPACE}', home))).toEqual([true, false]);
  });

  it('leaves an entry that its namespace alone may know to no waypoint of another', () => {
    const through = (setting: string): boolean => {
      const led = mesh(setting, 'istio.io/dataplane-mode: ambient').replace('metadata: {name: api, namespace: app}', 'metadata: {name: api, namespace: app, labels: {istio.io/use-waypoint: waypoint, istio.io/use-waypoint-namespace: open}}');
      const waypoint = '{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: waypoint, namespace: open, labels: {istio.io/waypoint-for: service}}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE, allowedRoutes: {namespaces: {from: All}}}]}}';
      return traceIn(together(led, waypoint), { istioVersion: '1.31' })('http://api.app.example/', { from: 'app/sleep' }).hops.some(({ proxy }) => proxy.kind === 'waypoint');
    };
    expect(through('{defaultVisibility: PUBLIC}')).toBe(true);
    expect(through('{defaultVisibility: NAMESPACE}')).toBe(false);
  });
}); // prettier-ignore

describe('a header filter with a line break in its value', () => {
  const mesh = together(
    namespace('app'),
    workload('web', 'app'),
    '{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: edge, namespace: app}, spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}}',
    '{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web, namespace: app}, spec: {parentRefs: [{name: edge}], rules: [{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: a, value: "b\\n"}]}}], backendRefs: [{name: web, port: 80}]}]}}',
  );

  it.each([
    ['1.29.3', 'delivered to web.app.svc.cluster.local:80'],
    ['1.29.4', 'NR 404 at ingress-gateway'],
    ['1.30.0', 'delivered to web.app.svc.cluster.local:80'],
    ['1.30.1', 'NR 404 at ingress-gateway'],
    ['1.32', 'NR 404 at ingress-gateway'],
  ])('keeps the route from being converted, or is left out: %s', (istioVersion, end) => {
    const trace = traceIn(mesh, { istioVersion, gatewayApiVersion: '1.5' });
    expect(outcome(trace('http://shop.example.com/', { from: 'outside', at: 'app/edge' }))).toBe(end);
  });
});
