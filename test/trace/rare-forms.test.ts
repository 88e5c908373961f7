/** Forms that few write and Istio takes: each case is what istiod and Envoy make of it. */
import { PASSTHROUGH } from '../../src/trace/catch-all';
import { outcome, traceIn } from './text';

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: sites, namespace: app}
spec:
  hosts: [api.example.com, www.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
`;

const routed = (rules: string): string => `${MESH}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api, namespace: app}
spec: {hosts: [api.example.com], http: [${rules}]}`;

const TO_API = 'route: [{destination: {host: api.example.com}}]';
const TO_WWW = 'route: [{destination: {host: www.example.com}}]';

describe('listeners for each endpoint of an entry without addresses', () => {
  const POD = `
apiVersion: v1
kind: Pod
metadata: {name: server, namespace: app, labels: {app: server, sidecar.istio.io/inject: "false"}}
spec: {containers: [{name: app, image: none}]}
status: {podIP: 10.244.3.10}
---`;
  const entry = (host: string, more: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: servers, namespace: app}
spec: {hosts: [${host}], ports: [{number: 443, name: tcp, protocol: TCP}], resolution: NONE, ${more}}`;
  const service = (exportTo: string): string => `
apiVersion: v1
kind: Service
metadata: {name: server, namespace: app, annotations: {networking.istio.io/exportTo: "${exportTo}"}}
spec: {clusterIP: 10.96.0.9, selector: {app: server}, ports: [{name: tcp, port: 443, targetPort: 443}]}
---`;
  const OTHERS = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: others, namespace: app, creationTimestamp: "2024-01-01T00:00:00Z"}
spec: {hosts: [servers.example.com], ports: [{number: 443, name: tcp, protocol: TCP}], resolution: STATIC, addresses: [203.0.113.9], endpoints: [{address: 10.244.3.11}]}`;
  const clusterTo = (yaml: string, address: string): string | null | undefined =>
    traceIn(POD + yaml, {})(`tcp://${address}:443`).hops[0]?.cluster;
  const OWN = 'outbound|443||servers.example.com';
  const OF_CLUSTER = 'outbound|443||server.app.svc.cluster.local';

  it.each([
    ['a workloadSelector with labels', 'workloadSelector: {labels: {app: server}}', OWN, PASSTHROUGH],
    ['one without labels: it selects nothing', 'workloadSelector: {}', OWN, OWN],
    ['no workloadSelector', 'location: MESH_EXTERNAL', OWN, OWN],
  ])('are made of what the selector chooses, or one for every address: %s', (_, more, ofPod, ofOthers) => {
    expect(clusterTo(entry('servers.example.com', more), '10.244.3.10')).toBe(ofPod);
    expect(clusterTo(entry('servers.example.com', more), '10.244.3.12')).toBe(ofOthers);
  });

  it.each([
    ['a workloadSelector with labels', 'workloadSelector: {labels: {app: server}}', OWN],
    ['one without labels', 'workloadSelector: {}', PASSTHROUGH],
  ])('are made of endpoints of another entry for the host, too: %s', (_, more, ofPod) => {
    const both = entry('servers.example.com', more) + OTHERS;
    expect(clusterTo(both, '10.244.3.11')).toBe(OWN);
    expect(clusterTo(both, '10.244.3.10')).toBe(ofPod);
  });

  it.each([
    ['everybody', '*', PASSTHROUGH],
    ['nobody, whose EndpointSlices istiod does not take', '~', OF_CLUSTER],
  ])('are made of Pods of a Service of the same name that is exported to %s', (_, exportTo, ofOthers) => {
    const both = service(exportTo) + entry('server.app.svc.cluster.local', 'location: MESH_INTERNAL');
    expect(clusterTo(both, '10.244.3.10')).toBe(OF_CLUSTER);
    expect(clusterTo(both, '10.244.3.12')).toBe(ofOthers);
  });
});

