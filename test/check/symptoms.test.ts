import { check } from '../../src/check/check';
import type { Finding } from '../../src/check/finding';
import { loadText } from '../../src/model/load';

const route = (port: number, name = 'blog'): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: front, namespace: web }
spec:
  gatewayClassName: istio
  listeners: [{ name: http, port: 80, protocol: HTTP }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: blog, namespace: web }
spec:
  parentRefs: [{ name: front }]
  hostnames: [blog.example.org]
  rules: [{ backendRefs: [{ name: ${name}, port: ${port} }] }]
---
apiVersion: v1
kind: Service
metadata: { name: blog, namespace: web }
spec:
  selector: { app: blog }
  ports: [{ name: http, port: 8000 }]
`;

const errors = (text: string): readonly Finding[] =>
  check(loadText(text, 'mesh.yaml')).findings.filter(({ severity }) => severity === 'error');

describe('one cause of a request that fails', () => {
  it('is one finding, at the object at fault, that says what becomes of the request', () => {
    const found = errors(route(8080));
    expect(found.map(({ id, field }) => [id, field])).toEqual([['EDGE804', 'spec.rules[0].backendRefs[0].port']]);
    expect(found[0]?.what).toMatch(
      /has port 8000, and not 8080\. So http:\/\/blog\.example\.org:80\/ from outside is refused/,
    );
  });

  it('is a listener for TLS that istiod leaves out, and none where it is told to take it', () => {
    const tls = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: front, namespace: web }
spec:
  gatewayClassName: istio
  listeners: [{ name: tls, port: 443, protocol: TLS, tls: { mode: Passthrough } }]
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TLSRoute
metadata: { name: blog, namespace: web }
spec:
  parentRefs: [{ name: front }]
  hostnames: [blog.example.org]
  rules: [{ backendRefs: [{ name: blog, port: 8443 }] }]
---
apiVersion: v1
kind: Service
metadata: { name: blog, namespace: web }
spec:
  selector: { app: blog }
  ports: [{ name: https, port: 8443 }]
`;
    const before = { istioVersion: '1.29', gatewayApiVersion: '1.4/experimental' };
    const found = check(loadText(tls, 'mesh.yaml'), before).findings;
    const serious = found.filter(({ severity }) => severity !== 'info');
    expect(serious.map(({ id, severity, object }) => [id, severity, object?.kind])).toEqual([
      ['EDGE801', 'warning', 'TLSRoute'],
    ]);
    expect(serious[0]?.what).toContain('PILOT_ENABLE_ALPHA_GATEWAY_API=true');
    const told = `{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: mesh, namespace: istio-system}, spec: {values: {pilot: {env: {PILOT_ENABLE_ALPHA_GATEWAY_API: "true"}}}}}`;
    const toldTo = check(loadText(`${tls}---\n${told}`, 'mesh.yaml'), before).findings;
    expect(toldTo.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(errors(tls)).toEqual([]);
  });

  it('is no fault that the request would fail without: both are told', () => {
    const other = `${route(8000).replace('port: 80,', 'port: 80, timeout: 5s,')}---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, namespace: web }
spec: { template: { metadata: { labels: { app: shop } }, spec: { containers: [{ name: a }] } } }
`;
    const found = errors(other);
    expect(found.map(({ id, object }) => [id, object?.kind]).sort()).toEqual([
      ['EDGE002', 'Gateway'],
      ['EDGE214', 'Service'],
    ]);
    expect(found.map(({ what }) => what).join()).not.toContain('. So ');
  });

  it('is no fault of an object that only some of the requests meet', () => {
    const served = (name: string, more: string): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: web }
spec:
  hosts: [${name}.example.org]
  gateways: [way]
  http: [{ ${more}route: [{ destination: { host: blog } }] }]
`;
    const found = errors(`
apiVersion: v1
kind: Namespace
metadata: { name: web, labels: { istio-injection: enabled } }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: way, namespace: web }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }] }
---
apiVersion: v1
kind: Service
metadata: { name: blog, namespace: web }
spec: { selector: { app: blog }, ports: [{ name: http, port: 8000 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: blog, namespace: web }
spec: { template: { metadata: { labels: { app: blog } }, spec: { containers: [{ name: a, ports: [{ containerPort: 8000 }] }] } } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: web }
spec: { mtls: { mode: STRICT } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: blog, namespace: web }
spec: { host: blog, trafficPolicy: { tls: { mode: DISABLE } } }
${served('a', '')}${served('b', 'websocketUpgrade: true, ')}`);
    expect(found.map(({ id, object }) => `${id} ${object?.kind}`).sort()).toEqual([
      'EDGE002 VirtualService',
      'EDGE305 DestinationRule',
    ]);
  });

  it('is nothing where requests arrive', () => {
    expect(errors(route(8000))).toEqual([]);
  });

  it('is still told where the request fails if no rule knows the cause', () => {
    const found = errors(`${route(8000)}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: web }
spec:
  podSelector: { matchLabels: { app: blog } }
  policyTypes: [Ingress]
  ingress: []
`);
    expect(found.map(({ id }) => id)).toEqual(['EDGE505']);
  });
});

describe('a destination that nothing declares', () => {
  const mesh = (...hosts: readonly string[]): string => `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart, namespace: shop }
