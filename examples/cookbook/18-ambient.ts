// Say the same of workloads without sidecars
//
// In ambient mode a waypoint is what the gateway is to sidecars. It knows callers by service account.
//
//     shop/payments http://api.stripe.com/ delivered
//     shop/web http://api.stripe.com/ refused
import type { Chart } from 'cdk8s';
import {
  EgressWaypoint,
  ExternalPort,
  ExternalService,
  HttpEgress,
  MeshMembership,
  MeshNamespace,
  WaypointTrafficPolicy,
  Workloads,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  new MeshNamespace(chart, 'Shop', { name: 'shop', membership: MeshMembership.ambient() });
  new MeshNamespace(chart, 'Egress', { name: 'istio-egress', membership: MeshMembership.ambient() });
  const waypoint = new EgressWaypoint(chart, 'Waypoint', { namespace: 'istio-egress' });
  const stripe = new ExternalService(chart, 'Stripe', {
    hosts: ['api.stripe.com'],
    ports: [ExternalPort.httpThenTls()],
    namespace: 'istio-egress',
  });
  new WaypointTrafficPolicy(chart, 'Payments', {
    waypoint,
    rules: [{ from: [Workloads.serviceAccount('shop', 'payments')], to: [stripe], http: HttpEgress.originateTls() }],
  });
}
