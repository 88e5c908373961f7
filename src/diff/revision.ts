/** Reads one side of a diff: files, folders, standard input, or `REV:PATH`, which git shows without a checkout. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { InputError, type KnownDocuments, load, loadText } from '../model/load';
import type { LoadProblem, Loaded, Manifest } from '../model/manifest';

/** Git objects of a repository of manifests are small; a hundred megabytes hold more than a million lines. */
const MAX_BYTES = 1 << 30;

/**
 * @param other the side that it is compared with: a revision without a path stands for that one's path
 * @throws InputError if the side is neither a path nor a path in a revision, or holds no object.
 */
export function loadSide(side: string, known?: KnownDocuments, other = ''): Loaded {
  if (side === '-' || existsSync(side)) return load([side], known);
  const colon = side.indexOf(':');
  if (colon < 0 && isRevision(side)) return loadRevision(side, pathOf(other), side, known);
  if (colon <= 0) {
    throw new InputError(
      `"${side}" is neither a file nor a folder here, nor a git revision (REV, or REV:PATH, as in main:dist)`,
    );
  }
  return loadRevision(side.slice(0, colon), side.slice(colon + 1), side, known);
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

function loadRevision(revision: string, path: string, side: string, known?: KnownDocuments): Loaded {
  const top = git(['rev-parse', '--show-toplevel']);
  if (top === undefined)
    throw new InputError(`"${side}": this folder is in no git repository, and there is no such file`);
  // A revision is never taken for an option of git.
  if (!isRevision(revision))
    throw new InputError(`"${side}": git knows no revision "${revision}" (in a shallow clone, fetch it first)`);
  const within = inRepository(path);
  const listed = git(['ls-tree', '-r', '-z', '--full-tree', revision, ...(within === '' ? [] : ['--', within])]) ?? '';
  const entries = listed
    .split('\0')
    .map((line) => /^\d+ blob ([0-9a-f]+)\t(.*)$/s.exec(line))
    .filter((found) => found !== null)
    .map((found) => ({ object: found[1] ?? '', file: found[2] ?? '' }));
  if (entries.length === 0) throw new InputError(`"${side}": revision ${revision} has no path "${path}"`);
  const wanted = entries.filter(({ file }) => /\.(ya?ml|json)$/i.test(file) || file === within);
  const texts = blobs(wanted.map(({ object }) => object));
  const manifests: Manifest[] = [];
  const problems: LoadProblem[] = [];
  wanted.forEach(({ file }, index) => {
    const loaded = loadText(texts[index] ?? '', `${revision}:${file}`, {
      named: file === within,
      from: manifests.length,
      known,
    });
    manifests.push(...loaded.manifests);
    problems.push(...loaded.problems);
  });
  if (manifests.length === 0) {
    const reasons = problems.map(
      ({ source, what }) => `\n  ${source.file ?? ''}${source.line === undefined ? '' : `:${source.line}`}: ${what}`,
    );
    throw new InputError(`"${side}": there is no Kubernetes object that could be read${reasons.join('')}`);
  }
  return { manifests, problems };
}

/** As git reads `REV:PATH`: from the top of the repository, or from here if the path begins with a dot. */
function inRepository(path: string): string {
  const prefix = /^\.\.?(\/|$)/.test(path) ? (git(['rev-parse', '--show-prefix']) ?? '').trim() : '';
  const parts: string[] = [];
  for (const part of `${prefix}${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

function git(args: readonly string[]): string | undefined {
  const run = spawnSync('git', args, { encoding: 'utf8', maxBuffer: MAX_BYTES });
  if (run.error !== undefined && 'code' in run.error && run.error.code === 'ENOENT')
    throw new InputError('git is not installed, so that no revision can be read');
  return run.status === 0 ? run.stdout : undefined;
}

/** The contents of blobs, all read by one process. */
function blobs(objects: readonly string[]): readonly string[] {
  if (objects.length === 0) return [];
  const run = spawnSync('git', ['cat-file', '--batch'], { input: `${objects.join('\n')}\n`, maxBuffer: MAX_BYTES });
  if (run.status !== 0) throw new InputError(`git cat-file fails: ${String(run.stderr)}`);
  const out = run.stdout;
  const texts: string[] = [];
  let at = 0;
  for (const object of objects) {
    const end = out.indexOf(10, at);
    const header = out.toString('utf8', at, end).split(' ');
    const size = Number(header[2]);
    if (header[1] === 'missing' || !Number.isInteger(size)) throw new InputError(`git has lost object ${object}`);
    texts.push(out.toString('utf8', end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  return texts;
}