describe('a host with DNS_ROUND_ROBIN that two entries declare', () => {
  const entry = (name: string, address: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: app}
spec: {hosts: [one.example.com], resolution: DNS_ROUND_ROBIN, endpoints: [{address: ${address}}], ports: [{number: 80, name: http, protocol: HTTP}]}`;

  it('has the one endpoint of the entry that istiod reads first', () => {
    const both = entry('b', 'b.example.com') + entry('a', 'a.example.com');
    expect(traceIn(MESH + both)('http://one.example.com/').hops[0]?.envoy.endpoints).toEqual(['a.example.com:80']);
  });
});

describe("TLS of a sidecar that is not the mesh's", () => {
  const strict = (tls: string): string => `${MESH}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: app}
spec: {clusterIP: 10.0.0.8, selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: app}
spec: {mtls: {mode: STRICT}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api, namespace: app}
spec: {host: api, trafficPolicy: {tls: ${tls}}}`;

  it.each([
    ['{mode: SIMPLE}', 'TLS that its DestinationRule originates'],
    ['{mode: DISABLE}', 'plain text'],
  ])('is refused by a STRICT server, for what the DestinationRule says: %s', (tls, got) => {
    const { refusal } = traceIn(strict(tls))('http://api/');
    expect(refusal?.what).toBe(`port 8080 takes Istio's mutual TLS only (STRICT) and gets ${got}`);
    expect(refusal?.fix).toContain('take tls out of the DestinationRule of the sender');
  });

  it('is named where a BackendTLSPolicy is what has the TLS originated', () => {
    const policy = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: api, namespace: app}
spec: {targetRefs: [{group: '', kind: Service, name: api}], validation: {hostname: api.internal, wellKnownCACertificates: System}}`;
    const [before] = strict('').split(/---\napiVersion: networking.istio.io\/v1\nkind: DestinationRule/);
    const { refusal } = traceIn(`${before ?? ''}${policy}`)('http://api/');
    expect(refusal?.what).toBe(
      "port 8080 takes Istio's mutual TLS only (STRICT) and gets TLS that BackendTLSPolicy app/api originates",
    );
    expect(refusal?.fix).toBe(
      "take BackendTLSPolicy app/api off, so that the sender's proxy uses mutual TLS by itself",
    );
  });

  it('is none where the client has no sidecar', () => {
    const { refusal } = traceIn(strict('{mode: SIMPLE}'))('http://api/', { labels: { 'sidecar.istio.io/inject': 'false' } }); // prettier-ignore
    expect(refusal?.fix).toContain('send through a sidecar or gateway of the mesh');
  });
});

describe('a Unix domain socket', () => {
  const socket = (object: string): string => `${MESH}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: socket, namespace: app}
