import { outcome, traceIn } from './text';

const CNN = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cnn, namespace: app}
spec:
  hosts: [edition.cnn.com]
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
  resolution: DNS
`;

const originate = (): string => `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: originate, namespace: app}
spec: {host: edition.cnn.com, trafficPolicy: {tls: {mode: SIMPLE, sni: edition.cnn.com}}}`;

/** Without an HTTP service on the port that the client sees, nothing answers with HTTP. */
const NO_LISTENER = 'BlackHoleCluster - at sidecar';

describe('the outbound policy', () => {
  it.each([
    ['http://example.org/', 'BlackHoleCluster 502 at sidecar'],
    ['https://example.org/', 'BlackHoleCluster - at sidecar'],
    ['tcp://192.0.2.1:5432', 'BlackHoleCluster - at sidecar'],
  ])('REGISTRY_ONLY refuses %s', (request, expected) => {
    expect(outcome(traceIn(CNN)(request))).toBe(expected);
  });

  it.each(['http://example.org/', 'https://example.org/', 'tcp://192.0.2.1:5432'])(
    'ALLOW_ANY lets %s out',
    (request) => {
      const told = traceIn(CNN, { outbound: 'ALLOW_ANY' })(request);
      expect(told.outcome).toBe('delivered');
      expect(told.hops[0]?.cluster).toBe('PassthroughCluster');
    },
  );

  it("is a Sidecar's own where it has one", () => {
    const sidecar = `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: app}
spec: {outboundTrafficPolicy: {mode: ALLOW_ANY}}`;
    expect(outcome(traceIn(CNN + sidecar)('http://example.org/'))).toBe('delivered to example.org:80');
    expect(outcome(traceIn(CNN + sidecar)('http://example.org/', { from: 'web' }))).toBe(
      'BlackHoleCluster 502 at sidecar',
    );
  });
});

describe('visibility', () => {
  it('keeps what exportTo keeps to its namespace from others', () => {
    const kept = CNN.replace('  hosts:', '  exportTo: ["."]\n  hosts:');
    expect(outcome(traceIn(kept)('http://edition.cnn.com/'))).toBe('delivered to edition.cnn.com:80');
    expect(outcome(traceIn(kept)('http://edition.cnn.com/', { from: 'web' }))).toBe(NO_LISTENER);
  });

  it("keeps what a Sidecar's egress hosts leave out from its clients", () => {
    const sidecar = `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: app}
spec: {egress: [{hosts: ["istio-system/*"]}]}`;
    expect(outcome(traceIn(CNN + sidecar)('http://edition.cnn.com/'))).toBe(NO_LISTENER);
  });
});

describe('TLS', () => {
  it('is originated by a DestinationRule', () => {
    const told = traceIn(CNN + originate())('http://edition.cnn.com/');
    expect(told.hops[0]?.sends).toEqual({ protocol: 'HTTP', port: 80, tls: 'SIMPLE', sni: 'edition.cnn.com' });
  });

  it('is not put around TLS without a word', () => {
    const told = traceIn(CNN + originate())('https://edition.cnn.com/');
    expect(told.outcome === 'refused' || told.notes.length > 0).toBe(true);
  });

  it('of a port replaces all of the policy above it', () => {
    const replaced = originate().replace(
      'tls: {mode: SIMPLE, sni: edition.cnn.com}',
      'tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]',
    );
    expect(traceIn(CNN + replaced)('http://edition.cnn.com/').hops[0]?.sends?.tls).toBe('NONE');
  });
});

describe('capture', () => {
  const pod = (annotations: string): string => `
---
apiVersion: v1
kind: Pod
metadata: {name: sleep, namespace: app, labels: {app: sleep}, annotations: {${annotations}}}
spec: {containers: [{name: sleep, image: sleep}]}`;

  it.each([
    ['traffic.sidecar.istio.io/excludeOutboundPorts: "80"', 'http://example.org/'],
    ['traffic.sidecar.istio.io/excludeOutboundIPRanges: "192.0.2.0/24"', 'tcp://192.0.2.1:5432'],
    ['traffic.sidecar.istio.io/includeOutboundIPRanges: "10.0.0.0/8"', 'tcp://192.0.2.1:5432'],
  ])('leaves out what %s says', (annotation, request) => {
    expect(traceIn(CNN + pod(annotation))(request).outcome).toBe('delivered');
    expect(traceIn(CNN + pod(''))(request).outcome).toBe('refused');
  });
});

describe('a gateway', () => {
  const through = (mode: string, rule: string): string => `${CNN}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: egress, namespace: app}
