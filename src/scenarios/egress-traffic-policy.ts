import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { EgressTrafficPolicy } from '../egress/egress-traffic-policy';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { EdgeInvariant } from '../mesh/edge-invariant';
import { InvariantRule } from '../mesh/invariant-rule';
import { OutboundMode } from '../mesh/outbound-traffic-policy';
import { TrafficSource } from '../mesh/traffic-source';
import { Workloads } from '../mesh/workloads';
import { ScenarioChart } from './scenario';

/** Document 002: one policy in the place of the objects that it writes by hand. */
export class EgressTrafficPolicyScenario extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'egress-traffic-policy', {
      title: 'One policy: who may reach what, through the egress gateway',
      shows:
        'One rule, "workloads `app: sleep` of `default` may reach `aliyun.com` on HTTP 80", stands for the ServiceEntry, the gateway’s server, both hops of the route, the mutual TLS between them, the Sidecar that cuts everything else, and the AuthorizationPolicy at the gateway. The ServiceEntry is shown to the gateway alone; what the callers see is one VirtualService, and an entry of no host for it to hang on.',
      outcomes: [
        {
          request: '`curl http://aliyun.com/` from `app: sleep`',
          seen: 'passes; sidecar: `outbound|80|mutual-tls|istio-egressgateway.istio-system.svc.cluster.local`, gateway: `outbound|80||aliyun.com`',
        },
        { request: 'the same from any other workload', seen: '502 from its own sidecar' },
        { request: 'the same from another namespace, straight to the gateway', seen: '403 from the gateway' },
        { request: '`curl https://aliyun.com/`', seen: 'reset by the sidecar: port 443 is not in the rule' },
      ],
      needs: ['an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)'],
    });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway');
    const aliyun = new ExternalService(this, 'external-svc-http', {
      hosts: ['aliyun.com'],
      ports: [ExternalPort.http()],
    });
    new EgressTrafficPolicy(this, 'Policy', {
      gateway,
      rules: [{ from: [Workloads.in('default', { app: 'sleep' })], to: [aliyun] }],
    });
    // Nobody else, whatever is asked for: decided at each synth.
    new EdgeInvariant(this, 'OnlySleep', {
      rule: InvariantRule.forbid({
        except: [TrafficSource.labeled({ app: 'sleep' }, 'default')],
        to: { hosts: ['aliyun.com'] },
      }),
      outbound: OutboundMode.REGISTRY_ONLY,
    });
  }
}
