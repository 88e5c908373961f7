import { outcome, traceIn } from './text';

const NAMESPACES = `
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Namespace
metadata: { name: data, labels: { istio-injection: enabled } }
`;
const CACHE = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: cache, namespace: data }
spec:
  hosts: [cache.example.net]
  addresses: [198.51.100.40]
  ports: [{ number: 6379, name: tcp, protocol: TCP }, { number: 443, name: tls, protocol: TLS }]
  resolution: DNS
`;
const sidecar = (egress: string): string => `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default, namespace: app }
spec: { outboundTrafficPolicy: { mode: REGISTRY_ONLY }, egress: [${egress}] }
`;
const POD = `
---
apiVersion: v1
kind: Pod
metadata: { name: queue-0, namespace: data, labels: { app: queue } }
spec: { containers: [{ name: a }] }
status: { podIP: 10.20.0.9 }
`;
const service = (name: string, spec: string): string => `
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: data }
spec: { ${spec} }
`;
const REGISTRY_ONLY = { outbound: 'REGISTRY_ONLY' } as const;

describe('a host that an egress listener of a Sidecar names', () => {
  it.each(['tcp://198.51.100.40:6379', 'tcp://cache.example.net:6379', 'https://cache.example.net/'])(
    'is out of reach on other ports, and the port is said to be why: %s',
    (request) => {
      const yaml =
        NAMESPACES + CACHE + sidecar('{ port: { number: 7000, name: t, protocol: TCP }, hosts: ["data/*"] }');
      const told = traceIn(yaml)(request);
      expect(outcome(told)).toBe('BlackHoleCluster - at sidecar');
      expect(told.refusal?.what).toContain('Sidecar app/default has no egress listener for port');
      expect(told.refusal?.fix).toContain('leave the port out of the listener that imports cache.example.net');
    },
  );

  it('is to be added where no listener names it', () => {
    const yaml = NAMESPACES + CACHE + sidecar('{ port: { number: 7000, name: t, protocol: TCP }, hosts: ["data/other.example.net"] }'); // prettier-ignore
    expect(traceIn(yaml)('https://cache.example.net/').refusal?.fix).toContain('add "data/cache.example.net" to the egress hosts'); // prettier-ignore
  });
});

describe('a Pod that is called by its own address', () => {
  const ports = 'ports: [{ name: http-admin, port: 8081 }, { name: tcp-queue, port: 9092 }]';
  const selector = 'selector: { app: queue }';

  it('is reached on TCP of a headless Service, and on HTTP by names alone', () => {
    const trace = traceIn(NAMESPACES + POD + service('queue', `clusterIP: None, ${selector}, ${ports}`), REGISTRY_ONLY);
    expect(outcome(trace('tcp://10.20.0.9:9092'))).toBe('delivered to 10.20.0.9:9092');
    const { refusal } = trace('http://10.20.0.9:8081/');
    expect(refusal?.what).toContain('it is the address of Pod data/queue-0, and port 8081 of headless Service data/queue is HTTP'); // prettier-ignore
    expect(refusal?.fix).toBe('call it as queue.data.svc.cluster.local');
    expect(outcome(trace('http://queue.data:8081/'))).toContain('delivered');
  });

  it('is to be called by the Service that selects it', () => {
    const trace = traceIn(NAMESPACES + POD + service('queue', `clusterIP: 10.96.0.9, ${selector}, ${ports}`), REGISTRY_ONLY); // prettier-ignore
    expect(trace('tcp://10.20.0.9:9092').refusal?.fix).toBe('call it as queue.data.svc.cluster.local');
  });

  it('is unknown where no Service selects it', () => {
    const trace = traceIn(NAMESPACES + POD + service('other', 'clusterIP: 10.96.0.9, selector: { app: x }, ports: [{ name: a, port: 1 }]'), REGISTRY_ONLY); // prettier-ignore
    expect(trace('tcp://10.20.0.9:9092').refusal?.what).toContain('no ServiceEntry or Service');
  });
});

describe('the Service of a Gateway, shown without the Deployment that istiod makes beside it', () => {
  const own = (more: string): string => `${NAMESPACES}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: way-out, namespace: data }
