// Let a team bring its own host and certificate to a shared gateway
//
// The gateway is another repository's; the listener, the certificate and the route are the team's, in its own namespace.
import type { Chart } from 'cdk8s';
import {
  HttpIngressRoute,
  IngressBackend,
  IngressClass,
  IngressGateway,
  IngressListener,
  ListenerCertificate,
  ListenerSet,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const shared = IngressGateway.fromAttributes(chart, 'Shared', {
    name: 'shared',
    namespace: 'edge',
    ingressClass: IngressClass.istio(),
  });
  const ours = new ListenerSet(chart, 'Listeners', {
    namespace: 'shop',
    gateway: shared,
    listeners: [IngressListener.https(ListenerCertificate.secret('shop-tls'), { hostname: 'shop.example.com' })],
  });
  new HttpIngressRoute(chart, 'Shop', {
    namespace: 'shop',
    gateway: ours,
    hostnames: ['shop.example.com'],
    rules: [{ backends: [IngressBackend.service('web', 80)] }],
  });
}
