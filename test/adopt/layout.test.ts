/** How the code that adopt writes is laid out: charts, comments, environments. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, Chart } from 'cdk8s';
import { adopt as adoptWith, type Adopted, type Layout } from '../../src/adopt/adopt';
import { commentsOf } from '../../src/adopt/comments';
import { environmentNames } from '../../src/adopt/environments';
import { INHERITED, type ProjectFile } from '../../src/adopt/project';
import type { Constructs } from '../../src/adopt/run';
import { load } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';
import { charts, synthesize } from './synthesize';

const root = join(__dirname, '..', '..');
const constructs: Constructs = { cdk8s: jest.requireActual('cdk8s'), edge: jest.requireActual('../../src/index') };

/** A folder with files, each with its text. */
function folder(files: Readonly<Record<string, string>>): string {
  const home = mkdtempSync(join(tmpdir(), 'adopt-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  return home;
}

function adopted(files: Readonly<Record<string, string>>, layout: Layout = {}): Adopted {
  const { manifests } = load([folder(files)]);
  return adoptWith(manifests, {}, constructs, { comments: commentsOf(manifests), ...layout });
}

const textOf = (files: readonly ProjectFile[], path: string): string =>
  files.find((one) => one.path === path)?.text ?? '';

const remarks = (files: readonly ProjectFile[], path: string): readonly string[] =>
  [...textOf(files, path).matchAll(/^ *\/\/ ?(.*)/gm)].map(([, line = '']) => line);

const entry = (namespace: string, name: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: ${namespace} }
spec: { hosts: [${name}.example.com], resolution: DNS, ports: [{ number: 443, name: tls, protocol: TLS }] }
`;

const gateway = (namespace: string, name: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  gatewayClassName: istio
  listeners: [{ name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }]
`;

const route = (namespace: string, name: string, parent: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  parentRefs: [{ name: ${parent.split('/')[1]!}, namespace: ${parent.split('/')[0]!} }]
  hostnames: [${name}.example.com]
  rules: [{ backendRefs: [{ name: ${name}, port: 80 }] }]
`;

describe('comments of the YAML', () => {
  it('stand in the code at what they were written at, with their field', () => {
    const { files } = adopted({
      'a.yaml': `# Owned by payments
#
# ask before a change
---
apiVersion: networking.istio.io/v1 # one
kind: ServiceEntry
metadata:
  name: api # two
  namespace: shop
  annotations: { note: "# none", more: 'a # none' }
spec:
  # the new name,
  # since May
  hosts: [api.example.com]
  resolution: DNS
  ports:
    - { number: 443, name: tls, protocol: TLS }
    # three
    - number: 80
      name: http
      protocol: HTTP # four
# last
`,
    });
    expect(remarks(files, 'edge.ts')).toEqual([
      'Owned by payments',
      '',
      'ask before a change',
      'apiVersion: one',
      'metadata.name: two',
      'spec.hosts: the new name,',
      'since May',
      'spec.ports[1]: three',
      'spec.ports[1].protocol: four',
      'last',
    ]);
    expect(synthesize(files)).toHaveLength(1);
  });

  it('go to the object of a list and of a file that they stand at, and none is taken from text', () => {
    const list = `apiVersion: v1
kind: List
items:
# first
- apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata: { name: a, namespace: shop, annotations: { text: "x\\n# none" } }
  spec: { hosts: [a.example.com], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }
# second
- apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata:
    name: b
    namespace: shop
    annotations:
      text: |
        # none either
  spec: { hosts: [b.example.com], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] } # b's
`;
    const { files } = adopted({
      'list.yaml': list,
      'two.yaml': `${entry('shop', 'c')}---\n# d's\n${entry('shop', 'd')}`,
    });
    const text = textOf(files, 'edge.ts');
    expect(remarks(files, 'edge.ts')).toEqual(['first', 'second', "spec: b's", "d's"]);
    expect(text).toMatch(/\/\/ first\n.*'a', \{/);
    expect(text).toMatch(/\/\/ d's\n.*'d', \{/);
  });

  it('of what stays as it is stand at that, and those of Secrets nowhere', () => {
    const { files } = adopted({
      'a.yaml': `# for all\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: { name: odd, namespace: shop }\nspec: { configPatches: [] } # none yet\n`,
      'b.yaml': `# the password is hunter2\napiVersion: v1\nkind: Secret\nmetadata: { name: key, namespace: shop }\n`,
    });
    expect(remarks(files, 'raw.ts').slice(0, 2)).toEqual(['for all', 'spec: none yet']);
    expect(files.map(({ text }) => text).join()).not.toContain('hunter2');
  });

  it('end no line of the code, whatever is in them', () => {
    const { files } = adopted({
      'a.yaml': `# a */ \u202eprocess.exit(3) \\u000aprocess.exit(3)\n${entry('shop', 'a')}`,
    });
    expect(textOf(files, 'edge.ts')).not.toMatch(/^\s*process\.exit/m);
    expect(textOf(files, 'edge.ts')).not.toContain('\u202e');
    expect(synthesize(files)).toHaveLength(1);
  });
});

