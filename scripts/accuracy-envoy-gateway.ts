/** `npm run accuracy:envoy-gateway`: `trace` against what Envoy Gateway's own proxies do with random routes, in the lab. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { Lab } from '../test/lab/lab';
import { Mesh } from '../test/mesh/mesh';
import { EnvoyComparison, type EnvoyDifference } from '../test/mesh/random/envoy-run';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      lab: { type: 'string' },
      seed: { type: 'string', default: '20261121' },
      seconds: { type: 'string', default: '600' },
      requests: { type: 'string', default: '12' },
      skip: { type: 'string', default: '0' },
      meshes: { type: 'string' },
      show: { type: 'string' },
    },
  });
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const lab =
    values.lab === undefined
      ? await Lab.start({ name: `envoy-${process.pid}`, attached: true, say })
      : await Lab.connect(values.lab);
  const mesh = new Mesh(lab);
  await mesh.furnish();
  const comparison = await EnvoyComparison.open(mesh);
  let shown = 0;
  const differs = ({ mesh: index, ask, what, yaml, trace }: EnvoyDifference): void => {
    const { method, scheme, host, port, path: asked, headers } = ask;
    say(`mesh ${index}: ${method} ${scheme}://${host}:${port}${asked} ${JSON.stringify(headers)}: ${what}`);
    if (values.show === undefined) return;
    shown += 1;
    fs.mkdirSync(values.show, { recursive: true });
    fs.writeFileSync(path.join(values.show, `${shown}.yaml`), yaml);
    fs.writeFileSync(path.join(values.show, `${shown}.json`), JSON.stringify({ ask, what, trace }, null, 1));
  };
  const totals = await comparison.run({
    seed: Number(values.seed),
    seconds: Number(values.seconds),
    requests: Number(values.requests),
    skip: Number(values.skip),
    meshes: values.meshes === undefined ? undefined : Number(values.meshes),
    differs,
    say: ({ meshes, requests, differences }) =>
      say(`${meshes} meshes, ${requests} requests, ${differences.length} differences`),
  });
  await comparison.close();
  const { differences, ...counts } = totals;
  process.stdout.write(`${JSON.stringify({ ...counts, differences: differences.length })}\n`);
  return differences.length > 0 ? 1 : 0;
}

void main().then((status) => process.exit(status));
