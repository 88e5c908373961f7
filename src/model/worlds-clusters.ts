/** Clusters that lie side by side in folders without a kustomization, as `clusters/NAME` of Flux and folders of Applications of Argo CD. */
import { dirname, relative, resolve, sep } from 'node:path';
import type { FileTree } from './file-tree';
import type { Manifest } from './manifest';
import { isApplication, isApplicationSet } from './worlds-argo';
import { isFlux, pathOf } from './worlds-flux';
import type { Draft } from './worlds-draft';

/**
 * A Kustomization of Flux whose path is around its own file is what a cluster was bootstrapped with: that folder is a cluster. And where
 * two folders have a Kustomization or an Application of one name, both cannot be in one cluster.
 */
export function clustersIn(draft: Draft, named: readonly string[], tree: FileTree): readonly Draft[] {
  const placeOf = (file = ''): string => resolve(tree.pathOf(file));
  const fileOf = ({ source }: Manifest): string => placeOf(source.file);
  const cuts = new Set<string>();
  const byId = new Map<string, Manifest[]>();
  for (const manifest of draft.manifests) {
    if (!isFlux(manifest) && !isApplication(manifest) && !isApplicationSet(manifest)) continue;
    const id = `${manifest.kind} ${manifest.namespace}/${manifest.name}`;
    byId.set(id, [...(byId.get(id) ?? []), manifest]);
    if (!isFlux(manifest)) continue;
    const around = named
      .flatMap((folder) => above(resolve(folder)))
      .map((top) => resolve(top, pathOf(manifest)))
      .find((target) => isBelow(fileOf(manifest), target) && isBelow(target, resolve(draft.folder)));
    if (around !== undefined) cuts.add(around);
  }
  for (const alike of byId.values()) for (const cut of alternatives(alike.map(fileOf))) cuts.add(cut);
  cuts.delete(resolve(draft.folder));
  if (cuts.size === 0) return [draft];
  const ownerOf = (file: string | undefined): string => {
    for (let at = dirname(placeOf(file)); isBelow(at, resolve(draft.folder)); at = dirname(at))
      if (cuts.has(at)) return at;
    return '';
  };
  const parts = new Map<string, Draft>();
  const partOf = (file: string | undefined): Draft => {
    const owner = ownerOf(file);
    const known = parts.get(owner);
    if (known) return known;
    const folder = owner === '' ? draft.folder : relative(process.cwd(), owner) || '.';
    const isFull = draft.folder.startsWith(sep);
    const path = isFull && owner !== '' ? owner : folder;
    const part: Draft = { ...draft, name: path, folder: path, manifests: [], problems: [], remote: [], charts: [], leftOut: owner === '' ? draft.leftOut : [] }; // prettier-ignore
    parts.set(owner, part);
    return part;
  };
  for (const manifest of draft.manifests) partOf(manifest.source.file).manifests.push(manifest);
  for (const problem of draft.problems) partOf(problem.source.file).problems.push(problem);
  return [...parts.values()];
}

const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === sep ? sep : folder + sep);

function above(folder: string): readonly string[] {
  const all: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    all.push(at);
    if (at === dirname(at)) return all;
  }
}

/** For files that cannot be together: the folders in which each of them is alone. */
function alternatives(files: readonly string[]): readonly string[] {
  const folders = [...new Set(files.map((file) => dirname(file)))];
  if (folders.length < 2) return [];
  return folders.map((folder) => {
    let cut = folder;
    while (!folders.some((other) => other !== folder && isBelow(other, dirname(cut)))) cut = dirname(cut);
    return cut;
  });
}
