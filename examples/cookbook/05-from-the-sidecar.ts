// Originate TLS in the sidecar, without a gateway
//
// One hop less, and no identity that a gateway could ask for: what the application may reach, its own sidecar decides.
//
//     news/reader http://edition.cnn.com/ delivered
import type { Chart } from 'cdk8s';
import { ExternalPort, ExternalService, HttpEgress, SidecarEgress } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const cnn = new ExternalService(chart, 'Cnn', {
    hosts: ['edition.cnn.com'],
    ports: [ExternalPort.httpThenTls()],
    namespace: 'news',
  });
  new SidecarEgress(chart, 'FromSidecar', { service: cnn, http: HttpEgress.originateTls() });
}