describe('a chart for each namespace', () => {
  const by: Layout = { split: 'namespace' };

  it.each([
    ...readdirSync(join(root, 'dist')).map((name) => join(root, 'dist', name)),
    join(root, 'test', 'diff', 'fixtures', 'company.yaml'),
  ])('renders the same as one chart: %s', (path) => {
    const { manifests } = load([path]);
    const own = [...charts(adoptWith(manifests, {}, constructs, by).files).values()].flat();
    const whole = synthesize(adoptWith(manifests, {}, constructs).files);
    const bodies = (of: readonly Manifest[]): readonly string[] => of.map(({ body }) => JSON.stringify(body)).sort();
    expect(bodies(own)).toEqual(bodies(whole));
  });

  it('has the objects of that, after the charts that it takes from, and names what is made elsewhere itself', () => {
    const { files } = adopted(
      {
        'a.yaml': [
          gateway('edge', 'node'),
          route('shop', 'shop', 'edge/node'),
          route('news', 'news', 'edge/node'),
        ].join('---'),
        'b.yaml': [route('shop', 'other', 'theirs/public'), route('news', 'others', 'theirs/public')].join('---'),
      },
      by,
    );
    expect(files.map(({ path }) => path).slice(0, 4)).toEqual(['main.ts', 'edge.ts', 'news.ts', 'shop.ts']);
    expect(textOf(files, 'main.ts')).toContain("const edge = new Edge(app, 'edge');\nnew NewsEdge(app, 'news', edge);");
    // `node` is what every construct has.
    expect(textOf(files, 'edge.ts')).toContain('public readonly nodeConstruct: IngressGateway;');
    expect(textOf(files, 'shop.ts')).toContain('{ nodeConstruct: node }: Edge) {');
    for (const file of ['news.ts', 'shop.ts'])
      expect(textOf(files, file)).toContain('IngressGateway.fromAttributes(this');
    const names = [...charts(files)].map(([id, all]) => [id, all.map(({ name }) => name).sort()]);
    expect(names).toEqual([
      ['dist/edge', ['node']],
      ['dist/news', ['news', 'others']],
      ['dist/shop', ['other', 'shop']],
    ]);
  });

  it('is one with those that it leads to and that lead to it', () => {
    const { files } = adopted(
      { 'a.yaml': [gateway('a', 'ga'), gateway('b', 'gb'), route('a', 'ra', 'b/gb'), route('b', 'rb', 'a/ga'), route('c', 'rc', 'a/ga')].join('---') }, // prettier-ignore
      by,
    );
    const names = [...charts(files)].map(([id, all]) => [id, all.map(({ name }) => name).sort()]);
    expect(names).toEqual([
      ['dist/a-b', ['ga', 'gb', 'ra', 'rb']],
      ['dist/c', ['rc']],
    ]);
  });

  it('is called otherwise than the files beside it', () => {
    const { files } = adopted({ 'a.yaml': ['main', 'raw', 'carry', 'app', 'audience'].map((name) => entry(name, name)).join('---') }, by); // prettier-ignore
    expect(files.map(({ path }) => path).slice(0, 6)).toEqual(['main.ts', 'app-chart.ts', 'audience.ts', 'carry-chart.ts', 'main-chart.ts', 'raw-chart.ts']); // prettier-ignore
    expect(synthesize(files)).toHaveLength(5);
  });
});

