/** Shapes of repositories that are rare, and real: what each is read as. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { checkWorlds } from '../../src/check/worlds';
import { load } from '../../src/model/load';
import { findWorlds } from '../../src/model/worlds';

const made: string[] = [];
afterAll(() => made.forEach((root) => rmSync(root, { recursive: true, force: true })));

function tree(files: Readonly<Record<string, string | Buffer>>): string {
  const root = mkdtempSync(join(tmpdir(), 'mesh-edge-odd-'));
  made.push(root);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

/** The worlds, each with the objects that it has. */
function worldsOf(root: string): Readonly<Record<string, readonly string[]>> {
  const all = findWorlds([root]).map(({ name, loaded }) => [
    relative(root, name) || '.',
    loaded.manifests
      .filter(({ kind }) => kind === 'ServiceEntry')
      .map(({ namespace, name: own }) => `${namespace}/${own}`),
  ]);
  return Object.fromEntries(all) as Readonly<Record<string, readonly string[]>>;
}

const entry = (name: string): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name} }
spec:
  hosts: [${name}.example.com]
  ports: [{ number: 443, name: tls, protocol: TLS }]
  resolution: DNS
`;

it('names remote bases in every way that a URL with a revision is written, and fetches none', () => {
  const remote = [
    'https://github.com/example/base//deploy?ref=v1.2.3',
    'git@github.com:example/other.git//deploy?ref=main',
    'ssh://git@git.example.com/org/repo.git?ref=0a1b2c3',
    'github.com/example/short?ref=v1',
  ];
  const root = tree({
    'kustomization.yaml': `resources:\n${remote.map((one) => `- ${one}\n`).join('')}- entry.yaml\n`,
    'entry.yaml': entry('own'),
  });
  const [world] = findWorlds([root]);
  expect(worldsOf(root)).toEqual({ '.': ['default/own'] });
  expect(world?.remote).toEqual(remote);
  expect(checkWorlds(findWorlds([root]), {}).summary.errors).toBe(0);
});

it('substitutes defaults of Flux by whether a variable is there, and whether it is empty', () => {
  const root = tree({
    'clusters/prod/apps.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: apps, namespace: flux-system }
spec:
  path: ./apps
  postBuild: { substitute: { where: shop, empty: '' } }
`,
    'apps/kustomization.yaml': 'resources: [entry.yaml]\n',
    'apps/entry.yaml': `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: \${name:=usual}
  namespace: \${where:-other}
  labels: { dash: '\${empty:-filled}', equals: '\${empty:=filled}', unset: '\${unset:=there}' }
spec:
  hosts: ['\${host:=api.example.com}']
  ports:
    - { name: tls, protocol: TLS, number: 443 }
  resolution: DNS
`,
  });
  const found = findWorlds([root])
    .flatMap(({ loaded }) => loaded.manifests)
    .find(({ kind }) => kind === 'ServiceEntry');
  expect(found).toMatchObject({ name: 'usual', namespace: 'shop', labels: { dash: 'filled', equals: 'filled', unset: 'there' } }); // prettier-ignore
  expect(found?.body.spec).toMatchObject({ hosts: ['api.example.com'] });
});

it('reads the folders that an ApplicationSet generates from, and leaves out those that it excludes', () => {
  const root = tree({
    'set.yaml': `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: { name: apps, namespace: argocd }
spec:
  goTemplate: true
  generators:
    - git:
        repoURL: https://git.example.com/repo.git
        revision: HEAD
        directories: [{ path: apps/* }, { path: apps/draft, exclude: true }]
  template:
    metadata: { name: '{{.path.basename}}' }
    spec:
      source: { repoURL: https://git.example.com/repo.git, targetRevision: HEAD, path: '{{.path.path}}' }
      destination: { server: https://kubernetes.default.svc, namespace: '{{.path.basename}}' }
`,
    'apps/web/entry.yaml': entry('a'),
    'apps/api/kustomization.yaml': 'resources: [entry.yaml]\n',
    'apps/api/entry.yaml': entry('b'),
    'apps/draft/entry.yaml': entry('c'),
  });
  const all = Object.values(worldsOf(root)).flat();
  expect(all).toContain('web/a');
  expect(all).toContain('api/b');
  expect(all).not.toContain('draft/c');
});

