import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CRD_SOURCES } from '../scripts/crd-sources';

const ROOT = join(__dirname, '..');
const EXAMPLE = join(ROOT, 'examples', 'platform-team');

/** Every file below a folder, with its text. */
function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]),
  );
}

describe("a user's repository, with the packed package installed", () => {
  const home = mkdtempSync(join(tmpdir(), 'mesh-edge-example-'));
  const team = join(home, 'platform-team');
  const env = {
    ...process.env,
    CDK8S_CHECK_UPGRADE: 'false',
    JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '1',
    CI: 'true',
  };
  const bin = (name: string) => join(team, 'node_modules', '.bin', name);
  const run = (file: string, args: string[]) =>
    execFileSync(file, args, { cwd: team, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  beforeAll(() => {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', home], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const tarball = readdirSync(home).find((name) => name.endsWith('.tgz')) as string;
    cpSync(EXAMPLE, team, { recursive: true, filter: (path) => !path.includes('node_modules') });
    // What the registry would bring is linked from this checkout; the package under test comes from its tarball alone.
    mkdirSync(join(team, 'node_modules', 'cdk8s-mesh-edge'), { recursive: true });
    for (const name of readdirSync(join(ROOT, 'node_modules'))) {
      if (name !== 'cdk8s-mesh-edge' && !name.startsWith('cdk8s-plus'))
        symlinkSync(join(ROOT, 'node_modules', name), join(team, 'node_modules', name));
    }
    execFileSync('tar', [
      'xzf',
      join(home, tarball),
      '--strip-components=1',
      '-C',
      join(team, 'node_modules', 'cdk8s-mesh-edge'),
    ]);
  }, 240_000);
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('synthesizes what it has committed', () => {
    const committed = filesOf(join(EXAMPLE, 'dist'));
    rmSync(join(team, 'dist'), { recursive: true });
    const said = run(bin('cdk8s'), ['synth']);
    expect(said).toMatch(/validat/i);
    expect(filesOf(join(team, 'dist'))).toEqual(committed);
  }, 60_000);

  it('passes its own tests', () => {
    run(bin('jest'), ['--ci']);
  }, 120_000);

  it('type-checks against the declarations in the package', () => {
    run(bin('tsc'), ['-p', '.']);
  }, 120_000);

  it('finds the types of /jest and /plugin as `cdk8s init typescript-app` resolves modules', () => {
    writeFileSync(
      join(team, 'classic.ts'),
      [
        "import { MeshEdgeValidation } from 'cdk8s-mesh-edge/plugin';",
        "import 'cdk8s-mesh-edge/jest';",
        "import { Testing } from 'cdk8s';",
        'export const validation: MeshEdgeValidation = new MeshEdgeValidation();',
        "test('x', () => expect(Testing.chart()).toHaveNoFindings());",
      ].join('\n'),
    );
    const classic = ['--target', 'es2020', '--module', 'commonjs', '--moduleResolution', 'node10', '--strict'];
    run(bin('tsc'), [...classic, '--noEmit', '--skipLibCheck', '--types', 'jest', 'classic.ts']);
  }, 120_000);

  it('has the bindings of every kind for raw objects', () => {
    writeFileSync(
      join(team, 'raw.ts'),
      [
        "import * as mesh from 'cdk8s-mesh-edge/bindings/networking.istio.io';",
        "import * as api from 'cdk8s-mesh-edge/bindings/gateway.networking.k8s.io';",
        "import { App, Chart, Testing } from 'cdk8s';",
        "const chart = new Chart(new App({ outdir: 'raw' }), 'raw');",
        "new mesh.ServiceEntry(chart, 'Entry', { spec: { hosts: ['api.example.com'] } });",
        "new api.ListenerSet(chart, 'Set', { spec: { parentRef: { name: 'edge' }, listeners: [] } });",
        'process.stdout.write(JSON.stringify(Testing.synth(chart)));',
      ].join('\n'),
    );
    const classic = ['--target', 'es2020', '--module', 'commonjs', '--moduleResolution', 'node10', '--strict'];
    run(bin('tsc'), [...classic, '--noEmit', '--skipLibCheck', 'raw.ts']);
    expect(JSON.parse(run(bin('tsx'), ['raw.ts']))).toMatchObject([
      { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', spec: { hosts: ['api.example.com'] } },
      { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'ListenerSet' },
    ]);
    const groups = [...new Set(CRD_SOURCES.flatMap(({ kinds }) => Object.keys(kinds)).map((key) => key.replace(/^[^.]*\./, '')))]; // prettier-ignore
    const asked = `${JSON.stringify(groups)}.flatMap((group) => Object.values(require('cdk8s-mesh-edge/bindings/' + group)).filter(({ GVK }) => GVK).map(({ GVK }) => GVK.kind + '.' + group))`;
    const found = JSON.parse(run(process.execPath, ['-p', `JSON.stringify(${asked})`])) as string[];
    expect(found.sort()).toEqual(CRD_SOURCES.flatMap(({ kinds }) => Object.keys(kinds)).sort());
  }, 120_000);

  it('keeps its committed manifests when a chart is wrong, and is told all that is', () => {
    const before = filesOf(join(team, 'dist'));
    let said = '';
    try {
      execFileSync(bin('cdk8s'), ['synth', '--app', 'tsx test/broken.ts'], {
        cwd: team,
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    } catch (error) {
      said = (error as { stderr: string }).stderr;
    }
    expect(said).toMatch(/Nothing was written, because of 2 problems/);
    expect(said).toMatch(/\[egress\/Broken\] host "http:\/\/x\.example\.com" is a URL/);
    expect(said).toMatch(/\[egress\/Broken\] port 99999 is not a port number/);
    expect(filesOf(join(team, 'dist'))).toEqual(before);
  }, 60_000);

  it('has the command line', () => {
    const said = execFileSync(
      process.execPath,
      [join(team, 'node_modules/cdk8s-mesh-edge/bin/mesh-edge'), 'check', 'dist'],
      { cwd: team, env, encoding: 'utf8' },
    );
    expect(said).toMatch(/21 objects checked/);
    expect(said).not.toMatch(/error|warning/);
  });
});
