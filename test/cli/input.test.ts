/** Every command reads the repository as mesh-edge.yaml says it is: build roots, what others own, what is ignored, and charts. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const home = mkdtempSync(join(tmpdir(), 'input-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const entry = (host: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${host.split('.')[0]}, namespace: shop }
spec:
  hosts: [${host}]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{ number: 80, name: http, protocol: HTTP }]
`;
const namespace = (name: string): string => `
apiVersion: v1
kind: Namespace
metadata: { name: ${name}, labels: { istio-injection: enabled } }
`;
/** Stands for the user's helm: a chart is a file of manifests and one value. */
const HELM = `#!/bin/sh
folder=$3
sed "s/VALUE/$(sed -n 's/^host: //p' "$folder/values.yaml")/" "$folder/templates/all.yaml"
`;
const FILES: Readonly<Record<string, string>> = {
  'repo/clusters/prod/mesh.yaml': namespace('shop'),
  'repo/clusters/prod/entry.yaml': entry('prod.example.com'),
  'repo/clusters/test/mesh.yaml': namespace('shop'),
  'repo/clusters/test/entry.yaml': entry('test.example.com'),
  'repo/drafts/entry.yaml': entry('draft.example.com'),
  'repo/charts/web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'repo/charts/web/values.yaml': 'host: chart.example.com\n',
  'repo/charts/web/templates/all.yaml': entry('VALUE').replace('name: VALUE', 'name: chart'),
  'platform/entry.yaml': entry('platform.example.com'),
  'rules.yaml': 'rules:\n  - { name: x, forbid: { from: outside, to: "*" }, vacuous: allowed }\n',
  'repo/mesh-edge.yaml': `
outbound: REGISTRY_ONLY
roots: [clusters/prod, { name: charts, paths: [charts/web] }]
externals: [{ path: ../platform/*.yaml }]
`,
};

function put(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
}

function run(...args: readonly string[]): {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
} {
  const env = { ...process.env, HELM: join(home, 'helm'), NO_COLOR: '1' };
  const options = { cwd: join(home, 'repo'), env, encoding: 'utf8' } as const;
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(ROOT, 'bin/mesh-edge'), ...args], options);
  return { stdout, stderr, status: status ?? -1 };
}

const git = (...args: readonly string[]): void => {
  const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
  const { status, stderr } = spawnSync('git', [...who, ...args], { cwd: join(home, 'repo'), encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
};

const hosts = (...args: readonly string[]): readonly string[] => {
  const { stdout } = run('list', '.', '--format', 'csv', ...args);
  return [...new Set(stdout.match(/[a-z]+\.example\.com/g) ?? [])].sort();
};

describe('what commands read of a repository', () => {
  beforeAll(() => {
    put({ ...FILES, helm: HELM });
    chmodSync(join(home, 'helm'), 0o755);
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '-m', 'one');
  });

  test('is the build roots of mesh-edge.yaml, with what others own, and charts where they are rendered', () => {
    expect(hosts()).toEqual(['platform.example.com', 'prod.example.com']);
    expect(hosts('--helm')).toEqual(['chart.example.com', 'platform.example.com', 'prod.example.com']);
    expect(run('list', '.').stderr).toContain('1 chart is not rendered: charts/web; --helm renders them');
  });

  test.each([
    ['trace', ['.', '--request', 'http://chart.example.com/', '--from', 'shop']],
    ['prove', ['../rules.yaml', '.']],
    ['diagram', ['.', '-o', '../picture.mmd']],
    ['upgrade', ['.', '--istio-version', '1.28..1.29']],
  ])('%s takes --helm as check does', (command, args) => {
    const whole = run(command, ...args, '--helm');
    expect(whole.stderr).toBe('');
    expect(whole.status).toBe(0);
  });

  test('is also what a shell hands over as the end of a pipe', () => {
    const script = '"$0" "$1" diff <(cat clusters/prod/entry.yaml) <(cat clusters/test/entry.yaml) --format json';
    const { stdout, stderr, status } = spawnSync(
      'bash',
      ['-c', script, process.execPath, join(ROOT, 'bin/mesh-edge')],
      {
        cwd: join(home, 'repo'),
        encoding: 'utf8',
      },
    );
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain('http://test.example.com/');
  });

  test('is no world of another name', () => {
    expect(run('list', '.', '--world', 'clusters/none')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'mesh-edge: there is no world clusters/none; there are clusters/prod, charts\n',
    });
  });

  test('is the same in a revision: its own charts are rendered, and only build roots are compared', () => {
    put({
      'repo/charts/web/values.yaml': 'host: other.example.com\n',
      'repo/clusters/test/entry.yaml': entry('elsewhere.example.com'),
    });
    const compared = (...args: readonly string[]): { changes: string[]; undecided: string[]; status: number } => {
      const { stdout, status } = run('diff', 'HEAD', '.', '--format', 'json', '--exit-code', ...args);
      const found = JSON.parse(stdout) as { changes: { to: string }[]; undecided: { what: string }[] };
      return {
        changes: found.changes.map(({ to }) => to).sort(),
        undecided: found.undecided.map(({ what }) => what),
        status,
      };
    };
    expect(compared('--helm')).toEqual({
      changes: ['http://chart.example.com/', 'http://other.example.com/'],
      undecided: [],
      status: 1,
    });
    expect(compared()).toEqual({ changes: [], undecided: ['chart charts/web is changed'], status: 1 });
    expect(compared('--world', 'clusters/prod')).toEqual({ changes: [], undecided: [], status: 0 });
  });

  test.each([
    ['is not there', 'clusters/prd', 'roots: there is no folder clusters/prd;'],
    ['is a pattern of nothing', 'cluster/*', 'roots: no object of . is in cluster/*'],
  ])('is refused where a root %s, and not judged as nothing', (_what, path, message) => {
    put({ 'typo.yaml': `roots: ['${path}']\n` });
    const { status, stdout, stderr } = run('check', '.', '--config', '../typo.yaml');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(`mesh-edge: mesh-edge.yaml: ${message}`);
  });

  test('of a world that one side alone has, all comes or goes', () => {
    put({
      'repo/clusters/next/entry.yaml': entry('next.example.com'),
      'repo/clusters/next/mesh.yaml': namespace('shop'),
    });
    put({ 'whole.yaml': 'roots: [clusters/*]\n' });
    const { stdout } = run(
      'diff',
      'HEAD',
      '.',
      '--world',
      'clusters/next',
      '--config',
      '../whole.yaml',
      '--format',
      'json',
    );
    const { changes, notes } = JSON.parse(stdout) as { changes: { to: string }[]; notes: string[] };
    expect(changes.map(({ to }) => to)).toContain('http://next.example.com/');
    expect(notes).toContain('there is no world clusters/next in HEAD');
  });
});
