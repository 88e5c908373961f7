/**
 * Whether `trace` of two releases of Istio differs as their istiods do: random meshes and requests, each by the simulation of both.
 *
 *   npm run accuracy:releases -- --old PATH --new PATH [--releases 1.29..1.31] [--meshes 200] [--seed 1] [--requests 10] [--gateway-api]
 *
 * The oracles are test/oracle, built against the two istiods: docs/releases.md says how. Exits with 1 if a trace differs from its istiod.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { compare, ORACLE_RELEASES, toYaml, type OracleReleases } from '../test/trace/oracle/compare';
import { gatewayApiMeshes } from '../test/trace/oracle/gateway-api';
import { meshes } from '../test/trace/oracle/meshes';
import { findOracle, Oracle } from '../test/trace/oracle/process';

/** The Gateway API that each istiod is built with. */
const GATEWAY_API: Readonly<Record<string, string>> = { '1.29': '1.4', '1.30': '1.5', '1.31': '1.6' };

function releasesOf(istioVersion: string | undefined): OracleReleases {
  const gatewayApi = GATEWAY_API[istioVersion ?? ''];
  if (istioVersion === undefined || gatewayApi === undefined)
    throw new Error(`no istiod of ${String(istioVersion)} is known here: ${Object.keys(GATEWAY_API).join(', ')}`);
  return { istioVersion, gatewayApiVersion: `${gatewayApi}/experimental` };
}

/** Undefined for the pinned istiod, which knows its own. */
function bundleOf({ gatewayApiVersion }: OracleReleases): string | undefined {
  return gatewayApiVersion === ORACLE_RELEASES.gatewayApiVersion
    ? undefined
    : `v${gatewayApiVersion.replace('/experimental', '')}.0`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      old: { type: 'string' },
      new: { type: 'string' },
      releases: { type: 'string', default: '1.29..1.31' },
      meshes: { type: 'string', default: '200' },
      requests: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      'gateway-api': { type: 'boolean', default: false },
    },
  });
  const [first, last] = values.releases.split('..').map(releasesOf);
  const paths = [values.old ?? findOracle(), values.new] as const;
  if (first === undefined || last === undefined || paths[0] === undefined || paths[1] === undefined)
    throw new Error('name the oracles of both releases with --old and --new, and the releases as OLD..NEW');
  const sides = [
    { oracle: new Oracle(paths[0], false, bundleOf(first)), releases: first },
    { oracle: new Oracle(paths[1], false, bundleOf(last)), releases: last },
  ] as const;
  const kind = values['gateway-api'] ? gatewayApiMeshes : meshes;
  const sample = fc.sample(kind(Number(values.requests)), {
    numRuns: Number(values.meshes),
    seed: Number(values.seed),
  });
  let requests = 0;
  let differ = 0;
  let failures = 0;
  const wrong: string[] = [];
  for (const [at, mesh] of sample.entries()) {
    const [was, is] = [await compare(sides[0].oracle, mesh, first), await compare(sides[1].oracle, mesh, last)];
    if (was.failure !== undefined || is.failure !== undefined) {
      failures += 1;
      continue;
    }
    requests += mesh.asks.length;
    differ += mesh.asks.filter((_, index) => JSON.stringify(was.told[index]) !== JSON.stringify(is.told[index])).length;
    for (const [side, { differences }] of [was, is].entries())
      for (const { ask, what } of differences)
        wrong.push(`mesh ${at}, ${values.releases.split('..')[side] ?? ''}: ${JSON.stringify(ask)}: ${what}`);
    if (wrong.length > 0 && process.env.SHOW_MESH === String(at)) console.log(toYaml(mesh.things));
    process.stderr.write(`\r${at + 1} meshes, ${requests} requests, ${differ} that istiods differ on, ${wrong.length} wrong `); // prettier-ignore
  }
  for (const { oracle } of sides) oracle.end();
  process.stderr.write('\n');
  for (const line of wrong.slice(0, 20)) console.log(line);
  console.log(
    `${sample.length} meshes, ${requests} requests: the istiods of ${values.releases} differ on ${differ}; ${wrong.length} traces are not as their istiod; ${failures} meshes could not be loaded`,
  );
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

void main();
