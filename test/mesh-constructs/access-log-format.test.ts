/** Whose format an access log has: one that the app brings, or one that the mesh has. */
import { Chart, Testing } from 'cdk8s';
import { OutputFile } from '../../src/app/output-file';
import { IstioInstall } from '../../src/install/istio-install';
import { AccessLog, AccessLogFormat } from '../../src/mesh/access-log';
import { rendered } from '../ingress/synthesized';

it('an installed provider is named by Telemetry, and added to no mesh configuration', () => {
  const chart = new Chart(Testing.app(), 'edge');
  new AccessLog(chart, 'Logs', { format: AccessLogFormat.installed('envoy') });
  expect(rendered(chart, 'Telemetry')[0].spec).toEqual({ accessLogging: [{ providers: [{ name: 'envoy' }] }] });
  const texts = (...formats: AccessLogFormat[]): string =>
    new IstioInstall(new Chart(Testing.app(), 'install'), 'Install', { accessLogs: formats }).node
      .findAll()
      .filter((one) => one instanceof OutputFile)
      .map(({ content }) => content)
      .join('');
  expect(texts(AccessLogFormat.json())).toContain('access-log-json');
  expect(texts(AccessLogFormat.installed('mine'))).not.toMatch(/mine|extensionProviders/);
});
