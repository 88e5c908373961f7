// Open an address range for a namespace
//
// A range that has no names: connections keep the address that was dialled.
//
//     ops/backup tcp://198.51.100.7:9000 delivered
//     ops/backup tcp://203.0.113.1:9000 refused
import type { Chart } from 'cdk8s';
import { ExternalPort, ExternalService, OutboundMode, OutboundTrafficPolicy } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  new OutboundTrafficPolicy(chart, 'RegistryOnly', { namespace: 'ops', mode: OutboundMode.REGISTRY_ONLY });
  new ExternalService(chart, 'Appliances', {
    hosts: ['appliances.internal.example'],
    addresses: ['198.51.100.0/24'],
    ports: [ExternalPort.tcp(9000)],
    namespace: 'ops',
  });
}
