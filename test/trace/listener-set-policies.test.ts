import { outcome, traceIn } from './text';

const EDGE = (envoyGateway: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: eg }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
---
apiVersion: v1
kind: Namespace
metadata: { name: envoy-gateway-system }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: app }
spec: { clusterIP: 10.96.0.10, selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: app, labels: { app: web } }
spec: { containers: [{ name: web, image: web }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: app }
spec:
  gatewayClassName: eg
  allowedListeners: { namespaces: { from: Same } }
  listeners: [{ name: web, port: 8080, protocol: HTTP }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: { name: more, namespace: app }
spec: { parentRef: { name: edge }, listeners: [{ name: web, port: 8081, protocol: HTTP }, { name: other, port: 8082, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: app }
spec:
  parentRefs: [{ name: edge }, { group: gateway.networking.k8s.io, kind: ListenerSet, name: more }]
  rules: [{ backendRefs: [{ name: web, port: 80 }] }]
${envoyGateway}`;

const policy = (name: string, kind: string, target: string, action: string, section = ''): string => `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: { name: ${name}, namespace: app }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: ${kind}, name: ${target}${section === '' ? '' : `, sectionName: ${section}`} }]
  authorization: { defaultAction: ${action} }
`;

/** Which of the three ports lets a request in: of the Gateway's listener web, and of web and other of the set. */
const open = (policies: string): string => {
  const trace = traceIn(EDGE(policies), { envoyGatewayVersion: '1.9' });
  return [8080, 8081, 8082]
    .filter((port) => /^delivered/.test(outcome(trace(`http://a.example.com:${port}/`, { from: 'outside', at: 'app/edge' }))))
    .join();
}; // prettier-ignore

describe('a policy of Envoy Gateway for a ListenerSet', () => {
  it.each([
    ['is none', '', '8080,8081,8082'],
    ['holds for its listeners', policy('a', 'ListenerSet', 'more', 'Deny'), '8080'],
    ['holds for the one that it names', policy('a', 'ListenerSet', 'more', 'Deny', 'other'), '8080,8081'],
    ['holds for one of a name that the Gateway has too', policy('a', 'ListenerSet', 'more', 'Deny', 'web'), '8080,8082'],
    ['comes before that of the Gateway', policy('a', 'ListenerSet', 'more', 'Allow') + policy('b', 'Gateway', 'edge', 'Deny'), '8081,8082'],
    ['comes after that of its listener', policy('a', 'ListenerSet', 'more', 'Deny') + policy('b', 'ListenerSet', 'more', 'Allow', 'other'), '8080,8082'],
    ['leaves the others to the Gateway', policy('a', 'ListenerSet', 'more', 'Allow', 'other') + policy('b', 'Gateway', 'edge', 'Deny'), '8082'],
    ['is not one for a listener of the Gateway', policy('a', 'Gateway', 'edge', 'Deny', 'web'), '8081,8082'],
    ['comes after that of the route', policy('a', 'ListenerSet', 'more', 'Deny') + policy('b', 'HTTPRoute', 'web', 'Allow'), '8080,8081,8082'],
  ])('%s', (_, policies, expected) => expect(open(policies)).toBe(expected)); // prettier-ignore
});
