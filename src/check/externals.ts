/** What other repositories own and mesh-edge.yaml declares: it is there, so nothing of it is missing, and none of it is judged. */
import { globbed } from '../model/files';
import { load } from '../model/load';
import type { Loaded, Manifest } from '../model/manifest';
import { toManifest } from '../model/object';
import type { World } from '../model/worlds-draft';

export type External = Declared | { readonly path: string };

/** One object; of a Namespace, all that is in it. */
interface Declared {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A group of nobody's, whose objects open their namespace as those of operators do (`model/open-namespaces.ts`). */
const GROUP = 'declared.mesh-edge.io';

/** `Gateway istio-ingress/public`, `Namespace istio-ingress`. */
export function externalOf(text: string): External | undefined {
  const [, kind = '', namespace = '', name = ''] =
    /^([A-Z]\w*) (?:([a-z0-9][-a-z0-9]*)\/)?([a-z0-9][-a-z0-9.]*)$/.exec(text) ?? [];
  if (kind === '' || (kind !== 'Namespace' && namespace === '')) return undefined;
  return { kind, namespace: kind === 'Namespace' ? name : namespace, name };
}

/** What others own. @throws InputError if manifests that are named are not there. */
export function loadExternals(externals: readonly External[] = []): readonly Manifest[] {
  const paths = externals.flatMap((one) => ('path' in one ? globbed(one.path) : []));
  const declared = externals.filter((one): one is Declared => 'kind' in one).map(marker);
  return [...declared, ...(paths.length === 0 ? [] : load(paths).manifests)];
}

/** Manifests with what others own beside them; what is read already is not there twice. */
export function beside<L extends Loaded>(loaded: L, others: readonly Manifest[]): L {
  if (others.length === 0) return loaded;
  const { manifests } = loaded;
  const keyOf = ({ group, kind, namespace, name }: Manifest): string => JSON.stringify([group, kind, namespace, name]);
  const own = new Set(manifests.map(keyOf));
  const added = others
    .filter((one) => !own.has(keyOf(one)))
    .map((one, at) => ({ ...one, index: manifests.length + at }));
  return { ...loaded, manifests: [...manifests, ...added], own: manifests.length };
}

/** Each world with what others own beside it. */
export function withExternals(worlds: readonly World[], externals: readonly External[] = []): readonly World[] {
  const others = loadExternals(externals);
  return worlds.map((world) => ({ ...world, loaded: beside(world.loaded, others) }));
}

function marker({ kind, namespace, name }: Declared): Manifest {
  const metadata = { name: `${kind}.${name}`.toLowerCase(), namespace };
  const body = { apiVersion: `${GROUP}/v1`, kind: 'External', metadata, spec: { kind, namespace, name } };
  return toManifest(body, 0, {}, () => undefined);
}

/** Whether a sentence about something missing speaks of what is declared. */
export function speaksOfDeclared({ manifests, own }: Loaded, what: string, clusterDomain: string): boolean {
  if (own === undefined) return false;
  return manifests.slice(own).some(({ group, body }) => {
    if (group !== GROUP) return false;
    const { kind, namespace, name } = (body as { readonly spec: Declared }).spec;
    const names =
      kind === 'Namespace'
        ? [namespace]
        : [`${namespace}/${name}`, `${name}.${namespace}`, `${name}.${namespace}.svc.${clusterDomain}`];
    return names.some((one) => new RegExp(`(^|[^\\w.-])${one.replace(/[.]/g, '\\.')}($|[^\\w-])`).test(what));
  });
}

/** Whether an object is declared, or all that its namespace has; of an unknown namespace, whether one of the kind and name is. */
export function isDeclared(
  { manifests, own }: Loaded,
  { kind, namespace, name }: { readonly kind: string; readonly namespace: string | undefined; readonly name: string },
): boolean {
  if (own === undefined) return false;
  return manifests.slice(own).some(({ group, body }) => {
    if (group !== GROUP) return false;
    const { spec } = body as { readonly spec: Declared };
    if (spec.kind === 'Namespace') return spec.namespace === namespace;
    return spec.kind === kind && spec.name === name && (namespace === undefined || spec.namespace === namespace);
  });
}
