// Have Envoy Gateway send into a mesh under STRICT mutual TLS
//
// Its proxies get sidecars, which speak mutual TLS with the Services: they may refuse everybody else.
//
//     outside --at shop/public http://shop.example.com/ delivered
import type { Chart } from 'cdk8s';
import {
  EnvoyGatewayInMesh,
  HttpIngressRoute,
  HttpMatch,
  IngressBackend,
  IngressGateway,
  IngressListener,
  MeshMembership,
  MeshNamespace,
  PeerAuthentication,
  PeerScope,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  new MeshNamespace(chart, 'Namespace', { name: 'shop', membership: MeshMembership.sidecar() });
  new PeerAuthentication(chart, 'Strict', { appliesTo: PeerScope.inNamespace('shop') });
  const gateway = new IngressGateway(chart, 'Public', {
    namespace: 'shop',
    ingressClass: new EnvoyGatewayInMesh(chart, 'EnvoyGateway'),
    listeners: [IngressListener.http()],
  });
  new HttpIngressRoute(chart, 'Shop', {
    namespace: 'shop',
    gateway,
    hostnames: ['shop.example.com'],
    rules: [{ matches: [HttpMatch.prefix('/')], backends: [IngressBackend.service('web', 80)] }],
  });
}
