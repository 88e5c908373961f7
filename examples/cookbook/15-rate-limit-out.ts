// Keep to a partner's quota
//
// Each replica of the gateway counts by itself; what is over it gets 429 before it leaves.
//
//     shop/web http://quota.example.com/ delivered
import { type Chart, Duration } from 'cdk8s';
import { EgressGateway, ExternalPort, ExternalService } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const partner = new ExternalService(chart, 'Partner', {
    hosts: ['quota.example.com'],
    ports: [ExternalPort.httpThenTls()],
    namespace: 'shop',
  });
  gateway.forward(partner, { upstream: { rateLimit: { requests: 600, per: Duration.minutes(1), burst: 50 } } });
}
