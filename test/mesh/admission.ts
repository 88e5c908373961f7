import { ApiError, type KubeObject } from '../lab/api';
import { type Mesh } from './mesh';

/** Kinds that another product's controller brings, which the lab does not run. */
const NOT_SERVED = ['cert-manager.io/v1 Certificate', 'cert-manager.io/v1 Issuer'];

/** Makes the namespaces that objects refer to, so that a dry run of the rest finds them. */
async function makeNamespaces(mesh: Mesh, objects: readonly KubeObject[]): Promise<void> {
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
async function makeOwners(mesh: Mesh, objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
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
export function asNew(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment') return object;
  return { ...object, metadata: { ...object.metadata, name: `${object.metadata.name}-anew` } };
}

/** What admission says against objects: schemas, CEL rules and istiod's webhook, with nothing stored. */
export async function refusalsOf(mesh: Mesh, objects: readonly KubeObject[]): Promise<readonly string[]> {
  await makeNamespaces(mesh, objects);
  const owners = await makeOwners(mesh, objects);
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
