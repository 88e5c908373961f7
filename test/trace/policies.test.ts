import { outcome, traceIn } from './text';

const SERVER = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bare}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec:
  clusterIP: 10.0.0.1
  selector: {app: shop}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 5432}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {serviceAccountName: shop, containers: [{name: shop, image: shop}]}
`;

const policy = (spec: string, namespace = 'shop'): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p${spec.length}, namespace: ${namespace}}
spec: ${spec}`;

const HTTP = 'http://shop.shop.svc.cluster.local/';
const TCP = 'tcp://shop.shop.svc.cluster.local:5432';

describe('AuthorizationPolicy at the server', () => {
  const ask = (policies: string, request = HTTP, more = {}) => outcome(traceIn(SERVER + policies)(request, more));
  const delivered = 'delivered to shop.shop.svc.cluster.local:80';
  const forbidden = 'RBAC 403 at sidecar';
  const closed = 'RBAC - at sidecar';

  it('allows all where there is none', () => {
    expect(ask('')).toBe(delivered);
  });

  it('refuses all for an ALLOW without rules', () => {
    expect(ask(policy('{}'))).toBe(forbidden);
  });

  it.each([
    ['principals of the client', '{principals: [cluster.local/ns/app/sa/sleep]}', delivered],
    ['another principal', '{principals: [cluster.local/ns/app/sa/other]}', forbidden],
    ['a prefix of it', '{principals: ["cluster.local/ns/app/*"]}', delivered],
    ['a suffix of it', '{principals: ["*/sa/sleep"]}', delivered],
    ['a star within a principal', '{principals: ["cluster.local/ns/*/sa/sleep"]}', forbidden],
    ['its namespace', '{namespaces: [app]}', delivered],
    ['not its namespace', '{notNamespaces: [app]}', forbidden],
  ])('takes %s', (_, source, expected) => {
    expect(ask(policy(`{rules: [{from: [{source: ${source}}]}]}`))).toBe(expected);
  });

  it.each([
    ['its method', '{methods: [GET]}', delivered],
    ['another method', '{methods: [POST]}', forbidden],
    ['its path', '{paths: ["/"]}', delivered],
    ['a prefix of another path', '{paths: ["/admin*"]}', forbidden],
    ['its host', '{hosts: [shop.shop.svc.cluster.local]}', delivered],
    ['the port of the Pod', '{ports: ["8080"]}', delivered],
    ['the port of the Service, which no proxy of the Pod sees', '{ports: ["80"]}', forbidden],
  ])('takes %s', (_, operation, expected) => {
    expect(ask(policy(`{rules: [{to: [{operation: ${operation}}]}]}`))).toBe(expected);
  });

  it('lets DENY win over ALLOW', () => {
    const deny = policy('{action: DENY, rules: [{from: [{source: {namespaces: [app]}}]}]}');
    expect(ask(policy('{rules: [{}]}') + deny)).toBe(forbidden);
  });

  it('holds policies of the root namespace against every workload', () => {
    expect(ask(policy('{}', 'istio-system'))).toBe(forbidden);
    expect(ask(policy('{}', 'elsewhere'))).toBe(delivered);
  });

  it('holds policies only against the workloads that they select', () => {
    expect(ask(policy('{selector: {matchLabels: {app: other}}}'))).toBe(delivered);
    expect(ask(policy('{selector: {matchLabels: {app: shop}}}'))).toBe(forbidden);
  });

  it('drops rules about HTTP from an ALLOW on a TCP port', () => {
    expect(ask(policy('{rules: [{to: [{operation: {methods: [GET]}}]}]}'), TCP)).toBe(closed);
  });

  it('drops only the HTTP fields of a DENY on a TCP port', () => {
    expect(ask(policy('{action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}'), TCP)).toBe(closed);
  });
});

