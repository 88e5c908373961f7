import { outcome, traceIn } from './text';

const mesh = (
  gatewayClass: string,
  { from = 'Same', hostname = 'shop.example.com', namespace = 'web', grant = '' } = {},
) => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: ${gatewayClass}}
spec:
  controllerName: ${gatewayClass === 'istio' ? 'istio.io/gateway-controller' : 'gateway.envoyproxy.io/gatewayclass-controller'}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: web}
spec:
  gatewayClassName: ${gatewayClass}
  listeners:
  - {name: http, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: ${from}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: ${namespace}}
spec:
  parentRefs: [{name: edge, namespace: web}]
  hostnames: [${hostname}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /cart}}]
    backendRefs: [{name: shop, namespace: shop, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {clusterIP: 10.0.0.1, selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop, image: shop}]}}
${grant}`;

const GRANT = `---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: web, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: web}]
  to: [{group: "", kind: Service}]
`;

describe.each(['istio', 'eg'])('a Gateway of class %s', (gatewayClass) => {
  const ask = (options: Parameters<typeof mesh>[1], request = 'http://shop.example.com/cart') => {
    const told = traceIn(mesh(gatewayClass, options))(request, { from: 'outside', at: 'web/edge' });
    return told.outcome === 'refused' ? String(told.refusal?.status) : outcome(told);
  };

  it('serves a route whose backend grants it', () => {
    expect(ask({ grant: GRANT })).toBe('delivered to shop.shop.svc.cluster.local:80');
  });

  it('answers 500 where no ReferenceGrant allows the backend', () => {
    expect(ask({})).toBe('500');
  });

  it('finds nothing for another path or host', () => {
    expect(ask({ grant: GRANT }, 'http://shop.example.com/other')).toBe('404');
    expect(ask({ grant: GRANT }, 'http://other.example.com/cart')).toBe('404');
  });

  it('takes no route of another namespace unless the listener allows it', () => {
    const grant = GRANT.replace('namespace: web}]', 'namespace: team}]');
    expect(ask({ grant, namespace: 'team' })).toBe('404');
    expect(ask({ grant, namespace: 'team', from: 'All' })).toBe('delivered to shop.shop.svc.cluster.local:80');
  });

  it('takes no route whose hostnames are not those of the listener', () => {
    expect(ask({ grant: GRANT, hostname: 'shop.elsewhere.org' }, 'http://shop.elsewhere.org/cart')).toBe('404');
  });
});
