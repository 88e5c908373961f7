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

  it('takes TLS to names of a wildcard that it resolves only if istiod is told so, and then to whatever SNI names', () => {
    const wildcard = ENTRY('sites', "hosts: ['*.example.com'], resolution: DYNAMIC_DNS, ports: [{number: 443, name: tls, protocol: TLS}]"); // prettier-ignore
    const told = `---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {values: {pilot: {env: {ENABLE_WILDCARD_HOST_SERVICE_ENTRIES_FOR_TLS: "true"}}}}`;
    const { refusal } = follow(wildcard, 'https://a.example.com/');
    expect(refusal).toMatchObject({ code: 'NR', reason: { kind: 'wildcard-tls-at-waypoint' } });
    const { outcome, destination, hops } = follow(wildcard + told, 'https://a.example.com/');
    expect(outcome).toBe('delivered');
    expect(hops.map(({ proxy }) => proxy.kind)).toContain('waypoint');
    expect(destination).toMatchObject({ host: 'a.example.com', port: 443 });
    const secure = wildcard.replace('protocol: TLS', 'protocol: HTTPS');
    expect(follow(secure + told, 'https://a.example.com/').outcome).toBe('refused');
  });

  it('follows an entry whose endpoint is a Service of the cluster to where that ends', () => {
    const alias = ENTRY('alias', 'hosts: [web.example.com], resolution: DNS, endpoints: [{address: web.shop.svc.cluster.local}], ports: [{number: 81, name: http, protocol: HTTP}]'); // prettier-ignore
    const { outcome, refusal } = follow(alias, 'http://web.example.com:81/');
    expect([outcome, refusal?.reason.kind]).toEqual(['refused', 'service-without-port']);
    const [entry] = follow(alias.replace('number: 81', 'number: 80'), 'http://web.example.com/').hops.filter(({ proxy }) => proxy.kind === 'waypoint'); // prettier-ignore
    expect(entry?.endpointsOf).toEqual({ kind: 'ServiceEntry', namespace: 'shop', name: 'alias' });
  });

  it('takes connections to the first address of an entry alone, and of several services with one address to the oldest that has the port', () => {
    const two = ENTRY('pair', "hosts: [pair.example.com], resolution: STATIC, addresses: [203.0.113.1, 203.0.113.2], endpoints: [{address: 198.51.100.1}], ports: [{number: 80, name: http, protocol: HTTP}]"); // prettier-ignore
    expect(follow(two, 'http://pair.example.com/', { address: '203.0.113.1' }).outcome).toBe('delivered');
    const { refusal } = follow(two, 'http://pair.example.com/', { address: '203.0.113.2' });
    expect([refusal?.code, refusal?.reason.kind, refusal?.proxy.kind]).toEqual([
      'NR',
      'other-address-at-waypoint',
      'waypoint',
    ]);
    const older = two.replaceAll('pair', 'older').replace('number: 80', 'number: 81').replace('namespace: shop', 'namespace: shop, creationTimestamp: "2020-01-01T00:00:00Z"'); // prettier-ignore
    const cluster = (port: number): string | null | undefined =>
      follow(`${two}---${older}`, `http://203.0.113.1:${port}/`).hops.find(({ proxy }) => proxy.kind === 'waypoint')
        ?.cluster;
    expect(cluster(80)).toBe('inbound-vip|80|http|pair.example.com');
    expect(cluster(81)).toBe('inbound-vip|81|http|older.example.com');
  });

  it.each([
    ['the namespace of the waypoint', 'shop', 'delivered', undefined],
    ['another', 'elsewhere', 'refused', 'not-exported-to-waypoint'],
  ])('is told endpoints of its services that are exported to it: to %s', (_, to, outcome, cause) => {
    const objects = `
apiVersion: v1
kind: Namespace
metadata: {name: pay, labels: {istio.io/dataplane-mode: ambient}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: pay, labels: {istio.io/use-waypoint: main, istio.io/use-waypoint-namespace: shop}}
spec: {hosts: [bank.example.com], resolution: STATIC, exportTo: [${to}], endpoints: [{address: 198.51.100.1}], ports: [{number: 80, name: http, protocol: HTTP}]}`;
    const admitting = WORLD.replace('protocol: HBONE', 'protocol: HBONE, allowedRoutes: {namespaces: {from: All}}');
    const mesh = buildMesh(loadText(`${admitting}---${objects}`).manifests);
    const told = trace(mesh, { from: 'pay/client', request: 'http://bank.example.com/' });
    expect(told.outcome).toBe(outcome);
    const reason = told.refusal?.reason;
    expect(reason?.kind === 'no-endpoints' ? reason.cause.is : undefined).toBe(cause);
  });

  it.each([
    ['the whole name of a service of its own', 'web.shop.svc.cluster.local', 'delivered', undefined],
    ['a wildcard above it', "'*.shop.svc.cluster.local'", 'refused', 'no-route-of-waypoint'],
  ])('has clusters of other services where a VirtualService is for %s', (_, host, outcome, cause) => {
    const objects = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: other, namespace: shop, labels: {istio.io/use-waypoint: none}}
spec: {hosts: [other.example.com], resolution: STATIC, endpoints: [{address: 198.51.100.1}], ports: [{number: 80, name: http, protocol: HTTP}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: over, namespace: shop}
spec: {hosts: [${host}], http: [{route: [{destination: {host: other.example.com}}]}]}`;
    const told = follow(objects, 'http://web.shop/');
    expect(told.outcome).toBe(outcome);
    const reason = told.refusal?.reason;
    expect(reason?.kind === 'no-cluster' ? reason.cause.is : undefined).toBe(cause);
  });

  it('has no part in rules for connections that ask who sends them', () => {
    const rules = (match: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: raw, namespace: shop}
spec:
  hosts: [web.shop.svc.cluster.local]
  tcp:
    - match: [{port: 9000, ${match}}]
      route: [{destination: {host: nowhere.shop.svc.cluster.local}}]`;
    const reached = (match: string): string => follow(rules(match), 'tcp://web.shop:9000').outcome;
    expect(reached('gateways: [mesh]')).toBe('refused');
    expect(reached('sourceNamespace: shop')).toBe('delivered');
    expect(reached('sourceLabels: {app: client}')).toBe('delivered');
  });

  it('is asked about wildcards of the mesh that it resolves only before Istio 1.30', () => {
    const wildcard = ENTRY('sites', "hosts: ['*.example.com'], location: MESH_INTERNAL, resolution: DYNAMIC_DNS, ports: [{number: 80, name: http, protocol: HTTP}, {number: 81, name: http2, protocol: HTTP2}]"); // prettier-ignore
    const by = (release: string, entry: string, port = 80): Trace => {
      const { manifests } = loadText(`${WORLD}---\n${entry}`);
      return trace(buildMesh(manifests, { istioVersion: release }), { from: 'shop/client', request: `http://a.example.com:${port}/` }); // prettier-ignore
    };
    expect(by('1.30', wildcard)).toMatchObject({ outcome: 'refused', refusal: { code: 'NR', reason: { kind: 'internal-wildcard-at-waypoint' } } }); // prettier-ignore
    const external = wildcard.replace('MESH_INTERNAL', 'MESH_EXTERNAL');
    expect(by('1.30', external).outcome).toBe('delivered');
    expect(by('1.30', external, 81)).toMatchObject({ outcome: 'refused', refusal: { code: 'NC', status: 503, proxy: { kind: 'waypoint' } } }); // prettier-ignore
    expect(by('1.29.1', wildcard.replace(/, \{number: 81.*?\}/, '')).outcome).toBe('delivered');
  });

  it('names the cluster of a host that it does not see as one of its own, which it has none of', () => {
    const { refusal, hops } = follow(
      ENTRY('over', '').replace('ServiceEntry', 'VirtualService').replace('{}', '{hosts: [web], http: [{route: [{destination: {host: gone.example.com, port: {number: 80}}}]}]}'), // prettier-ignore
      'http://web.shop/',
    );
    expect([refusal?.code, refusal?.status]).toEqual(['NC', 503]);
    expect(hops.at(-1)?.cluster).toBe('inbound-vip|80|http|gone.example.com');
  });

  it('is led through by no connection to a waypoint itself, by the label that istiod gives its Service', () => {
    const objects = `
apiVersion: v1
kind: Service
metadata: {name: main-of-old, namespace: shop, labels: {gateway.istio.io/managed: istio.io-mesh-controller}}
spec: {clusterIP: 10.96.0.11, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}`;
    expect(follow(objects, 'http://main-of-old.shop/').hops.map(({ proxy }) => proxy.kind)).not.toContain('waypoint');
    const ofGateway = objects.replace('istio.io-mesh-controller', 'istio.io-gateway-controller');
    expect(follow(ofGateway, 'http://main-of-old.shop/').hops.map(({ proxy }) => proxy.kind)).toContain('waypoint');
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

  it.each([
    ['1.29.1', [201, undefined]],
    ['1.29.2', [201, 202]],
    ['1.32', [201, 202]],
  ])('has the routes of all VirtualServices for a host since 1.29.2: %s', (istioVersion, statuses) => {
    const routes = [1, 2].map((at) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: part-${at}, namespace: shop}
spec: {hosts: [web.shop.svc.cluster.local], http: [{match: [{uri: {exact: /${at}}}], directResponse: {status: 20${at}}}]}
`); // prettier-ignore
    const mesh = buildMesh(loadText(`${WORLD}---${routes.join('---')}`).manifests, { istioVersion });
    const ask = (path: number): number | undefined => trace(mesh, { from: 'shop/client', request: `http://web.shop/${path}` }).answer?.status; // prettier-ignore
    expect([ask(1), ask(2)]).toEqual(statuses);
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
