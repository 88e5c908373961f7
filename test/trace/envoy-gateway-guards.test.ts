/** What proxies of Envoy Gateway's refuse that routes would send on; the conformance of these answers is in Envoy Gateway's own end-to-end tests. */
import { ask, DELIVERED, MESH, ON_ROUTE, policy } from './envoy-gateway-world';
import { outcome, traceIn } from './text';

describe('a breaker of 0', () => {
  const breaker = (fields: string) => ask(policy('BackendTrafficPolicy', `${ON_ROUTE}, circuitBreaker: {${fields}}`));

  it.each(['maxPendingRequests', 'maxParallelRequests'])('lets no request pass: %s', (field) => {
    expect(breaker(`${field}: 0`)).toBe('UO 503 at envoy-gateway');
    expect(breaker(`${field}: 1`)).toBe(DELIVERED);
  });

  it.each(['maxConnections', 'maxParallelRetries', 'maxRequestsPerConnection'])('lets requests pass: %s', (field) => {
    expect(breaker(`${field}: 0`)).toBe(DELIVERED);
  });

  it('lets no TCP pass where there may be no connection', () => {
    const tcp = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: plain, namespace: app}
spec: {gatewayClassName: eg, listeners: [{name: tcp, port: 9000, protocol: TCP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: plain, namespace: app}
spec: {parentRefs: [{name: plain}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: plain, namespace: app}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: TCPRoute, name: plain}]
  circuitBreaker: {maxConnections: `;
    const end = (most: number) => outcome(traceIn(`${MESH}${tcp}${most}}`)('tcp://192.0.2.1:9000', { from: 'outside', at: 'app/plain' })); // prettier-ignore
    expect([end(0), end(1)]).toEqual(['UO - at envoy-gateway', DELIVERED]);
  });
});

describe('a DynamicResolver', () => {
  const world = (filters: string) => `${MESH}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: any, namespace: app}
spec: {type: DynamicResolver}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: by-header, namespace: app}
spec: {urlRewrite: {hostname: {type: Header, header: x-to}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: any, namespace: app}
spec:
  parentRefs: [{name: front}]
  rules:
    - matches: [{path: {type: PathPrefix, value: /any}}]
      filters: [${filters}]
      backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: any}]
`;
  const end = (host: string, filters = '', headers = {}, envoyGatewayVersion = '1.9') =>
    outcome(traceIn(world(filters), { envoyGatewayVersion })(`http://${host}/any`, { from: 'outside', at: 'app/front', headers })); // prettier-ignore
  const REFUSED = 'RBAC 403 at envoy-gateway';
  const BY_HEADER = '{type: ExtensionRef, extensionRef: {group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: by-header}}'; // prettier-ignore

  it.each(['127.0.0.1', 'localhost', 'localhost.localdomain', 'ip6-loopback', '[::1]'])('is kept from %s', (host) => {
    expect(end(host)).toBe(REFUSED);
  });

  it.each(['127.0.0.2', 'out.example.com', 'localhost.example.com'])('goes to %s', (host) => {
    expect(end(host)).toBe(`delivered to ${host}:80`);
  });

  it('is kept from what the header names that becomes the Host, and not from the Host then', () => {
    expect(end('out.example.com', BY_HEADER, { 'x-to': '127.0.0.1:19000' })).toBe(REFUSED);
    expect(end('localhost', BY_HEADER, { 'x-to': 'out.example.com' })).toBe('delivered to out.example.com:80');
  });

  it('goes where the route spells it out, and before 1.7 to itself', () => {
    expect(end('out.example.com', '{type: URLRewrite, urlRewrite: {hostname: localhost}}')).toBe('delivered to localhost:80'); // prettier-ignore
    expect(end('localhost', '', {}, '1.6')).toBe('delivered to localhost:80');
  });

  it('is kept from them in the SNI, whatever the case', () => {
    const tls = `${world('')}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: sealed, namespace: app}
spec: {gatewayClassName: eg, listeners: [{name: tls, port: 8443, protocol: TLS, tls: {mode: Passthrough}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: sealed, namespace: app}
spec: {parentRefs: [{name: sealed}], rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: any}]}]}
`;
    const by = (sni: string) => outcome(traceIn(tls, { envoyGatewayVersion: '1.9' })(`tls://${sni}:8443`, { from: 'outside', at: 'app/sealed', sni })); // prettier-ignore
    expect([by('LocalHost'), by('out.example.com')]).toEqual(['RBAC - at envoy-gateway', 'delivered to out.example.com:443']); // prettier-ignore
  });
});
