import { Chart, JsonPatch } from 'cdk8s';
import { Audience, EgressGateway, ExternalPort, ExternalService, HttpEgress, TlsCredential } from 'cdk8s-mesh-edge';
import { Construct } from 'constructs';

/** A partner that demands a client certificate, through the gateway that came with Istio. */
export class LegacyChart extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);
    const gateway = EgressGateway.fromInstalled(this, 'Gateway');
    const bank = new ExternalService(this, 'Bank', {
      hosts: ['bank.example.com'],
      ports: [ExternalPort.http(80, { targetPort: 443 })],
      audience: Audience.namespaces('billing'),
      namespace: 'platform',
    });
    // The Secret is made by the security team, beside the gateway.
    const credential = TlsCredential.fromSecretName('bank-client-certificate', 'istio-system');
    const route = gateway.forward(bank, { http: HttpEgress.originateMutualTls(credential) });
    // What no construct has a word for is patched.
    route.virtualServices[0].addJsonPatch(JsonPatch.add('/spec/http/1/timeout', '5s'));
  }
}
