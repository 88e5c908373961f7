import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { checkWorlds } from '../../src/check/worlds';
import { notesOfBeside } from '../../src/diff/beside';
import { loadSide } from '../../src/diff/revision';
import type { Root } from '../../src/model/worlds-layout';
import { findWorlds } from '../../src/model/worlds';

function tree(
  files: Readonly<Record<string, string>>,
  root = mkdtempSync(join(tmpdir(), 'mesh-edge-beside-')),
): string {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

/** Port 99999 is refused, so that whoever judges it says so. */
const entry = (name: string, port = 443): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name} }
spec:
  hosts: [${name}.example.org]
  location: MESH_EXTERNAL
  resolution: DNS
  exportTo: ['.']
  ports: [{ number: ${port}, name: tls, protocol: TLS }]
`;
const KUSTOMIZED = {
  'app/kustomization.yaml': 'namespace: shop\nresources: [bank.yaml, more/news.yaml]\n',
  'app/bank.yaml': entry('bank'),
  'app/more/news.yaml': entry('news'),
};

interface Seen {
  readonly objects: Readonly<Record<string, readonly string[]>>;
  readonly beside: readonly (readonly string[])[];
  readonly found: readonly string[];
}

function seen(root: string, roots: readonly Root[] = []): Seen {
  const worlds = findWorlds([root], undefined, undefined, { roots });
  return {
    objects: Object.fromEntries(
      worlds.map(({ name, loaded }) => [
        relative(root, name) || '.',
        loaded.manifests.map(({ namespace, name: own }) => `${namespace}/${own}`),
      ]),
    ),
    beside: worlds
      .flatMap(({ loaded }) => loaded.beside ?? [])
      .map(({ folder, files }) => [relative(root, folder), ...files.map(({ file }) => relative(root, file))]),
    found: checkWorlds(worlds).findings.map(({ id, severity }) => `${id} ${severity}`),
  };
}

describe('a file with objects among those of a kustomization that takes it up nowhere', () => {
  it('is told once for each kustomization, and not judged', () => {
    const root = tree({
      ...KUSTOMIZED,
      'app/old.yaml': entry('old', 99999),
      'app/more/older.yaml': entry('older', 99999),
    });
    expect(seen(root)).toEqual({
      objects: { app: ['shop/bank', 'shop/news'] },
      beside: [['app', 'app/more/older.yaml', 'app/old.yaml']],
      found: ['EDGE009 info'],
    });
    const [info] = checkWorlds(findWorlds([root])).findings;
    expect(info?.what).toContain('are 2 files that no kustomization takes up');
    expect(info?.fix).toContain('roots: [{ name: all, paths: [');
  });

  it('is told of one that cannot be read as YAML too', () => {
    const root = tree({ ...KUSTOMIZED, 'app/broken.yaml': 'kind: [\n' });
    expect(seen(root)).toMatchObject({ beside: [['app', 'app/broken.yaml']], found: ['EDGE009 info'] });
  });

  it('is judged where a folder of its own has none of the files that the kustomization takes up', () => {
    const root = tree({ ...KUSTOMIZED, 'app/docs/old.yaml': entry('old', 99999) });
    expect(seen(root)).toMatchObject({ beside: [], found: ['EDGE101 error'] });
  });

  it('is taken up by another kustomization', () => {
    const root = tree({
      ...KUSTOMIZED,
      'app/old.yaml': entry('old', 99999),
      'top/kustomization.yaml': 'resources: [../app, ../app/old.yaml]\n',
    });
    expect(seen(root)).toMatchObject({ beside: [], found: ['EDGE101 error'] });
  });

  it('is nothing where it is laid over others, or holds no object', () => {
    const root = tree({
      ...KUSTOMIZED,
      'app/kustomization.yaml': 'resources: [bank.yaml]\npatches: [{ path: patch.yaml }]\n',
      'app/patch.yaml': entry('bank'),
      'app/values.yaml': 'replicas: 2\n',
    });
    expect(seen(root)).toMatchObject({ beside: [] });
  });

  it('is judged where the kustomization cannot be read, since what that takes up is not known', () => {
    const root = tree({
      ...KUSTOMIZED,
      'app/kustomization.yaml': 'resources: [\n',
      'app/old.yaml': entry('old', 99999),
    });
    expect(seen(root).found).toContain('EDGE101 error');
  });

  it('is there where Argo CD applies the files of the folder, or of the folder around it', () => {
    const application = (path: string): string => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: app, namespace: argocd }
spec:
  source: { repoURL: https://git.example/x, path: ${path}, directory: { recurse: true } }
  destination: { server: https://kubernetes.default.svc, namespace: news }
`;
    const inside = Object.entries(KUSTOMIZED).map(([file, content]) => [`k8s/${file}`, content]);
    const around = { ...Object.fromEntries(inside), 'k8s/app/old.yaml': entry('old') };
    expect(seen(tree({ 'argo/app.yaml': application('k8s'), ...around })).beside).toEqual([]);
    // As they stand: in the namespace of the destination, and not in that of the kustomization.
    const root = tree({ 'argo/app.yaml': application('app'), ...KUSTOMIZED, 'app/old.yaml': entry('old') });
    expect(seen(root).objects).toEqual({
      argo: ['argocd/app', 'news/bank', 'news/old', 'news/news'],
    });
  });

  it('stays where it is what Flux or Argo CD are bootstrapped with by hand', () => {
    const root = tree({
      ...KUSTOMIZED,
      'app/ks.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: app, namespace: flux-system }
spec: { path: ./app, targetNamespace: news, sourceRef: { kind: GitRepository, name: flux-system } }
`,
    });
    expect(seen(root)).toMatchObject({ beside: [], objects: { app: ['flux-system/app', 'news/bank', 'news/news'] } });
  });

  it.each([
    [[{ name: 'all', paths: ['app', 'app/old.yaml'] }], { all: ['shop/bank', 'shop/news', 'default/old'] }, []],
    [[{ name: 'all', paths: ['app', 'app/*.yaml'] }], { all: ['shop/bank', 'shop/news', 'default/old'] }, []],
    [[{ paths: ['app'] }], { app: ['shop/bank', 'shop/news'] }, [['app', 'app/old.yaml']]],
    [[{ paths: ['app/old.yaml'] }], { 'app/old.yaml': ['default/old'] }, []],
  ] as const)('is there where the file is named as a root: %j', (roots, objects, beside) => {
    const root = tree({ ...KUSTOMIZED, 'app/old.yaml': entry('old', 99999) });
    const placed = roots.map((one) => ({ ...one, paths: one.paths.map((path) => relative('', join(root, path))) }));
    const all = seen(root, placed);
    const names = Object.entries(all.objects).map(([name, own]) => [name.replace(/^.*\/(?=app|all)/, ''), own]);
    expect(Object.fromEntries(names)).toEqual(objects);
    expect(all.beside).toEqual(beside);
  });

  it('is no change of traffic where it differs, and is named', () => {
    const old = tree({
      ...KUSTOMIZED,
      'app/old.yaml': entry('old'),
      'app/gone.yaml': entry('gone'),
      'app/now.yaml': entry('now'),
    });
    const is = tree({
      ...KUSTOMIZED,
      'app/kustomization.yaml': 'namespace: shop\nresources: [now.yaml, more/news.yaml]\n',
      'app/old.yaml': entry('old', 444),
      'app/now.yaml': entry('now'),
      'app/new.yaml': entry('new'),
    });
    const [a, b] = [loadSide(old), loadSide(is)];
    expect(notesOfBeside(a.aside, b.aside)).toEqual([
      'no kustomization takes up app/bank.yaml any more',
      'app/gone.yaml is gone, and no kustomization took it up',
      'app/new.yaml is new, but no kustomization takes it up',
      'app/old.yaml changed, but no kustomization takes it up',
    ]);
    expect(notesOfBeside(a.aside, a.aside)).toEqual([]);
  });

  it('is named by the path within a revision', () => {
    const root = tree({ ...KUSTOMIZED, 'app/old.yaml': entry('old') });
    const git = (...args: string[]): void =>
      void execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd: root });
    git('init', '-q');
    git('add', '-A');
    git('commit', '-qm', 'one');
    tree({ 'app/old.yaml': entry('old', 444) }, root);
    const here = process.cwd();
    process.chdir(root);
    try {
      expect(notesOfBeside(loadSide('HEAD:.').aside, loadSide('.').aside)).toEqual([
        'app/old.yaml changed, but no kustomization takes it up',
      ]);
    } finally {
      process.chdir(here);
    }
  });
});

describe('an assertion of kuttl', () => {
  it('is no object, unless it is named', () => {
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata: { namespace: shop }\n';
    const root = tree({ 't/00-install.yaml': entry('bank'), 't/01-assert.yaml': pod, 't/02-errors.yml': pod });
    expect(seen(root)).toMatchObject({ objects: { '.': ['default/bank'] }, found: [] });
    const [world] = findWorlds([root]);
    expect(world?.loaded.leftOut?.map(({ why }) => why)).toEqual(Array(2).fill('an assertion of kuttl, which holds parts of objects')); // prettier-ignore
    expect(checkWorlds(findWorlds([join(root, 't/01-assert.yaml')])).findings.map(({ id }) => id)).toContain('EDGE002');
  });
});
