// Give the gateway nodes of its own, so that sites see few addresses
//
// The nodes carry the label and a taint of the same key and value; a NAT for these nodes alone makes the address.
//
//     shop/web https://api.example.com/ delivered
import type { Chart } from 'cdk8s';
import {
  DedicatedNodes,
  EgressGateway,
  ExternalPort,
  ExternalService,
  MeshMembership,
  MeshNamespace,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  new MeshNamespace(chart, 'Namespace', { name: 'istio-egress', membership: MeshMembership.none() });
  const gateway = new EgressGateway(chart, 'Egress', {
    nodes: DedicatedNodes.labeled({ edge: 'egress' }),
    minReplicas: 2,
  });
  gateway.forward(
    new ExternalService(chart, 'Api', { hosts: ['api.example.com'], ports: [ExternalPort.https()], namespace: 'shop' }),
  );
}