it('takes all sources of one Application together, and names the chart among them', () => {
  const root = tree({
    'app.yaml': `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: shop, namespace: argocd }
spec:
  destination: { server: https://kubernetes.default.svc, namespace: shop }
  sources:
    - { repoURL: https://git.example.com/repo.git, path: first, targetRevision: HEAD }
    - { repoURL: https://git.example.com/repo.git, path: second, targetRevision: HEAD }
    - { repoURL: https://charts.example.com, chart: web, targetRevision: 1.0.0, helm: { valueFiles: [$values/values.yaml] } }
    - { repoURL: https://git.example.com/repo.git, ref: values, targetRevision: HEAD }
`,
    'first/entry.yaml': entry('a'),
    'second/kustomization.yaml': 'resources: [entry.yaml]\n',
    'second/entry.yaml': entry('b'),
    'values.yaml': 'replicas: 2\n',
  });
  expect(worldsOf(root)).toEqual({ '.': ['shop/a', 'shop/b'] });
  expect(findWorlds([root])[0]?.remote.join()).toContain('chart web');
});

it('judges neither templates, nor tests of a chart, nor what other tools keep beside manifests', () => {
  const root = tree({
    'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'chart/templates/entry.yaml': entry('{{ .Values.name }}'),
    'chart/templates/tests/pod.yaml': "apiVersion: v1\nkind: Pod\nmetadata: { name: '{{ .Release.Name }}' }\n",
    'chart/tests/entry_test.yaml':
      'suite: entry\ntests: [{ it: works, asserts: [{ isKind: { of: ServiceEntry } }] }]\n',
    'chart/crds/foo.yaml': 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: foos.example.com }\nspec: {}\n', // prettier-ignore
    'main.jsonnet': "{ apiVersion: 'v1' }",
    'main.tf': 'resource "kubernetes_manifest" "a" {}',
    'generated.tf.json': '{ "resource": {} }',
    'jsonnetfile.json': '{ "version": 1, "dependencies": [] }',
    'entry.yaml': entry('own'),
  });
  const { findings } = checkWorlds(findWorlds([root]), {});
  expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  expect(worldsOf(root)['.']).toEqual(['default/own']);
});

it('reads UTF-16, byte order marks and other ends of lines, and passes over documents that hold nothing', () => {
  const marked = '\uFEFF';
  const big = Buffer.from(marked + entry('big'), 'utf16le').swap16();
  const root = tree({
    'little.yaml': Buffer.from(marked + entry('little'), 'utf16le'),
    'big.yaml': big,
    'marked.yaml': marked + entry('marked'),
    'lines.yaml': entry('lines').replace(/\n/g, '\r\n'),
    'nothing.yaml': '---\n---\n---\n',
    'comments.yaml': '# only\n---\n# this\n',
    'empty.yaml': '',
  });
  const { manifests, problems } = load([root]);
  expect(manifests.map(({ name }) => name).sort()).toEqual(['big', 'lines', 'little', 'marked']);
  expect(problems).toEqual([]);
});

it('follows no link to a folder around the one that was named, nor one in a circle', () => {
  const root = tree({ 'inside/entry.yaml': entry('own'), 'outside/entry.yaml': entry('other') });
  symlinkSync('..', join(root, 'inside', 'up'));
  mkdirSync(join(root, 'inside', 'deep'));
  symlinkSync('../deep', join(root, 'inside', 'deep', 'again'));
  const { manifests, leftOut = [] } = load([join(root, 'inside')]);
  expect(manifests.map(({ name }) => name)).toEqual(['own']);
  expect(leftOut.map(({ why }) => why)).toContain('a link to a folder around the one that was named');
});

