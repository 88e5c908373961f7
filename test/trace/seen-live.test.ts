/** What random meshes in the lab have taught: each case is what a real Envoy did. */
import { outcome, traceIn } from './text';

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: 10.0.0.1, selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: heads, namespace: app}
spec: {clusterIP: None, selector: {app: shop}, ports: [{name: http-heads, port: 80, targetPort: 8080}, {name: tcp, port: 5432}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: app, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cnn, namespace: app}
spec:
  hosts: [edition.cnn.com]
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
  resolution: DNS
`;

/** Who has no sidecar. */
const PLAIN = `
---
apiVersion: v1
kind: Namespace
metadata: {name: outer}
---
apiVersion: v1
kind: Pod
metadata: {name: plain, namespace: outer, labels: {app: plain}}
spec: {containers: [{name: plain, image: curl}]}`;

const denied = `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: app}
spec: {selector: {matchLabels: {app: shop}}}`;

describe('a cluster that Envoy logs though nothing is sent to it', () => {
  it('is the one of the port at a sidecar that refuses', () => {
    const told = traceIn(MESH + denied)('http://shop/');
    expect(outcome(told)).toBe('RBAC 403 at sidecar');
    expect(told.hops[1]).toMatchObject({ cluster: 'inbound|8080||', sends: null });
  });

  const gateway = (server: string, routes: string): string => `
---
apiVersion: v1
kind: Service
metadata: {name: egress, namespace: edge}
spec: {selector: {istio: egressgateway}, ports: [{name: http, port: 80}, {name: tls, port: 443}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: egress, namespace: edge}
spec:
  selector: {matchLabels: {istio: egressgateway}}
  template:
    metadata: {labels: {istio: egressgateway}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out, namespace: app}
spec: {selector: {istio: egressgateway}, servers: [${server}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cnn, namespace: app}
spec: {hosts: [edition.cnn.com], gateways: [mesh, out], ${routes}}`;
  const refusing = `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: edge}
spec: {}`;
  const http = gateway(
    '{port: {number: 80, name: http, protocol: HTTP}, hosts: [edition.cnn.com]}',
    `http: [
      {match: [{gateways: [mesh]}], route: [{destination: {host: egress.edge.svc.cluster.local, port: {number: 80}}}]},
      {match: [{gateways: [out]}], route: [{destination: {host: edition.cnn.com, port: {number: 80}}}]}]`,
  );
  const tls = (mode: string): string =>
    gateway(
      `{port: {number: 443, name: tls, protocol: TLS}, tls: {mode: ${mode}}, hosts: [edition.cnn.com]}`,
      `tls: [
        {match: [{gateways: [mesh], port: 443, sniHosts: [edition.cnn.com]}], route: [{destination: {host: egress.edge.svc.cluster.local, port: {number: 443}}}]},
        {match: [{gateways: [out], port: 443, sniHosts: [edition.cnn.com]}], route: [{destination: {host: edition.cnn.com, port: {number: 443}}}]}],
      tcp: [{match: [{gateways: [out], port: 443}], route: [{destination: {host: edition.cnn.com, port: {number: 443}}}]}]`,
    );

  it("is the route's at a gateway that refuses HTTP", () => {
    const told = traceIn(MESH + http + refusing)('http://edition.cnn.com/');
    expect(outcome(told)).toBe('RBAC 403 at egress-gateway');
    expect(told.hops[1]).toMatchObject({
      cluster: 'outbound|80||edition.cnn.com',
      route: { name: 'cnn', rule: 'http[1]' },
      sends: null,
    });
  });

  it("is the rule's at a gateway that refuses TLS by its SNI", () => {
    const told = traceIn(MESH + tls('PASSTHROUGH') + refusing)('https://edition.cnn.com/');
    expect(outcome(told)).toBe('RBAC - at egress-gateway');
    expect(told.hops[1]).toMatchObject({ cluster: 'outbound|443||edition.cnn.com', sends: null });
  });

  it("is the rule's at a gateway whose handshake fails", () => {
    const told = traceIn(MESH + tls('ISTIO_MUTUAL'))('https://edition.cnn.com/');
    expect(outcome(told)).toBe('UF - at egress-gateway');
    expect(told.hops[1]).toMatchObject({ cluster: 'outbound|443||edition.cnn.com', sends: null });
  });

  it('closes the connection before authorization is asked, if it has no endpoint', () => {
    const hidden = MESH.replace('resolution: DNS', 'resolution: STATIC');
    const told = traceIn(hidden + tls('PASSTHROUGH') + refusing)('https://edition.cnn.com/');
    expect(outcome(told)).toBe('UH - at egress-gateway');
  });

  it('is the one of the destination where a fault aborts', () => {
    const fault = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: teapot, namespace: app}
spec:
  hosts: [edition.cnn.com]
  http: [{fault: {abort: {httpStatus: 418, percentage: {value: 100}}}, route: [{destination: {host: edition.cnn.com}}]}]`;
    const told = traceIn(MESH + fault)('http://edition.cnn.com/');
    expect(outcome(told)).toBe('FI 418 at sidecar');
    expect(told.hops[0]).toMatchObject({ cluster: 'outbound|80||edition.cnn.com', sends: null });
  });
});