spec: {hosts: [socket.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, ${object}}`;

  it('is an endpoint of an entry, without a port', () => {
    const told = traceIn(socket("endpoints: [{address: 'unix:///var/run/api.sock'}]"))('http://socket.example.com/');
    expect(outcome(told)).toBe('delivered to socket.example.com:80');
    expect(told.hops[0]?.envoy.endpoints).toEqual(['unix:///var/run/api.sock']);
  });

  it('is no endpoint where a name stands in its place', () => {
    const told = traceIn(socket('endpoints: [{address: api.example.net}]'))('http://socket.example.com/');
    expect(outcome(told)).toBe('UH 503 at sidecar');
  });
});

describe('a WorkloadEntry that a Service selects', () => {
  const machine = (labels: string, ports = ''): string => `${MESH}
---
apiVersion: v1
kind: Service
metadata: {name: vm, namespace: app}
spec: {clusterIP: 10.0.0.7, selector: {app: vm}, ports: [{name: http, port: 80, targetPort: 8080}, {name: http-admin, port: 81, targetPort: admin}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: app}
spec: {address: 198.51.100.40, labels: ${labels}${ports}}`;

  it('is its endpoint, at the target port', () => {
    const told = traceIn(machine('{app: vm}'))('http://vm/');
    expect(told.outcome).toBe('delivered');
    expect(told.hops[0]?.envoy.endpoints).toEqual(['198.51.100.40:8080']);
  });

  it('says its own port by the name of the port', () => {
    const told = traceIn(machine('{app: vm}', ', ports: {http: 9090}'))('http://vm/');
    expect(told.hops[0]?.envoy.endpoints).toEqual(['198.51.100.40:9090']);
  });

  it('is none on a port whose target it does not name', () => {
    expect(outcome(traceIn(machine('{app: vm}'))('http://vm:81/'))).toBe('UH 503 at sidecar');
  });

  it('is none with other labels', () => {
    const told = traceIn(machine('{app: other}'))('http://vm/');
    expect(told.hops[0]?.envoy.endpoints).not.toContain('198.51.100.40:8080');
  });
});

describe('ignoreUriCase', () => {
  const insensitive = (uri: string): string =>
    routed(`{match: [{uri: ${uri}, ignoreUriCase: true}], ${TO_WWW}}, {${TO_API}}`);

  it.each([
    ['{prefix: /shop}', 'outbound|80||www.example.com'],
    ['{exact: /shop}', 'outbound|80||www.example.com'],
    ['{regex: /shop}', 'outbound|80||api.example.com'],
  ])('with %s sends /SHOP to %s', (uri, cluster) => {
    expect(traceIn(insensitive(uri))('http://api.example.com/SHOP').hops[0]?.cluster).toBe(cluster);
  });
});

describe('a fault with a gRPC status', () => {
  it('is a 200 to a client of plain HTTP, as seen live', () => {
    const told = traceIn(routed(`{fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}, ${TO_API}}`));
    expect(outcome(told('http://api.example.com/'))).toBe('FI 200 at sidecar');
  });
});

describe('a preflight request', () => {
  const cors = (more = ''): string =>
    routed(`{corsPolicy: {allowOrigins: [{exact: "https://shop.example"}]${more}}, ${TO_API}}`);
  const preflight = (origin: string): { method: string; headers: Record<string, string> } => ({
    method: 'OPTIONS',
    headers: { Origin: origin, 'Access-Control-Request-Method': 'PUT' },
  });

  it('of an origin that is allowed is answered by the proxy', () => {
    const told = traceIn(cors())('http://api.example.com/', preflight('https://shop.example'));
    expect(outcome(told)).toBe('direct_response 200 at sidecar');
  });

  it('of another origin goes on to the site', () => {
    expect(traceIn(cors())('http://api.example.com/', preflight('https://else.example')).outcome).toBe('delivered');
  });

  it('of another origin is answered too where the policy says so', () => {
    const told = traceIn(cors(', unmatchedPreflights: IGNORE'))(
      'http://api.example.com/',
      preflight('https://else.example'),
    );
    expect(outcome(told)).toBe('direct_response 200 at sidecar');
  });

  it.each(['exact: "*"', 'regex: ".*"'])('of any origin is answered where origins are {%s}', (origins) => {
    const any = routed(`{corsPolicy: {allowOrigins: [{${origins}}]}, ${TO_API}}`);
    const told = traceIn(any)('http://api.example.com/', preflight('https://else.example'));
    expect(outcome(told)).toBe('direct_response 200 at sidecar');
  });

  it('is none without the method that is asked for', () => {
    const told = traceIn(cors())('http://api.example.com/', {
      method: 'OPTIONS',
      headers: { Origin: 'https://shop.example' },
    });
    expect(told.outcome).toBe('delivered');
  });
});

describe('a sidecar that answers DNS queries', () => {
  const capturing = (more = ''): string => `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {meshConfig: {defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}}}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: orders, namespace: app}
spec: {hosts: [orders.example.com], resolution: DNS, ports: [{number: 5432, name: tcp, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: users, namespace: app}
spec: {hosts: [users.example.com], resolution: DNS, ports: [{number: 5432, name: tcp, protocol: TCP}]}
${more}`;

  it('tells hosts of one TCP port apart that have no addresses', () => {
    const told = traceIn(capturing());
    expect(told('tcp://orders.example.com:5432').hops[0]?.cluster).toBe('outbound|5432||orders.example.com');
    expect(told('tcp://users.example.com:5432').hops[0]?.cluster).toBe('outbound|5432||users.example.com');
  });

  it('leaves a connection alone that is made to the real address', () => {
    const told = traceIn(capturing(), { outbound: 'ALLOW_ANY' });
    expect(told('tcp://users.example.com:5432', { address: '203.0.113.7' }).hops[0]?.cluster).toBe(
      'PassthroughCluster',
    );
  });

  it('sends a port that the entry does not declare where nobody is', () => {
    const told = traceIn(capturing(), { outbound: 'ALLOW_ANY' })('tcp://orders.example.com:5433');
    expect(outcome(told)).toBe('UF - at sidecar');
    expect(told.refusal?.by).toMatchObject({ kind: 'ServiceEntry', name: 'orders', field: 'spec.ports' });
  });

  it('is one where the annotation of its Pod says so', () => {
    const pod = `---
apiVersion: v1
kind: Pod
metadata: {name: sleep, namespace: app, annotations: {proxy.istio.io/config: 'proxyMetadata: {ISTIO_META_DNS_CAPTURE: "false"}'}}
spec: {containers: [{name: a, image: x}]}`;
    expect(traceIn(capturing(pod))('tcp://users.example.com:5432').hops[0]?.cluster).toBe(
      'outbound|5432||orders.example.com',
    );
  });
});

describe('a Sidecar with ingress listeners', () => {
  const server = (ingress: string): string => `${MESH}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: 10.0.0.1, selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}, {name: http-admin, port: 81, targetPort: 8081}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: app, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: shop, namespace: app}
