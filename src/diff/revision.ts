/** Reads one side of a diff: files, folders, standard input, or `REV:PATH`, which git shows without a checkout. */
import { existsSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { DISK, type FileTree } from '../model/file-tree';
import { InputError, type KnownDocuments } from '../model/load';
import { type Joined, type WorldOptions, findWorlds, joined, worldsNamed } from '../model/worlds';
import { ignoring } from '../model/worlds-layout';
import { type Unrendered, unrendered } from './charts';
import { GitTree, fromTop, git, refusalOfGit } from './git-tree';
import { kustomizations } from './kustomizations';
import { valuesFiles, valuesObjects } from './values-files';

/** What a side is, beside its manifests. */
export interface SideOptions extends WorldOptions {
  /** Build roots of those that are there; all, if left out. */
  readonly worlds?: readonly string[];
}

/** One side of a diff. */
export interface Side extends Joined {
  /** The build roots that are there. */
  readonly worlds: readonly string[];
  /** Those that were asked for and are not. */
  readonly without: readonly string[];
  readonly unrendered: readonly Unrendered[];
}

/**
 * @param other the side that it is compared with: a revision without a path stands for that one's path
 * @throws InputError if the side is neither a path nor a path in a revision, or holds no object.
 */
export function loadSide(side: string, known?: KnownDocuments, other = '', options: SideOptions = {}): Side {
  if (side === '-' || existsSync(side)) return built(side, known, DISK, options);
  const colon = side.indexOf(':');
  if (colon < 0 && isRevision(side)) return loadRevision(side, pathOf(other), side, options, known);
  if (colon <= 0) {
    const refusal = refusalOfGit();
    throw new InputError(
      `"${side}" is neither a file nor a folder here, nor a git revision (REV, or REV:PATH, as in main:dist)${refusal === undefined ? '' : `; ${refusal}`}`,
    );
  }
  return loadRevision(side.slice(0, colon), side.slice(colon + 1), side, options, known);
}

/**
 * As it is applied: kustomizations built. Where one cannot be, its configuration is compared as an object, since what kustomize makes of
 * the files is not what they hold.
 */
function built(path: string, known: KnownDocuments | undefined, disk: FileTree, options: SideOptions): Side {
  const all = findWorlds([path], known, disk, options);
  const chosen = options.worlds?.map((name) => [name, worldsNamed(name, all, disk)] as const);
  const worlds = chosen === undefined ? all : [...new Set(chosen.flatMap(([, found]) => found))];
  const places = {
    worlds: all.map(({ name }) => name),
    without: (chosen ?? []).filter(([, found]) => found.length === 0).map(([name]) => name),
  };
  if (worlds.length === 0) return { manifests: [], problems: [], charts: [], unbuilt: [], unrendered: [], ...places };
  const tree = ignoring(disk, options.ignore);
  const one = joined(worlds, [path], known, tree);
  const unread = [
    ...unrendered(one.charts, path, disk),
    ...valuesFiles(path, tree, one.manifests),
    ...valuesObjects(
      one.manifests,
      worlds.flatMap(({ remote }) => remote),
    ),
  ];
  const loaded = { ...one, ...places, unrendered: unread };
  if (path === '-' || worlds.every(({ notBuilt, remote }) => notBuilt === undefined && remote.length === 0))
    return loaded;
  return { ...loaded, manifests: [...loaded.manifests, ...kustomizations(path, tree, loaded.manifests.length)] };
}

function isRevision(name: string): boolean {
  return !name.startsWith('-') && git(['rev-parse', '--verify', '--quiet', `${name}^{commit}`]) !== undefined;
}

/** The path that a side is about, from here: this folder for a revision without one. */
function pathOf(side: string): string {
  if (side !== '-' && existsSync(side)) return isAbsolute(side) ? `./${relative(process.cwd(), side)}` : `./${side}`;
  const colon = side.indexOf(':');
  return colon > 0 ? side.slice(colon + 1) : './';
}

function loadRevision(
  revision: string,
  path: string,
  side: string,
  options: SideOptions,
  known?: KnownDocuments,
): Side {
  // A bare repository has no folder of its own, and can be read all the same.
  const refusal = refusalOfGit();
  if (refusal !== undefined) throw new InputError(`"${side}": ${refusal}, and there is no such file`);
  // A revision is never taken for an option of git.
  if (!isRevision(revision))
    throw new InputError(`"${side}": git knows no revision "${revision}" (in a shallow clone, fetch it first)`);
  const tree = new GitTree(revision);
  const within = fromTop(path);
  if (tree.kindOf(within) === undefined) throw new InputError(`"${side}": revision ${revision} has no path "${path}"`);
  return built(within, known, tree, options);
}
