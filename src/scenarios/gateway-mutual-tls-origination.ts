import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { HttpEgress, TlsEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { GatewayHop } from '../egress/gateway-hop';
import { TlsCredential } from '../mesh/tls-credential';
import { addMutualTlsServer } from './external-mutual-tls-server';
import { ScenarioChart } from './scenario';

/** Document 001: the gateway shows a client certificate that the application knows nothing of. */
export class GatewayMutualTlsOrigination extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'gateway-mutual-tls-origination', {
      title: 'Mutual TLS made by the egress gateway',
      shows:
        "Plain HTTP from the application reaches a server that demands a client certificate. The hop to the gateway is in the mesh's mutual TLS; from there the gateway makes mutual TLS with the credential `client-credential`, which lies beside it and nowhere else.",
      outcomes: [
        {
          request: '`curl http://my-nginx.mesh-external.svc.cluster.local/`',
          seen: '200; gateway: `outbound|443||my-nginx.mesh-external.svc.cluster.local`; the server sees the client certificate',
        },
        { request: 'the same without the Secret', seen: '503 from the gateway' },
        {
          request: '`curl -k https://my-nginx.mesh-external.svc.cluster.local/`, straight',
          seen: '400 from the server: no client certificate',
        },
      ],
      needs: [
        'an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)',
        'Secret `client-credential` in `istio-system` with `tls.crt`, `tls.key` and `ca.crt`',
        'Secrets `nginx-server-certs` and `nginx-ca-certs` in `mesh-external`, for the stand-in server',
      ],
    });
    addMutualTlsServer(this);
    const nginx = new ExternalService(this, 'nginx', {
      hosts: ['my-nginx.mesh-external.svc.cluster.local'],
      ports: [ExternalPort.http(), ExternalPort.https()],
    });
    const gateway = EgressGateway.fromInstalled(this, 'Gateway', {
      configNamespace: 'default',
      hopRuleName: 'egressgateway-for-nginx',
      hop: GatewayHop.mutualTls({ port: 443 }),
    });
    gateway.forward(nginx, {
      http: HttpEgress.originateMutualTls(TlsCredential.fromSecretName('client-credential'), {
        destinationRule: 'originate-mtls-for-nginx',
      }),
      https: TlsEgress.direct(),
      subset: 'nginx',
      virtualService: 'direct-nginx-through-egress-gateway',
    });
  }
}
