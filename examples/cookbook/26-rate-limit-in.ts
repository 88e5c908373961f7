// Limit what each client may ask
//
// At Envoy Gateway, counted in each proxy by itself; `RateLimit.global` counts in a Redis for all.
//
//     outside --at shop/public http://shop.example.com/ delivered
import type { Chart } from 'cdk8s';
import {
  BackendTrafficPolicy,
  EnvoyGatewayInMesh,
  HttpIngressRoute,
  IngressBackend,
  IngressGateway,
  IngressListener,
  PolicyTarget,
  RateLimit,
  RateLimitUnit,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new IngressGateway(chart, 'Public', {
    namespace: 'shop',
    ingressClass: new EnvoyGatewayInMesh(chart, 'EnvoyGateway'),
    listeners: [IngressListener.http()],
  });
  const route = new HttpIngressRoute(chart, 'Shop', {
    namespace: 'shop',
    gateway,
    hostnames: ['shop.example.com'],
    rules: [{ backends: [IngressBackend.service('web', 80)] }],
  });
  new BackendTrafficPolicy(chart, 'Limit', {
    target: PolicyTarget.route(route),
    rateLimit: RateLimit.local([{ requests: 100, unit: RateLimitUnit.MINUTE, perClient: true }]),
  });
}
