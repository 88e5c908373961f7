import * as fs from 'node:fs';
import * as path from 'node:path';
import { type KubeObject } from '../lab/api';
import { built } from '../lab/build';
import { readYaml } from '../lab/controlplane';
import { readManifests } from '../lab/manifests';
import { sh } from '../lab/process';
import { asNew, refusalsOf } from './admission';
import { committed, DIST, Mesh } from './mesh';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

const refusals = (objects: readonly KubeObject[]) => refusalsOf(mesh, objects);

const ROOT = path.dirname(DIST);
const EXAMPLES = fs
  .readdirSync(path.join(ROOT, 'examples'))
  .filter((example) => fs.existsSync(path.join(ROOT, 'examples', example, 'dist')));
const INSTALLED = fs
  .readdirSync(DIST)
  .filter((scenario) => fs.existsSync(path.join(DIST, scenario, 'install', 'istio-operator.yaml')));

describe('admission by schemas, CEL rules and istiod', () => {
  it.each(fs.readdirSync(DIST))('accepts every object of dist/%s', async (scenario) => {
    const objects = committed(scenario);
    expect(await refusals(objects)).toEqual([]);
  });

  it.each(EXAMPLES)('accepts every object of examples/%s', async (example) => {
    const objects = readManifests([path.join(ROOT, 'examples', example, 'dist')]);
    expect(objects.length).toBeGreaterThan(0);
    expect(await refusals(objects)).toEqual([]);
  });

  it.each(INSTALLED)('accepts all that istioctl makes of dist/%s/install/istio-operator.yaml', async (scenario) => {
    const file = path.join(DIST, scenario, 'install', 'istio-operator.yaml');
    const objects = readYaml(await sh([built('istio', 'istioctl'), 'manifest', 'generate', '-f', file]));
    expect(objects.length).toBeGreaterThan(0);
    const judged = objects.filter(({ kind }) => kind !== 'CustomResourceDefinition').map(asNew);
    expect(await refusals(judged)).toEqual([]);
  });

  it.each(fs.readdirSync(DIST))('leaves istioctl analyze nothing to call an error in dist/%s', async (scenario) => {
    const folder = path.join(DIST, scenario);
    const analyze = [built('istio', 'istioctl'), 'analyze', '--use-kube=false', '--failure-threshold', 'Error'];
    const messages = JSON.parse(await sh([...analyze, '--output', 'json', folder])) as { level: string }[];
    expect(messages.filter(({ level }) => level === 'Error')).toEqual([]);
  });

  it('refuses a field that no schema has', async () => {
    const entry = { ...committed('sidecar-http')[0]! };
    const misspelt = { ...entry, spec: { ...(entry.spec as object), resolutions: 'NONE' } };
    expect(await refusals([misspelt])).toEqual([expect.stringContaining('resolutions: field not declared in schema')]);
  });

  it("refuses what only istiod's webhook knows", async () => {
    const entry = { ...committed('sidecar-http')[0]! };
    const wildcard = { ...entry, spec: { ...(entry.spec as object), hosts: ['*.example.com'], resolution: 'DNS' } };
    expect(await refusals([wildcard])).toEqual([expect.stringContaining('validation.istio.io')]);
  });
});