describe('AuthorizationPolicy in its rarer forms', () => {
  const ask = (policies: string, request = HTTP, more = {}) => outcome(traceIn(SERVER + policies)(request, more));
  const delivered = 'delivered to shop.shop.svc.cluster.local:80';
  const forbidden = 'RBAC 403 at sidecar';
  const providers = (kind: string): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ask, namespace: shop}
spec: {clusterIP: 10.96.0.99, selector: {app: ask}, ports: [{name: grpc, port: 9000}]}
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  meshConfig:
    trustDomain: corp.example.com
    extensionProviders: [{name: ask, ${kind}: {service: ask.shop.svc.cluster.local, port: 9000}}]`;
  const custom = policy('{action: CUSTOM, provider: {name: ask}, rules: [{}]}');

  it.each([
    ['HTTP about a request', 'envoyExtAuthzHttp', HTTP, 'unknown'],
    ['HTTP about a connection', 'envoyExtAuthzHttp', TCP, 'delivered to shop.shop.svc.cluster.local:5432'],
    ['gRPC about a connection', 'envoyExtAuthzGrpc', TCP, 'unknown'],
  ])('asks an authorizer that speaks %s only where it can be asked', (_, kind, request, expected) => {
    expect(ask(providers(kind) + custom, request)).toBe(expected);
  });

  it.each([
    ['destination.ip', '0.0.0.0/0', forbidden],
    ['destination.ip', '10.1.0.0/16', 'unknown'],
    ['source.ip', '10.1.0.0/16', 'unknown'],
  ])('does not judge addresses of Pods that no manifest shows: %s %s', (key, block, expected) => {
    expect(ask(policy(`{action: DENY, rules: [{when: [{key: ${key}, values: ["${block}"]}]}]}`))).toBe(expected);
  });

  describe('behind a gateway whose address is known', () => {
    const gateway = `
---
apiVersion: v1
kind: Pod
metadata: {name: way, namespace: istio-system, labels: {istio: ingressgateway}}
spec: {serviceAccountName: way, containers: [{name: istio-proxy, image: auto}]}
status: {phase: Running, podIP: 10.5.5.5, podIPs: [{ip: 10.5.5.5}], conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Service
metadata: {name: way, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: way, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: way, namespace: shop}
spec: {hosts: [a.example.com], gateways: [way], http: [{route: [{destination: {host: shop, port: {number: 80}}}]}]}`;

    it.each([
      ['{ipBlocks: [10.5.5.5]}', delivered],
      ['{notIpBlocks: [10.5.5.5]}', forbidden],
      // The client that the gateway names.
      ['{remoteIpBlocks: [10.5.5.5]}', 'unknown'],
      ['{notRemoteIpBlocks: [10.5.5.5]}', 'unknown'],
    ])('tells its address from that of the client: %s', (source, expected) => {
      const allowed = policy(`{selector: {matchLabels: {app: shop}}, rules: [{from: [{source: ${source}}]}]}`);
      expect(ask(gateway + allowed, 'http://a.example.com/', { from: 'outside', at: 'shop/way' })).toBe(expected);
    });
  });

  describe('of a client whom X-Forwarded-For names', () => {
    const by = (source: string) => policy(`{selector: {matchLabels: {app: shop}}, rules: [{from: [{source: ${source}}]}]}`); // prettier-ignore
    const forwarded = (value: string) => ({ headers: { 'x-forwarded-for': value } });
    const REMOTE = '{remoteIpBlocks: [192.0.2.0/24]}';

    it('believes the last of them at a sidecar', () => {
      expect(ask(by(REMOTE), HTTP, forwarded('198.51.100.1, 192.0.2.7'))).toBe(delivered);
      expect(ask(by(REMOTE), HTTP, forwarded('192.0.2.7, 198.51.100.1'))).toBe(forbidden);
      expect(ask(by(REMOTE), HTTP, forwarded('192.0.2.7, somebody'))).toBe('unknown');
      expect(ask(by(REMOTE))).toBe('unknown');
      expect(ask(by('{ipBlocks: [192.0.2.0/24]}'), HTTP, forwarded('192.0.2.7'))).toBe('unknown');
    });

    it('believes at a gateway as many as there are trusted proxies', () => {
      const way = (proxies: number) => `
---
apiVersion: v1
kind: Pod
metadata: {name: way, namespace: shop, labels: {istio: ingressgateway}, annotations: {proxy.istio.io/config: '{"gatewayTopology": {"numTrustedProxies": ${proxies}}}'}}
spec: {serviceAccountName: way, containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: way, namespace: shop}
spec: {selector: {istio: ingressgateway}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: way, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: way, namespace: shop}
spec: {hosts: [a.example.com], gateways: [way], http: [{route: [{destination: {host: shop, port: {number: 80}}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: way, namespace: shop}
spec: {selector: {matchLabels: {istio: ingressgateway}}, rules: [{from: [{source: ${REMOTE}}]}]}`;
      const at = (proxies: number, value: string) =>
        ask(way(proxies), 'http://a.example.com/', { from: 'outside', at: 'shop/way', ...forwarded(value) });
      expect(at(2, '192.0.2.7, 198.51.100.1')).toBe(delivered);
      expect(at(1, '192.0.2.7, 198.51.100.1')).toBe('RBAC 403 at ingress-gateway');
      expect(at(1, '198.51.100.1, 192.0.2.7')).toBe(delivered);
      expect(at(0, '192.0.2.7')).toBe('unknown');
      expect(at(3, '192.0.2.7')).toBe('unknown');
    });
  });

  it('takes a header that is there and empty for any value', () => {
    const denied = policy('{action: DENY, rules: [{when: [{key: "request.headers[x-a]", values: ["*"]}]}]}');
    expect(ask(denied, HTTP, { headers: { 'x-a': '' } })).toBe(forbidden);
    expect(ask(denied)).toBe(delivered);
  });

  it.each(['true', 'True', '1', 't'])('only rehearses what is annotated with %s', (value) => {
    const denied = policy('{action: DENY, rules: [{}]}');
    const rehearsed = denied.replace('namespace: shop', `namespace: shop, annotations: {istio.io/dry-run: "${value}"}`);
    expect(ask(denied)).toBe(forbidden);
    expect(ask(rehearsed)).toBe(delivered);
  });

  it.each([
    ['/a/b/c', forbidden],
    ['/a/b-1.2~=x/c', forbidden],
    ['/a/b*/c', delivered],
    ['/a//c', delivered],
    ['/all/x/y', forbidden],
    ['/all/x*', delivered],
  ])('takes by a template of paths only what a template may have: %s', (path, expected) => {
    const denied = policy('{action: DENY, rules: [{to: [{operation: {paths: ["/a/{*}/c", "/all/{**}"]}}]}]}');
    expect(ask(denied, `http://shop.shop.svc.cluster.local${path}`)).toBe(expected);
  });

  it.each([
    ['cluster.local/ns/app/sa/*', delivered],
    ['cluster.local/ns/app/*', forbidden],
    ['corp.example.com/ns/app/*', delivered],
  ])('lets a trust domain stand for another in whole principals alone: %s', (principal, expected) => {
    const allowed = policy(`{rules: [{from: [{source: {principals: ["${principal}"]}}]}]}`);
    expect(ask(providers('envoyExtAuthzHttp') + allowed)).toBe(expected);
  });
});

describe('PeerAuthentication at the server', () => {
  const strict = (namespace: string): string => `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: ${namespace}}
spec: {mtls: {mode: STRICT}}`;

  it('lets clients with a sidecar in, by automatic mutual TLS', () => {
    const told = traceIn(SERVER + strict('shop'))(HTTP);
    expect(told.outcome).toBe('delivered');
    expect(told.hops[0]?.sends?.tls).toBe('ISTIO_MUTUAL');
  });

  it.each(['shop', 'istio-system'])('shuts clients without one out (%s)', (namespace) => {
    expect(traceIn(SERVER + strict(namespace))(HTTP, { from: 'bare/curl' }).outcome).toBe('refused');
    expect(traceIn(SERVER)(HTTP, { from: 'bare/curl' }).outcome).toBe('delivered');
  });

  it('shuts a client out whose DestinationRule disables TLS', () => {
    const disable = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: plain, namespace: app}
spec: {host: shop.shop.svc.cluster.local, trafficPolicy: {tls: {mode: DISABLE}}}`;
    expect(traceIn(SERVER + disable + strict('shop'))(HTTP).outcome).toBe('refused');
    expect(traceIn(SERVER + disable)(HTTP).outcome).toBe('delivered');
  });
});

describe('NetworkPolicy', () => {
  const network = (namespace: string, spec: string): string => `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np, namespace: ${namespace}}
spec: ${spec}`;

  it('compares ports with those of the Pod, after targetPort', () => {
    const to = (port: number): string =>
      network('shop', `{podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: ${port}}]}]}`);
    expect(traceIn(SERVER + to(8080))(HTTP).outcome).toBe('delivered');
    expect(traceIn(SERVER + to(80))(HTTP).outcome).toBe('refused');
  });

  it('isolates a client that may reach nothing', () => {
    const none = network('app', '{podSelector: {}, policyTypes: [Egress]}');
    expect(traceIn(SERVER + none)(HTTP).outcome).toBe('refused');
  });

  it('takes namespaces by label', () => {
    const from = (name: string): string =>
      network(
        'shop',
        `{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${name}}}}]}]}`,
      );
    expect(traceIn(SERVER + from('app'))(HTTP).outcome).toBe('delivered');
    expect(traceIn(SERVER + from('other'))(HTTP).outcome).toBe('refused');
  });
});
