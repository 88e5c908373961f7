import { Construct } from 'constructs';
import { SidecarHttp } from './sidecar-http';

/** Adds every scenario to the app, in the order of the documentation. */
export function addScenarios(app: Construct): void {
  new SidecarHttp(app);
}