describe('a Service whose cluster has not given it an address yet', () => {
  const ports = '[{name: http, port: 80, targetPort: 8080}]';
  const unallocated = MESH.replace('clusterIP: 10.0.0.1, ', '').replace(
    ports,
    '[{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}, {name: db, port: 5432}]',
  );

  it.each([
    ['http://shop/', 'outbound|80||shop.app.svc.cluster.local'],
    ['https://shop.app/', 'outbound|443||shop.app.svc.cluster.local'],
    ['tcp://shop.app.svc.cluster.local:5432', 'outbound|5432||shop.app.svc.cluster.local'],
  ])('is reached by %s', (request, cluster) => {
    const told = traceIn(unallocated)(request);
    expect(told.outcome).toBe('delivered');
    expect(told.hops[0]?.cluster).toBe(cluster);
  });
});

describe('a port that nobody serves', () => {
  it('is one that the Service does not have: its address leads nowhere there', () => {
    const told = traceIn(MESH, { outbound: 'ALLOW_ANY' })('tcp://shop:5432');
    expect(outcome(told)).toBe('UF - at sidecar');
    expect(told.hops[0]?.cluster).toBe('PassthroughCluster');
    expect(told.refusal?.what).toContain('Service app/shop has no port 5432 (it has 80)');
  });

  it("is that of a headless Service whose Pods serve another: clients dial the Pod's own port", () => {
    const told = traceIn(MESH)('http://heads/');
    expect(outcome(told)).toBe('UF 503 at sidecar');
    expect(told.hops.map((hop) => hop.cluster)).toEqual([
      'outbound|80||heads.app.svc.cluster.local',
      'InboundPassthroughCluster',
    ]);
    expect(told.refusal?.by).toMatchObject({ kind: 'Service', name: 'heads', field: 'spec.ports[0].targetPort' });
  });

  describe('that plain text is sent to', () => {
    const from = { from: 'outer/plain' };
    const strict = `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: app}
spec: {mtls: {mode: STRICT}}`;

    it('is read as HTTP, and asks policies first', () => {
      expect(outcome(traceIn(MESH + PLAIN)('http://heads.app/', from))).toBe('UF 503 at sidecar');
      expect(outcome(traceIn(MESH + PLAIN + denied)('http://heads.app/', from))).toBe('RBAC 403 at sidecar');
    });

    it('takes none where mutual TLS is demanded', () => {
      expect(outcome(traceIn(MESH + PLAIN + strict)('http://heads.app/', from))).toBe('NR - at sidecar');
    });

    it('has closed a connection of TCP before policies are asked', () => {
      expect(outcome(traceIn(MESH + PLAIN + denied)('tcp://heads.app:80', from))).toBe('UF - at sidecar');
    });
  });

  it('is not that of a headless Service whose Pods serve the same one', () => {
    expect(outcome(traceIn(MESH)('tcp://heads:5432'))).toBe('delivered to heads.app.svc.cluster.local:5432');
  });

  it('may be one that no Service leads to and no container lists', () => {
    expect(outcome(traceIn(MESH, { outbound: 'ALLOW_ANY' })('tcp://heads:9999'))).toBe('unknown');
  });

  it('is that of a Service which selects nobody: connections to its address are refused', () => {
    const deserted = MESH.replaceAll('{app: shop}, ports', '{app: gone}, ports') + PLAIN;
    expect(outcome(traceIn(deserted)('http://shop.app/', { from: 'outer/plain' }))).toBe('UF - at none');
    expect(outcome(traceIn(MESH + PLAIN)('http://shop.app/', { from: 'outer/plain' }))).toContain('delivered');
  });

  it('is none at the address of a Service, by whichever cluster', () => {
    const wide = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: wide, namespace: app}
spec: {hosts: ['*.com'], ports: [{number: 5432, name: tcp-wide, protocol: TCP}], resolution: NONE}`;
    const told = traceIn(MESH + wide)('tcp://shop:5432');
    expect(outcome(told)).toBe('UF - at sidecar');
    expect(told.hops[0]?.cluster).toBe('outbound|5432||*.com');
  });

  it('is not one that a container lists', () => {
    const listed = MESH.replace('image: shop}', 'image: shop, ports: [{containerPort: 80}]}');
    expect(outcome(traceIn(listed)('http://heads/'))).toBe('delivered to heads.app.svc.cluster.local:80');
  });
});

describe('the port of a workload that a ServiceEntry has as an endpoint', () => {
  const entry = (where: string): string => `
---
apiVersion: v1
kind: Pod
metadata: {name: vm, namespace: app, labels: {app: vm}}
spec: {containers: [{name: vm, image: vm}]}
status: {podIP: 10.244.0.9}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: vm, namespace: app}
spec:
  hosts: [vm.internal]
  addresses: [240.0.0.9]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]
  ${where}`;

  it.each([
    ['by its address', 'endpoints: [{address: 10.244.0.9}]'],
    ['by its labels', 'workloadSelector: {labels: {app: vm}}'],
  ])('%s is of the protocol that the entry declares', (_how, where) => {
    const told = traceIn(MESH + entry(where))('http://vm.internal/');
    expect(told.outcome).toBe('delivered');
    expect(told.hops[1]).toMatchObject({ cluster: 'inbound|8080||', receives: { protocol: 'HTTP' } });
  });
});

describe('TLS originated to port 80', () => {
  const originate = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cnn, namespace: app}
spec: {host: edition.cnn.com, trafficPolicy: {tls: {mode: SIMPLE, sni: edition.cnn.com}}}`;

  it('meets a server that speaks plain HTTP', () => {
    expect(outcome(traceIn(MESH + originate)('http://edition.cnn.com/'))).toBe('UF 503 at sidecar');
  });

  it('is what a targetPort is for', () => {
    const moved = MESH.replace('protocol: HTTP}', 'protocol: HTTP, targetPort: 443}');
    expect(outcome(traceIn(moved + originate)('http://edition.cnn.com/'))).toBe('delivered to edition.cnn.com:443');
  });
});

describe('a host whose ServiceEntry claims a range', () => {
  const range = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ranged, namespace: app}
spec:
  hosts: [db.partner.io]
  addresses: [203.0.113.0/24]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: 203.0.113.9}]`;

  it('is taken to be in it, unless the request says which address it dials', () => {
    const told = traceIn(MESH + range)('https://db.partner.io/');
    expect(told.hops[0]?.cluster).toBe('outbound|443||db.partner.io');
    expect(told.notes.join()).toContain('assumed that db.partner.io resolves to an address in 203.0.113.0/24');
    expect(outcome(traceIn(MESH + range)('https://db.partner.io/', { address: '192.0.2.1' }))).toBe(
      'BlackHoleCluster - at sidecar',
    );
  });
});
