import { EdgeApp } from './app/edge-app';
import { addScenarios } from './scenarios';

const app = new EdgeApp();
addScenarios(app);
app.synth();
