import { Chart } from 'cdk8s';
import {
  DedicatedNodes,
  EdgeInvariant,
  EgressGateway,
  HttpEgress,
  InvariantRule,
  MeshMembership,
  MeshNamespace,
  OutboundMode,
  TlsDemand,
  TrafficSource,
} from 'cdk8s-mesh-edge';
import { Construct } from 'constructs';
import { AuditedService } from './audited-service';

/** The one way out for all teams. */
export class EgressChart extends Chart {
  public readonly gateway: EgressGateway;

  public constructor(scope: Construct, id: string) {
    super(scope, id);
    new MeshNamespace(this, 'Namespace', { name: 'istio-egress', membership: MeshMembership.none() });
    this.gateway = new EgressGateway(this, 'Egress', {
      name: 'egress',
      nodes: DedicatedNodes.labeled({ edge: 'egress' }),
    });
    const services = [
      new AuditedService(this, 'Stripe', { host: 'api.stripe.com', owner: 'payments', callers: ['shop', 'billing'] }),
      new AuditedService(this, 'Weather', { host: 'api.weather.example.com', owner: 'mobile', callers: ['mobile'] }),
    ];
    for (const service of services) this.gateway.forward(service, { http: HttpEgress.originateTls() });
    // What the security team signed off, decided for every request at each synth: whatever any chart opens is refused here.
    const outbound = OutboundMode.REGISTRY_ONLY;
    new EdgeInvariant(this, 'OnlyWhoPaysReachesStripe', {
      rule: InvariantRule.forbid({
        except: ['shop', 'billing', 'platform'].map((name) => TrafficSource.namespace(name)),
        to: { hosts: ['api.stripe.com'] },
      }),
      outbound,
    });
    new EdgeInvariant(this, 'NothingLeavesUnverified', {
      rule: InvariantRule.require({ to: { outside: true }, tls: TlsDemand.VERIFIED }),
      outbound,
    });
  }
}
