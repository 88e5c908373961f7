// Bound how long a site may take, and how often it is asked again
//
// At the gateway, the last proxy before the site; the sidecar in front of it retries nothing that left it, so attempts do not multiply.
//
//     shop/web http://rates.example.com/ delivered
import { type Chart, Duration } from 'cdk8s';
import { EgressGateway, ExternalPort, ExternalService } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const rates = new ExternalService(chart, 'Rates', {
    hosts: ['rates.example.com'],
    ports: [ExternalPort.httpThenTls()],
    namespace: 'shop',
  });
  gateway.forward(rates, {
    upstream: {
      timeout: Duration.seconds(5),
      retries: { attempts: 2, on: ['connect-failure', '503'] },
      connections: { maxConnections: 100, maxPendingRequests: 50 },
      outlierDetection: { consecutiveGatewayErrors: 5 },
    },
  });
}