spec: { gatewayClassName: istio, ${more}listeners: [{ name: http, port: 80, protocol: HTTP }] }
${service('way-out-istio', 'clusterIP: 10.96.0.30, selector: { gateway.networking.k8s.io/gateway-name: way-out }, ports: [{ name: http, port: 80 }]')}`;

  it('leads to a gateway, not to a sidecar', () => {
    const told = traceIn(own(''))('http://way-out-istio.data/');
    expect(told.hops.map(({ proxy }) => `${proxy.kind} ${proxy.workload}`)).toEqual(['sidecar sleep', 'egress-gateway way-out-istio']); // prettier-ignore
    expect(told.refusal?.status).toBe(404);
  });
});

it('names the first few workloads of a namespace where the client is none of them', () => {
  const workload = (name: string): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: app }
spec: { template: { metadata: { labels: { app: ${name} } }, spec: { containers: [{ name: a }] } } }
`;
  const notes = (count: number): string => {
    const names = Array.from({ length: count }, (_, at) => `w${at}`);
    return traceIn(NAMESPACES + names.map(workload).join(''))('http://a.example.com/', { from: 'app/none' }).notes?.[0] ?? ''; // prettier-ignore
  };
  expect(notes(2)).toContain('(there are w0, w1);');
  expect(notes(400)).toContain('(there are w0, w1, w2, w3, w4 and 395 more);');
});

describe('a Service that is called by less than its whole name', () => {
  const shop = service('shop', 'selector: { app: shop }, ports: [{ name: http, port: 80, targetPort: 8080 }]');
  const orders = service('orders', 'clusterIP: None, selector: { app: nobody }, ports: [{ name: tcp, port: 5432 }]');
  const told = traceIn(NAMESPACES + POD + shop + orders, REGISTRY_ONLY);

  it.each(['shop.data', 'shop.data.svc', 'shop.data.svc.cluster.local'])(
    'has the ports that it has, and needs no entry for others: %s',
    (host) => {
      const { refusal } = told(`http://${host}:8080/`);
      expect(refusal?.what).toContain('Service data/shop declares 80 HTTP, not port 8080');
      expect(refusal?.fix).toBe('call the port that it has, or add port 8080 to Service data/shop');
    },
  );

  it('has no listener where it is headless and no Pod is behind it', () => {
    const { refusal } = told('tcp://orders.data:5432');
    expect(refusal?.what).toContain('Service data/orders is headless, and nothing that runs is behind it');
    expect(refusal?.by).toMatchObject({ kind: 'Service', name: 'orders', field: 'spec.selector' });
  });
});

it('advises of names that a gateway does not resolve by hosts that it does', () => {
  const wild = `${NAMESPACES}
---
apiVersion: v1
kind: Pod
metadata: { name: egress, namespace: data, labels: { istio: egress }, annotations: { inject.istio.io/templates: gateway } }
spec: { containers: [{ name: istio-proxy, image: auto }] }
${service('egress', 'selector: { istio: egress }, ports: [{ name: http, port: 80, targetPort: 8080 }]')}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: wild, namespace: data }
spec: { hosts: ['*.example.net'], ports: [{ number: 80, name: http, protocol: HTTP }], resolution: DYNAMIC_DNS }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: egress, namespace: data }
spec: { selector: { istio: egress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*.example.net'] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: wild, namespace: data }
spec:
  hosts: ['*.example.net']
  gateways: [mesh, egress]
  http:
    - { match: [{ gateways: [mesh] }], route: [{ destination: { host: egress, port: { number: 80 } } }] }
    - { match: [{ gateways: [egress] }], route: [{ destination: { host: '*.example.net', port: { number: 80 } } }] }
`;
  const { refusal } = traceIn(wild, REGISTRY_ONLY)('http://a.example.net/', { from: 'app/sleep' });
  expect(refusal?.proxy.kind).toBe('egress-gateway');
  expect(refusal?.fix).toMatch(/^declare the hosts that are meant one by one, with resolution DNS/);
});
