/**
 * Whether the configuration that the manifests say and the one that istiod sends do the same for all requests: random meshes, each proxy, each
 * connection that one of the two tells apart, each class of requests. Exits with 1 if they differ.
 *
 *   npm run accuracy:equivalence -- --meshes 2000 --seed 1 [--gateway-api] [--only MESH] [--oracle PATH] [--write]
 *
 * With --write the numbers go into the documentation, between the marks of their section.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { toYaml } from '../test/trace/oracle/compare';
import { equivalence } from '../test/trace/oracle/equivalence';
import { gatewayApiMeshes } from '../test/trace/oracle/gateway-api';
import { meshes } from '../test/trace/oracle/meshes';
import { findOracle, Oracle } from '../test/trace/oracle/process';

const FILE = 'docs/accuracy/configuration.md';
const MARKS = /(<!-- equivalence -->)[^]*?(<!-- end of equivalence -->)/;
const API_MARKS = /(<!-- equivalence by the gateway api -->)[^]*?(<!-- end of equivalence by the gateway api -->)/;
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
  const totals = {
    meshes: 0,
    proxies: 0,
    connections: 0,
    classes: 0,
    clusters: 0,
    differing: 0,
    undecided: 0,
    failures: 0,
  };
  for (let from = 0; from < count; from += SLICE) {
    const sample = fc.sample((byApi ? gatewayApiMeshes : meshes)(1), {
      numRuns: Math.min(SLICE, count - from),
      seed: seed * 100_000 + from,
    });
    for (const [index, mesh] of sample.entries()) {
      if (values.only !== undefined && Number(values.only) !== from + index) continue;
      const found = await equivalence(oracle, mesh);
      totals.meshes += 1;
      for (const kind of ['proxies', 'connections', 'classes', 'clusters'] as const) totals[kind] += found[kind];
      totals.differing += new Set(found.disagreements.map(({ proxy }) => proxy)).size;
      totals.undecided += found.undecided.length;
      if (found.failure !== undefined) totals.failures += 1;
      if (values.only !== undefined) console.log(toYaml(mesh.things));
      for (const one of found.disagreements.slice(0, 5)) console.log(`mesh ${from + index}: ${JSON.stringify(one)}`);
      for (const one of found.undecided.slice(0, 2)) console.log(`mesh ${from + index}: undecided: ${one}`);
    }
    process.stderr.write(`\r${totals.meshes} meshes, ${totals.proxies} proxies, ${totals.differing} differ `);
  }
  process.stderr.write('\n');
  oracle.end();
  const table = [
    `\`npm run accuracy:equivalence -- --meshes ${count} --seed ${seed}${byApi ? ' --gateway-api' : ''} --write\``,
    '',
    '| measured | |',
    '| --- | --- |',
    `| meshes | ${totals.meshes} |`,
    `| proxies | ${totals.proxies} |`,
    `| connections led through both | ${totals.connections} |`,
    `| classes of requests led through both | ${totals.classes} |`,
    `| clusters of theirs compared | ${totals.clusters} |`,
    `| proxies that do the same for every request | ${totals.proxies - totals.differing} (${((100 * (totals.proxies - totals.differing)) / Math.max(1, totals.proxies)).toFixed(3)} %) |`,
    `| classes that are undecided | ${totals.undecided} |`,
    `| meshes that the oracle could not load | ${totals.failures} |`,
  ].join('\n');
  console.log(table);
  if (values.write)
    writeFileSync(FILE, readFileSync(FILE, 'utf8').replace(byApi ? API_MARKS : MARKS, `$1\n\n${table}\n\n$2`));
  process.exitCode = totals.differing === 0 ? 0 : 1;
}

void main();
