import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { EgressTrafficPolicy } from '../egress/egress-traffic-policy';
import { HttpEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { Workloads } from '../mesh/workloads';
import { ScenarioChart } from './scenario';

/** A policy by no gateway, beside a rule by one. */
export class EgressTrafficPolicyDirect extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'egress-traffic-policy-direct', {
      title: 'One policy, some of it straight from the sidecars',
      shows:
        'Workloads `app: sleep` of `default` may reach `hbchen.com` through the egress gateway, and straight from their sidecars `aliyun.com`, to which the sidecar makes TLS, and every host of `wikipedia.org` by HTTPS of their own. The entries of the last two are shown to `default`; a VirtualService tells who in it may use them, and leads everybody else nowhere.',
      outcomes: [
        {
          request: '`curl http://hbchen.com/` from `app: sleep`',
          seen: 'passes through the gateway: `outbound|80||hbchen.com` there',
        },
        {
          request: '`curl http://aliyun.com/` from `app: sleep`',
          seen: 'leaves the sidecar as TLS: `outbound|80||aliyun.com`, to port 443 of the host',
        },
        {
          request: '`curl https://en.wikipedia.org/` from `app: sleep`',
          seen: 'passes straight, unopened: `outbound|443||*.wikipedia.org`',
        },
        { request: 'HTTP to any of them from any other workload', seen: '502 from its own sidecar' },
        { request: 'HTTPS to any of them from any other workload', seen: 'closed by its own sidecar' },
      ],
      needs: ['an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)'],
    });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway');
    const sleep = [Workloads.in('default', { app: 'sleep' })];
    const hbchen = new ExternalService(this, 'hbchen', { hosts: ['hbchen.com'], ports: [ExternalPort.http()] });
    const aliyun = new ExternalService(this, 'aliyun', {
      hosts: ['aliyun.com'],
      ports: [ExternalPort.http(80, { targetPort: 443 })],
    });
    const wikipedia = new ExternalService(this, 'wikipedia', {
      hosts: ['*.wikipedia.org'],
      ports: [ExternalPort.https()],
    });
    new EgressTrafficPolicy(this, 'Policy', {
      gateway,
      rules: [
        { from: sleep, to: [hbchen] },
        { from: sleep, to: [aliyun], direct: true, http: HttpEgress.originateTls() },
        { from: sleep, to: [wikipedia], direct: true },
      ],
    });
  }
}
