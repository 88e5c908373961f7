// Log what crosses the edge, fit for an audit
//
// One line of JSON for each request and connection: who, to where, by which cluster, with which flags.
import type { Chart } from 'cdk8s';
import { AccessLog, AccessLogFormat, IstioInstall } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const format = AccessLogFormat.json();
  new IstioInstall(chart, 'Install', { accessLogs: [format] });
  new AccessLog(chart, 'Mesh', { format });
}
