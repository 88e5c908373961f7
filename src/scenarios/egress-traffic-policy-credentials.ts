import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { EgressTrafficPolicy } from '../egress/egress-traffic-policy';
import { HttpEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { TlsCredential } from '../mesh/tls-credential';
import { Workloads } from '../mesh/workloads';
import { ScenarioChart } from './scenario';

/** Two callers of one site, each with a client certificate of its own. */
export class EgressTrafficPolicyCredentials extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'egress-traffic-policy-credentials', {
      title: 'Each caller with a client certificate of its own',
      shows:
        'Workloads `payments` and `orders` of `shop` both call `http://partner.example.com`. The gateway makes mutual TLS of it, and shows the credential of whoever called. It tells them apart by the Host of the hop, to which only its own callers are admitted, and writes the site’s Host again behind it.',
      outcomes: [
        {
          request: '`curl http://partner.example.com/` from `payments`',
          seen: 'passes; the site is shown the certificate in `payments-credential`',
        },
        { request: 'the same from `orders`', seen: 'passes; the site is shown the certificate in `orders-credential`' },
        { request: 'the same from another namespace', seen: '502 from its own sidecar' },
      ],
      needs: [
        'an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)',
        'the Secrets `payments-credential` and `orders-credential` beside it',
      ],
    });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway');
    const partner = new ExternalService(this, 'partner', {
      namespace: 'shop',
      hosts: ['partner.example.com'],
      ports: [ExternalPort.http(80, { targetPort: 443 })],
    });
    new EgressTrafficPolicy(this, 'Policy', {
      gateway,
      rules: ['payments', 'orders'].map((name) => ({
        from: [Workloads.serviceAccount('shop', name, { app: name })],
        to: [partner],
        http: HttpEgress.originateMutualTls(TlsCredential.fromSecretName(`${name}-credential`)),
      })),
    });
  }
}
