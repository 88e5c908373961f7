/** What tools render with: files of values, and ConfigMaps. Nobody here knows what comes of it, and so never "no change". */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { changedCharts } from '../../src/diff/charts';
import { loadSide } from '../../src/diff/revision';

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

  it('of a hostile pattern takes no time', () => {
    const many = SET.replace('../envs/{{ name }}/values.yaml', `a${'{{ x }}a'.repeat(5_000)}b`);
    expect(undecided({ 'apps/web.yaml': many }, `${'a'.repeat(200)}.yaml`, 'a: 1\n', 'a: 2\n')).toEqual([]);
  });
});
