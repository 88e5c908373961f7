/**
 * How right `trace` is, measured: random meshes and requests, our traces against Istio's own simulation.
 *
 *   npm run accuracy:trace -- --meshes 2000 --seed 1 [--requests 10] [--gateway-api] [--jobs 1] [--oracle PATH] [--write]
 *
 * With --gateway-api the ways of the meshes are those of the Gateway API. With --write the numbers go into docs/accuracy/simulation.md, between the
 * marks of its section.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { compare, toYaml, type Difference } from '../test/trace/oracle/compare';
import { gatewayApiMeshes } from '../test/trace/oracle/gateway-api';
import { meshes } from '../test/trace/oracle/meshes';
import { findOracle, Oracle } from '../test/trace/oracle/process';
import type { GeneratedMesh } from '../test/trace/oracle/vocabulary';

const MARKS = /(<!-- trace -->)[^]*?(<!-- end of trace -->)/;
const API_MARKS = /(<!-- trace by the gateway api -->)[^]*?(<!-- end of trace by the gateway api -->)/;

/** Meshes that one oracle process takes at a time. */
const SLICE = 100;

interface Totals {
  meshes: number;
  requests: number;
  hops: number;
  skipped: number;
  failures: number;
  /** Objects that either side refused alike are not counted: only those that one takes and the other refuses. */
  readonly admission: Set<string>;
  readonly differences: { readonly mesh: number; readonly difference: Difference; readonly yaml: string }[];
}

async function measure(
  kind: typeof meshes,
  count: number,
  seed: number,
  requests: number,
  path: string,
  jobs: number,
): Promise<Totals> {
  const totals: Totals = {
    meshes: 0,
    requests: 0,
    hops: 0,
    skipped: 0,
    failures: 0,
    admission: new Set(),
    differences: [],
  };
  let next = 0;
  // In slices: a sample of thousands of meshes at once would hold them all.
  const work = async (): Promise<void> => {
    const oracle = new Oracle(path);
    for (let from = next; from < count; from = next) {
      next += SLICE;
      await slice(
        oracle,
        totals,
        from,
        fc.sample(kind(requests), { numRuns: Math.min(SLICE, count - from), seed: seed * 100_000 + from }),
      );
      process.stderr.write(
        `\r${totals.meshes} of ${count} meshes, ${totals.requests} requests, ${totals.differences.length} differences `,
      );
    }
    oracle.end();
  };
  await Promise.all(Array.from({ length: jobs }, work));
  process.stderr.write('\n');
  return totals;
}

async function slice(oracle: Oracle, totals: Totals, from: number, sample: readonly GeneratedMesh[]): Promise<void> {
  for (const [index, mesh] of sample.entries()) {
    const result = await compare(oracle, mesh);
    totals.meshes += 1;
    totals.requests += result.requests;
    totals.hops += result.hops;
    totals.skipped += result.skipped;
    if (result.failure !== undefined) totals.failures += 1;
    for (const one of result.admission) totals.admission.add(one);
    for (const difference of result.differences) {
      totals.differences.push({ mesh: from + index, difference, yaml: toYaml(mesh.things) });
    }
  }
}

function report(totals: Totals, seed: number, requests: number, option: string): string {
  const agree = totals.requests - totals.differences.length;
  return [
    `\`npm run accuracy:trace -- --meshes ${totals.meshes} --requests ${requests} --seed ${seed}${option} --write\``,
    '',
    '| measured | |',
    '| --- | --- |',
    `| meshes | ${totals.meshes} |`,
    `| requests compared | ${totals.requests} |`,
    `| hops compared (listener, cluster, TLS, SNI, error) | ${totals.hops} |`,
    `| requests answered alike | ${agree} (${((100 * agree) / Math.max(1, totals.requests)).toFixed(3)} %) |`,
    `| requests left out: their listener has overlapping filter chains, which Envoy refuses and the oracle uses, or they dial the Pod itself, which the oracle has led to the sidecar | ${totals.skipped} |`,
    `| objects that istiod's webhook refuses and check takes, or the other way round | ${totals.admission.size} |`,
    `| meshes that the oracle could not load | ${totals.failures} |`,
  ].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      meshes: { type: 'string', default: '200' },
      requests: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '1' },
      'gateway-api': { type: 'boolean', default: false },
      oracle: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  const path = values.oracle ?? findOracle();
  if (path === undefined) throw new Error('no oracle: build it (npm run lab -- build), or name one with --oracle');
  const [count, seed, requests] = [Number(values.meshes), Number(values.seed), Number(values.requests)];
  const byApi = values['gateway-api'];
  const totals = await measure(byApi ? gatewayApiMeshes : meshes, count, seed, requests, path, Number(values.jobs));
  for (const { mesh, difference } of totals.differences.slice(0, 20)) {
    console.log(`mesh ${mesh}: ${JSON.stringify(difference.ask)}: ${difference.what}`);
  }
  for (const one of [...totals.admission].slice(0, 40)) console.log(one);
  const text = report(totals, seed, requests, byApi ? ' --gateway-api' : '');
  console.log(text);
  if (values.write) {
    const file = 'docs/accuracy/simulation.md';
    const page = readFileSync(file, 'utf8');
    writeFileSync(file, page.replace(byApi ? API_MARKS : MARKS, `$1\n\n${text}\n\n$2`));
  }
  process.exitCode = totals.differences.length + totals.admission.size === 0 ? 0 : 1;
}

void main();
