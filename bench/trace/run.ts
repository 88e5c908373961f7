/**
 * `npm run bench:trace`: one request in meshes of 1,000 to 50,000 hosts, as a whole process and part by part, with the oracle (istiod's
 * own configuration and Istio's simulation, built by `npm run accuracy:trace`) beside it at the sizes that it can take. Writes the report beside this file.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { Oracle, findOracle } from '../../test/trace/oracle/process';
import { OBJECTS_A_HOST, edge } from '../edge';
import { type Measured, conditions, growth, measure, median } from '../measure';
import type { Phases } from './phases';

const ROOT = resolve(__dirname, '..', '..');
const SIZES = [1000, 5000, 10_000, 50_000];
const ORACLE_SIZES = [10, 100, 500];
/** A world of the oracle is made for one question, which may ask for many requests. */
const ORACLE_PATIENCE_MS = 60_000;
const ORACLE_ROUNDS = 3;
const ORACLE_CALLS = 200;
const phasesScript = join(ROOT, 'node_modules', '.cache', 'bench', 'phases.cjs');
const cli = join(ROOT, 'lib', 'cli', 'mesh-edge.cjs');
const REQUEST = ['--request', 'http://h77.example.com/', '--from', 'team7/app'];

const PARTS = ['load', 'mesh', 'first', 'further', 'otherNamespaces'] as const;

interface Point {
  readonly hosts: number;
  readonly whole: Measured;
  readonly phases: Phases;
}

/** The middle of each part's times. */
function middle(runs: readonly Phases[]): Phases {
  const of = (part: keyof Phases): number =>
    runs.map((run) => run[part]).sort((a, b) => a - b)[Math.floor(runs.length / 2)] ?? 0;
  return {
    load: of('load'),
    mesh: of('mesh'),
    first: of('first'),
    further: of('further'),
    otherNamespaces: of('otherNamespaces'),
    wall: of('wall'),
  };
}

async function ours(hosts: number, file: string): Promise<Point> {
  const rounds = hosts > 10_000 ? 1 : 3;
  const wholes: Measured[] = [];
  const phases: Phases[] = [];
  for (let round = 0; round < rounds; round += 1) {
    wholes.push(await measure(process.execPath, [cli, 'trace', file, ...REQUEST]));
    phases.push(
      JSON.parse(execFileSync(process.execPath, [phasesScript, file, String(hosts)], { encoding: 'utf8' })) as Phases,
    );
  }
  return { hosts, whole: median(wholes), phases: middle(phases) };
}

/** A client and the gateway's Pods and Service, which the oracle must be shown. */
const WORKLOADS = `---
apiVersion: v1
kind: Service
metadata:
  name: istio-egressgateway
  namespace: istio-system
spec:
  selector:
    istio: egressgateway
  clusterIP: 10.96.0.50
  ports:
    - name: http2
      port: 80
      targetPort: 8080
---
apiVersion: v1
kind: Pod
metadata:
  name: istio-egressgateway
  namespace: istio-system
  labels:
    istio: egressgateway
spec:
  serviceAccountName: istio-egressgateway
  containers:
    - name: istio-proxy
status:
  podIP: 10.244.1.50
  phase: Running
---
apiVersion: v1
kind: Pod
metadata:
  name: app
  namespace: team7
  labels:
    app: app
spec:
  serviceAccountName: app
  containers:
    - name: app
status:
  podIP: 10.244.0.1
  phase: Running
`;

/** Milliseconds for a world and one request, and for each request more. */
async function oracles(
  path: string,
  hosts: number,
): Promise<{ readonly first: number; readonly further: number } | string> {
  const oracle = new Oracle(path);
  const text = `${WORKLOADS}${edge(hosts).join('')}`;
  const call = (host: number) => ({
    from: 'team7/app',
    host: `h${host % hosts}.example.com`,
    address: '203.0.113.10',
    port: 80,
    path: '/',
    tls: 'plaintext' as const,
    protocol: 'http' as const,
    sni: '',
  });
  const ask = async (calls: number): Promise<number | string> => {
    const start = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((done) => {
      timer = setTimeout(() => done(`over ${ORACLE_PATIENCE_MS / 1000} s`), ORACLE_PATIENCE_MS);
    });
    const reply = await Promise.race([
      oracle.ask(
        text,
        '',
        Array.from({ length: calls }, (_, at) => call(at)),
      ),
      late,
    ]);
    clearTimeout(timer);
    if (typeof reply === 'string') return reply;
    const hops = reply.results?.[0]?.hops.length ?? 0;
    return reply.error ?? (hops === 0 ? 'it followed nothing' : performance.now() - start);
  };
  // The quickest of a few: what else the machine does only adds.
  let first = Infinity;
  let all = Infinity;
  for (let round = 0; round < ORACLE_ROUNDS; round += 1) {
    for (const calls of [1, 1 + ORACLE_CALLS]) {
      const took = await ask(calls);
      if (typeof took === 'string') {
        oracle.end();
        return took;
      }
      if (calls === 1) first = Math.min(first, took);
      else all = Math.min(all, took);
    }
  }
  oracle.end();
  return { first, further: Math.max(0, all - first) / ORACLE_CALLS };
}

