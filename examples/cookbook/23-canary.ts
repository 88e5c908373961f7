// Send a share of requests to a new version
//
// By weight, and all of them for who asks by a header.
//
//     outside --at shop/public http://shop.example.com/ delivered
import type { Chart } from 'cdk8s';
import {
  HttpIngressRoute,
  HttpMatch,
  IngressBackend,
  IngressClass,
  IngressGateway,
  IngressListener,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new IngressGateway(chart, 'Public', {
    namespace: 'shop',
    ingressClass: IngressClass.istio(),
    listeners: [IngressListener.http()],
  });
  new HttpIngressRoute(chart, 'Shop', {
    namespace: 'shop',
    gateway,
    hostnames: ['shop.example.com'],
    rules: [
      {
        matches: [HttpMatch.prefix('/', { headers: { 'x-version': 'next' } })],
        backends: [IngressBackend.service('web-next', 80)],
      },
      {
        matches: [HttpMatch.prefix('/')],
        backends: [
          IngressBackend.service('web', 80, { weight: 95 }),
          IngressBackend.service('web-next', 80, { weight: 5 }),
        ],
      },
    ],
  });
}
