/**
 * How right `trace` is about NetworkPolicies, measured: random policies in the lab, which enforces them, our traces against what requests did.
 *
 *   npm run accuracy:network -- [--seconds 600] [--seed 1] [--requests 16] [--lab NAME] [--skip N] [--sets N] [--show FOLDER] [--write]
 *
 * With --lab a lab that runs already is taken. --show writes what differs, with its manifests, into a folder. With --write the numbers
 * go into docs/accuracy/real-mesh.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Lab } from '../test/lab/lab';
import { Mesh } from '../test/mesh/mesh';
import { type NetworkDifference, NetworkComparison, type NetworkTotals } from '../test/mesh/random/network-run';

function report(totals: NetworkTotals, args: string): string {
  const agree = totals.requests - totals.differences.length;
  return [
    `\`npm run accuracy:network -- ${args} --write\``,
    '',
    '| measured | |',
    '| --- | --- |',
    `| sets of policies, policies in all | ${totals.sets}, ${totals.policies} |`,
    `| requests sent | ${totals.requests} |`,
    `| delivered, refused, unknown by trace | ${totals.delivered}, ${totals.refused}, ${totals.unknown} |`,
    `| requests that went as trace says | ${agree} (${((100 * agree) / Math.max(1, totals.requests)).toFixed(2)} %) |`,
    `| policies that admission refused, left out for both | ${totals.refusedObjects} |`,
  ].join('\n');
}

function show({ set, ask, what, yaml, ...rest }: NetworkDifference, folder: string | undefined, index: number): void {
  console.log(`\nset ${set}: ${ask.from} to ${ask.host}:${ask.port}: ${what}`);
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
      requests: { type: 'string', default: '16' },
      skip: { type: 'string', default: '0' },
      sets: { type: 'string' },
      lab: { type: 'string' },
      show: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const lab =
    values.lab === undefined
      ? await Lab.start({ name: `network-${process.pid}`, attached: true, say })
      : await Lab.connect(values.lab);
  const mesh = new Mesh(lab);
  await mesh.furnish();
  const [seed, requests, seconds] = [Number(values.seed), Number(values.requests), Number(values.seconds)];
  const comparison = await NetworkComparison.open(mesh);
  let shown = 0;
  const totals = await comparison.run({
    seed,
    seconds,
    requests,
    skip: Number(values.skip),
    sets: values.sets === undefined ? undefined : Number(values.sets),
    say: (now) => {
      for (const one of now.differences.slice(shown)) show(one, values.show, (shown += 1));
      process.stderr.write(`\r${now.sets} sets, ${now.requests} requests, ${now.differences.length} differences `);
    },
  });
  await comparison.close();
  say('');
  const text = report(totals, `--seconds ${seconds} --requests ${requests} --seed ${seed}`);
  console.log(text);
  if (values.write) {
    const file = 'docs/accuracy/real-mesh.md';
    const page = readFileSync(file, 'utf8');
    writeFileSync(file, page.replace(/(<!-- network -->)[^]*?(<!-- end of network -->)/, `$1\n\n${text}\n\n$2`));
  }
  if (values.lab === undefined) await lab.down();
  process.exit(totals.differences.length === 0 ? 0 : 1);
}

void main();
