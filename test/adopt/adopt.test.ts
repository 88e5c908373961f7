/** What adopt writes is synthesized here, and must carry the same traffic as what it was made from. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { transformSync } from 'esbuild';
import { adopt as adoptWith, type Adopted } from '../../src/adopt/adopt';
import type { ProjectFile } from '../../src/adopt/project';
import type { Constructs } from '../../src/adopt/run';
import { diff } from '../../src/diff/diff';
import { loadSubject } from '../../src/model/subject';
import { load, loadObjects } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';

const root = join(__dirname, '..', '..');
const scenarios = readdirSync(join(root, 'dist')).map((name) => [name, join(root, 'dist', name)] as const);
const fixtures = [
  ['a company with gateways, policies and scopes', join(root, 'test', 'diff', 'fixtures', 'company.yaml')],
  ['hosts copied one by one', join(__dirname, 'fixtures', 'copied.yaml')],
] as const;

const constructs: Constructs = { cdk8s: jest.requireActual('cdk8s'), edge: jest.requireActual('../../src/index') };
const adopt = (manifests: readonly Manifest[]): Adopted => adoptWith(manifests, {}, constructs);

/** Runs the files that were written: the modules are evaluated with the package's own sources behind its name. */
function synthesize(files: readonly ProjectFile[]): readonly Manifest[] {
  const modules = new Map<string, Record<string, unknown>>();
  const evaluate = (path: string): Record<string, unknown> => {
    const known = modules.get(path);
    if (known !== undefined) return known;
    const file = files.find((one) => one.path === path);
    if (file === undefined) throw new Error(`no file ${path} was written`);
    const { code } = transformSync(file.text, { loader: 'ts', format: 'cjs', target: 'node20' });
    const module = { exports: {} as Record<string, unknown> };
    const own = (name: string): unknown =>
      name.startsWith('./')
        ? evaluate(`${name.slice(2)}.ts`)
        : name === 'cdk8s-mesh-edge'
          ? jest.requireActual('../../src/index')
          : jest.requireActual(name);
    new Function('require', 'module', 'exports', code)(own, module, module.exports);
    modules.set(path, module.exports);
    return module.exports;
  };
  const { Edge } = evaluate('edge.ts') as { Edge: new (scope: Construct, id: string) => Chart };
  const app = new App();
  const chart = new Edge(app, 'edge');
  const problems = app.node.findAll().flatMap((node) => node.node.validate());
  expect(problems).toEqual([]);
  return chart.toJson().length === 0 ? [] : loadSubject(chart, 'adopt').manifests;
}

function sourceOf(files: readonly ProjectFile[], path: string): string {
  return files.find((file) => file.path === path)?.text ?? '';
}

describe('what adopt writes', () => {
  it.each([...scenarios, ...fixtures])('carries the same traffic as the manifests of %s', (_name, path) => {
    const { manifests } = load([path]);
    const adopted = adopt(manifests);
    const kept = manifests.filter(({ kind }) => kind !== 'Secret');
    const found = diff(kept, [...synthesize(adopted.files), ...adopted.left], { exhaustive: true });
    expect(found.changes.map(({ from, to, was, is }) => `${from.join()} ${to}: ${was.text} -> ${is.text}`)).toEqual([]);
    expect(adopted.lifted + adopted.raw + adopted.left.length).toBe(kept.length);
  });

  it('says copied hosts by one gateway and a line for each, and leaves Secrets out', () => {
    const { files, lifted, raw, notes } = adopt(load([join(__dirname, 'fixtures', 'copied.yaml')]).manifests);
    expect({ lifted, raw }).toEqual({ lifted: 9, raw: 0 });
    const edge = sourceOf(files, 'edge.ts');
    expect(edge).toContain("EgressGateway.fromInstalled(this, 'EgressGateway'");
    expect(edge).toMatch(/gateway\.forward\(editionCnnCom, \{\s+http: HttpEgress\.originateTls\(/);
    expect(edge).toMatch(/gateway\.forward\(wwwWikipediaOrg, \{ https: TlsEgress\.passthrough\(\)/);
    expect(files.map(({ path }) => path)).toEqual(['main.ts', 'edge.ts', 'package.json', 'cdk8s.yaml']);
    expect(notes).toEqual([expect.stringContaining('Secret default/client-credential is left out')]);
  });

  it.each([
    'gateway-http',
    'gateway-tls-passthrough',
    'gateway-tls-origination-subset',
    'sidecar-http',
    'sidecar-http-https',
  ])('needs no raw object for scenario %s', (name) => {
    expect(adopt(load([join(root, 'dist', name)]).manifests).raw).toBe(0);
  });

  it('keeps what no construct says in full', () => {
    const odd = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: "it's", namespace: 'shop', labels: { a: '`${x}`' } },
      spec: {
        hosts: ['a.example'],
        ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
        endpoints: [{ address: '192.0.2.1' }],
        resolution: 'STATIC',
      },
    };
    const { files, raw } = adopt(loadObjects([odd]).manifests);
    expect(raw).toBe(1);
    expect(synthesize(files).map(({ body }) => body as unknown)).toEqual([odd]);
  });
});

describe('a gateway with a field that no construct renders', () => {
  const path = join(root, 'dist', 'gateway-tls-passthrough');
  it.each([
    ['Gateway', 'labels', { metadata: { labels: { team: 'net' } } }],
    ['VirtualService', 'annotations', { metadata: { annotations: { wave: '3' } } }],
    [
      'DestinationRule',
      'trafficPolicy',
      { spec: { trafficPolicy: { connectionPool: { tcp: { maxConnections: 5 } } } } },
    ],
  ])('stays as it is, and it is said which: %s with %s', (kind, field, added) => {
    const { manifests } = load([path]);
    const bodies = manifests.map(({ body, kind: own }) => {
      const { metadata, spec, ...rest } = body as { metadata: object; spec: object };
      const more: { metadata?: object; spec?: object } = own === kind ? added : {};
      return { ...rest, metadata: { ...metadata, ...more.metadata }, spec: { ...spec, ...more.spec } };
    });
    const { files, raw, notes } = adopt(loadObjects(bodies).manifests);
    expect(raw).toBeGreaterThan(0);
    const changed = bodies.find((one) => (one as unknown as { kind: string }).kind === kind);
    expect(synthesize(files).map(({ body }) => body as unknown)).toContainEqual(changed);
    if (field !== 'trafficPolicy') expect(notes.join('\n')).toContain(`metadata.${field} of ${kind}`);
  });
});

describe('mesh-edge adopt', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adopt-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const { status, stdout, stderr } = spawnSync(join(root, 'bin', 'mesh-edge'), ['adopt', ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  it('replaces no file that is there unless told to, and then says so', () => {
    const out = join(folder, 'app');
    expect(run('dist/sidecar-http', '-o', out)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`wrote ${join(out, 'edge.ts')}`),
    });
    writeFileSync(join(out, 'edge.ts'), '// mine\n');
    expect(run('dist/sidecar-http', '-o', out)).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/edge\.ts are there already, and nothing was written/),
    });
    expect(readFileSync(join(out, 'edge.ts'), 'utf8')).toBe('// mine\n');
    expect(run('dist/sidecar-http', '-o', out, '--force').stdout).toContain(`replaced ${join(out, 'edge.ts')}`);
  });

  it('refuses input that is none with status 2 and a reason', () => {
    expect(run('nowhere', '-o', join(folder, 'x'))).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('nowhere'),
    });
  });
});
