/** The pipelines that judge a fleet as jobs and join the reports: each is read as its CI reads it, and its scripts are run on a small tree. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { load } from 'js-yaml';

const ROOT = join(__dirname, '..');
const FLEET = join(ROOT, 'examples', 'ci', 'fleet');
const read = (name: string): unknown => load(readFileSync(join(FLEET, name), 'utf8'));

/** Inputs of the actions that are used (their action.yml, of these major versions). */
const INPUTS: Readonly<Record<string, readonly string[]>> = {
  'actions/checkout@v4': ['repository', 'ref', 'token', 'path', 'clean', 'fetch-depth', 'submodules'],
  'actions/setup-node@v4': ['node-version', 'node-version-file', 'cache', 'cache-dependency-path', 'registry-url'],
  'actions/upload-artifact@v4': ['name', 'path', 'if-no-files-found', 'retention-days', 'compression-level', 'overwrite', 'include-hidden-files'],
  'actions/download-artifact@v4': ['name', 'path', 'pattern', 'merge-multiple', 'github-token', 'repository', 'run-id'],
  'github/codeql-action/upload-sarif@v3': ['sarif_file', 'checkout_path', 'ref', 'sha', 'token', 'matrix', 'category', 'wait-for-processing'],
}; // prettier-ignore

