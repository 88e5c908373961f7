// Ask people to log in before a route (OIDC)
//
// Envoy Gateway does it. The Secret with the client's secret lies beside the route, and the provider is registered, since proxies call it.
import type { Chart } from 'cdk8s';
import {
  EnvoyGatewayInMesh,
  ExternalService,
  HttpIngressRoute,
  IngressBackend,
  IngressGateway,
  IngressListener,
  ListenerCertificate,
  PolicyTarget,
  SecurityPolicy,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new IngressGateway(chart, 'Public', {
    namespace: 'shop',
    ingressClass: new EnvoyGatewayInMesh(chart, 'EnvoyGateway'),
    listeners: [IngressListener.https(ListenerCertificate.secret('shop-tls'), { hostname: 'shop.example.com' })],
  });
  const route = new HttpIngressRoute(chart, 'Shop', {
    namespace: 'shop',
    gateway,
    hostnames: ['shop.example.com'],
    rules: [{ backends: [IngressBackend.service('web', 80)] }],
  });
  new SecurityPolicy(chart, 'Login', {
    target: PolicyTarget.route(route),
    oidc: {
      clientId: 'shop',
      clientSecretName: 'shop-oidc',
      provider: {
        issuer: 'https://login.example.com',
        authorizationEndpoint: 'https://login.example.com/authorize',
        tokenEndpoint: 'https://login.example.com/token',
        service: new ExternalService(chart, 'Provider', {
          hosts: ['login.example.com'],
          namespace: 'shop',
        }),
      },
    },
  });
}
