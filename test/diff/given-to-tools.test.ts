/** What tools render with: files of values, and ConfigMaps. Nobody here knows what comes of it, and so never "no change". */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { changedCharts } from '../../src/diff/charts';
import { type Side, loadSide, refuseNothing } from '../../src/diff/revision';
import { unreadOf } from '../../src/diff/unread';

const APPLICATION = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: web, namespace: argocd }
spec:
  destination: { namespace: shop }
  sources:
  - { chart: web, repoURL: https://charts.example.com, helm: { valueFiles: [$values/envs/prod/values.yaml] } }
  - { repoURL: https://git.example.com/x, ref: values }
`;
const SET = `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: { name: web, namespace: argocd }
spec:
  generators: [{ clusters: {} }]
  template:
    metadata: { name: web }
    spec: { destination: { namespace: shop }, source: { chart: web, helm: { valueFiles: ['../envs/{{ name }}/values.yaml'] } } }
`;
const RELEASE = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: web, namespace: shop }
spec: { chart: { spec: { chart: web } }, valuesFrom: [{ kind: ConfigMap, name: given }] }
`;
const configMap = (value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: given, namespace: shop }\ndata: { values.yaml: "a: ${value}" }\n`;
const kustomization = (source: string): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: apps, namespace: shop }
spec: { path: ./apps, sourceRef: { kind: GitRepository, name: ${source} }, postBuild: { substituteFrom: [{ kind: ConfigMap, name: given }] } }
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: { name: elsewhere, namespace: shop }
spec: { url: https://git.example.com/other }
`;

describe('what a tool is given to render with', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'given-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const side = (files: Readonly<Record<string, string>>): ReturnType<typeof loadSide>['unrendered'] => {
    const path = mkdtempSync(join(folder, 'side-'));
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(path, dirname(file)), { recursive: true });
      writeFileSync(join(path, file), text);
    }
    return loadSide(path).unrendered;
  };
  const undecided = (always: Record<string, string>, file: string, was: string, is: string): readonly string[] =>
    changedCharts(side({ ...always, [file]: was }), side({ ...always, [file]: is })).map(({ what }) => what);

  it.each([
    ['of an Application, in another source', { 'apps/web.yaml': APPLICATION }, 'envs/prod/values.yaml'],
    ['of an ApplicationSet, by a path that is filled in', { 'apps/web.yaml': SET }, 'envs/eu/values.yaml'],
    [
      'of a helmfile',
      { 'helmfile.yaml': 'releases: [{ name: web, chart: x/web, values: [own/web.yaml] }]\n', 'x.yaml': RELEASE },
      'own/web.yaml',
    ],
  ])('is undecided where a file differs: %s', (_which, always, file) => {
    expect(undecided(always, file, 'a: 1\n', 'a: 2\n')).toEqual([`values file ${file} is changed`]);
    expect(undecided(always, file, 'a: 1\n', 'a: 1\n')).toEqual([]);
    expect(undecided(always, 'other.yaml', 'a: 1\n', 'a: 2\n')).toEqual([]);
  });

  it('is undecided where a helmfile itself differs', () => {
    const of = (version: string): string => `releases: [{ name: web, chart: x/web, version: ${version} }]\n`;
    expect(undecided({ 'x.yaml': RELEASE }, 'helmfile.yaml', of('1'), of('2'))).toEqual(['helmfile helmfile.yaml is changed']); // prettier-ignore
  });

  it.each([
    ['a HelmRelease', RELEASE, 'HelmRelease shop/web'],
    ['a Kustomization of files that are elsewhere', kustomization('elsewhere'), 'Kustomization shop/apps'],
  ])('is undecided where a ConfigMap for %s differs', (_which, user, name) => {
    expect(undecided({ 'user.yaml': user }, 'given.yaml', configMap('1'), configMap('2'))).toEqual([
      `ConfigMap shop/given, with values for ${name}, is changed`,
    ]);
    expect(undecided({ 'user.yaml': user }, 'given.yaml', configMap('1'), configMap('1'))).toEqual([]);
  });

  it('is decided where the files are here, and are built with it', () => {
    const always = { 'user.yaml': kustomization('flux-system'), 'apps/kustomization.yaml': 'resources: [a.yaml]\n', 'apps/a.yaml': configMap('1').replace('given', 'made') }; // prettier-ignore
    expect(undecided(always, 'given.yaml', configMap('1'), configMap('2'))).toEqual([]);
  });

  const SHOP = { 'shop.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n' };
  it.each([
    ['Jsonnet', {}, 'env/main.jsonnet', 'Jsonnet file env/main.jsonnet'],
    ['what Jsonnet reads', { 'env/main.jsonnet': '{}' }, 'env/values.json', 'Jsonnet file env/values.json'],
    [
      'CUE and Timoni',
      { 'timoni/timoni.cue': 'timoni: apiVersion: "v1alpha1"' },
      'timoni/templates/config.cue',
      'CUE file timoni/templates/config.cue',
    ],
    ['helpers of ytt', {}, 'lib/host.star', 'ytt file lib/host.star'],
    [
      'a cdk8s app',
      { 'edge/cdk8s.yaml': 'language: python\napp: python main.py\n' },
      'edge/main.py',
      'cdk8s file edge/main.py',
    ],
    ['a stack of Pulumi', { 'p/Pulumi.yaml': 'name: x\nruntime: go\n' }, 'p/main.go', 'Pulumi file p/main.go'],
    ['Terraform', { 'main.tf': 'resource "helm_release" "x" {}\n' }, 'main.tf', 'Terraform file main.tf'],
    ['a template beside manifests', {}, 'shop.yaml.j2', 'template file shop.yaml.j2'],
  ])('is undecided where a program that writes manifests differs: %s', (_which, always, file, told) => {
    const [was, is] = file.endsWith('.tf')
      ? ['kubernetes_manifest 1', 'kubernetes_manifest 2']
      : ['apiVersion: 1', 'apiVersion: 2'];
    const all = { ...SHOP, ...always } as Record<string, string>;
    expect(undecided(all, file, was, is)).toEqual([`${told} is changed`]);
    expect(undecided(all, file, was, was)).toEqual([]);
  });

  it('is decided where what a cdk8s app writes is there, where a file is a test, or where no program is', () => {
    const app = { ...SHOP, 'cdk8s.yaml': 'app: node main.js\noutput: out\n' };
    expect(undecided({ ...app, 'out/shop.yaml': SHOP['shop.yaml'] }, 'main.ts', '1', '2')).toEqual([]);
    expect(undecided(app, 'main.ts', '1', '2')).toEqual(['cdk8s file main.ts is changed']);
    expect(undecided(app, 'test/main.ts', '1', '2')).toEqual([]);
    expect(undecided(SHOP, 'main.ts', '1', '2')).toEqual([]);
    expect(undecided(SHOP, 'site/data.cue', 'a: 1', 'a: 2')).toEqual([]);
    expect(undecided(SHOP, 'main.tf', 'resource "aws_instance" "a" {}', 'resource "aws_instance" "b" {}')).toEqual([]);
  });

  it('is one doubt for all files of a program', () => {
    const files = (value: string): Record<string, string> =>
      Object.fromEntries([...'abcdefg'].map((name) => [`${name}.jsonnet`, value]));
    expect(
      changedCharts(side({ ...SHOP, ...files('1') }), side({ ...SHOP, ...files('2') })).map(({ what }) => what),
    ).toEqual([expect.stringMatching(/^Jsonnet file a\.jsonnet is changed, .* and 2 more$/)]);
  });

  const YTT = (host: string): string =>
    `#@ load("@ytt:data", "data")\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: #@ data.values.${host}\n`;
  it.each([
    ['ytt', YTT('a'), YTT('b')],
    ['what ytt is given', '#@data/values\n---\nhost: a\n', '#@data/values\n---\nhost: b\n'],
  ])('is undecided where a template among manifests differs, which is no manifest: %s', (_which, was, is) => {
    const write = (text: string): Side => {
      const path = mkdtempSync(join(folder, 'side-'));
      writeFileSync(join(path, 'shop.yaml'), SHOP['shop.yaml']);
      writeFileSync(join(path, 'a.yaml'), text);
      return loadSide(path);
    };
    const doubts = (old: string, now: string): number => unreadOf(write(old), write(now)).doubts.length;
    expect(doubts(was, is)).toBeGreaterThan(0);
    expect(doubts(was, was)).toBe(0);
  });

  it.each([
    ['programs', 'main.jsonnet', '1', '2'],
    ['templates', 'a.yaml', YTT('a'), YTT('b')],
    [
      'kustomizations of what is elsewhere',
      'kustomization.yaml',
      'resources: [https://git.example.com/x?ref=1]\n',
      'resources: [https://git.example.com/x?ref=2]\n',
    ],
  ])('is compared where a side has nothing but %s', (_which, file, was, is) => {
    const write = (text: string): string => {
      const path = mkdtempSync(join(folder, 'side-'));
      writeFileSync(join(path, file), text);
      return path;
    };
    const [old, now, same] = [write(was), write(is), write(was)];
    expect(() => refuseNothing(loadSide(old), loadSide(now))).not.toThrow();
    expect(() => refuseNothing(loadSide(old), loadSide(same))).toThrow(/no Kubernetes object|no \.yaml/);
  });

  it('of a hostile pattern takes no time', () => {
    const many = SET.replace('../envs/{{ name }}/values.yaml', `a${'{{ x }}a'.repeat(5_000)}b`);
    expect(undecided({ 'apps/web.yaml': many }, `${'a'.repeat(200)}.yaml`, 'a: 1\n', 'a: 2\n')).toEqual([]);
  });
});
