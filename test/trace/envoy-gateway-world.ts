/** A Gateway of Envoy Gateway with one HTTPRoute, to put policies beside. */
import { outcome, traceIn } from './text';

export const MESH = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: app}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: 10.96.0.10, selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: app, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop}]}
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: app}
spec: {clusterIP: 10.96.0.11, selector: {app: store}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: store, namespace: app, labels: {app: store}}
spec: {containers: [{name: store, image: store}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app, labels: {tier: edge}}
spec:
  gatewayClassName: eg
  listeners: [{name: http, port: 80, protocol: HTTP}, {name: other, port: 8080, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: app, labels: {team: pay}}
spec:
  parentRefs: [{name: front}]
  rules:
    - name: v1
      matches: [{path: {type: PathPrefix, value: /v1}}]
      backendRefs: [{name: shop, port: 80}]
    - backendRefs: [{name: shop, port: 80}]
`;

let count = 0;
export const policy = (kind: string, spec: string): string => `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ${kind}
metadata: {name: policy${String((count += 1)).padStart(3, '0')}, namespace: app}
spec: {${spec}}`;
export const ON_ROUTE = 'targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]';
export const onGateway = (section = '') =>
  `targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front${section && `, sectionName: ${section}`}}]`;
export const abort = (status: number): string => `faultInjection: {abort: {httpStatus: ${status}}}`;
export const DELIVERED = 'delivered to shop.app.svc.cluster.local:80';

export const ask = (more: string, path = '/', request: object = {}, port = 80): string =>
  outcome(
    traceIn(MESH + more)(`http://www.example.com:${port}${path}`, { from: 'outside', at: 'app/front', ...request }),
  );
