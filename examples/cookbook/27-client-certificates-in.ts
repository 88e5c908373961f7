// Let in only clients that show a certificate
//
// The ConfigMap holds the authorities that sign them, under ca.crt.
import type { Chart } from 'cdk8s';
import {
  HttpIngressRoute,
  IngressBackend,
  IngressClass,
  IngressGateway,
  IngressListener,
  ListenerCertificate,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new IngressGateway(chart, 'Partners', {
    namespace: 'shop',
    ingressClass: IngressClass.istio(),
    listeners: [
      IngressListener.https(ListenerCertificate.secret('partners-tls'), { hostname: 'partners.example.com' }),
    ],
    clientCertificates: { caName: 'partner-authorities' },
  });
  new HttpIngressRoute(chart, 'Orders', {
    namespace: 'shop',
    gateway,
    hostnames: ['partners.example.com'],
    rules: [{ backends: [IngressBackend.service('orders', 8080)] }],
  });
}
