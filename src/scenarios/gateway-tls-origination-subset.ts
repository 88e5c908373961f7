import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { HttpEgress, TlsEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { GatewayHop } from '../egress/gateway-hop';
import { ScenarioChart } from './scenario';

/** Document 004's form: the gateway makes TLS in a subset of its own. */
export class GatewayTlsOriginationSubset extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'gateway-tls-origination-subset', {
      title: 'TLS made by the egress gateway, in a subset of its own',
      shows:
        "Document 004's form: plain HTTP from the application leaves the gateway as TLS, by the subset `originate-tls` of the host. The host's other traffic keeps its settings.",
      outcomes: [
        {
          request: '`curl http://www.aliyun.com/`',
          seen: '200 without a redirect; gateway: `outbound|443|originate-tls|www.aliyun.com`; the site sees HTTPS',
        },
        { request: '`curl https://www.aliyun.com/`', seen: '200, straight from the sidecar' },
      ],
      needs: ['an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)'],
    });
    const aliyun = new ExternalService(this, 'entry-x', {
      hosts: ['www.aliyun.com'],
      ports: [ExternalPort.http(80, { name: 'http-port' }), ExternalPort.https(443, { name: 'https-port' })],
    });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway', {
      configNamespace: 'default',
      hopRuleName: 'egressgateway-for-aliyun',
      hop: GatewayHop.plainText(),
    });
    gateway.forward(aliyun, {
      http: HttpEgress.originateTls({ subset: 'originate-tls', destinationRule: 'originate-tls-for-aliyun' }),
      https: TlsEgress.direct(),
      subset: 'aliyun',
      virtualService: 'aliyun-through-egress-gateway',
    });
  }
}
