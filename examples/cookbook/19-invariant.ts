// Have synth refuse whatever breaks a rule of the security team
//
// Decided for every request, over all charts of the app; a refusal shows a request that breaks the rule.
//
//     shop/payments http://api.stripe.com/ delivered
import type { Chart } from 'cdk8s';
import {
  EdgeInvariant,
  EgressGateway,
  ExternalPort,
  ExternalService,
  InvariantRule,
  OutboundMode,
  TlsDemand,
  TrafficSource,
  Workloads,
} from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const stripe = new ExternalService(chart, 'Stripe', {
    hosts: ['api.stripe.com'],
    ports: [ExternalPort.httpThenTls()],
  });
  gateway.allow(Workloads.in('shop', { app: 'payments' }), stripe);
  new EdgeInvariant(chart, 'OnlyShopReachesStripe', {
    rule: InvariantRule.forbid({ except: [TrafficSource.namespace('shop')], to: { hosts: ['api.stripe.com'] } }),
    outbound: OutboundMode.REGISTRY_ONLY,
  });
  new EdgeInvariant(chart, 'NothingLeavesUnverified', {
    rule: InvariantRule.require({ to: { outside: true }, tls: TlsDemand.VERIFIED }),
    outbound: OutboundMode.REGISTRY_ONLY,
  });
}
