import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MeshEdgeValidation } from '../../src/plugin';

const DIST = join(__dirname, '..', '..', 'dist');

/** What the plugin logs of scenarios that cdk8s-cli hands over: their manifests, and no values of charts. */
async function logged(...scenarios: readonly string[]): Promise<string> {
  const manifests = scenarios.flatMap((id) =>
    readdirSync(join(DIST, id), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(DIST, id, name)),
  );
  const lines: string[] = [];
  const report = { addViolation: () => undefined, submit: () => undefined };
  await new MeshEdgeValidation().validate({ manifests, logger: { log: (line) => void lines.push(line) }, report });
  return lines.join('\n');
}

it('reads the values of charts that an app writes beside its manifests', async () => {
  // The rate-limit service is configured by values of Envoy Gateway's chart.
  expect(await logged('rate-limit', 'demo-httpbin', 'apps-gateway-http')).not.toContain('EDGE827');
});
