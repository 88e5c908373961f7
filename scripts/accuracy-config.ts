/**
 * How much of the configuration that istiod sends proxies the manifests foretell: random meshes, each proxy's listeners, filter chains, routes
 * and clusters, part by part. Parts that are equal are equal for every request.
 *
 *   npm run accuracy:config -- --meshes 2000 --seed 1 [--gateway-api] [--only MESH] [--oracle PATH] [--write]
 *
 * With --write the numbers go into the documentation, between the marks of their section.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { toYaml } from '../test/trace/oracle/compare';
import { compareConfig } from '../test/trace/oracle/config';
import { gatewayApiMeshes } from '../test/trace/oracle/gateway-api';
import { meshes } from '../test/trace/oracle/meshes';
import { findOracle, Oracle } from '../test/trace/oracle/process';

const FILE = 'docs/accuracy/configuration.md';
const MARKS = /(<!-- config -->)[^]*?(<!-- end of config -->)/;
const API_MARKS = /(<!-- config by the gateway api -->)[^]*?(<!-- end of config by the gateway api -->)/;
/** Meshes of one sample: thousands at once would all be held. */
const SLICE = 100;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      meshes: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      'gateway-api': { type: 'boolean', default: false },
      oracle: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  const path = values.oracle ?? findOracle();
  if (path === undefined) throw new Error('no oracle: build it (npm run lab -- build), or name one with --oracle');
  const [count, seed] = [Number(values.meshes), Number(values.seed)];
  const byApi = values['gateway-api'];
  const oracle = new Oracle(path);
  const totals = { meshes: 0, proxies: 0, listeners: 0, domains: 0, clusters: 0, differences: 0, failures: 0 };
  const kinds = new Map<string, number>();
  for (let from = 0; from < count; from += SLICE) {
    const sample = fc.sample((byApi ? gatewayApiMeshes : meshes)(1), {
      numRuns: Math.min(SLICE, count - from),
      seed: seed * 100_000 + from,
    });
    for (const [index, mesh] of sample.entries()) {
      if (values.only !== undefined && Number(values.only) !== from + index) continue;
      const result = await compareConfig(oracle, mesh);
      totals.meshes += 1;
      totals.proxies += result.proxies;
      for (const kind of ['listeners', 'domains', 'clusters'] as const) totals[kind] += result.parts[kind];
      totals.differences += result.differences.length;
      if (result.failure !== undefined) totals.failures += 1;
      if (values.only !== undefined) console.log(toYaml(mesh.things));
      for (const { proxy, difference } of result.differences) {
        kinds.set(difference.part, (kinds.get(difference.part) ?? 0) + 1);
        if (totals.differences <= 200) console.log(`mesh ${from + index}: ${proxy}: ${JSON.stringify(difference)}`);
      }
    }
    process.stderr.write(`\r${totals.meshes} meshes, ${totals.proxies} proxies, ${totals.differences} differences `);
  }
  process.stderr.write('\n');
  oracle.end();
  const parts = totals.listeners + totals.domains + totals.clusters;
  const share = (100 * (parts - totals.differences)) / Math.max(1, parts);
  const table = [
    `\`npm run accuracy:config -- --meshes ${count} --seed ${seed}${byApi ? ' --gateway-api' : ''} --write\``,
    '',
    '| measured | |',
    '| --- | --- |',
    `| meshes | ${totals.meshes} |`,
    `| proxies | ${totals.proxies} |`,
    `| listeners compared, each with its filter chains | ${totals.listeners} |`,
    `| hosts of routes compared, each with its routes in order | ${totals.domains} |`,
    `| clusters compared | ${totals.clusters} |`,
    `| parts that are alike | ${parts - totals.differences} (${share.toFixed(3)} %) |`,
    `| meshes that the oracle could not load | ${totals.failures} |`,
  ].join('\n');
  console.log(table, [...kinds]);
  if (values.write)
    writeFileSync(FILE, readFileSync(FILE, 'utf8').replace(byApi ? API_MARKS : MARKS, `$1\n\n${table}\n\n$2`));
  process.exitCode = totals.differences === 0 ? 0 : 1;
}

void main();
