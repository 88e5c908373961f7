import { traceIn } from './text';

const service = (name: string, pods = true): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: app}
spec: {clusterIP: 10.96.0.10, selector: {app: ${name}}, ports: [{name: http, port: 80}]}${
  pods
    ? `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: app, labels: {app: ${name}}}
spec: {containers: [{name: c, image: c}]}`
    : ''
}`;
const backend = (name: string, spec: string): string => `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: ${name}, namespace: app}
spec: {${spec}}`;
const OWN = 'group: gateway.envoyproxy.io, kind: Backend, name:';
const MESH = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: v1
kind: Namespace
metadata: {name: app}
---
apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec:
  gatewayClassName: eg
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - {name: tcp, port: 5432, protocol: TCP}
    - {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}}
${service('shop')}${service('store')}${service('idle', false)}
${backend('main', 'endpoints: [{ip: {address: 192.0.2.1, port: 80}}]')}
${backend('spare', 'fallback: true, endpoints: [{ip: {address: 192.0.2.2, port: 80}}]')}
${backend('named', 'fallback: true, endpoints: [{fqdn: {hostname: spare.example.com, port: 80}}]')}`;

/** Where a request ends, and by which cluster it leaves the gateway. */
function followed(kind: string, refs: string, request: string, more = ''): readonly (string | null)[] {
  const route = `
---
apiVersion: gateway.networking.k8s.io/${kind === 'HTTPRoute' ? 'v1' : 'v1alpha2'}
kind: ${kind}
metadata: {name: shop, namespace: app}
spec: {parentRefs: [{name: front, sectionName: ${kind.slice(0, kind.indexOf('Route')).toLowerCase()}}], rules: [{backendRefs: [${refs}]}]}`;
  const { destination, hops } = traceIn(MESH + route + more)(request, { from: 'outside', at: 'app/front' });
  return [destination?.host ?? null, hops[0]?.cluster ?? null];
}
const http = (refs: string, more?: string): readonly (string | null)[] =>
  followed('HTTPRoute', refs, 'http://www.example.com/', more);
const RULE = 'httproute/app/shop/rule/0';

describe('backends of a rule at Envoy Gateway', () => {
  it('share a cluster, in which those for the worst case wait', () => {
    expect(http('{name: shop, port: 80}, {name: store, port: 80, weight: 3}')).toEqual(['store.app.svc.cluster.local', RULE]); // prettier-ignore
    expect(http(`{${OWN} spare, weight: 9}, {${OWN} main}`)).toEqual(['192.0.2.1', RULE]);
    expect(http(`{${OWN} spare}`)).toEqual(['192.0.2.2', RULE]);
  });

  it('have a cluster each where they are names and addresses, one is nothing, or has filters', () => {
    expect(http(`{${OWN} named, weight: 9}, {${OWN} main}`)).toEqual(['spare.example.com', `${RULE}/backend/0`]);
    expect(http('{name: shop, port: 80, weight: 2}, {name: idle, port: 80}')).toEqual(['shop.app.svc.cluster.local', `${RULE}/backend/0`]); // prettier-ignore
    expect(http('{name: gone, port: 80, weight: 1}, {name: shop, port: 80, weight: 2}')).toEqual(['shop.app.svc.cluster.local', `${RULE}/backend/1`]); // prettier-ignore
    const filter = 'filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-a, value: b}]}}]';
    expect(http(`{name: shop, port: 80, ${filter}}`)).toEqual(['shop.app.svc.cluster.local', `${RULE}/backend/0`]);
  });

  it('of no weight count for nothing', () => {
    expect(http('{name: gone, port: 80, weight: 0}, {name: shop, port: 80}')).toEqual(['shop.app.svc.cluster.local', RULE]); // prettier-ignore
  });

  it('have a cluster each where those of their own zone come first', () => {
    const nearest = `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: near, namespace: app}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  loadBalancer: {type: LeastRequest, zoneAware: {preferLocal: {}}}`;
    expect(http('{name: shop, port: 80}', nearest)[1]).toBe(`${RULE}/backend/0`);
  });

  it('of TCP and TLS are a cluster without a rule', () => {
    expect(followed('TCPRoute', '{name: shop, port: 80}', 'tcp://198.51.100.1:5432')[1]).toBe('tcproute/app/shop/rule/-1'); // prettier-ignore
    expect(followed('TLSRoute', '{name: shop, port: 80}', 'tls://www.example.com')[1]).toBe('tlsroute/app/shop/rule/-1'); // prettier-ignore
    expect(followed('TCPRoute', `{${OWN} spare, weight: 9}, {${OWN} main}`, 'tcp://198.51.100.1:5432')[0]).toBe('192.0.2.1'); // prettier-ignore
  });
});
