/** What holds of several commands alike: which files they read, what they say of documents that cannot be read, and their statuses. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const home = mkdtempSync(join(tmpdir(), 'contract-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const run = (...args: string[]) => runIn(home, ...args);

function runIn(cwd: string, ...args: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(ROOT, 'bin/mesh-edge'), ...args], {
    cwd,
    encoding: 'utf8',
  });
  return { stdout, stderr, status };
}

const MESH = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: bank, namespace: shop }
spec:
  hosts: [bank.example.com]
  exportTo: ["."]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{ number: 80, name: http, protocol: HTTP }]
`;
const BROKEN = 'apiVersion: v1\nkind: [Service\n';
const CLOSED = ['--outbound', 'REGISTRY_ONLY'];

describe('a kustomization', () => {
  write('base/kustomization.yaml', 'resources: [mesh.yaml]\n');
  write('base/mesh.yaml', MESH);
  write('prod/kustomization.yaml', 'namespace: prod\nresources: [../base]\n');
  const rules = write(
    'rules.yaml',
    'rules:\n  - name: prod pays nobody\n    forbid: { from: prod, to: { hosts: [bank.example.com] } }\n',
  );

  it('is listed as it is built', () => {
    const { stdout, status } = run('list', 'prod', ...CLOSED, '--format', 'json');
    const { entries } = JSON.parse(stdout) as { entries: { to: { host: string }; by: { namespace: string }[] }[] };
    expect(status).toBe(0);
    expect(entries.map(({ to, by }) => [to.host, by[0]?.namespace])).toEqual([['bank.example.com', 'prod']]);
  });

  it('is held to rules as it is built', () => {
    const { stdout, status } = run('prove', rules, 'prod', ...CLOSED, '--format', 'json');
    const proved = JSON.parse(stdout) as { rules: { verdict: string; counterexample: { from: string } }[] };
    expect(status).toBe(1);
    expect(proved.rules).toMatchObject([{ verdict: 'refuted', counterexample: { from: 'prod' } }]);
  });

  it.each([
    ['rules: [{ name: a, forbid: { from: *, to: outside } }]', 'odd.yaml:1'],
    ['rules: []', 'there are no rules'],
    ['rules: [{ name: a, forbid: { from: nowhere, to: outside } }]', 'anything about namespace "nowhere"'],
    [
      'rules: [{ name: a, forbid: { from: prod, to: { hosts: [nobody.example] } } }]',
      'anything about "nobody.example"',
    ],
  ])('is held to no rules that cannot be read, or name what nobody knows: %s', (text, why) => {
    const { stdout, stderr, status } = run('prove', write('odd.yaml', text), 'prod', ...CLOSED);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain(why);
  });

  it('is left out by list where mesh-edge.yaml says that it is no part of any mesh', () => {
    const config = write('ignoring.yaml', 'ignore: ["**/extra/**"]\n');
    write('plain/mesh.yaml', MESH);
    write('plain/extra/mesh.yaml', MESH.replaceAll('bank', 'casino'));
    const hosts = (...args: string[]) =>
      (
        JSON.parse(run('list', 'plain', ...CLOSED, '--format', 'json', ...args).stdout) as {
          entries: { to: { host: string } }[];
        }
      ).entries.map(({ to }) => to.host);
    expect(hosts().sort()).toEqual(['bank.example.com', 'casino.example.com']);
    expect(hosts('--config', config)).toEqual(['bank.example.com']);
  });
});

describe('what mesh-edge.yaml says is no part of any mesh', () => {
  const team = join(home, 'repository/team');
  const git = (...args: string[]): void => {
    const commit = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
    execFileSync('git', [...commit, ...args], { cwd: join(home, 'repository'), stdio: 'pipe' });
  };

  it('is left out on both sides of a diff, in a revision too and from a folder below its top', () => {
    write('repository/team/dist/mesh.yaml', MESH);
    write('repository/team/dist/extra/mesh.yaml', MESH.replaceAll('bank', 'casino'));
    git('init', '-q');
    git('add', '.');
    git('commit', '-qm', 'one');
    rmSync(join(team, 'dist/extra'), { recursive: true });
    const changes = (): unknown => {
      const args = ['diff', 'HEAD:./dist', 'dist', '--format', 'json', ...CLOSED];
      const found = JSON.parse(runIn(team, ...args).stdout) as { changes: { to: string }[] };
      return found.changes.map(({ to }) => to);
    };
    expect(changes()).toEqual(['http://casino.example.com/']);
    write('repository/team/mesh-edge.yaml', 'ignore: [dist/extra/**]\n');
    expect(changes()).toEqual([]);
  });
});

it('what the configuration ignores is named, since whoever changes a file may ignore it too', () => {
  const text = (host: string): string => MESH.replace('bank.example.com', host);
  write('ignoring/m/mesh.yaml', MESH);
  write('ignoring/m/hidden/entry.yaml', text('a.example.net'));
  write('ignoring/m/notes.txt', 'nothing');
  write('ignoring/mesh-edge.yaml', 'ignore: [m/hidden, m/notes.txt]\n');
  const cwd = join(home, 'ignoring');
  const leftOut = '1 file left out: m/hidden (ignored in mesh-edge.yaml)';
  expect(runIn(cwd, 'check', 'm').stdout).toContain(leftOut);
  expect(runIn(cwd, 'diff', 'm', 'm').stdout).toContain(`note: ${leftOut}`);
});

describe('a document that cannot be read, among good ones', () => {
  write('some/mesh.yaml', MESH);
  write('some/broken.yaml', BROKEN);

  it('is told by upgrade on standard error', () => {
    const { stderr } = run('upgrade', 'some', '--istio-version', '1.29..1.30', '--format', 'json');
    expect(stderr).toMatch(/some\/broken\.yaml:\d+: the document cannot be read/);
  });

  it.each([
    ['trace', ['--request', 'http://bank.example.com/', '--from', 'shop']],
    ['list', []],
    ['upgrade', ['--istio-version', '1.29..1.30']],
  ])('is told by %s as well if a tool would fill it in', (command, args) => {
    write('filled/mesh.yaml', MESH);
    write('filled/template.yaml', `${MESH.trim()}\n{{ if .more }}\n`);
    expect(run(command, 'filled', ...args).stderr).toMatch(
      /filled\/template\.yaml:\d+ \(a template, which is not rendered\)/,
    );
  });

  it('is a change that diff cannot decide where it is new, and a note where both sides have it', () => {
    write('whole/mesh.yaml', MESH);
    const compared = (old: string, now: string) => {
      const { stdout, status } = run('diff', old, now, '--format', 'json', '--exit-code');
      return { ...(JSON.parse(stdout) as object), status };
    };
    const isNew = { status: 1, complete: false, changes: [], undecided: [{ to: 'every host' }], notes: [] };
    expect(compared('whole', 'some')).toMatchObject(isNew);
    expect(compared('some', 'whole')).toMatchObject(isNew);
    const note = expect.stringContaining('some/broken.yaml') as string;
    expect(compared('some', 'some')).toMatchObject({ status: 0, complete: true, undecided: [], notes: [note] });
  });
});

describe('colours', () => {
  write('coloured/mesh.yaml', MESH);
  it.each([
    [{ FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '0' }, false],
    [{ FORCE_COLOR: 'false' }, false],
    [{ FORCE_COLOR: '' }, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('are written or not as the environment says: %j', (said, expected) => {
    const asked = [
      ['check', 'coloured'],
      ['diff', 'coloured', write('coloured-other.yaml', MESH.replace('bank.', 'other.'))],
      ['trace', 'coloured', '--request', 'http://bank.example.com/', '--from', 'shop'],
    ];
    const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '', ...said };
    for (const args of asked) {
      const options = { cwd: home, env, encoding: 'utf8' } as const;
      const { stdout } = spawnSync(process.execPath, [join(ROOT, 'bin/mesh-edge'), ...args], options);
      expect([args[0], stdout.includes('\u001b[')]).toEqual([args[0], expected]);
    }
  });
});

describe('used wrongly', () => {
  it.each([
    ['HEAD:.', '.'],
    ['HEAD', '.'],
  ])('a revision of a repository that git does not trust is refused in words of git: %s', (old, now) => {
    write('theirs/mesh.yaml', MESH);
    const cwd = join(home, 'theirs');
    execFileSync('git', ['init', '-q'], { cwd });
    const env = { ...process.env, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' };
    const options = { cwd, env, encoding: 'utf8' } as const;
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/mesh-edge'), 'diff', old, now], options);
    expect(status).toBe(2);
    expect(stderr).toContain('detected dubious ownership');
  });

  it.each([
    ['a range of three releases', ['upgrade', 'some', '--istio-version', '1.29..1.30..1.31'], 'OLD..NEW'],
    ['a configuration that is not there', ['check', 'some', '--config', 'none.yaml'], 'none.yaml cannot be read'],
    [
      'a dump that is not there',
      ['verify', 'some', '--config-dump', 'none.json'],
      'none.json cannot be read: no such file',
    ],
    [
      'standard input as two things',
      ['verify', '-', '--config-dump', '-'],
      'standard input is either the manifests or a config dump',
    ],
    ['a baseline that is a folder', ['check', 'some', '--baseline', 'some'], 'some cannot be read: it is a folder'],
    [
      'a baseline to be written where a folder is',
      ['check', 'some', '--baseline', 'some', '--write-baseline'],
      'some cannot be written: it is a folder',
    ],
    [
      'a change of releases without an end',
      ['upgrade', 'some', '--istio-version', '1.29..'],
      'Write it as OLD..NEW, or NEW alone',
    ],
  ])('%s is status 2, with the reason on standard error and nothing on standard output', (_, args, reason) => {
    const { stdout, stderr, status } = run(...args);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain(reason);
  });
});
