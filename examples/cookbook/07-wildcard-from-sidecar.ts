// Let a namespace reach all hosts of a domain
//
// From the sidecar, to the address that the application dialled. TLS is told by its SNI, which an application chooses: name single hosts where
// that is not enough.
//
//     research/crawler https://de.wikipedia.org/ delivered
//     research/crawler https://en.wikipedia.org/ delivered
//     research/crawler https://example.net/ refused
import type { Chart } from 'cdk8s';
import { ExternalPort, ExternalService, OutboundMode, OutboundTrafficPolicy } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  new OutboundTrafficPolicy(chart, 'RegistryOnly', { namespace: 'research', mode: OutboundMode.REGISTRY_ONLY });
  new ExternalService(chart, 'Wikipedia', {
    hosts: ['*.wikipedia.org'],
    ports: [ExternalPort.https()],
    namespace: 'research',
  });
}
