/**
 * The meshes that a folder holds. A repository keeps bases, overlays and clusters side by side; each build root is applied by itself,
 * so each is a world of its own: a kustomization that no other one takes up, with what Flux applies from there; else a folder.
 */
import { dirname, join, relative, resolve } from 'node:path';
import type { KnownDocuments } from './documents';
import { record, strings, text } from './fields';
import { DISK, type FileTree } from './file-tree';
import { findFiles } from './files';
import { isKustomization } from './kustomize';
import { Kustomizer } from './kustomize-build';
import { NotBuilt } from './kustomize-resource';
import { load, loadText } from './load';
import type { LeftOut, LoadProblem, Loaded, Manifest } from './manifest';
import { toManifest } from './object';
import { isRecord } from './recognize';

export interface World {
  /** The folder, as a message names it; of one file or of standard input, its name. */
  readonly name: string;
  readonly by: 'kustomize' | 'flux' | 'files';
  readonly loaded: Loaded;
  /** What it takes up from elsewhere, and nothing here shows. */
  readonly remote: readonly string[];
  /** Why it could not be built; then nothing of it is judged. */
  readonly notBuilt?: string;
}

interface Draft {
  readonly folder: string;
  by: World['by'];
  manifests: Manifest[];
  readonly problems: LoadProblem[];
  readonly remote: string[];
  readonly notBuilt?: string;
  readonly leftOut?: Loaded['leftOut'];
}

/** @throws InputError if a path does not exist, or if nothing that could be read is a Kubernetes object. */
export function findWorlds(paths: readonly string[], known?: KnownDocuments, tree: FileTree = DISK): readonly World[] {
  const folders = paths.filter((path) => path !== '-' && tree.kindOf(path) === 'folder');
  const unread: LoadProblem[] = [];
  const passedOver: LeftOut[] = [];
  const files = folders.length === paths.length ? findFiles(paths, unread, tree, passedOver) : [];
  const kustomizations = files.filter(isKustomization);
  if (kustomizations.length === 0)
    return [
      {
        name: paths.map((path) => tree.nameOf(path)).join(', '),
        by: 'files',
        loaded: load(paths, known, tree),
        remote: [],
      },
    ];
  const kustomizer = new Kustomizer((content, file) => loadText(content, file, { named: false, known }), tree);
  const taken = new Set(kustomizations.flatMap((file) => kustomizer.takenUp(file)));
  const drafts = [
    ...kustomizations.filter((file) => isRoot(kustomizer, file, taken)).map((file) => build(kustomizer, dirname(file))),
    ...leftOver(files, kustomizations, taken).map(([folder, own]) => plain(folder, own, known, tree)),
  ];
  return withFlux(drafts, folders)
    .filter(
      ({ manifests, problems, notBuilt }) => manifests.length > 0 || problems.length > 0 || notBuilt !== undefined,
    )
    .map(({ folder, by, manifests, problems, remote, notBuilt, leftOut = [] }, at) => ({
      name: tree.nameOf(folder),
      by,
      loaded: {
        manifests: manifests.map((manifest, index) => ({ ...manifest, index })),
        // What is in no world is told with the first.
        problems: at === 0 ? [...unread, ...problems] : problems,
        leftOut: at === 0 ? [...passedOver, ...leftOut] : leftOut,
      },
      remote,
      ...(notBuilt === undefined ? {} : { notBuilt }),
    }));
}

/**
 * All worlds of the paths as one: what commands that ask one question of everything read. Where a root is not built, its files are
 * taken as they are.
 */
export function loadBuilt(paths: readonly string[], known?: KnownDocuments, tree: FileTree = DISK): Loaded {
  return joined(findWorlds(paths, known, tree), paths, known, tree);
}

/** These worlds of the paths as one. */
export function joined(
  worlds: readonly World[],
  paths: readonly string[],
  known?: KnownDocuments,
  tree: FileTree = DISK,
): Loaded {
  if (worlds.length === 1 && worlds[0]?.by === 'files') return worlds[0].loaded;
  if (worlds.some(({ notBuilt }) => notBuilt !== undefined)) return load(paths, known, tree);
  const seen = new Set<string>();
  const manifests = worlds
    .flatMap(({ loaded }) => loaded.manifests)
    .filter(({ group, kind, namespace, name, body }) => {
      const key = JSON.stringify([group, kind, namespace, name, body]);
      return seen.has(key) ? false : seen.add(key);
    })
    .map((manifest, index) => ({ ...manifest, index }));
  if (manifests.length === 0) return load(paths, known, tree);
  const leftOut = worlds.flatMap(({ loaded }) => loaded.leftOut ?? []);
  return { manifests, problems: worlds.flatMap(({ loaded }) => loaded.problems), leftOut };
}

function isRoot(kustomizer: Kustomizer, file: string, taken: ReadonlySet<string>): boolean {
  if (taken.has(resolve(dirname(file)))) return false;
  try {
    return kustomizer.kustomization(file).kind !== 'Component';
  } catch {
    return true;
  }
}

function build(kustomizer: Kustomizer, folder: string): Draft {
  try {
    const { resources, remote } = kustomizer.build(folder);
    const manifests = resources.map(({ body, from }, index) => toManifest(body, index, from.source, from.lineOf));
    return { folder, by: 'kustomize', manifests, problems: [], remote: remote.map(({ entry }) => entry) };
  } catch (error) {
    if (!(error instanceof NotBuilt)) throw error;
    return { folder, by: 'kustomize', manifests: [], problems: [], remote: [], notBuilt: error.message };
  }
}

