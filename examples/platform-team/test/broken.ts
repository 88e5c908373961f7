// An app with two mistakes in one service, to see that both are told and nothing is written.
import { EdgeApp, ExternalPort, ExternalService } from 'cdk8s-mesh-edge';
import { EgressChart } from '../src/egress';

const app = new EdgeApp();
const chart = new EgressChart(app, 'egress');
new ExternalService(chart, 'Broken', { hosts: ['http://x.example.com'], ports: [ExternalPort.https(99999)] });
app.synth();
