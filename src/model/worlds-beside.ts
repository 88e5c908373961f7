/**
 * Files with objects that lie among those of a kustomization, and that no kustomization takes up: what is left of earlier days, or what somebody
 * applies by hand. They are told, and not judged: as one more folder they would be a mesh that nobody has.
 */
import { dirname, relative, resolve } from 'node:path';
import { digest } from './digest';
import type { FileTree } from './file-tree';
import { overlaid } from './kustomize';
import type { Kustomizer } from './kustomize-build';
import type { Beside, Loaded, Manifest } from './manifest';
import type { Draft } from './worlds-draft';

/**
 * Which kustomization a file lies beside: one in its folder, or the nearest above that takes up, or lays over others, a file of its folder.
 * What a kustomization that cannot be read takes up is not known: then none.
 */
export function besideOf(
  kustomizations: readonly string[],
  kustomizer: Kustomizer,
  tree: FileTree,
): (file: string) => string | undefined {
  const takes = new Map<string, ReadonlySet<string>>();
  for (const file of kustomizations) {
    if (!canBeRead(file, kustomizer)) continue;
    const own = [...kustomizer.takenUp(file), ...overlaid(file, tree)].filter((one) => tree.kindOf(relative('', one)) === 'file');
    takes.set(dirname(file), new Set([resolve(dirname(file)), ...own.map((one) => dirname(one))]));
  } // prettier-ignore
  const unread = new Set(kustomizations.map((file) => dirname(file)).filter((folder) => !takes.has(folder)));
  return (file) => {
    const own = resolve(dirname(file));
    for (let at = dirname(file); ; at = dirname(at)) {
      if (unread.has(at)) return undefined;
      const folders = takes.get(at);
      if (folders !== undefined) return folders.has(own) ? at : undefined;
      if (at === dirname(at)) return undefined;
    }
  };
}

function canBeRead(file: string, kustomizer: Kustomizer): boolean {
  try {
    return Boolean(kustomizer.kustomization(file));
  } catch {
    return false;
  }
}

/**
 * What of a plain draft is of files beside kustomizations, as a draft for each of these. What makes Flux or Argo CD apply more is what a
 * cluster is bootstrapped with, by hand: it stays.
 */
export function asideFrom(
  draft: Draft,
  beside: (file: string) => string | undefined,
  { tree, stays }: { readonly tree: FileTree; readonly stays: (manifest: Manifest) => boolean },
): readonly Draft[] {
  const kept = new Set(draft.manifests.filter(stays).map(({ source }) => source.file));
  const folderOf = (name = ''): string | undefined => (kept.has(name) ? undefined : beside(tree.pathOf(name)));
  const folders = new Set([...draft.manifests, ...draft.problems].flatMap(({ source }) => folderOf(source.file) ?? []));
  if (folders.size === 0) return [draft];
  const of = (folder: string | undefined): Draft => ({
    ...draft,
    manifests: draft.manifests.filter(({ source }) => folderOf(source.file) === folder),
    problems: draft.problems.filter(({ source }) => folderOf(source.file) === folder),
  });
  return [
    of(undefined),
    ...[...folders].map((folder) => ({ ...of(folder), name: folder, folder, besideOf: folder, leftOut: [] })),
  ];
}

/** What is left of files beside kustomizations once Flux and Argo CD, or mesh-edge.yaml, have taken what they apply. */
export function leftBeside(drafts: readonly Draft[], tree: FileTree): readonly Beside[] {
  const byFolder = new Map<string, Set<string>>();
  for (const { besideOf: folder, manifests, problems } of drafts)
    for (const { source } of [...manifests, ...problems])
      if (folder !== undefined && source.file !== undefined)
        byFolder.set(folder, (byFolder.get(folder) ?? new Set()).add(source.file));
  return [...byFolder].sort(byName).map(([folder, names]) => ({
    folder: tree.nameOf(folder),
    files: [...names].sort().map((file) => ({ file, digest: digest(tree.read(tree.pathOf(file))) })),
  }));
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

/** As many files as a sentence names. */
const NAMED = 5;

export function textOfBeside({ folder, files }: Beside): string {
  const names = files.map(({ file }) => file);
  const are = names.length === 1 ? 'is 1 file' : `are ${names.length} files`;
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `beside the kustomization of ${folder} ${are} that no kustomization takes up: ${names.slice(0, NAMED).join(', ')}${more}`;
}

/** Worlds as one know once what lies beside their kustomizations. */
export function besideAll(all: readonly Loaded[]): Pick<Loaded, 'beside'> {
  const beside = all.flatMap((one) => one.beside ?? []);
  return beside.length === 0 ? {} : { beside };
}
