/**
 * Any manifests, as istiod takes them and as `trace` does: each request that the two answer differently, a line each.
 *
 *   npm run accuracy:world -- PATH... [--requests FILE] [--after PATH] [--outbound REGISTRY_ONLY] [--most 5000] [--verbose]
 *
 * Without --requests, everybody asks for every name and address of the world on every port, and for what its rules tell apart. With --after the
 * second state is compared as well, and what `diff` says of the change with the requests that istiod's configuration answers differently.
 * Exits with 1 where the two differ.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addInputOptions, type InputFlags, readManifests } from '../src/cli/input';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from '../src/cli/mesh-options';
import { parseLine } from '../src/cli/request-line';
import type { Manifest } from '../src/model/manifest';
import { acceptedMesh } from '../src/check/accepted';
import type { MeshOptions } from '../src/model/mesh-options';
import type { Trace, TraceRequest } from '../src/trace/types';
import { oracleBinary } from '../test/lab/build';
import { Oracle, type OracleHop } from '../test/trace/oracle/process';
import { ORACLE_RELEASES } from '../test/trace/oracle/compare';
import { requestsOf } from '../test/trace/world/asked';
import { World } from '../test/trace/world/compare';
import { judgeChange } from '../test/trace/world/change';

interface Flags extends MeshFlags, InputFlags {
  readonly requests?: string;
  readonly after?: string;
  readonly most: string;
  readonly verbose?: true;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(paths: string[], flags: Flags): Promise<void> {
  const options = { ...(await meshOptionsOf(flags)), ...ORACLE_RELEASES };
  const { manifests } = await readManifests(paths, flags);
  const after = flags.after === undefined ? undefined : (await readManifests([flags.after], flags)).manifests;
  const asked = flags.requests === undefined ? everything([manifests, after ?? manifests], options) : given(flags.requests); // prettier-ignore
  const requests = evenly(asked, Number(flags.most));
  if (requests.length < asked.length) print(`${asked.length} requests, of which ${requests.length} are asked (--most)`);
  const oracle = new Oracle(await oracleBinary());
  let wrong = 0;
  for (const side of after === undefined ? [manifests] : [manifests, after]) {
    const told = await new World(side, options, requests).compare(oracle);
    const { differences, beyond, unknown, admission, failure } = told;
    if (failure !== undefined) print(`the oracle cannot say: ${failure}`);
    for (const one of admission) print(`admission: ${one}`);
    for (const { request, what, ours, istiod } of differences) {
      print(`${request.at ?? request.from}${labelsOf(request)}  ${requestText(request)}  ours: ${oursText(ours)}  istiod: ${istiodText(istiod)}  (${what})`); // prettier-ignore
      if (flags.verbose === true) print(JSON.stringify({ ours, istiod }, undefined, 1));
    }
    const tally = (of: ReadonlyMap<string, number>): string => [...of].map(([name, count]) => `${name} ${count}`).join(', ') || 'none'; // prettier-ignore
    print(`${told.requests} requests compared, ${differences.length} differ; beyond what istiod's configuration tells: ${tally(beyond)}; unknown to us: ${tally(unknown)}`); // prettier-ignore
    wrong += differences.length + admission.length + (failure === undefined ? 0 : 1);
  }
  if (after !== undefined) {
    const { altered, missed, untold, idle, failure } = await judgeChange(oracle, [manifests, after], requests, options);
    if (failure !== undefined) print(`the oracle cannot say: ${failure}`);
    for (const one of missed) print(`diff misses: ${one.from} ${requestText(one)}`);
    for (const one of untold) print(`diff tells of nothing to this host: ${one.from} ${requestText(one)}`);
    for (const one of idle) print(`diff tells of what istiod answers as before: ${one.from} ${requestText(one)}`);
    print(`${altered} requests are answered differently after the change; diff misses ${missed.length + untold.length}, and tells of ${idle.length} that are not`); // prettier-ignore
    wrong += missed.length + untold.length + idle.length + (failure === undefined ? 0 : 1);
  }
  oracle.end();
  process.exitCode = wrong === 0 ? 0 : 1;
}

function everything(
  [was, is]: readonly [readonly Manifest[], readonly Manifest[]],
  options: MeshOptions,
): readonly TraceRequest[] {
  // prettier-ignore
  const mesh = acceptedMesh(was, options);
  return requestsOf(mesh, was === is ? mesh : acceptedMesh(is, options));
}

function given(file: string): readonly TraceRequest[] {
  const lines = readFileSync(file === '-' ? 0 : file, 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line, index) => parseLine(line, index + 1));
}

function evenly<T>(all: readonly T[], most: number): readonly T[] {
  return all.length <= most ? all : Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)] as T); // prettier-ignore
}

function labelsOf({ labels }: TraceRequest): string {
  const all = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return all.length === 0 ? '' : ` (${all.join(',')})`;
}

function requestText({ request, method, headers, address, sni }: TraceRequest): string {
  const also = { method, headers, address, sni };
  return Object.values(also).every((one) => one === undefined) ? request : `${request} ${JSON.stringify(also)}`;
}

function oursText({ outcome, refusal, hops }: Trace): string {
  return `${hops.map(({ cluster, sends }) => `${cluster ?? '-'}${sends === null ? '' : ` (${sends.tls})`}`).join(' > ')} ${outcome}${refusal === null ? '' : ` ${refusal.code}`}`; // prettier-ignore
}

function istiodText(hops: readonly OracleHop[]): string {
  return hops.map(({ cluster, upstreamTls, error }) => `${cluster ?? '-'}${upstreamTls === undefined ? '' : ` (${upstreamTls})`}${error === undefined ? '' : ` ${error}`}`).join(' > '); // prettier-ignore
}

const command = new Command('accuracy:world')
  .argument('<PATH...>', 'YAML or JSON files, folders')
  .option('--requests <file>', 'requests as trace takes them, a line each')
  .option('--after <path>', 'another state of the same manifests')
  .option('--most <number>', 'requests at most', '5000')
  .option('--verbose', 'with the trace and the hops of each difference');
void addMeshOptions(addInputOptions(command)).action(run).parseAsync();
