// Call an HTTPS site in plain HTTP, so that the mesh sees requests
//
// The application calls http://edition.cnn.com; the gateway makes the TLS, verifies the site, and may look at methods and paths.
//
//     news/reader http://edition.cnn.com/ delivered
//     sports/reader http://edition.cnn.com/ delivered
import type { Chart } from 'cdk8s';
import { Audience, EgressGateway, ExternalPort, ExternalService } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const cnn = new ExternalService(chart, 'Cnn', {
    hosts: ['edition.cnn.com'],
    ports: [ExternalPort.httpThenTls()],
    audience: Audience.namespaces('news', 'sports'),
  });
  gateway.forward(cnn);
}
