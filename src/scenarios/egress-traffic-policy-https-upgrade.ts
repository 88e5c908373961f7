import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { EgressTrafficPolicy } from '../egress/egress-traffic-policy';
import { HttpEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { Workloads } from '../mesh/workloads';
import { ScenarioChart } from './scenario';

/** The second example of ASMEgressTrafficPolicy: plain HTTP is upgraded, beside HTTPS that the application makes. */
export class EgressTrafficPolicyHttpsUpgrade extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'egress-traffic-policy-https-upgrade', {
      title: 'sleep-a reaches httpbin.org by HTTPS, made by the gateway or by itself',
      shows:
        'As `egress-traffic-policy-http`, and the gateway makes TLS of the plain HTTP. HTTPS that the application makes passes through the same gateway unopened, inside the mesh’s own mutual TLS, so that the gateway knows who calls there too.',
      outcomes: [
        {
          request: '`curl http://httpbin.org/` from `sleep-a`',
          seen: 'leaves the gateway as TLS: `outbound|80||httpbin.org`, to port 443 of the host; 200 with no redirect',
        },
        {
          request: '`curl https://httpbin.org/` from `sleep-a`',
          seen: 'passes unopened: `outbound|443||httpbin.org` at the gateway',
        },
        { request: 'HTTP from `sleep-b`', seen: '502 from its own sidecar' },
        { request: 'HTTPS from `sleep-b`', seen: 'reset by its own sidecar' },
        { request: 'both from `sleep-b`, straight to the gateway', seen: '403, and a closed connection' },
      ],
      needs: [
        'an egress gateway with the Service `egressgateway-a` in `istio-system`, its pods labelled `istio: egressgateway-a`',
      ],
    });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway', {
      serviceName: 'egressgateway-a',
      selector: { istio: 'egressgateway-a' },
    });
    const httpbin = new ExternalService(this, 'httpbin-service', {
      namespace: 'mytest',
      hosts: ['www.httpbin.org', 'httpbin.org'],
      ports: [ExternalPort.http(), ExternalPort.https()],
    });
    new EgressTrafficPolicy(this, 'Policy', {
      gateway,
      rules: [
        {
          from: [Workloads.serviceAccount('mytest', 'sleep-a', { app: 'sleep-a' })],
          to: [httpbin],
          http: HttpEgress.originateTls(),
        },
      ],
    });
  }
}
