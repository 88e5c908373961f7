import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { HttpEgress, TlsEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { GatewayHop } from '../egress/gateway-hop';
import { ScenarioChart } from './scenario';

/** Documents 001, 002 and 004: plain HTTP through the egress gateway. */
export class GatewayHttp extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'gateway-http', {
      title: 'Plain HTTP through the egress gateway',
      shows:
        "The documents' first form: HTTP to `edition.cnn.com` goes from the sidecar to `istio-egressgateway` and from there to the site, both hops in one VirtualService. The hop to the gateway is plain text here, as in the documents; `many-hosts` shows it in mutual TLS.",
      outcomes: [
        {
          request: '`curl http://edition.cnn.com/`',
          seen: 'sidecar: `outbound|80|cnn|istio-egressgateway.istio-system.svc.cluster.local`; gateway: `outbound|80||edition.cnn.com`',
        },
        { request: '`curl https://edition.cnn.com/`', seen: "goes direct: shows in the sidecar's log only" },
      ],
      needs: ['an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)'],
    });
    const cnn = new ExternalService(this, 'cnn', {
      hosts: ['edition.cnn.com'],
      ports: [ExternalPort.http(80, { name: 'http-port' }), ExternalPort.https()],
    });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway', {
      configNamespace: 'default',
      hopRuleName: 'egressgateway-for-cnn',
      hop: GatewayHop.plainText(),
    });
    gateway.forward(cnn, {
      http: HttpEgress.asIs(),
      https: TlsEgress.direct(),
      subset: 'cnn',
      virtualService: 'direct-cnn-through-egress-gateway',
    });
  }
}
