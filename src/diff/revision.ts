/** Reads one side of a diff: files, folders, standard input, or `REV:PATH`, which git shows without a checkout. */
import { existsSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { canonical } from '../model/canonical';
import { DISK, type FileTree } from '../model/file-tree';
import { findAll, readText } from '../model/files';
import { InputError, type KnownDocuments, loadText } from '../model/load';
import type { Loaded } from '../model/manifest';
import { type Joined, type World, type WorldOptions, findWorlds, joined, worldsNamed } from '../model/worlds';
import { ignoring } from '../model/worlds-layout';
import { type AsideFiles, asideFiles } from './beside';
import { type Unrendered, changedCharts, unrendered } from './charts';
import { GitTree, fromTop, git, refusalOfGit } from './git-tree';
import { kustomizations } from './kustomizations';
import { programFiles } from './programs';
import { unreadOf } from './unread';
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
  readonly aside?: AsideFiles;
  /** Why there is no object here, although something is that makes some. */
  readonly nothing?: string;
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
  const all = worldsOf(path, known, disk, options);
  if (typeof all === 'string') return nothingIn(path, all, ignoring(disk, options.ignore));
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
    ...programFiles(path, tree, one),
    ...valuesObjects(
      one.manifests,
      worlds.flatMap(({ remote }) => remote),
    ),
  ];
  const loaded = {
    ...one,
    ...places,
    unrendered: unread,
    ...(path === '-' ? {} : { aside: asideFiles(path, tree, one) }),
  };
  if (path === '-' || worlds.every(({ notBuilt, remote }) => notBuilt === undefined && remote.length === 0))
    return loaded;
  return { ...loaded, manifests: [...loaded.manifests, ...kustomizations(path, tree, loaded.manifests.length)] };
}

/** The worlds of a path; where it holds no object, why. */
function worldsOf(
  path: string,
  known: KnownDocuments | undefined,
  disk: FileTree,
  options: SideOptions,
): readonly World[] | string {
  try {
    return findWorlds([path], known, disk, options);
  } catch (error) {
    if (!(error instanceof InputError) || disk.kindOf(path) !== 'folder') throw error;
    return error.message;
  }
}

/** A side of programs and kustomizations alone: that they differ from those of the other side can be told. */
function nothingIn(path: string, nothing: string, tree: FileTree): Side {
  const { files } = findAll([path], [], tree, []);
  const parts = partsOf(files, tree);
  const unrendered = programFiles(path, tree, parts);
  const manifests = kustomizations(path, tree, 0);
  const templates = (parts.leftOut ?? []).filter(({ digest }) => digest !== undefined);
  if (unrendered.length + manifests.length + templates.length === 0) throw new InputError(nothing);
  return { ...parts, manifests, charts: [], unbuilt: [], worlds: [], without: [], unrendered, nothing };
}

/** @throws InputError if neither side holds an object, and nothing else that could be compared differs. */
export function refuseNothing(was: Side, is: Side): void {
  if (was.nothing === undefined || is.nothing === undefined) return;
  const [old, now] = [was, is].map(({ manifests }) => canonical(manifests.map(({ name, body }) => [name, body])));
  if (old === now && changedCharts(was.unrendered, is.unrendered).length + unreadOf(was, is).doubts.length === 0)
    throw new InputError(is.nothing);
}

/** What reading files leaves out, where they hold no object. */
function partsOf(files: readonly string[], tree: FileTree): Loaded {
  const leftOut = files.flatMap((file) => {
    const read = readText(file, tree);
    return 'text' in read ? (loadText(read.text, read.file, { named: false }).leftOut ?? []) : [];
  });
  return { manifests: [], problems: [], leftOut };
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
