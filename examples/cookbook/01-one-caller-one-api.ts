// Let one workload call one API, and nobody else
//
// The application makes the TLS itself. It goes through an egress gateway inside the mesh's mutual TLS, so that the gateway knows who calls;
// everybody else of that namespace is refused by their own sidecar, and by the gateway should they get around it. Other namespaces do not
// see the host; where they may go by themselves is what recipes 6 and 12 hold.
//
//     shop/payments https://api.stripe.com/ delivered
//     shop/web https://api.stripe.com/ refused
import type { Chart } from 'cdk8s';
import { EgressGateway, ExternalService, Workloads } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const stripe = new ExternalService(chart, 'Stripe', { hosts: ['api.stripe.com'] });
  gateway.allow(Workloads.in('shop', { app: 'payments' }, { serviceAccounts: ['payments'] }), stripe);
}
