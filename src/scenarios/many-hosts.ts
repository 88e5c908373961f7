import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { HttpEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { Resolution } from '../egress/resolution';
import { MeshMembership } from '../mesh/mesh-membership';
import { MeshNamespace } from '../mesh/mesh-namespace';
import { TlsCredential } from '../mesh/tls-credential';
import { ScenarioChart } from './scenario';

/** Ten hosts of mixed kinds through one gateway: the case where the documents' per-host objects overwrite each other. */
export class ManyHosts extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'many-hosts', {
      title: 'Ten hosts of mixed kinds through one gateway',
      shows:
        'One Gateway and one DestinationRule for the way to it, owned by the gateway; a ServiceEntry and a VirtualService for each host, owned by the host. Adding or removing a host touches no object of another host. Every hop to the gateway that carries no TLS of the application is in mutual TLS.',
      outcomes: [
        { request: '`curl http://edition.cnn.com/`, `curl http://httpbin.org/`', seen: 'pass as plain HTTP' },
        { request: '`curl https://www.wikipedia.org/`, `curl https://api.github.com/`', seen: 'pass through by SNI' },
        {
          request: '`curl http://www.aliyun.com/`, `curl http://hbchen.com/`',
          seen: 'leave the gateway as TLS; `curl https://www.aliyun.com/` passes through beside it',
        },
        {
          request: '`curl http://partner.example.com/`, `curl http://bank.example.com/`',
          seen: 'leave the gateway as mutual TLS, each with a client certificate of its own',
        },
        { request: 'a TCP client to `db.example.com:5432`', seen: 'passes, in mutual TLS to the gateway' },
        { request: '`curl https://en.cdn.example.com/`', seen: 'passes through by the wildcard `*.cdn.example.com`' },
      ],
      needs: [
        'Secrets `partner-credential` and `bank-credential` in `istio-egress`, with `tls.crt`, `tls.key` and `ca.crt`',
      ],
    });
    new MeshNamespace(this, 'EgressNamespace', { name: 'istio-egress', membership: MeshMembership.none() });
    const gateway = new EgressGateway(this, 'Egress', { name: 'egress' });
    const http = ExternalPort.http();
    const https = ExternalPort.https();
    const service = (id: string, host: string, ...ports: ExternalPort[]) =>
      new ExternalService(this, id, { hosts: [host], ports });

    gateway.forward(service('cnn', 'edition.cnn.com', http));
    gateway.forward(service('httpbin', 'httpbin.org', http));
    gateway.forward(service('wikipedia', 'www.wikipedia.org', https));
    gateway.forward(service('github', 'api.github.com', https));
    gateway.forward(service('aliyun', 'www.aliyun.com', http, https), { http: HttpEgress.originateTls() });
    // Applications get no HTTPS port here: the plain port itself goes to 443.
    gateway.forward(service('hbchen', 'hbchen.com', ExternalPort.http(80, { targetPort: 443 })), {
      http: HttpEgress.originateTls(),
    });
    for (const name of ['partner', 'bank']) {
      const credential = TlsCredential.fromSecretName(`${name}-credential`, 'istio-egress');
      gateway.forward(service(name, `${name}.example.com`, ExternalPort.http(80, { targetPort: 443 })), {
        http: HttpEgress.originateMutualTls(credential),
      });
    }
    gateway.forward(
      new ExternalService(this, 'db', {
        hosts: ['db.example.com'],
        addresses: ['203.0.113.30'],
        ports: [ExternalPort.tcp(5432)],
      }),
    );
    gateway.forward(
      new ExternalService(this, 'cdn', {
        hosts: ['*.cdn.example.com'],
        ports: [https],
        resolution: Resolution.dns({ address: 'edge.cdn.example.com' }),
      }),
    );
  }
}
