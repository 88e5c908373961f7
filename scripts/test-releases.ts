/**
 * What the other releases that are to be had here make of what this project holds to the pinned ones: each is built, run in the lab, and asked.
 *
 *   npm run test:releases -- [--istio VERSION]... [--envoy-gateway VERSION]... [--only TEXT] [--meshes 50] [--write]
 *
 * Without a version, all of them (test/lab/versions.ts). With --only, the suites whose titles have the text. With --write, what was seen goes into
 * docs/releases.md. Takes what `npm run test:mesh` takes; building an istiod or an Envoy Gateway takes some ten minutes the first time.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { oracleBinary } from '../test/lab/build';
import { OTHER_RELEASES, VERSIONS } from '../test/lab/versions';

const { values } = parseArgs({
  options: {
    istio: { type: 'string', multiple: true },
    'envoy-gateway': { type: 'string', multiple: true },
    only: { type: 'string', default: '' },
    meshes: { type: 'string', default: '50' },
    write: { type: 'boolean', default: false },
  },
});

interface Seen {
  readonly release: string;
  readonly suite: string;
  readonly result: string;
  readonly isGood: boolean;
  /** What did not come out as it should. */
  readonly failed: readonly string[];
}

interface Suite {
  readonly title: string;
  readonly run: () => Promise<Omit<Seen, 'release' | 'suite'>> | Omit<Seen, 'release' | 'suite'>;
}

type Env = Readonly<Record<string, string>>;

interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Tests of the lab with other parts in it; what they record is of the pinned ones, and is not compared. */
function inLab(title: string, patterns: readonly string[], env: Env): Suite {
  return {
    title,
    run: () => {
      const folder = mkdtempSync(join(tmpdir(), 'releases-'));
      const report = join(folder, 'report.json');
      const args = ['scripts/test-mesh.mjs', ...patterns, '--testNamePattern', '^(?!the record)', '--json', `--outputFile=${report}`]; // prettier-ignore
      spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
      try {
        const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as JestReport;
        const failed = testResults.flatMap(({ assertionResults, message }) => {
          const own = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
          return own.length > 0 || assertionResults.length > 0 ? own : [message.trim().split('\n')[0] ?? ''];
        });
        const isGood = failed.length + numFailedTests === 0 && numPassedTests > 0;
        return { result: `${numPassedTests} of ${numPassedTests + numFailedTests} tests`, isGood, failed };
      } catch {
        return { result: 'the lab did not start', isGood: false, failed: [] };
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

/** A measure of this project, and what of its output is the result. */
function measured(
  title: string,
  command: () => Promise<readonly string[]>,
  told: (output: string) => string | undefined,
): Suite {
  return {
    title,
    run: async () => {
      const [name = '', ...args] = await command();
      const { status, stdout } = spawnSync('npx', ['tsx', `scripts/${name}.ts`, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      return { result: told(stdout) ?? 'no result', isGood: status === 0, failed: [] };
    },
  };
}

function ofIstio(release: string): readonly Suite[] {
  const env = { MESH_EDGE_ISTIO: release };
  const minor = release.split('.').slice(0, 2).join('.').replace('-dev', '');
  const compared = async (): Promise<readonly string[]> => {
    const path = await oracleBinary(say, release);
    const pinned = VERSIONS.istio.split('.').slice(0, 2).join('.');
    return ['accuracy-releases', '--old', await oracleBinary(say), '--new', path, '--releases', `${pinned}..${minor}`, '--meshes', values.meshes]; // prettier-ignore
  };
  return [
    inLab('admission of dist/', ['test/mesh/admission'], env),
    inLab('main scenarios', ['test/mesh/scenarios'], env),
    measured(
      'random meshes, by its own simulation',
      compared,
      (output) => /^.* meshes, .* requests.*$/m.exec(output)?.[0],
    ),
  ];
}

function ofEnvoyGateway(release: string): readonly Suite[] {
  const env = { MESH_EDGE_ENVOY_GATEWAY: release };
  const minor = release.split('.').slice(0, 2).join('.');
  return [
    inLab('admission of dist/', ['test/mesh/admission'], env),
    inLab('ingress', ['test/mesh/ingress.test'], env),
    measured(
      'worlds of its own tests',
      () => Promise.resolve(['accuracy-envoy-gateway-testdata', '--release', minor]),
      (output) => {
        const [, worlds, requests, alike] = /^\| \S+ \| (\d+) \| (\d+) \| (.*?) \|$/m.exec(output) ?? [];
        return alike && `${worlds} worlds, ${requests} requests: ${alike} answered alike, the others for known reasons`;
      },
    ),
  ];
}

const HEAD = ['| release | suite | seen |', '| --- | --- | --- |'];
const keyOf = ({ release, suite }: Pick<Seen, 'release' | 'suite'>): string => `| ${release} | ${suite} |`;

function rowOf(seen: Seen): string {
  const { result, isGood, failed } = seen;
  const faults = failed.length === 0 ? '' : `: ${failed.map((name) => name.replaceAll('|', '/')).join('; ')}`;
  return `${keyOf(seen)} ${isGood ? '' : 'not as it should be: '}${result}${faults} |`;
}

/** Rows of what was not asked this time stay. */
function write(all: readonly Seen[]): void {
  const file = 'docs/releases.md';
  const page = readFileSync(file, 'utf8');
  const [, begin = '', old = '', end = ''] = /(<!-- other releases -->)([^]*?)(<!-- end of other releases -->)/.exec(page) ?? []; // prettier-ignore
  const isNew = (row: string): boolean => all.some((one) => row.startsWith(keyOf(one)));
  const kept = old.split('\n').filter((row) => row.startsWith('| ') && !HEAD.includes(row) && !isNew(row));
  const rows = [...kept, ...all.map(rowOf)].sort();
  writeFileSync(file, page.replace(`${begin}${old}${end}`, `${begin}\n\n${[...HEAD, ...rows].join('\n')}\n\n${end}`));
}

const say = (line: string): void => console.error(line);

function chosen(asked: readonly string[] | undefined, known: readonly string[], isOther: boolean): readonly string[] {
  return asked ?? (isOther ? [] : known);
}

async function main(): Promise<number> {
  const { istio, 'envoy-gateway': envoyGateway } = values;
  const releases = [
    ...chosen(istio, OTHER_RELEASES.istio, envoyGateway !== undefined).map((one) => ({ release: `Istio ${one}`, suites: ofIstio(one) })), // prettier-ignore
    ...chosen(envoyGateway, OTHER_RELEASES.envoyGateway, istio !== undefined).map((one) => ({ release: `Envoy Gateway ${one}`, suites: ofEnvoyGateway(one) })), // prettier-ignore
  ];
  const all: Seen[] = [];
  for (const { release, suites } of releases)
    for (const { title, run } of suites.filter((one) => one.title.includes(values.only))) {
      say(`${release}: ${title}`);
      try {
        all.push({ release, suite: title, ...(await run()) });
      } catch (error) {
        all.push({ release, suite: title, result: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), isGood: false, failed: [] }); // prettier-ignore
      }
    }
  const table = [...HEAD, ...all.map(rowOf)].join('\n');
  console.log(table);
  if (values.write) write(all);
  return all.length > 0 && all.every(({ isGood }) => isGood) ? 0 : 1;
}

void main().then((status) => (process.exitCode = status));
