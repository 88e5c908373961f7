/** Names of headers and labels that every JavaScript object has a property of are data as any other. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { traceIn } from './text';

const world = (name: string, controller: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: edge }
spec: { controllerName: ${controller} }
---
apiVersion: v1
kind: Namespace
metadata: { name: app }
---
apiVersion: v1
kind: Namespace
metadata: { name: envoy-gateway-system }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: app }
spec: { clusterIP: 10.0.0.1, selector: { app: web, ${name}: x }, ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: app, labels: { app: web, ${name}: x } }
spec: { containers: [{ name: web, image: web }] }
---
apiVersion: v1
kind: Pod
metadata: { name: plain, namespace: app, labels: { app: web } }
spec: { containers: [{ name: web, image: web }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: app }
spec: { gatewayClassName: edge, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: app }
spec:
  parentRefs: [{ name: edge }]
  rules:
    - matches: [{ headers: [{ name: ${name}, value: a }] }]
      backendRefs: [{ name: web, port: 80 }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nobody, namespace: app }
spec: { selector: { matchLabels: { ${name}: other } } }
`;

describe.each(['constructor', 'toString', 'hasOwnProperty'])('the name %s', (name) => {
  it.each([
    ['Istio', 'istio.io/gateway-controller'],
    ['Envoy Gateway', 'gateway.envoyproxy.io/gatewayclass-controller'],
  ])('is that of a header which a route asks for: %s', (_, controller) => {
    const ask = (headers = {}) => traceIn(world(name, controller))('http://any/', { from: 'outside', at: 'app/edge', headers }); // prettier-ignore
    expect(ask({ [name]: 'a' }).outcome).toBe('delivered');
    expect(ask().refusal?.status).toBe(404);
  });

  it('is that of a label which selectors ask for', () => {
    const { findings } = check(loadText(world(name, 'istio.io/gateway-controller')), {});
    expect(findings.filter(({ what }) => /failed on these manifests/.test(what))).toEqual([]);
    expect(findings.map(({ id }) => id)).toContain('EDGE515');
  });
});
