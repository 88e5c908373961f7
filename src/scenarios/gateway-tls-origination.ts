import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { HttpEgress, TlsEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { GatewayHop } from '../egress/gateway-hop';
import { ScenarioChart } from './scenario';

/** Document 001's form: the gateway makes TLS for the host's port as a whole. */
export class GatewayTlsOrigination extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'gateway-tls-origination', {
      title: 'TLS made by the egress gateway, for the host as a whole',
      shows:
        "Document 001's form: plain HTTP from the application leaves the gateway as TLS, by a DestinationRule for the host's port 443. The document puts that rule where sidecars see it too, and so wraps HTTPS made by applications in a second TLS; here it lies beside the gateway and is seen by it alone.",
      outcomes: [
        {
          request: '`curl http://edition.cnn.com/politics`',
          seen: '200 without a redirect; gateway: `outbound|443||edition.cnn.com`; the site sees HTTPS',
        },
        { request: '`curl https://edition.cnn.com/politics`', seen: '200, straight from the sidecar' },
      ],
      needs: ['an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)'],
    });
    const cnn = new ExternalService(this, 'edition-cnn-com', {
      hosts: ['edition.cnn.com'],
      ports: [ExternalPort.http(80, { name: 'http-port' }), ExternalPort.https(443, { name: 'https-port' })],
    });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway', {
      configNamespace: 'default',
      hopRuleName: 'egressgateway-for-cnn',
      hop: GatewayHop.plainText(),
    });
    gateway.forward(cnn, {
      http: HttpEgress.originateTls(),
      https: TlsEgress.direct(),
      subset: 'cnn',
      virtualService: 'direct-cnn-through-egress-gateway',
    });
  }
}