it('gives one base to each overlay that takes it up, and makes no world of the base', () => {
  const root = tree({
    'base/kustomization.yaml': 'resources: [entry.yaml]\n',
    'base/entry.yaml': entry('own'),
    'dev/kustomization.yaml': 'namespace: dev\nresources: [../base]\n',
    'prod/kustomization.yaml': 'namespace: prod\nresources: [../base]\n',
  });
  expect(worldsOf(root)).toEqual({ dev: ['dev/own'], prod: ['prod/own'] });
});

it('tells what is taken up from elsewhere alone, and programs and templates that are not run', () => {
  const root = tree({
    'remote/kustomization.yaml': 'resources: [https://git.example.com/base?ref=1]\n',
    'own/a.yaml': entry('own'),
    'own/b.yaml':
      '#@ load("@ytt:data", "data")\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: #@ data.values.name\n',
    'own/main.jsonnet': '{}',
  });
  expect(worldsOf(root)).toEqual({ remote: [], own: ['default/own'] });
  const { findings, leftOut = [] } = checkWorlds(findWorlds([root]), {});
  expect(findings).toEqual([]);
  expect(leftOut.map(({ file, why }) => [relative(root, file), why]).sort()).toEqual([
    ['own/b.yaml', 'a template, which is not rendered'],
    ['own/main.jsonnet', 'Jsonnet, which is not run: jsonnet --yaml-stream FILE | mesh-edge check -'],
    ['remote/kustomization.yaml', 'takes up https://git.example.com/base?ref=1, which is not fetched'],
  ]);
});

it('says of a folder without an object what is there instead, and how to get at it', () => {
  const root = tree({ 'kustomization.yaml': 'resources: [https://git.example.com/base?ref=1]\n' });
  expect(() => findWorlds([root])).toThrow(
    /no Kubernetes object that could be read.*\n.*takes up https:\/\/git\.example\.com\/base\?ref=1, and nothing is fetched: build it and give the result: kubectl kustomize/,
  );
  expect(() => findWorlds([tree({ 'main.cue': 'apiVersion: "v1"' })])).toThrow(
    /main\.cue: left out: CUE, which is not run: cue export/,
  );
});

it('takes no broken document for an object that names its kind deep inside, or writes in escapes', () => {
  const root = tree({
    'own.yaml': entry('own'),
    'patch.yaml': '- op: replace\n  path: /spec/x\n  value: 1\ntarget:\n  kind: Gateway\n  name: web\n',
    'words.json': '{"greeting": "\\u05d4\\u05d9", "cut": "\\u05',
    'broken.yaml': 'kind: Gateway\nspec: [\n',
    'hidden.yaml': '"\\u0061piVersion": v1\n"\\x6bind": Service\nspec: [\n',
  });
  const [world] = findWorlds([root]);
  expect(world?.loaded.problems.map(({ source }) => relative(root, source.file ?? ''))).toEqual([
    'broken.yaml',
    'hidden.yaml',
  ]);
});

it('takes a namespace of Services for scraping alone for one that is filled from elsewhere', () => {
  const route = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: argocd }
spec: { gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: argocd, namespace: argocd }
spec: { parentRefs: [{ name: web }], rules: [{ backendRefs: [{ name: argocd-server, port: 80 }] }] }
`;
  const service = (name: string, port: string): string => `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: argocd }\nspec: { selector: { app: ${name} }, ports: [{ name: ${port}, port: 8082 }] }\n`; // prettier-ignore
  const missing = (files: Record<string, string>): number =>
    checkWorlds(findWorlds([tree({ 'route.yaml': route, ...files })]), {}).findings.filter(({ id }) => id === 'EDGE804').length; // prettier-ignore
  expect(missing({ 'metrics.yaml': service('argocd-metrics', 'metrics') })).toBe(0);
  expect(missing({ 'metrics.yaml': service('argocd-metrics', 'http') })).toBe(1);
  expect(missing({ 'metrics.yaml': service('argocd-metrics', 'metrics'), 'web.yaml': service('other', 'http') })).toBe(
    1,
  );
});
