/** Files that no kustomization takes up, of two sides: that one changed is told, since whoever changed it may think that it is applied. */
import { relative } from 'node:path';
import type { FileTree } from '../model/file-tree';
import type { Loaded } from '../model/manifest';

/** By the path from the side. */
export interface AsideFiles {
  /** With what they hold, as a digest. */
  readonly beside: ReadonlyMap<string, string>;
  /** Files whose objects are compared. */
  readonly taken: ReadonlySet<string>;
}

export function asideFiles(side: string, tree: FileTree, { manifests, beside = [] }: Loaded): AsideFiles {
  const from = (file: string): string => relative(side, tree.pathOf(file));
  return {
    beside: new Map(beside.flatMap(({ files }) => files.map(({ file, digest }) => [from(file), digest] as const))),
    taken: new Set(manifests.flatMap(({ source }) => (source.file === undefined ? [] : [from(source.file)]))),
  };
}

export function notesOfBeside(was: AsideFiles | undefined, is: AsideFiles | undefined): readonly string[] {
  if (was === undefined || is === undefined) return [];
  return [...new Set([...was.beside.keys(), ...is.beside.keys()])].sort().flatMap((file) => {
    const [old, now] = [was.beside.get(file), is.beside.get(file)];
    if (old === now) return [];
    if (old !== undefined && now !== undefined) return [`${file} changed, but no kustomization takes it up`];
    if (now === undefined) return is.taken.has(file) ? [] : [`${file} is gone, and no kustomization took it up`];
    return was.taken.has(file)
      ? [`no kustomization takes up ${file} any more`]
      : [`${file} is new, but no kustomization takes it up`];
  });
}
