/** Reads one side of a diff: files, folders, standard input, or `REV:PATH`, which git shows without a checkout. */
import { existsSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { DISK, type FileTree } from '../model/file-tree';
import { InputError, type KnownDocuments } from '../model/load';
import { findWorlds, joined } from '../model/worlds';
import { ignoring } from '../model/worlds-layout';
import type { Loaded } from '../model/manifest';
import { GitTree, git } from './git-tree';
import { kustomizations } from './kustomizations';

/**
 * @param other the side that it is compared with: a revision without a path stands for that one's path
 * @param ignore patterns, from this folder, of what is no part of any mesh
 * @throws InputError if the side is neither a path nor a path in a revision, or holds no object.
 */
export function loadSide(side: string, known?: KnownDocuments, other = '', ignore: readonly string[] = []): Loaded {
  if (side === '-' || existsSync(side)) return built(side, known, ignoring(DISK, ignore));
  const colon = side.indexOf(':');
  if (colon < 0 && isRevision(side)) return loadRevision(side, pathOf(other), side, ignore, known);
  if (colon <= 0) {
    throw new InputError(
      `"${side}" is neither a file nor a folder here, nor a git revision (REV, or REV:PATH, as in main:dist)`,
    );
  }
  return loadRevision(side.slice(0, colon), side.slice(colon + 1), side, ignore, known);
}

/**
 * As it is applied: kustomizations built. Where one cannot be, its configuration is compared as an object, since what kustomize makes of
 * the files is not what they hold.
 */
function built(path: string, known: KnownDocuments | undefined, tree: FileTree): Loaded {
  const worlds = findWorlds([path], known, tree);
  const loaded = joined(worlds, [path], known, tree);
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
  ignore: readonly string[],
  known?: KnownDocuments,
): Loaded {
  // A bare repository has no folder of its own, and can be read all the same.
  if (git(['rev-parse', '--git-dir']) === undefined)
    throw new InputError(`"${side}": this folder is in no git repository, and there is no such file`);
  // A revision is never taken for an option of git.
  if (!isRevision(revision))
    throw new InputError(`"${side}": git knows no revision "${revision}" (in a shallow clone, fetch it first)`);
  const top = git(['rev-parse', '--show-toplevel'])?.toString('utf8').replace(/\n$/, '');
  const tree = ignoring(new GitTree(revision), ignore, top);
  const within = inRepository(path);
  if (tree.kindOf(within) === undefined) throw new InputError(`"${side}": revision ${revision} has no path "${path}"`);
  return built(within, known, tree);
}

/** As git reads `REV:PATH`: from the top of the repository, or from here if the path begins with a dot. */
function inRepository(path: string): string {
  const prefix = /^\.\.?(\/|$)/.test(path)
    ? (git(['rev-parse', '--show-prefix'])?.toString('utf8') ?? '').replace(/\n$/, '')
    : '';
  const parts: string[] = [];
  for (const part of `${prefix}${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
