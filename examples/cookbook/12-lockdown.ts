// Have the network hold what the mesh cannot
//
// A process that gets around its sidecar is held by NetworkPolicies: applications reach DNS, istiod, the mesh and the gateway, and only the gateway
// leaves. It is said once for a gateway, and locks in the callers of all its policies.
//
//     shop/payments https://api.stripe.com/ delivered
import type { Chart } from 'cdk8s';
import { EgressGateway, EgressLockdown, EgressTrafficPolicy, ExternalService, Workloads } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  new EgressLockdown(chart, 'Lockdown', { gateway });
  const stripe = new ExternalService(chart, 'Stripe', { hosts: ['api.stripe.com'] });
  new EgressTrafficPolicy(chart, 'Payments', {
    gateway,
    rules: [{ from: [Workloads.in('shop', { app: 'payments' })], to: [stripe] }],
  });
}
