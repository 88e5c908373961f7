import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { ScenarioChart } from './scenario';

/** Document 001: the application's own TLS through the egress gateway, routed by SNI. */
export class GatewayTlsPassthrough extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'gateway-tls-passthrough', {
      title: 'HTTPS passed through the egress gateway',
      shows: 'TLS that the application makes reaches the site unopened. Sidecar and gateway both route it by its SNI.',
      outcomes: [
        {
          request: '`curl https://edition.cnn.com/`',
          seen: 'passes; both proxies log the SNI; gateway: `outbound|443||edition.cnn.com`',
        },
        { request: '`curl https://www.wikipedia.org/`', seen: 'reset by the sidecar' },
      ],
      needs: ['an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)'],
    });
    const cnn = new ExternalService(this, 'cnn', { hosts: ['edition.cnn.com'], ports: [ExternalPort.tls()] });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway', {
      configNamespace: 'default',
      hopRuleName: 'egressgateway-for-cnn',
    });
    gateway.forward(cnn, { subset: 'cnn', virtualService: 'direct-cnn-through-egress-gateway' });
  }
}
