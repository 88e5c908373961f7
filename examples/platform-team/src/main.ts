import { EdgeApp } from 'cdk8s-mesh-edge';
import { EgressChart } from './egress';
import { LegacyChart } from './legacy';

const app = new EdgeApp();
const { gateway } = new EgressChart(app, 'egress');
new LegacyChart(app, 'legacy');
// Another chart may use the gateway too; what it shares stays in one place.
gateway.node.addMetadata('owner', 'platform');
app.synth();
