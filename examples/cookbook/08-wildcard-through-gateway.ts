// Take all hosts of a domain through the gateway
//
// The gateway resolves whatever name was asked for (Envoy's dynamic forward proxy, by an EnvoyFilter of the gateway alone).
import type { Chart } from 'cdk8s';
import { EgressGateway, ExternalPort, ExternalService, Resolution } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const wikipedia = new ExternalService(chart, 'Wikipedia', {
    hosts: ['*.wikipedia.org'],
    ports: [ExternalPort.https()],
    resolution: Resolution.dynamicForwardProxy(),
  });
  gateway.forward(wikipedia);
}
