import { outcome, traceIn } from './text';

const MESH = `
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: eg}, spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: envoy-gateway-system}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: bare}}
---
{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: app}, spec: {clusterIP: 10.96.0.10, selector: {app: shop}, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: shop, namespace: app, labels: {app: shop}}, spec: {containers: [{name: shop, image: shop}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: plain, namespace: bare, labels: {app: plain}}, spec: {containers: [{name: shop, image: shop}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec:
  gatewayClassName: eg
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: app}
spec: {parentRefs: [{name: front}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
`;
const outside = { from: 'outside', at: 'app/front' };
const bare = { from: 'bare/plain' };

describe('a connection that no listener of its form takes', () => {
  it.each([
    ['TLS at a listener of plain HTTP', 'https://shop.example.com:80/', outside, 'DPE - at envoy-gateway'],
    ['bytes that are no HTTP', 'tcp://shop.example.com:80', outside, 'DPE - at envoy-gateway'],
    ['plain HTTP at a listener that terminates TLS', 'http://shop.example.com:443/', outside, 'UF - at envoy-gateway'],
    ['bytes that are no HTTP at a sidecar', 'tcp://shop.app:80', bare, 'DPE - at sidecar'],
    ['TLS at a sidecar, on a port of plain HTTP', 'https://shop.app:80/', bare, 'NR - at sidecar'],
  ])('is closed, and answered no status: %s', (_what, url, request, expected) => {
    expect(outcome(traceIn(MESH)(url, request))).toBe(expected);
  });
});

it('has CONNECT taken by no route but those for it', () => {
  const connect = { ...outside, method: 'CONNECT' };
  expect(outcome(traceIn(MESH)('http://shop.example.com/', connect))).toBe('NR 404 at envoy-gateway');
});
