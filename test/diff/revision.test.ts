import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { diff } from '../../src/diff/diff';
import { loadSide } from '../../src/diff/revision';
import { unreadOf } from '../../src/diff/unread';

const entry = (name: string, host = `${name}.example.com`): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: shop }
spec:
  hosts: [${host}]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{ number: 443, name: tls, protocol: TLS }]
`;

/** A folder of everything that readers of folders treat in a way of its own. */
const FILES: Readonly<Record<string, string>> = {
  'm/a.yaml': entry('a'),
  'm/b.yml': entry('b'),
  'm/c.json': JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: 'c', namespace: 'shop' },
    spec: { hosts: ['c.example.com'], resolution: 'NONE', ports: [{ number: 80, name: 'http', protocol: 'HTTP' }] },
  }),
  'm/istiod.values': 'meshConfig: { outboundTrafficPolicy: { mode: REGISTRY_ONLY } }\n',
  'm/.hidden.yaml': entry('hidden'),
  'm/.config/x.yaml': entry('hidden-too'),
  'm/package.json': '{}',
  'm/Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n',
  'm/templates/t.yaml': entry('templated'),
  'm/vendor/v.yaml': entry('vendored'),
  'm/node_modules/n/n.yaml': entry('installed'),
  'm/k/kustomization.yaml': 'resources: [base.yaml]\npatches: [{ path: patch.yaml }]\n',
  'm/k/base.yaml': entry('base'),
  'm/k/patch.yaml': entry('base', 'patched.example.com'),
  'm/\u{1f980} é.yaml': entry('crab'),
  'elsewhere/behind.yaml': entry('behind'),
  'elsewhere/deep/er.yaml': entry('deeper'),
  'm/notes.txt': 'nothing\n',
};

describe('a git revision', () => {
  let folder = '';
  const here = process.cwd();
  const git = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(
      'git',
      ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  const write = (file: string | Buffer, text: string): void => {
    if (typeof file === 'string') mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(
      typeof file === 'string' ? join(folder, file) : Buffer.concat([Buffer.from(`${folder}/`), file]),
      text,
    );
  };
  const foreign = Buffer.from('m/caf\xe9.yaml', 'latin1');
  const names = (side: string): readonly string[] =>
    loadSide(side)
      .manifests.map(({ kind, name }) => `${kind} ${name}`)
      .sort();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'revision-'));
    for (const [file, text] of Object.entries(FILES)) write(file, text);
    write(foreign, entry('coffee'));
    symlinkSync('../elsewhere/behind.yaml', join(folder, 'm', 'linked.yaml'));
    symlinkSync('../elsewhere/deep', join(folder, 'm', 'linked-folder'));
    symlinkSync('..', join(folder, 'm', 'k', 'round'));
    symlinkSync('nowhere.yaml', join(folder, 'm', 'dangling.yaml'));
    git('init', '-q', '-b', 'main');
    git('add', '-f', '-A');
    git('commit', '-q', '-m', 'all');
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(here);
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds the same manifests as a checkout of it', () => {
    expect(names('HEAD:m')).toEqual(names('m'));
    expect(names('HEAD:')).toEqual(names('.'));
    expect(names('HEAD:m')).toEqual([
      'HelmValues ',
      ...['a', 'b', 'base', 'behind', 'c', 'coffee', 'crab', 'deeper'].map((name) => `ServiceEntry ${name}`),
    ]);
  });

  it('is read by paths through links, and by single files, as a checkout is', () => {
    expect(names('HEAD:m/linked.yaml')).toEqual(['ServiceEntry behind']);
    expect(names('HEAD:m/linked-folder/er.yaml')).toEqual(['ServiceEntry deeper']);
    expect(names('HEAD:m/k/patch.yaml')).toEqual(['ServiceEntry base']);
  });

  it('does not differ from a clean tree, and differs in what opens the mesh in Helm values', () => {
    const compare = (old: string, now: string): readonly string[] =>
      diff(loadSide(old).manifests, loadSide(now).manifests).changes.map(({ effect }) => effect);
    expect(compare('HEAD:m', 'm')).toEqual([]);
    write('m/istiod.values', 'meshConfig: { outboundTrafficPolicy: { mode: ALLOW_ANY } }\n');
    expect(compare('HEAD:m', 'm')).toContain('widened');
    git('commit', '-q', '-a', '-m', 'open');
    expect(compare('HEAD~1:m', 'HEAD:m')).toContain('widened');
    expect(compare('HEAD:m', 'm')).toEqual([]);
  });

  it('says what a checkout would have and the revision has not', () => {
    symlinkSync('/nowhere/at/all', join(folder, 'm', 'out'));
    git('add', '-A');
    git('commit', '-q', '-m', 'out');
    expect(loadSide('HEAD:m').problems.map(({ source, what }) => `${source.file ?? ''}: ${what}`)).toEqual([
      'HEAD:m/out: the link leads out of the repository, where this revision holds nothing',
    ]);
  });

  it('tells two commits of a submodule apart, whose files it does not hold', () => {
    const pinned = (commit: string): string => {
      git('update-index', '--add', '--cacheinfo', `160000,${commit.repeat(40)},m/sub`);
      git('commit', '-q', '-m', commit);
      return git('rev-parse', 'HEAD').trim();
    };
    const [one, other] = [pinned('1'), pinned('2')];
    const doubts = (old: string, now: string): number =>
      unreadOf(loadSide(`${old}:m`), loadSide(`${now}:m`)).doubts.length;
    expect([doubts(one, other), doubts(one, one)]).toEqual([2, 0]);
    git('rm', '-q', '--cached', 'm/sub');
    git('commit', '-q', '-m', 'without');
  });

  it('can be read of a bare repository', () => {
    const wanted = names('HEAD:m');
    git('clone', '-q', '--bare', '.', 'bare.git');
    process.chdir(join(folder, 'bare.git'));
    expect(names('HEAD:m')).toEqual(wanted);
    process.chdir(folder);
  });
});
