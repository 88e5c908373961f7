import { outcome, traceIn } from './text';

const mesh = (className: string, allowed: string): string => `
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
metadata: {name: infra}
---
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {team: pay}}
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
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: infra}
spec:
  gatewayClassName: ${className}
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
  ${allowed}
---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XListenerSet
metadata: {name: more, namespace: app}
spec: {parentRef: {name: edge, namespace: infra}, listeners: [{name: extra, port: 8080, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: app}
spec:
  parentRefs: [{group: gateway.networking.x-k8s.io, kind: XListenerSet, name: more}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
`;
const ALLOWED = 'allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {team: pay}}}}';
const settings = `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    gatewayAPI: {enabled: [XListenerSet]}`;
const alpha = `
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {values: {pilot: {env: {PILOT_ENABLE_ALPHA_GATEWAY_API: "true"}}}}`;
const asked = (yaml: string, port: number, istioVersion?: string): string =>
  outcome(
    traceIn(yaml, istioVersion === undefined ? {} : { istioVersion })(`http://shop.example.com:${port}/`, {
      from: 'outside',
      at: 'infra/edge',
    }),
  );
const DELIVERED = 'delivered to shop.app.svc.cluster.local:80';

describe('an XListenerSet', () => {
  it('adds its listeners where Envoy Gateway is told to read it and the Gateway admits it', () => {
    expect(asked(mesh('eg', ALLOWED) + settings, 8080)).toBe(DELIVERED);
    expect(asked(mesh('eg', ALLOWED), 8080)).toBe('NR - at envoy-gateway');
    expect(asked(mesh('eg', '') + settings, 8080)).toBe('NR - at envoy-gateway');
    expect(asked(mesh('eg', ALLOWED.replace('pay', 'web')) + settings, 8080)).toBe('NR - at envoy-gateway');
  });

  it('has its routes to itself, as the Gateway has its own', () => {
    expect(asked(mesh('eg', ALLOWED) + settings, 80)).toBe('NR 404 at envoy-gateway');
    const onGateway = mesh('eg', ALLOWED).replace(
      '{group: gateway.networking.x-k8s.io, kind: XListenerSet, name: more}',
      '{name: edge, namespace: infra}',
    );
    expect(asked(onGateway + settings, 80)).toBe(DELIVERED);
    expect(asked(onGateway + settings, 8080)).toBe('NR 404 at envoy-gateway');
  });

  it('is read by istiod before 1.30 if it is told to', () => {
    expect(asked(mesh('istio', ALLOWED) + alpha, 8080, '1.29')).toBe(DELIVERED);
    expect(asked(mesh('istio', ALLOWED), 8080, '1.29')).not.toBe(DELIVERED);
    expect(asked(mesh('istio', ALLOWED) + alpha, 8080, '1.30')).not.toBe(DELIVERED);
  });

  it('gives way to ListenerSet, which istiod reads from 1.30 on', () => {
    const sets = mesh('istio', ALLOWED).replaceAll('gateway.networking.x-k8s.io/v1alpha1', 'gateway.networking.k8s.io/v1').replaceAll('gateway.networking.x-k8s.io', 'gateway.networking.k8s.io').replaceAll('XListenerSet', 'ListenerSet'); // prettier-ignore
    expect(asked(sets, 8080, '1.29')).not.toBe(DELIVERED);
    expect(asked(sets, 8080, '1.30')).toBe(DELIVERED);
  });

  it('gives way to ListenerSet, which Envoy Gateway reads from 1.8 on without being told to', () => {
    const sets = mesh('eg', ALLOWED).replaceAll('gateway.networking.x-k8s.io/v1alpha1', 'gateway.networking.k8s.io/v1').replaceAll('gateway.networking.x-k8s.io', 'gateway.networking.k8s.io').replaceAll('XListenerSet', 'ListenerSet'); // prettier-ignore
    const under = (yaml: string, envoyGatewayVersion: string): string =>
      outcome(traceIn(yaml, { envoyGatewayVersion })('http://shop.example.com:8080/', { from: 'outside', at: 'infra/edge' })); // prettier-ignore
    expect(under(sets, '1.7')).toBe('NR - at envoy-gateway');
    expect(under(sets, '1.8')).toBe(DELIVERED);
    expect(under(mesh('eg', ALLOWED) + settings, '1.7')).toBe(DELIVERED);
    expect(under(mesh('eg', ALLOWED) + settings, '1.8')).toBe('NR - at envoy-gateway');
    // Before 1.7.1 such listeners were for routes of the Gateway's namespace.
    expect(under(mesh('eg', ALLOWED) + settings, '1.7.1')).toBe(DELIVERED);
    expect(under(mesh('eg', ALLOWED) + settings, '1.7.0')).toBe('NR 404 at envoy-gateway');
  });

  it('needs a grant of its own kind for a certificate of another namespace', () => {
    const tls = mesh('eg', ALLOWED).replace(
      '{name: extra, port: 8080, protocol: HTTP}',
      '{name: extra, port: 8443, protocol: HTTPS, tls: {certificateRefs: [{name: cert, namespace: infra}]}}',
    );
    const grant = (group: string, kind: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: certs, namespace: infra}
spec: {from: [{group: ${group}, kind: ${kind}, namespace: app}], to: [{group: '', kind: Secret}]}`;
    const end = (yaml: string): string =>
      outcome(traceIn(yaml + settings)('https://shop.example.com:8443/', { from: 'outside', at: 'infra/edge' }));
    expect(end(tls + grant('gateway.networking.k8s.io', 'Gateway'))).toBe('NR - at envoy-gateway');
    expect(end(tls + grant('gateway.networking.x-k8s.io', 'XListenerSet'))).toBe(DELIVERED);
  });
});

describe("Envoy Gateway's policies for listeners of sets", () => {
  const base = mesh('eg', 'allowedListeners: {namespaces: {from: All}}')
    .replace('gateway.networking.x-k8s.io/v1alpha1\nkind: XListenerSet', 'gateway.networking.k8s.io/v1\nkind: ListenerSet')
    .replace('listeners: [{name: extra, port: 8080, protocol: HTTP}]', 'listeners: [{name: http, port: 8080, protocol: HTTP}, {name: other, port: 8081, protocol: HTTP}]')
    .replace('parentRefs: [{group: gateway.networking.x-k8s.io, kind: XListenerSet, name: more}]', 'parentRefs: [{group: gateway.networking.k8s.io, kind: ListenerSet, name: more}, {name: edge, namespace: infra}]'); // prettier-ignore
  const policy = (name: string, namespace: string, target: string, action: string): string => `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, ${target}}]
  authorization: {defaultAction: ${action}}
`;
  const told = (policies: string) => {
    const ask = traceIn(base + policies, { envoyGatewayVersion: '1.9' });
    return [80, 8080, 8081].map((port) => outcome(ask(`http://any.example.com:${port}/`, { from: 'outside', at: 'infra/edge' })).split(' ')[0]); // prettier-ignore
  };

  it('are those of the listener, the set and the Gateway, in this order', () => {
    expect(told('')).toEqual(['delivered', 'delivered', 'delivered']);
    const onSet = policy('set', 'app', 'kind: ListenerSet, name: more', 'Deny');
    expect(told(onSet)).toEqual(['delivered', 'RBAC', 'RBAC']);
    const onListener = policy('one', 'app', 'kind: ListenerSet, name: more, sectionName: other', 'Allow');
    expect(told(onSet + onListener)).toEqual(['delivered', 'RBAC', 'delivered']);
    const onGateway = policy('all', 'infra', 'kind: Gateway, name: edge', 'Deny');
    expect(told(onGateway + onListener)).toEqual(['RBAC', 'RBAC', 'delivered']);
  });

  it('are not those of a listener of the Gateway that has the same name', () => {
    expect(told(policy('own', 'infra', 'kind: Gateway, name: edge, sectionName: http', 'Deny'))).toEqual(['RBAC', 'delivered', 'delivered']); // prettier-ignore
  });
});
