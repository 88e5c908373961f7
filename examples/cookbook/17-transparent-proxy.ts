// Take TLS through the company's proxy without telling applications
//
// The gateway opens the tunnel (CONNECT); applications call the site as if nothing was in between.
//
//     shop/web https://en.wikipedia.org/ delivered
import type { Chart } from 'cdk8s';
import { EgressGateway, ExternalPort, ExternalService, TlsEgress, TransparentProxy } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const proxy = new TransparentProxy(chart, 'Proxy', { host: 'proxy.corp.example', namespace: 'istio-egress' });
  const wikipedia = new ExternalService(chart, 'Wikipedia', {
    hosts: ['en.wikipedia.org'],
    ports: [ExternalPort.https()],
    namespace: 'shop',
  });
  gateway.forward(wikipedia, { https: TlsEgress.tunnel(proxy) });
}