spec: {workloadSelector: {labels: {app: shop}}, ingress: [${ingress}]}`;
  const listener = (protocol: string): string =>
    `{port: {number: 8080, name: own, protocol: ${protocol}}, defaultEndpoint: "127.0.0.1:8080"}`;

  it('takes the protocol of a port from them', () => {
    expect(traceIn(server(listener('HTTP')))('http://shop/').hops[1]?.receives.protocol).toBe('HTTP');
    expect(traceIn(server(listener('TCP')))('http://shop/').hops[1]?.receives.protocol).toBe('TCP');
  });

  it('has no cluster for ports of Services beside them', () => {
    const told = traceIn(server(listener('HTTP')));
    expect(told('http://shop/').hops[1]?.cluster).toBe('inbound|8080||');
    expect(told('http://shop:81/').hops[1]?.cluster).toBe('InboundPassthroughCluster');
  });
});

describe('a namespace that discoverySelectors leave out', () => {
  const selective = (labels: string): string => `
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {meshConfig: {discoverySelectors: [{matchLabels: {mesh: "yes"}}]}}
---
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled, mesh: "yes"}}
---
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: ${labels}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: other}
spec: {hosts: [api.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}`;

  it('gives the mesh nothing', () => {
    expect(outcome(traceIn(selective('{}'))('http://api.example.com/'))).toBe('BlackHoleCluster - at sidecar');
    expect(traceIn(selective('{mesh: "yes"}'))('http://api.example.com/').outcome).toBe('delivered');
  });
});

describe('an Ingress of Kubernetes', () => {
  const ingress = (more: string): string => `
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {components: {ingressGateways: [{name: istio-ingressgateway, enabled: true}]}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: 10.0.0.1, selector: {app: shop}, ports: [{name: http, port: 8000, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: app}
spec:
  ${more}
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /cart, pathType: Prefix, backend: {service: {name: shop, port: {name: http}}}}`;

  it.each(['app/shop', 'istio-system/istio-ingressgateway'])('leads in at %s', (at) => {
    const told = traceIn(ingress('ingressClassName: istio'))('http://shop.example.com/cart/1', { from: 'outside', at });
    expect(told.hops[0]).toMatchObject({
      proxy: { kind: 'ingress-gateway', namespace: 'istio-system', workload: 'istio-ingressgateway' },
      route: { kind: 'Ingress', namespace: 'app', name: 'shop', rule: 'rules[0].http.paths[0]' },
      cluster: 'outbound|8000||shop.app.svc.cluster.local',
    });
  });

  it('matches whole segments of a path', () => {
    const told = traceIn(ingress('ingressClassName: istio'));
    const at = { from: 'outside', at: 'app/shop' };
    expect(outcome(told('http://shop.example.com/cartoon', at))).toBe('NR 404 at ingress-gateway');
    expect(told('http://shop.example.com/cart', at).outcome).toBe('delivered');
  });

  it('is not its own where another class is named, or none', () => {
    const at = { from: 'outside', at: 'istio-system/istio-ingressgateway' };
    for (const other of ['ingressClassName: nginx', 'tls: []'])
      expect(outcome(traceIn(ingress(other))('http://shop.example.com/cart', at))).toBe('UF - at ingress-gateway');
  });
});

it('a route that redirects or answers takes no notice of its CORS policy, as Envoy has it', () => {
  const site = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: app}
spec: {hosts: [site.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: site, namespace: app}
spec:
  hosts: [site.example.com]
  http: [{corsPolicy: {allowOrigins: [{exact: 'https://a.net'}]}, RULE}]`;
  const headers = { origin: 'https://a.net', 'access-control-request-method': 'GET' };
  const asked = (rule: string): string =>
    outcome(traceIn(site.replace('RULE', rule))('http://site.example.com/', { method: 'OPTIONS', headers }));
  expect(asked('route: [{destination: {host: site.example.com}}]')).toBe('direct_response 200 at sidecar');
  expect(asked('redirect: {authority: b.net}')).toBe('redirect 301 at sidecar');
  expect(asked('directResponse: {status: 418}')).toBe('direct_response 418 at sidecar');
});