it('makes a chart for each folder, told from the one that all are in', () => {
  const { files } = adopted(
    { 'apps/shop/a.yaml': entry('x', 'a'), 'apps/news/b.yaml': entry('x', 'b'), 'c.yaml': entry('x', 'c') },
    { split: 'folder' },
  );
  expect([...charts(files).keys()]).toEqual(['dist/apps-news', 'dist/apps-shop', 'dist/edge']);
});

it('knows by name what every chart has of its own', () => {
  const own = new Set<string>();
  const chart = new Chart(new App(), 'any');
  for (
    let at: object | null = chart;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  )
    for (const name of Object.getOwnPropertyNames(at)) own.add(name);
  // No variable begins with a sign, and none is called as what every object has.
  const others = [...own].filter(
    (name) => !name.startsWith('_') && !['constructor', 'toString', 'toJson'].includes(name),
  );
  expect([...INHERITED].sort()).toEqual(expect.arrayContaining(others.sort()));
});

describe('environments', () => {
  it.each([
    [
      ['overlays/dev', 'overlays/prod'],
      ['dev', 'prod'],
    ],
    [
      ['a/dev/mesh/', './a/prod/mesh'],
      ['dev', 'prod'],
    ],
    [
      ['dev.yaml', 'prod.yaml'],
      ['dev', 'prod'],
    ],
    [
      ['clusters/eu/dev', 'clusters/us/prod'],
      ['eu-dev', 'us-prod'],
    ],
    [
      ['mesh', 'mesh-prod'],
      ['mesh', 'mesh-prod'],
    ],
    [['dev', 'dev/'], undefined],
    [['a', 'a/b'], undefined],
  ])('%j are called %j', (paths, names) => {
    expect(environmentNames(paths)).toEqual(names);
  });

  it('are an app each, of one project that writes a folder for each', () => {
    const home = folder({
      'overlays/dev/a.yaml': [entry('shop', 'dev'), entry('shop', 'both')].join('---'),
      'overlays/prod/a.yaml': `# careful\n${entry('shop', 'prod')}---${entry('shop', 'both').replace('443', '8443')}`,
    });
    const cli = (...args: string[]) =>
      spawnSync(process.execPath, [join(root, 'bin', 'mesh-edge'), 'adopt', ...args], { cwd: home, encoding: 'utf8' });
    const { stdout, stderr } = cli('overlays/dev', 'overlays/prod', '--environments', '--by', 'namespace', '-o', 'out');
    expect(stderr).toBe('');
    expect(stdout).toContain('prod: 2 objects converted to constructs, 0 kept as raw manifests.\n');
    const paths = ['main.ts', 'dev/app.ts', 'dev/shop.ts', 'prod/app.ts', 'prod/shop.ts'];
    const files = paths.map((path) => ({ path, text: readFileSync(join(home, 'out', path), 'utf8') }));
    expect([...charts(files)].map(([id, all]) => [id, all.map(({ name }) => name)])).toEqual([
      ['dist/dev/shop', ['dev', 'both']],
      ['dist/prod/shop', ['prod', 'both']],
    ]);
    expect(remarks(files, 'prod/shop.ts')).toEqual(['careful']);
    expect(readFileSync(join(home, 'out', 'package.json'), 'utf8')).toContain('"mesh-edge check dist/dev && mesh-edge check dist/prod"'); // prettier-ignore
    const one = cli('overlays/dev', '--environments', '-o', 'other');
    expect([one.status, one.stderr]).toEqual([2, expect.stringContaining('--environments takes a folder or file of each environment')]); // prettier-ignore
    const both = cli('overlays', '-o', 'other');
    expect([both.status, both.stderr]).toEqual([2, expect.stringContaining('say --environments')]);
  });
});