const gateway = (host: string): string => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["${host}"] }]
`;
const FILES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['a', 'b', 'c'].flatMap((name): readonly [string, string][] => [
      [`clusters/${name}/kustomization.yaml`, `namespace: mesh-${name}\nresources: [gateway.yaml]\n`],
      [`clusters/${name}/gateway.yaml`, gateway(name === 'c' ? 'not a host' : `${name}.example.com`)],
    ]),
  ),
  'package.json': '{}',
};

describe('a fleet as jobs', () => {
  const home = mkdtempSync(join(tmpdir(), 'fleet-'));
  const bin = join(home, 'bin');
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  beforeAll(() => {
    mkdirSync(bin);
    const programs = {
      npx: `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(ROOT, 'bin', 'mesh-edge')}" "$@"\n`,
      npm: '#!/bin/sh\n[ "$1" = ci ]\n',
      node: `#!/bin/sh\nexec "${process.execPath}" "$@"\n`,
    };
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(bin, name), text);
      chmodSync(join(bin, name), 0o755);
    }
  });

  function repository(name: string): string {
    const folder = join(home, name);
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    cpSync(join(FLEET, 'fleet.mjs'), join(folder, 'fleet.mjs'));
    return folder;
  }

  function bash(script: string, cwd: string, env: Record<string, string> = {}): { stdout: string; status: number } {
    const { stdout, status } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, ...env },
    });
    return { stdout, status: status ?? -1 };
  }

  /** What both reports of a whole fleet hold. */
  function expectJoined(folder: string): void {
    const { runs } = JSON.parse(readFileSync(join(folder, 'reports', 'fleet.sarif'), 'utf8')) as {
      runs: {
        tool: { driver: { rules: { id: string }[] } };
        results: { ruleId: string; ruleIndex: number; locations: unknown[] }[];
      }[];
    };
    expect(runs).toHaveLength(1);
    const [{ tool, results }] = runs as [(typeof runs)[0]];
    const errors = results.filter((one) => JSON.stringify(one).includes('"error"'));
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.every((one) => JSON.stringify(one.locations).includes('clusters/c/'))).toBe(true);
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    expect(new Set(results.map((one) => JSON.stringify(one))).size).toBe(results.length);
    expect(readFileSync(join(folder, 'reports', 'fleet.md'), 'utf8')).toContain('clusters/c/');
  }

  interface Step {
    readonly name?: string;
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Record<string, unknown>;
  }

  test('in GitHub Actions', () => {
    const { jobs } = read('github.yaml') as { jobs: Record<string, { steps: Step[] }> };
    for (const { uses, with: inputs = {} } of Object.values(jobs).flatMap(({ steps }) => steps))
      if (uses !== undefined) expect(INPUTS[uses]).toEqual(expect.arrayContaining(Object.keys(inputs)));
    const run = (name: string): string =>
      Object.values(jobs).flatMap(({ steps }) => steps).find((step) => step.name === name)?.run ?? 'exit 9'; // prettier-ignore
    const folder = repository('github');
    const [output, summary] = [join(home, 'output'), join(home, 'summary')];
    expect(bash(run('Divide the worlds among jobs').replace('divide 20', 'divide 2'), folder, { GITHUB_OUTPUT: output }).status).toBe(0); // prettier-ignore
    const matrix = JSON.parse(readFileSync(output, 'utf8').replace(/^jobs=/, '')) as string[][];
    expect(matrix).toEqual([['clusters/a', 'clusters/b'], ['clusters/c']]);
    const statuses = matrix.map(
      (worlds, at) =>
        bash(run('Judge these worlds'), folder, { WORLDS: worlds.join('|'), REPORT: `check-${at}` }).status,
    );
    expect(statuses).toEqual([0, 1]);
    expect(bash(run('Join the reports'), folder, { GITHUB_STEP_SUMMARY: summary }).status).toBe(0);
    expectJoined(folder);
    expect(readFileSync(summary, 'utf8')).toContain('clusters/c/');
  });

  test('in GitLab', () => {
    interface Job {
      readonly script: readonly string[];
      readonly artifacts: { readonly paths: readonly string[] };
    }
    const folder = repository('gitlab');
    const { worlds, fleet } = read('gitlab.yaml') as {
      worlds: Job;
      fleet: { trigger: { include: { artifact: string }[] } };
    };
    expect(bash(worlds.script.join('\n'), folder).status).toBe(0);
    const [artifact = ''] = worlds.artifacts.paths;
    expect(fleet.trigger.include.map((one) => one.artifact)).toEqual([artifact]);
    const { include, ...jobs } = load(readFileSync(join(folder, artifact), 'utf8')) as {
      include: { local: string }[];
    } & Record<string, { extends: string; variables: Record<string, string> }>;
    const base = read('gitlab-jobs.yaml') as Record<string, Job>;
    expect(include).toEqual([{ local: '.gitlab/fleet-jobs.yml' }]);
    const statuses = Object.values(jobs).map(({ extends: of, variables }) => bash(base[of]?.script.join('\n') ?? 'exit 9', folder, variables).status); // prettier-ignore
    expect(statuses).toEqual([1]);
    expect(bash(base.join?.script.join('\n') ?? 'exit 9', folder).status).toBe(0);
    expectJoined(folder);
  });

  test('in Argo Workflows', () => {
    interface Template {
      readonly name: string;
      readonly script?: { readonly source: string; readonly command: readonly string[]; readonly workingDir: string };
      readonly dag?: {
        readonly tasks: readonly { readonly name: string; readonly template: string; readonly depends?: string }[];
      };
    }
    const { spec } = read('argo-workflows.yaml') as { spec: { entrypoint: string; templates: Template[] } };
    const named = (name: string): Template | undefined => spec.templates.find((one) => one.name === name);
    for (const { template } of named(spec.entrypoint)?.dag?.tasks ?? [])
      expect(named(template)?.script?.command[0]).toBe('bash');
    const origin = repository('origin');
    const git = (...args: string[]): void => void execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd: origin, stdio: 'pipe' }); // prettier-ignore
    git('init', '--quiet', '--initial-branch', 'main');
    git('add', '.');
    git('commit', '--quiet', '-m', 'one');
    const work = join(home, 'work');
    mkdirSync(work);
    const run = (name: string, env: Record<string, string> = {}): { stdout: string; status: number } => {
      const { source = 'exit 9', workingDir = '' } = named(name)?.script ?? {};
      return bash(`set -u\n${source}`, workingDir.replace('/fleet', work), env);
    };
    const divided = run('worlds', { REPOSITORY: origin, REVISION: 'main' });
    expect(JSON.parse(divided.stdout)).toEqual([['clusters/a', 'clusters/b', 'clusters/c']]);
    expect(run('check', { WORLDS: divided.stdout.slice(1, -2), REPORT: 'check-0' }).status).toBe(1);
    expect(run('join').status).toBe(0);
    expectJoined(join(work, 'repository'));
  });

  test('and the page that tells of them names each file', () => {
    const page = readFileSync(join(ROOT, 'docs', 'worlds.md'), 'utf8');
    for (const file of readdirSync(FLEET)) expect(page).toContain(`../examples/ci/fleet/${file}`);
    expect(existsSync(join(FLEET, 'fleet.mjs'))).toBe(true);
  });
});
