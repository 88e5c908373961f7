/**
 * How right `trace` is on a real mesh, measured: random meshes in the lab, our traces against what proxies and sites logged.
 *
 *   npm run accuracy:live -- [--seconds 600] [--seed 1] [--requests 12] [--lab NAME] [--skip N] [--meshes N] [--ingress] [--show FOLDER] [--write]
 *
 * With --ingress the requests come from outside, by the Gateway API and by Istio's own. With --lab a lab that runs already is taken. --show writes what differs, with its manifests, into a folder. With --write the numbers
 * go into docs/accuracy/real-mesh.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Lab } from '../test/lab/lab';
import { Mesh } from '../test/mesh/mesh';
import { type Difference, LiveComparison, type Totals } from '../test/mesh/random/run';

function report(totals: Totals, args: string): string {
  const agree = totals.requests - totals.differences.length;
  return [
    `\`npm run accuracy:live -- ${args} --write\``,
    '',
    '| measured | |',
    '| --- | --- |',
    `| meshes | ${totals.meshes} |`,
    `| requests sent | ${totals.requests} |`,
    `| lines of access logs compared | ${totals.hops} |`,
    `| delivered, refused, unknown by trace | ${totals.delivered}, ${totals.refused}, ${totals.unknown} |`,
    `| requests that went as trace says | ${agree} (${((100 * agree) / Math.max(1, totals.requests)).toFixed(2)} %) |`,
    `| objects that admission refused, left out for both | ${totals.refusedObjects} |`,
    `| requests left out: at a listener that Envoy refuses | ${totals.skipped} |`,
    `| meshes of which a proxy refused a part | ${totals.refusedMeshes} |`,
  ].join('\n');
}

function show(difference: Difference, folder: string | undefined, index: number): void {
  const { mesh, ask, what, yaml, ...rest } = difference;
  const request = `${ask.from} ${ask.method} ${ask.scheme}://${ask.host}:${ask.port}${ask.path} ${JSON.stringify(ask.headers)} ${ask.address ?? ''}`;
  console.log(`\nmesh ${mesh}: ${request}: ${what}`);
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${index}.yaml`, yaml);
  writeFileSync(`${folder}/${index}.json`, JSON.stringify({ what, ask, ...rest }, undefined, 1));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: '1' },
      requests: { type: 'string', default: '12' },
      skip: { type: 'string', default: '0' },
      meshes: { type: 'string' },
      lab: { type: 'string' },
      show: { type: 'string' },
      ingress: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const lab =
    values.lab === undefined
      ? await Lab.start({ name: `live-${process.pid}`, attached: true, say })
      : await Lab.connect(values.lab);
  const mesh = new Mesh(lab);
  await mesh.furnish();
  const [seed, requests, seconds] = [Number(values.seed), Number(values.requests), Number(values.seconds)];
  let shown = 0;
  const comparison = await LiveComparison.open(mesh, values.ingress);
  const totals = await comparison.run({
    seed,
    seconds,
    requests,
    skip: Number(values.skip),
    meshes: values.meshes === undefined ? undefined : Number(values.meshes),
    say: (now) =>
      process.stderr.write(`\r${now.meshes} meshes, ${now.requests} requests, ${now.differences.length} differences `),
    differs: (one) => show(one, values.show, (shown += 1)),
  });
  say('');
  const text = report(
    totals,
    `--seconds ${seconds} --requests ${requests} --seed ${seed}${values.ingress ? ' --ingress' : ''}`,
  );
  console.log(text);
  if (values.write) {
    const file = 'docs/accuracy/real-mesh.md';
    const page = readFileSync(file, 'utf8');
    const mark = values.ingress ? 'ingress' : 'live';
    const section = new RegExp(`(<!-- ${mark} -->)[^]*?(<!-- end of ${mark} -->)`);
    writeFileSync(file, page.replace(section, `$1\n\n${text}\n\n$2`));
  }
  if (values.lab === undefined) await lab.down();
  process.exit(totals.differences.length === 0 ? 0 : 1);
}

void main();