spec:
  selector: {istio: egressgateway}
  servers: [{port: {number: 443, name: tls, protocol: TLS}, hosts: [edition.cnn.com], tls: {mode: ${mode}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: egress, namespace: app}
spec:
  hosts: [edition.cnn.com]
  gateways: [mesh, egress]
  tls:
  - match: [{gateways: [mesh], port: 443, sniHosts: [edition.cnn.com]}]
    route: [{destination: {host: istio-egressgateway.istio-system.svc.cluster.local, port: {number: 443}}}]
  - match: [{gateways: [egress], port: 443, sniHosts: [edition.cnn.com]}]
    route: [{destination: {host: ${rule}, port: {number: 443}}}]`;

  it('that no manifest has as a workload is followed, and said to be assumed', () => {
    const told = traceIn(through('PASSTHROUGH', 'edition.cnn.com'))('https://edition.cnn.com/');
    expect(told.hops.map((hop) => hop.cluster)).toEqual([
      'outbound|443||istio-egressgateway.istio-system.svc.cluster.local',
      'outbound|443||edition.cnn.com',
    ]);
    expect(outcome(told)).toBe('delivered to edition.cnn.com:443');
    expect(told.notes.join()).toContain('assumed');
  });

  it('whose server has no host of the VirtualService does not listen', () => {
    const mesh = through('PASSTHROUGH', 'edition.cnn.com').replace(
      'hosts: [edition.cnn.com], tls',
      'hosts: [other.org], tls',
    );
    expect(outcome(traceIn(mesh)('https://edition.cnn.com/'))).toBe('UF - at egress-gateway');
  });

  it('that sends to itself makes a loop, told with its hops', () => {
    const told = traceIn(through('PASSTHROUGH', 'istio-egressgateway.istio-system.svc.cluster.local'))(
      'https://edition.cnn.com/',
    );
    expect(told.outcome).toBe('refused');
    expect(told.refusal?.code).toBe('loop');
    expect(told.hops.length).toBeGreaterThan(1);
  });
});

describe('ambient mode', () => {
  const AMBIENT = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio.io/dataplane-mode: ambient, istio.io/use-waypoint: waypoint}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint, namespace: app}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---${CNN.replace('number: 80,', 'number: 80, targetPort: 443,')}${originate()}`;
  const allow = (spec: string): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cnn, namespace: app}
spec: {targetRefs: [{group: networking.istio.io, kind: ServiceEntry, name: cnn}], rules: [${spec}]}`;

  it('goes through ztunnel and the waypoint, which originates TLS', () => {
    const told = traceIn(AMBIENT)('http://edition.cnn.com/');
    expect(told.hops.map((hop) => hop.proxy.kind)).toEqual(['ztunnel', 'waypoint']);
    expect(told.hops[1]?.sends).toMatchObject({ tls: 'SIMPLE', sni: 'edition.cnn.com' });
    expect(told.outcome).toBe('delivered');
  });

  it('holds policies of the ServiceEntry at the waypoint', () => {
    const get = allow('{to: [{operation: {methods: [GET]}}]}');
    expect(traceIn(AMBIENT + get)('http://edition.cnn.com/').outcome).toBe('delivered');
    expect(outcome(traceIn(AMBIENT + get)('http://edition.cnn.com/', { method: 'POST' }))).toBe('RBAC 403 at waypoint');
  });

  it('lets out what ztunnel does not know, REGISTRY_ONLY or not', () => {
    expect(outcome(traceIn(AMBIENT)('http://example.org/'))).toBe('delivered to example.org:80');
  });
});

const TUNNEL = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: app}
spec: {hosts: [edition.cnn.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: site, namespace: app}
spec:
  hosts: [edition.cnn.com]
  tls: [{match: [{sniHosts: [edition.cnn.com], port: 443}], route: [{destination: {host: HOST, subset: cnn, port: {number: 3128}}}]}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: proxy, namespace: app}
spec: {host: HOST, subsets: [{name: cnn, trafficPolicy: {tunnel: {targetHost: edition.cnn.com, targetPort: 443}}}]}
`;

describe('a tunnel', () => {
  const proxyEntry = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: proxy, namespace: app}
spec: {hosts: [proxy.example.com], ports: [{number: 3128, name: tcp, protocol: TCP}], addresses: [192.0.2.10], resolution: STATIC, endpoints: [{address: 192.0.2.10}]}`;

  it('of a proxy outside arrives where it leads', () => {
    const told = traceIn(TUNNEL.replaceAll('HOST', 'proxy.example.com') + proxyEntry)('https://edition.cnn.com/');
    expect(told.destination).toEqual({
      host: 'edition.cnn.com',
      port: 443,
      tls: 'APPLICATION',
      through: { host: 'proxy.example.com', port: 3128 },
      sni: 'edition.cnn.com',
    });
    expect(told.hops[0]).toMatchObject({
      cluster: 'outbound|3128|cnn|proxy.example.com',
      envoy: { tunnel: 'edition.cnn.com:443', endpoints: ['192.0.2.10:3128'] },
    });
  });

  it('that begins before the last proxy of the mesh ends there', () => {
    const gateway = `
---
apiVersion: v1
kind: Service
metadata: {name: egw, namespace: edge}
spec: {selector: {app: egw}, ports: [{name: http, port: 3128, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: egw, namespace: edge}
spec:
  selector: {matchLabels: {app: egw}}
  template:
    metadata: {labels: {app: egw}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: egw, namespace: edge}
spec: {selector: {app: egw}, servers: [{port: {number: 3128, name: http, protocol: HTTP}, hosts: ['*']}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: out, namespace: edge}
spec: {hosts: [edition.cnn.com], gateways: [egw], http: [{route: [{destination: {host: edition.cnn.com, port: {number: 443}}}]}]}`;
    const told = traceIn(TUNNEL.replaceAll('HOST', 'egw.edge.svc.cluster.local') + gateway)('https://edition.cnn.com/');
    expect(outcome(told)).toBe('NR - at egress-gateway');
    expect(told.refusal?.what).toContain('CONNECT edition.cnn.com:443');
  });

  it('asked for of a proxy that is declared HTTP gets 404 from the sidecar', () => {
    const declared = proxyEntry.replace('protocol: TCP', 'protocol: HTTP').replace('addresses: [192.0.2.10], ', '');
    const told = traceIn(declared)('http://proxy.example.com:3128/', { method: 'CONNECT' });
    expect(outcome(told)).toBe('NR 404 at sidecar');
  });
});

describe('a Service whose manifest shows no cluster IP', () => {
  const service = (port: string) => `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: app}
spec: {selector: {app: store}, ports: [{name: ${port}, port: 7000}]}
---
apiVersion: v1
kind: Pod
metadata: {name: store, namespace: app, labels: {app: store}}
spec: {containers: [{name: store, image: store}]}
`;

  it.each(['http', 'tcp', 'tls', 'mysql', 'redis', ''])('is reached on a port named "%s" all the same', (name) => {
    const ask = traceIn(service(name === '' ? '""' : name));
    const scheme = name === 'http' ? 'http' : name === 'tls' ? 'https' : 'tcp';
    for (const host of ['store', 'store.app', 'store.app.svc.cluster.local'])
      expect(outcome(ask(`${scheme}://${host}:7000`))).toBe('delivered to store.app.svc.cluster.local:7000');
  });
});

it('refuses what leaves the mesh in mutual TLS of the mesh: no server outside knows its certificates', () => {
  const site = (mode: string) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: app}
spec:
  hosts: [site.example.com]
  resolution: DNS
  ports: [{number: 8080, name: http, protocol: HTTP}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: all, namespace: app}
spec: {host: "*.example.com", trafficPolicy: {tls: {mode: ${mode}}}}
`;
  expect(outcome(traceIn(site('ISTIO_MUTUAL'))('http://site.example.com:8080/'))).toBe('UF 503 at sidecar');
  expect(outcome(traceIn(site('SIMPLE'))('http://site.example.com:8080/'))).toBe('delivered to site.example.com:8080');
});