spec: { template: { metadata: { labels: { app: cart } }, spec: { containers: [{ name: a }] } } }
---
apiVersion: v1
kind: Service
metadata: { name: ledger, namespace: shop }
spec: { selector: { app: ledger }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: api, namespace: shop }
spec: { hosts: [api.example.com], resolution: DNS, ports: [{ name: http, number: 80, protocol: HTTP }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: api, namespace: shop }
spec:
  hosts: [api.example.com]
  http:
${hosts.map((host, at) => `    - { match: [{ uri: { exact: /${at} } }], route: [{ destination: { host: ${host}, port: { number: 80 } } }] }`).join('\n')}
`;
  const told = (...hosts: readonly string[]): readonly string[] =>
    check(loadText(mesh(...hosts), 'mesh.yaml'))
      .findings.filter(({ severity, what }) => severity === 'error' || what.includes(hosts[0] ?? ''))
      .map(({ id, severity, what, fix }) => `${severity} ${id} ${/\. So http/.test(what) ? 'and requests fail' : ''} ${/^Did you mean \S+\?/.exec(fix)?.[0] ?? ''}`); // prettier-ignore

  it('is one finding, with the name that is meant and the request that fails', () => {
    expect(told('apj.example.com')).toEqual(['error EDGE210 and requests fail Did you mean api.example.com?']);
    expect(told('ledgr.shop.svc.cluster.local')).toEqual(['error EDGE210 and requests fail Did you mean ledger?']);
  });

  it('is one finding where no name is like it: the request that fails', () => {
    expect(told('elsewhere.example.org')).toEqual(['error EDGE211  ']);
    expect(told('payments.shop.svc.cluster.local')).toEqual(['error EDGE211  ']);
  });

  it('is told of each destination by itself', () => {
    expect([...told('apj.example.com', 'elsewhere.example.org')].sort()).toEqual([
      'error EDGE210 and requests fail Did you mean api.example.com?',
      'error EDGE211  ',
    ]);
  });
});

describe('a VirtualService that names its host short and in full', () => {
  it('is no other one for that host', () => {
    const found = check(
      loadText(`
apiVersion: v1
kind: Service
metadata: { name: blog, namespace: web }
spec: { selector: { app: blog }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: blog, namespace: web }
spec: { hosts: [blog, blog.web.svc.cluster.local], http: [{ route: [{ destination: { host: blog } }] }] }
`),
    ).findings;
    expect(found.map(({ id }) => id)).not.toContain('EDGE208');
  });
});
