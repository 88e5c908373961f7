// Publish a Service at a host name
//
// Listener, certificate by cert-manager, redirect from plain HTTP, route, and the annotation for external-dns.
//
//     outside --at edge/edge https://shop.example.com/ delivered
//     outside --at edge/edge http://shop.example.com/ answered
import type { Chart } from 'cdk8s';
import {
  CertificateIssuer,
  IngressBackend,
  IngressClass,
  PublishedService,
  SharedIngressGateway,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const edge = new SharedIngressGateway(chart, 'Edge', {
    namespace: 'edge',
    ingressClass: IngressClass.istio(),
    issuer: CertificateIssuer.cluster('letsencrypt'),
  });
  new PublishedService(chart, 'Shop', {
    ingress: edge,
    namespace: 'shop',
    hostname: 'shop.example.com',
    backend: IngressBackend.service('web', 80),
    paths: [{ prefix: '/api/', backend: IngressBackend.service('orders', 8080) }],
  });
}
