// The library: N hosts, each a ServiceEntry, TLS made at the gateway, and its routes. `node ours.cjs HOSTS CHARTS FOLDER`
import { Chart } from 'cdk8s';
import { EdgeApp } from '../../src/app/edge-app';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';

const [hosts, charts] = process.argv.slice(2, 4).map(Number);
const app = new EdgeApp({ manifests: process.argv[4] });
const first = new Chart(app, 'edge');
const gateway = EgressGateway.fromInstalled(first, 'Gateway');
const owners = [first, ...Array.from({ length: charts - 1 }, (_, i) => new Chart(app, `team-${i}`))];
for (let i = 0; i < hosts; i++) {
  const service = new ExternalService(owners[i % charts], `h${i}`, {
    hosts: [`h${i}.example.com`],
    ports: [ExternalPort.http(), ExternalPort.https()],
  });
  gateway.forward(service, { http: HttpEgress.originateTls() });
}
app.synth();
