import * as fs from 'node:fs';
import * as path from 'node:path';
import { ApiError, type KubeObject } from '../lab/api';
import { built } from '../lab/build';
import { readYaml } from '../lab/controlplane';
import { readManifests } from '../lab/manifests';
import { sh } from '../lab/process';
import { committed, DIST, Mesh } from './mesh';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

const ROOT = path.dirname(DIST);
const EXAMPLES = fs.readdirSync(path.join(ROOT, 'examples'));
const INSTALLED = fs
  .readdirSync(DIST)
  .filter((scenario) => fs.existsSync(path.join(DIST, scenario, 'install', 'istio-operator.yaml')));

/** Kinds that another product's controller brings, which the lab does not run. */
const NOT_SERVED = ['cert-manager.io/v1 Certificate', 'cert-manager.io/v1 Issuer'];

/** Makes the namespaces that objects refer to, so that a dry run of the rest finds them. */
async function makeNamespaces(objects: readonly KubeObject[]): Promise<void> {
  const names = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  const missing: KubeObject[] = [];
  for (const name of names) {
    const kind = { apiVersion: 'v1', kind: 'Namespace' };
    if (!(await mesh.lab.api.tryGet(kind, name))) missing.push({ ...kind, metadata: { name } });
  }
  await mesh.lab.apply(missing);
}

/**
 * Some manifests are partial, for server-side apply onto a Deployment that another installer owns. Here one with no
 * Pods stands in for it.
 */
async function makeOwners(objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  const partial = objects.filter(({ kind, spec }) => kind === 'Deployment' && !('selector' in (spec as object)));
  const labels = { app: 'installed-by-another' };
  const containers = [{ name: 'main', image: 'example.com/none' }];
  const spec = {
    replicas: 0,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
  };
  const owners = partial.map(({ apiVersion, kind, metadata: { name, namespace } }): KubeObject => {
    return { apiVersion, kind, metadata: { name, namespace }, spec };
  });
  for (const owner of owners) await mesh.lab.api.apply(owner, { manager: 'installer' });
  return owners;
}

/** Some fields of a Deployment cannot change, and every lab has a gateway already: what is judged is a new one. */
function asNew(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment') return object;
  return { ...object, metadata: { ...object.metadata, name: `${object.metadata.name}-anew` } };
}

/** What admission says against objects: schemas, CEL rules and istiod's webhook, with nothing stored. */
async function refusals(objects: readonly KubeObject[]): Promise<readonly string[]> {
  await makeNamespaces(objects);
  const owners = await makeOwners(objects);
  const served = objects.filter(({ apiVersion, kind }) => !NOT_SERVED.includes(`${apiVersion} ${kind}`));
  const verdicts = await Promise.all(
    served.map((object) =>
      mesh.lab.api.apply(object, { dryRun: true, manager: 'admission-test' }).then(
        () => undefined,
        (error: unknown) => {
          if (!(error instanceof ApiError)) throw error;
          return `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}: ${error.message}`;
        },
      ),
    ),
  );
  await mesh.lab.delete(owners);
  return verdicts.filter((verdict) => verdict !== undefined);
}

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
