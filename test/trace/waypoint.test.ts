import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';
import type { Trace, TraceRequest } from '../../src/trace/types';

const WORLD = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient, istio.io/use-waypoint: main}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: main, namespace: shop}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.10, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp-raw, port: 9000}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: web}]}
status: {podIP: 10.244.0.10, phase: Running}
`;

const follow = (objects: string, request: string, more: Partial<TraceRequest> = {}): Trace =>
  trace(buildMesh(loadText(`${WORLD}---\n${objects}`).manifests), { from: 'shop/client', request, ...more });

const ENTRY = (name: string, rest: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: shop}
spec: {${rest}}
`;

describe('a waypoint, which is an Envoy as others are', () => {
  it('says which of its listeners, chains and routes took a request, where the cluster leads, and as whom', () => {
    const hop = follow('', 'http://web.shop/').hops.find(({ proxy }) => proxy.kind === 'waypoint');
    expect(hop).toMatchObject({
      cluster: 'inbound-vip|80|http|web.shop.svc.cluster.local',
      identity: 'cluster.local/ns/shop/sa/main',
      envoy: {
        listener: 'main_internal',
        filterChain: 'inbound-vip|80|http|web.shop.svc.cluster.local',
        virtualHost: 'inbound|http|80',
        endpoints: ['10.244.0.10:8080'],
      },
    });
  });

  it('takes no CONNECT on a port of HTTP', () => {
    const { outcome, refusal } = follow('', 'http://web.shop/', { method: 'CONNECT' });
    expect([outcome, refusal?.code, refusal?.status, refusal?.proxy.kind]).toEqual(['refused', 'NR', 404, 'waypoint']);
    expect(follow('', 'http://web.shop:9000/', { method: 'CONNECT' }).outcome).toBe('delivered');
  });

  it('originates TLS to names of a wildcard that it resolves, on the port of TLS', () => {
    const wildcard = ENTRY('sites', "hosts: ['*.example.com'], resolution: DYNAMIC_DNS, ports: [{number: 80, name: http, protocol: HTTP}]"); // prettier-ignore
    const rule = `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: sites, namespace: shop}
spec: {host: '*.example.com', trafficPolicy: {tls: {mode: SIMPLE}}}`;
    const plain = { host: 'a.example.com', port: 80, tls: 'NONE', sni: null };
    expect(follow(wildcard, 'http://a.example.com/').destination).toEqual(plain);
    const originated = { host: 'a.example.com', port: 443, tls: 'SIMPLE', sni: 'a.example.com' };
    expect(follow(`${wildcard}${rule}`, 'http://a.example.com/').destination).toEqual(originated);
  });

  it('follows an entry whose endpoint is a Service of the cluster to where that ends', () => {
    const alias = ENTRY('alias', 'hosts: [web.example.com], resolution: DNS, endpoints: [{address: web.shop.svc.cluster.local}], ports: [{number: 81, name: http, protocol: HTTP}]'); // prettier-ignore
    const { outcome, refusal } = follow(alias, 'http://web.example.com:81/');
    expect([outcome, refusal?.reason.kind]).toEqual(['refused', 'service-without-port']);
    const [entry] = follow(alias.replace('number: 81', 'number: 80'), 'http://web.example.com/').hops.filter(({ proxy }) => proxy.kind === 'waypoint'); // prettier-ignore
    expect(entry?.endpointsOf).toEqual({ kind: 'ServiceEntry', namespace: 'shop', name: 'alias' });
  });

  it('names the HTTPRoute whose rules take a request, and none that istiod merges them into', () => {
    const routes = ['one', 'two'].map((name) => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: shop}
spec:
  parentRefs: [{group: '', kind: Service, name: web, port: 80}]
  rules: [{matches: [{path: {type: Exact, value: /${name}}}], backendRefs: [{name: web, port: 80}]}]
`); // prettier-ignore
    const { refusal } = follow(routes.join('---'), 'http://web.shop/three');
    expect(refusal).toMatchObject({ code: 'NR', status: 404, what: 'no rule for web.shop.svc.cluster.local matches GET /three' }); // prettier-ignore
    expect(['one', 'two']).toContain(refusal?.by?.name);
  });

  it('tells the parts of a weighted route, and the field that has it answer by itself', () => {
    const weighted = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.shop.svc.cluster.local]
  http:
    - match: [{uri: {exact: /own}}]
      directResponse: {status: 418}
    - route:
        - {destination: {host: web.shop.svc.cluster.local, port: {number: 80}}, weight: 90}
        - {destination: {host: web.shop.svc.cluster.local, port: {number: 9000}}, weight: 10}
`;
    const hop = follow(weighted, 'http://web.shop/').hops.at(1);
    expect(hop?.weight).toBe(90);
    expect(hop?.alternatives).toEqual([{ cluster: 'inbound-vip|9000|tcp|web.shop.svc.cluster.local', weight: 10 }]);
    const { refusal } = follow(weighted, 'http://web.shop/own');
    expect([refusal?.status, refusal?.by?.field]).toEqual([418, 'spec.http[0].directResponse']);
  });
});
