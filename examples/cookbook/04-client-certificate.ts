// Show a partner a client certificate that no application holds
//
// The Secret lies beside the gateway, and no key is in a manifest. It holds tls.crt, tls.key and the partner's ca.crt.
//
//     billing/invoices http://bank.example.com/ delivered
import type { Chart } from 'cdk8s';
import { EgressGateway, ExternalPort, ExternalService, HttpEgress, TlsCredential, Workloads } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const gateway = new EgressGateway(chart, 'Egress');
  const bank = new ExternalService(chart, 'Bank', { hosts: ['bank.example.com'], ports: [ExternalPort.httpThenTls()] });
  gateway.allow(Workloads.in('billing'), bank, {
    http: HttpEgress.originateMutualTls(TlsCredential.fromSecretName('bank-client-certificate')),
  });
}
