// Allow some methods and paths of an API
//
// Only what proxies can read can be held: the application speaks plain HTTP, and the gateway makes the TLS.
//
//     shop/payments http://api.stripe.com/v1/charges --method POST delivered
//     shop/payments http://api.stripe.com/v1/charges --method DELETE refused
//     shop/payments http://api.stripe.com/v2/accounts --method POST refused
import type { Chart } from 'cdk8s';
import { EgressGateway, ExternalPort, ExternalService, Workloads } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const stripe = new ExternalService(chart, 'Stripe', {
    hosts: ['api.stripe.com'],
    ports: [ExternalPort.httpThenTls()],
  });
  gateway.allow(Workloads.in('shop', { app: 'payments' }), stripe, { methods: ['GET', 'POST'], paths: ['/v1/*'] });
}
