import { EdgeApp } from './app/edge-app';
import { MeshTarget } from './mesh/mesh-target';
import { addScenarios } from './scenarios';

// What the lab of the tests runs: each scenario is seen on it.
const target = new MeshTarget({
  istio: '1.29',
  gatewayApi: '1.4/experimental',
  envoyGateway: '1.7',
  kubernetes: '1.34',
});
const app = new EdgeApp({ target });
addScenarios(app);
app.synth();