/** Files that no kustomization takes up, by the largest folder around them in which there is none. */
function leftOver(
  files: readonly string[],
  kustomizations: readonly string[],
  taken: ReadonlySet<string>,
): readonly (readonly [string, readonly string[]])[] {
  const above = new Set<string>();
  for (const file of kustomizations)
    for (let at = dirname(file); ; at = dirname(at)) {
      above.add(at);
      if (at === dirname(at)) break;
    }
  const groups = new Map<string, string[]>();
  for (const file of files) {
    if (isKustomization(file) || taken.has(resolve(file))) continue;
    let folder = dirname(file);
    while (!above.has(folder) && !above.has(dirname(folder)) && folder !== dirname(folder)) folder = dirname(folder);
    groups.set(folder, [...(groups.get(folder) ?? []), file]);
  }
  return [...groups];
}

function plain(folder: string, files: readonly string[], known: KnownDocuments | undefined, tree: FileTree): Draft {
  const { manifests, problems, leftOut } = loadFound(files, known, tree);
  const rest = leftOut === undefined ? {} : { leftOut };
  return { folder, by: 'files', manifests: [...manifests], problems: [...problems], remote: [], ...rest };
}

function loadFound(files: readonly string[], known: KnownDocuments | undefined, tree: FileTree): Loaded {
  try {
    return load(files, known, tree, false);
  } catch {
    return { manifests: [], problems: [] }; // values of charts and the like: no object in them
  }
}

const FLUX = 'kustomize.toolkit.fluxcd.io';

/** Flux applies a folder for each of its Kustomizations: those are parts of the world in which the Kustomization itself is. */
function withFlux(drafts: readonly Draft[], folders: readonly string[]): readonly Draft[] {
  const byFolder = new Map<string, Draft[]>();
  for (const draft of drafts)
    byFolder.set(resolve(draft.folder), [...(byFolder.get(resolve(draft.folder)) ?? []), draft]);
  const own = new Map(drafts.map((draft) => [draft, [...draft.manifests]]));
  const applied = new Set<Draft>();
  const expand = (manifests: readonly Manifest[], within: readonly Draft[], into: Draft): readonly Manifest[] =>
    manifests.flatMap((manifest): readonly Manifest[] => {
      if (manifest.group !== FLUX || manifest.kind !== 'Kustomization') return [manifest];
      const targets = targetsOf(manifest, byFolder, drafts, folders).filter((one) => !within.includes(one));
      return [
        manifest,
        ...targets.flatMap((target) => {
          applied.add(target);
          if (into.by === 'kustomize' || into.by === 'files') into.by = 'flux';
          if (target.notBuilt !== undefined) into.remote.push(`${target.folder} (${target.notBuilt})`);
          into.remote.push(...target.remote);
          const placed = (own.get(target) ?? []).map((one) => asApplied(one, record(record(manifest.body).spec)));
          return expand(placed, [...within, target], into);
        }),
      ];
    });
  for (const draft of drafts) draft.manifests = [...expand(own.get(draft) ?? [], [draft], draft)];
  return drafts.filter((draft) => !applied.has(draft) || draft.notBuilt !== undefined);
}

/** `spec.path` is from the top of the repository, which may be above the folders that were named. */
function targetsOf(
  { body }: Manifest,
  byFolder: ReadonlyMap<string, readonly Draft[]>,
  drafts: readonly Draft[],
  folders: readonly string[],
): readonly Draft[] {
  const path = text(record(record(body).spec).path);
  for (const folder of folders) {
    for (let top = resolve(folder); ; top = dirname(top)) {
      const target = join(top, path);
      const exact = byFolder.get(target);
      if (exact?.some(({ by }) => by !== 'files')) return exact;
      const below = drafts.filter((one) => !relative(target, resolve(one.folder)).startsWith('..'));
      if (below.length > 0 && path !== '' && path !== './' && path !== '.') return below;
      if (top === dirname(top)) break;
    }
  }
  return [];
}

function asApplied(manifest: Manifest, spec: Record<string, unknown>): Manifest {
  const namespace = text(spec.targetNamespace);
  const { substitute, substituteFrom } = record(spec.postBuild);
  if (namespace === '' && substitute === undefined) return manifest;
  const values = strings(substitute);
  const isAll = substituteFrom === undefined;
  const isLeft = manifest.annotations['kustomize.toolkit.fluxcd.io/substitute'] === 'disabled';
  const body = (
    substitute === undefined || isLeft ? structuredClone(manifest.body) : substituted(manifest.body, values, isAll)
  ) as Record<string, unknown>;
  if (namespace !== '' && manifest.namespace !== '') body.metadata = { ...record(body.metadata), namespace };
  return toManifest(body, manifest.index, manifest.source, manifest.lineOf);
}

/** As `envsubst` does it for Flux; a value that only the cluster knows stays a placeholder. */
function substituted(value: unknown, values: Readonly<Record<string, string>>, isAll: boolean): unknown {
  if (typeof value === 'string')
    return value.replace(
      /\$\{([A-Za-z_]\w*)(?::?[=-]([^}]*))?\}/g,
      (whole, name: string, fallback: string | undefined) =>
        Object.hasOwn(values, name) ? (values[name] ?? '') : isAll && fallback !== undefined ? fallback : whole,
    );
  if (Array.isArray(value)) return value.map((item) => substituted(item, values, isAll));
  return isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substituted(item, values, isAll)]))
    : value;
}
