// Reach a database outside by its address
//
// TCP has no host name on the wire: sidecars know it by the address that is dialled. Postgres begins in plain text, so it is TCP even where it
// goes on in TLS.
//
//     billing/ledger tcp://192.0.2.10:5432 delivered
import type { Chart } from 'cdk8s';
import { ExternalPort, ExternalService, Resolution } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  new ExternalService(chart, 'Ledger', {
    hosts: ['ledger.db.example.com'],
    addresses: ['192.0.2.10'],
    ports: [ExternalPort.tcp(5432)],
    resolution: Resolution.static({ address: '192.0.2.10' }),
    namespace: 'billing',
  });
}
