/** Random meshes that are asked of the oracle one after the other, and the table that the documentation has of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { toYaml } from '../test/trace/oracle/compare';
import { ambientMeshes } from '../test/trace/oracle/ambient';
import { gatewayApiMeshes } from '../test/trace/oracle/gateway-api';
import { meshes } from '../test/trace/oracle/meshes';
import { findOracle, Oracle } from '../test/trace/oracle/process';
import type { GeneratedMesh } from '../test/trace/oracle/vocabulary';

const FILE = 'docs/accuracy/configuration.md';
/** Meshes of one sample: thousands at once would all be held. */
const SLICE = 100;

/** Other meshes than those of Istio's own objects and sidecars. */
const KINDS = [
  { option: 'gateway-api', meshes: gatewayApiMeshes, title: ' by the gateway api' },
  { option: 'ambient', meshes: ambientMeshes, title: ' of waypoints' },
] as const;

interface Suite {
  /** The command, and the marks of its section. */
  readonly name: string;
  /** Asks of one mesh; what it returns is shown as progress. */
  readonly ask: (oracle: Oracle, mesh: GeneratedMesh, at: number) => Promise<string>;
  /** Rows of the table, and whether anything differs. */
  readonly result: () => { readonly rows: readonly string[]; readonly differs: boolean };
}

/** `--meshes N --seed N [--gateway-api | --ambient] [--only MESH] [--oracle PATH] [--write]` */
export async function askOfMeshes({ name, ask, result }: Suite): Promise<void> {
  const { values } = parseArgs({
    options: {
      meshes: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      'gateway-api': { type: 'boolean', default: false },
      ambient: { type: 'boolean', default: false },
      oracle: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  const path = values.oracle ?? findOracle();
  if (path === undefined) throw new Error('no oracle: build it (npm run lab -- build), or name one with --oracle');
  const [count, seed] = [Number(values.meshes), Number(values.seed)];
  const kind = KINDS.find(({ option }) => values[option]) ?? { option: undefined, meshes, title: '' };
  const oracle = new Oracle(path, values.ambient);
  let asked = 0;
  for (let from = 0; from < count; from += SLICE) {
    const sample = fc.sample(kind.meshes(1), {
      numRuns: Math.min(SLICE, count - from),
      seed: seed * 100_000 + from,
    });
    let told = '';
    for (const [index, mesh] of sample.entries()) {
      if (values.only !== undefined && Number(values.only) !== from + index) continue;
      if (values.only !== undefined) console.log(toYaml(mesh.things));
      told = await ask(oracle, mesh, from + index);
      asked += 1;
    }
    process.stderr.write(`\r${asked} meshes, ${told} `);
  }
  process.stderr.write('\n');
  oracle.end();
  const { rows, differs } = result();
  const table = [
    `\`npm run accuracy:${name} -- --meshes ${count} --seed ${seed}${kind.option === undefined ? '' : ` --${kind.option}`} --write\``,
    '',
    '| measured | |',
    '| --- | --- |',
    `| meshes | ${asked} |`,
    ...rows,
  ].join('\n');
  console.log(table);
  const section = `${name}${kind.title}`;
  const marks = new RegExp(`(<!-- ${section} -->)[^]*?(<!-- end of ${section} -->)`);
  if (values.write) writeFileSync(FILE, readFileSync(FILE, 'utf8').replace(marks, `$1\n\n${table}\n\n$2`));
  process.exitCode = differs ? 1 : 0;
}
