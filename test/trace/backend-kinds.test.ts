import { outcome, traceIn } from './text';

const world = (className: string, group: string, kind: string, more = ''): string => `
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: edge}
spec: {gatewayClassName: ${className}, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: model, namespace: edge}
spec: {parentRefs: [{name: public}], rules: [{backendRefs: [{group: ${group}, kind: ${kind}, name: model, port: 80}]}]}
${more}`;
const end = (...args: Parameters<typeof world>): string =>
  outcome(traceIn(world(...args))('http://model.example.com/', { from: 'outside', at: 'edge/public' }));
const POOL = ['inference.networking.k8s.io', 'InferencePool'] as const;
const istiod = (env: string): string => `---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {components: {pilot: {k8s: {env: [${env}]}}}}
`;
const envoyGateway = (more: string): string => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
metadata: {name: eg, namespace: envoy-gateway-system}
gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
${more}
`;
const EXTENDED = envoyGateway(
  'extensionManager: {backendResources: [{group: storage.example.org, version: v1, kind: Bucket}]}',
);

describe('a backend of a kind that is none of the Gateway API', () => {
  it('is none where no extension is known for it', () => {
    expect(end('istio', 'storage.example.org', 'Bucket')).toBe('NC 500 at ingress-gateway');
    expect(end('eg', 'storage.example.org', 'Bucket')).toBe('direct_response 500 at envoy-gateway');
  });

  it('is unknown where an extension may read it', () => {
    expect(end('istio', ...POOL)).toBe('unknown');
    expect(end('eg', ...POOL)).toBe('unknown');
    expect(end('istio', ...POOL, istiod('{name: ENABLE_GATEWAY_API_INFERENCE_EXTENSION, value: "true"}'))).toBe('unknown'); // prettier-ignore
    expect(end('eg', 'storage.example.org', 'Bucket', EXTENDED)).toBe('unknown');
  });

  it('is none where the installation is shown, and has not the extension', () => {
    expect(end('istio', ...POOL, istiod(''))).toBe('NC 500 at ingress-gateway');
    expect(end('eg', ...POOL, envoyGateway(''))).toBe('direct_response 500 at envoy-gateway');
    expect(end('eg', ...POOL, EXTENDED)).toBe('direct_response 500 at envoy-gateway');
  });
});
