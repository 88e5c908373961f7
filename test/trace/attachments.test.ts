/** Kinds of routes that istiod takes to a listener: generateSupportedKinds of pilot/pkg/config/kube/gateway/conditions.go, in 1.29.1 and 1.30. */
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { traceIn } from './text';

const ALPHA = `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: istio, namespace: istio-system}
spec: {components: {pilot: {k8s: {env: [{name: PILOT_ENABLE_ALPHA_GATEWAY_API, value: "true"}]}}}}
---
`;
const at = (listener: string, kind: string) => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec: {gatewayClassName: istio, listeners: [{name: one, port: 443, ${listener}}]}
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: ${kind}
metadata: {name: shop, namespace: edge}
spec: {parentRefs: [{name: front}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
`;
const TERMINATE = 'protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: cert}]}';
const PASS = 'protocol: TLS, tls: {mode: Passthrough}';
const attached = (listener: string, kind: string, istioVersion = '1.29') =>
  buildMesh(loadText(ALPHA + at(listener, kind)).manifests, { istioVersion }).gatewayApi.attachments.length === 1;

it.each([
  [PASS, 'TLSRoute', true],
  [PASS, 'TCPRoute', false],
  [TERMINATE, 'TLSRoute', false],
  [TERMINATE, 'TCPRoute', true],
  ['protocol: TCP', 'TCPRoute', true],
  ['protocol: HTTP', 'HTTPRoute', true],
  ['protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}', 'HTTPRoute', false],
  ['protocol: HTTP, allowedRoutes: {kinds: [{kind: TCPRoute}]}', 'TCPRoute', false],
  ['protocol: HTTP, allowedRoutes: {kinds: [{kind: TCPRoute}, {kind: HTTPRoute}]}', 'HTTPRoute', true],
  ['protocol: HTTP, allowedRoutes: {kinds: [{kind: HTTPRoute, group: example.com}]}', 'HTTPRoute', false],
])('%s: %s is attached, or not', (listener, kind, expected) => expect(attached(listener, kind)).toBe(expected));

it('is a TLSRoute too where TLS is terminated, from 1.30 on', () => {
  const v1 = (kind: string) => at(TERMINATE, kind).replace('v1alpha2', 'v1');
  const count = (yaml: string) =>
    buildMesh(loadText(yaml).manifests, { istioVersion: '1.30' }).gatewayApi.attachments.length;
  expect(count(v1('TLSRoute'))).toBe(1);
  expect(count(at(PASS, 'TCPRoute'))).toBe(0);
});

describe('a route that is not attached to a Gateway of Istio', () => {
  const world = (protocol: string, kind: string) => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec: {gatewayClassName: istio, listeners: [{name: one, port: 443, ${protocol}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: {name: shop, namespace: app}
spec: {hostnames: [www.example.com], parentRefs: [{name: front, namespace: edge}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: app}
`;

  it.each([
    ['protocol: HTTP', 'HTTPRoute', 'http://www.example.com:443/', 'no-hostname'],
    [PASS, 'TLSRoute', 'https://www.example.com/', 'no-l4-route'],
  ])('is named with what keeps it: %s', (listener, kind, url, reason) => {
    const told = traceIn(world(listener, kind))(url, { from: 'outside', at: 'edge/front' });
    expect(told.refusal?.reason).toMatchObject({
      kind: reason,
      unattached: [
        {
          route: { kind, namespace: 'app', name: 'shop' },
          why: {
            is: 'no-listener',
            listeners: [{ is: 'namespace', namespace: 'app', listener: { name: 'one', port: 443 } }],
          },
        },
      ],
    });
    expect(told.refusal?.what).toContain(
      `(${kind} app/shop is not attached: listener one admits no routes of namespace app)`,
    );
    expect(told.refusal?.by).toEqual({ kind: 'Gateway', namespace: 'edge', name: 'front', field: 'spec.listeners[0]' });
  });
});

it('is at a listener whose hostname is not the closest for a name: the answer names the one that requests belong to', () => {
  const told = traceIn(`apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  gatewayClassName: istio
  listeners:
  - {name: wide, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}}
  - {name: close, port: 80, protocol: HTTP, hostname: "*.b.example.com"}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: app}
spec: {hostnames: [a.b.example.com], parentRefs: [{name: front, namespace: edge}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: app}
`)('http://a.b.example.com/', { from: 'outside', at: 'edge/front' });
  expect(told.refusal).toMatchObject({
    status: 404,
    reason: {
      kind: 'no-hostname',
      closer: {
        route: { kind: 'HTTPRoute', namespace: 'app', name: 'shop' },
        at: 'wide',
        listener: 'close',
        hostname: '*.b.example.com',
      },
    },
  });
});
