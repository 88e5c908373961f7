/** What a rule is given: the manifests by kind, and indexes that more than one rule needs, each made when first asked for. */
import type { Loaded, Manifest } from '../model/manifest';
import { Mesh } from '../model/mesh';
import { HELM_VALUES } from '../model/recognize';
import type { MeshOptions } from '../model/mesh-options';
import { componentOf } from '../model/releases';
import { groupDefinedBy } from '../model/unread';
import { type ReleasesInForce, releasesInForce } from '../model/releases-in-force';
import { type Admitted, admit } from './schema/admit';
import { releasesOfCrds } from '../model/revision-releases';
import { Schemas } from './schema/store';

export class CheckContext {
  /**
   * As an API server would store them, so that fields have the types of their schemas. Of several with one name, the last:
   * it is the one that stays when all are applied.
   */
  readonly manifests: readonly Manifest[];
  readonly admitted: readonly Admitted[];
  /** The releases that the manifests are judged by. */
  readonly releases: ReleasesInForce;
  /** Those that the CRDs of the cluster are of. */
  readonly crds: ReleasesInForce;
  readonly schemas: Schemas;
  private readonly byKind = new Map<string, Manifest[]>();
  private readonly byName = new Map<string, ReadonlyMap<string, Manifest>>();
  private readonly made = new Map<symbol, unknown>();
  private builtMesh: Mesh | undefined;

  constructor(
    readonly loaded: Loaded,
    readonly options: MeshOptions = {},
  ) {
    this.releases = releasesInForce(loaded.manifests, options);
    this.crds = releasesOfCrds(loaded.manifests, this.releases);
    this.schemas = schemasInForce(loaded.manifests, this.crds);
    this.admitted = loaded.manifests.map((manifest) => admit(manifest, this.schemas));
    this.manifests = lastOfEach(this.admitted.map(({ manifest }) => manifest));
    for (const manifest of this.manifests) {
      const key = `${manifest.group}/${manifest.kind}`;
      const list = this.byKind.get(key);
      if (list) list.push(manifest);
      else this.byKind.set(key, [manifest]);
    }
  }

  /** Manifests of a kind, in the order they were loaded. */
  of(group: string, kind: string): readonly Manifest[] {
    return this.byKind.get(`${group}/${kind}`) ?? [];
  }

  /** The manifest of a kind and name; the namespace is empty for what has none. */
  find(group: string, kind: string, namespace: string, name: string): Manifest | undefined {
    const key = `${group}/${kind}`;
    let named = this.byName.get(key);
    if (!named) {
      named = new Map(this.of(group, kind).map((manifest) => [`${manifest.namespace}/${manifest.name}`, manifest]));
      this.byName.set(key, named);
    }
    return named.get(`${namespace}/${name}`);
  }

  /** The mesh as istiod would know it, for rules that follow requests or look up what a namespace sees. */
  get mesh(): Mesh {
    this.builtMesh ??= new Mesh(this.manifests, this.options);
    return this.builtMesh;
  }

  hasKind(kind: string): boolean {
    for (const key of this.byKind.keys()) if (key.endsWith(`/${kind}`)) return true;
    return false;
  }

  /** An index made once for all rules: `context.index(servicesIndex)`. */
  index<T>(index: Index<T>): T {
    if (!this.made.has(index.key)) this.made.set(index.key, index.make(this));
    return this.made.get(index.key) as T;
  }
}

/** A release that was asked for by an option outweighs the CRDs among the manifests: they may be those of the cluster before. */
export function schemasInForce(manifests: readonly Manifest[], inForce: ReleasesInForce): Schemas {
  const { istio, gatewayApi, envoyGateway, kubernetes } = inForce;
  const names = { istio: istio.release, gatewayApi: gatewayApi.release, envoyGateway: envoyGateway.release, kubernetes: kubernetes.release }; // prettier-ignore
  return new Schemas(names, definitionsInForce(manifests, inForce));
}

export function definitionsInForce(manifests: readonly Manifest[], inForce: ReleasesInForce): readonly Manifest[] {
  return manifests.filter((manifest) => {
    if (manifest.kind !== 'CustomResourceDefinition') return false;
    const component = componentOf(groupDefinedBy(manifest));
    return component !== undefined && inForce[component].from !== 'option';
  });
}

function lastOfEach(manifests: readonly Manifest[]): readonly Manifest[] {
  const last = new Map<string, Manifest>();
  for (const manifest of manifests) {
    const { group, kind, namespace, name, index } = manifest;
    last.set(name === '' || kind === HELM_VALUES ? `${index}` : `${group}/${kind}/${namespace}/${name}`, manifest);
  }
  return last.size === manifests.length
    ? manifests
    : manifests.filter(
        (manifest) =>
          last.get(`${manifest.group}/${manifest.kind}/${manifest.namespace}/${manifest.name}`) === manifest ||
          last.get(`${manifest.index}`) === manifest,
      );
}

/** A view of all the manifests that several rules share. */
export interface Index<T> {
  readonly key: symbol;
  readonly make: (context: CheckContext) => T;
}

export function defineIndex<T>(name: string, make: (context: CheckContext) => T): Index<T> {
  return { key: Symbol(name), make };
}
