import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { EgressTrafficPolicy } from '../egress/egress-traffic-policy';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { Workloads } from '../mesh/workloads';
import { ScenarioChart } from './scenario';

/** The first example of the CRD that document 002 points to, ASMEgressTrafficPolicy. */
export class EgressTrafficPolicyHttp extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'egress-traffic-policy-http', {
      title: 'sleep-a may reach httpbin.org by plain HTTP',
      shows:
        'Workloads `app: sleep-a` of `mytest`, running as the service account `sleep-a`, may reach `www.httpbin.org` and `httpbin.org` on HTTP port 80, through port 80 of `egressgateway-a`. Two hosts, one VirtualService for the callers.',
      outcomes: [
        {
          request: '`curl http://www.httpbin.org/`, `curl http://httpbin.org/` from `sleep-a`',
          seen: 'pass through the gateway: `outbound|80||www.httpbin.org`, `outbound|80||httpbin.org`',
        },
        { request: 'the same from `sleep-b`', seen: '502 from its own sidecar' },
        { request: 'the same from `sleep-b`, straight to the gateway', seen: '403 from the gateway' },
        { request: '`curl https://httpbin.org/` from `sleep-a`', seen: 'reset by the sidecar' },
      ],
      needs: [
        'an egress gateway with the Service `egressgateway-a` in `istio-system`, its pods labelled `istio: egressgateway-a`',
      ],
    });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway', {
      serviceName: 'egressgateway-a',
      selector: { istio: 'egressgateway-a' },
    });
    const httpbin = new ExternalService(this, 'httpbin-service-http', {
      namespace: 'mytest',
      hosts: ['www.httpbin.org', 'httpbin.org'],
      ports: [ExternalPort.http()],
    });
    new EgressTrafficPolicy(this, 'Policy', {
      gateway,
      rules: [
        { from: [Workloads.serviceAccount('mytest', 'sleep-a', { app: 'sleep-a' })], to: [httpbin], gatewayPort: 80 },
      ],
    });
  }
}
