// Fail over between the regions of a service
//
// The endpoints say where they are; outlier detection, without which nothing fails over, comes with it.
//
//     shop/web http://search.example.com/ delivered
import type { Chart } from 'cdk8s';
import { EgressGateway, ExternalPort, ExternalService, LocalityPreference, Resolution } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const search = new ExternalService(chart, 'Search', {
    hosts: ['search.example.com'],
    ports: [ExternalPort.httpThenTls()],
    namespace: 'shop',
    resolution: Resolution.dns(
      { address: 'west.search.example.com', locality: 'eu-west' },
      { address: 'north.search.example.com', locality: 'eu-north' },
    ),
  });
  gateway.forward(search, { upstream: { locality: LocalityPreference.failover({ from: 'eu-west', to: 'eu-north' }) } });
}