async function main(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'mesh-edge-bench-'));
  buildSync({
    entryPoints: [join(__dirname, 'phases.ts')],
    bundle: true,
    platform: 'node',
    outfile: phasesScript,
    logLevel: 'error',
  });
  await measure(process.execPath, [join(ROOT, 'bin', 'mesh-edge'), '--version']); // makes the bundle
  const say = (line: string): string => {
    process.stdout.write(`${line}\n`);
    return line;
  };
  const points: Point[] = [];
  const rows: string[] = [];
  for (const hosts of SIZES) {
    const file = join(work, `${hosts}.yaml`);
    writeFileSync(file, edge(hosts).join(''));
    const point = await ours(hosts, file);
    rmSync(file);
    points.push(point);
    const { whole, phases } = point;
    const parts = PARTS.map((part) => phases[part].toFixed(phases[part] < 10 ? 2 : 0));
    rows.push(
      say(
        `| ${hosts} | ${hosts * OBJECTS_A_HOST} | ${whole.seconds.toFixed(2)} | ${whole.cpu.toFixed(2)} | ${whole.megabytes.toFixed(0)} | ${parts.join(' | ')} |`,
      ),
    );
  }
  rmSync(work, { recursive: true });
  const exponents = points.slice(1).map((large, at) => {
    const small = points[at];
    const of = (part: keyof Phases): string =>
      growth({ n: small.hosts, seconds: small.phases[part] }, { n: large.hosts, seconds: large.phases[part] }).toFixed(
        2,
      );
    const cpu = growth({ n: small.hosts, seconds: small.whole.cpu }, { n: large.hosts, seconds: large.whole.cpu });
    return `| ${small.hosts} to ${large.hosts} | ${cpu.toFixed(2)} | ${PARTS.map(of).join(' | ')} |`;
  });
  const path = findOracle();
  const peers: string[] = [];
  for (const hosts of path === undefined ? [] : ORACLE_SIZES) {
    const file = join(tmpdir(), `mesh-edge-bench-${process.pid}.yaml`);
    writeFileSync(file, `${WORKLOADS}${edge(hosts).join('')}`);
    const { phases } = await ours(hosts, file);
    rmSync(file);
    const theirs = await oracles(path ?? '', hosts);
    const own = phases.wall;
    const cells =
      typeof theirs === 'string'
        ? [theirs, '', '', '']
        : [
            theirs.first.toFixed(0),
            (own / theirs.first).toFixed(3),
            theirs.further.toFixed(2),
            theirs.further === 0 ? '' : (phases.further / theirs.further).toFixed(3),
          ];
    peers.push(say(`| ${hosts} | ${own.toFixed(0)} | ${phases.further.toFixed(2)} | ${cells.join(' | ')} |`));
  }
  const lines = [
    '# Traces in large meshes',
    '',
    `One request from a sidecar through an egress gateway. A host is ${OBJECTS_A_HOST} objects; 10,000 hosts are 20 MB of YAML. Whole: \`mesh-edge trace\` from start to end, CPU counting the seconds of all threads. Parts, in milliseconds of processor time, of one process that stays: loading the file, reading the objects as a mesh, the first trace, the median of 500 more from that namespace, and the mean of the first from ten other namespaces, each of which sees services of its own, so that its view of the mesh is made then. The targets at 10,000 hosts are 1.5 s for the whole and 5 ms for each further one.`,
    '',
    '`npm run bench:trace`',
    '',
    conditions(),
    '',
    '| hosts | objects | whole, s | CPU s | MB | load, ms | mesh, ms | first, ms | further, ms | other namespace, ms |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    'The exponent k of time ~ n^k:',
    '',
    '| hosts | CPU | load | mesh | first | further | other namespace |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...exponents,
    '',
    `Beside it the oracle: istiod's own configuration generation with Istio's simulation, as one long-lived process, by the clock on the wall. It makes a world for each question; what a further request costs is the difference between a question with ${ORACLE_CALLS + 1} requests and one with one, by ${ORACLE_CALLS}.`,
    '',
    '| hosts | ours: load, mesh and first, ms | further, ms | oracle: world and first, ms | ours / it | further, ms | ours / it |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...(peers.length > 0 ? peers : ['| | | | the oracle is not built | | | |']),
  ];
  writeFileSync(join(__dirname, 'REPORT.md'), `${lines.join('\n')}\n`);
}

void main();
