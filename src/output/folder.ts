/**
 * Puts files in place as one whole: whatever ends the run, be it a full disk, a signal or a crash, the folder is what it was or what it
 * was to become. All is written into a folder beside it first; then one rename takes the old one away and one puts the new one there.
 * Between those two nothing but a crash of the machine or `kill -9` can come; the next synth then puts the old one back.
 */
import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Plan, OutputError, foldersAbove, planOf } from './plan';
import { withLock } from './lock';
import { reasonOf } from './reason';
import { besideIt, readRecord, writeRecord } from './record';
import { type Stage, openStage, putBack, clear, clearOld } from './stage';
import { holdSignals } from './signals';

/** What became of a folder, by counts; `kept` are paths within it that synth did not write. */
export interface FolderChange {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly same: number;
  readonly kept: readonly string[];
}

/**
 * Makes `folder` hold `files` (paths with forward slashes, and texts). What synth wrote there before and does not write now is deleted;
 * what is not in its record is kept. A folder that cdk8s-cli deletes before each run needs no record.
 *
 * @throws an error in words if it cannot be done; the folder is as it was then
 */
export function replaceFolder(
  folder: string,
  files: ReadonlyMap<string, string>,
  { isRecorded = true }: { readonly isRecorded?: boolean } = {},
): FolderChange {
  return holdSignals(() => {
    try {
      const real = realFolder(folder);
      return withLock(besideIt(real, 'lock'), () => replace(real, files, isRecorded));
    } catch (error) {
      if (error instanceof OutputError) throw error;
      throw new OutputError(`Nothing was written, and ${folder} is as it was: ${reasonOf(error)}`);
    }
  });
}

function replace(folder: string, files: ReadonlyMap<string, string>, isRecorded: boolean): FolderChange {
  putBack(folder);
  const written = readRecord(folder);
  const plan = planOf(folder, files, written);
  const { added, changed, removed, same, kept } = plan;
  const isKnown = !isRecorded || (written.size === files.size && [...files.keys()].every((file) => written.has(file)));
  const record = (names: Iterable<string>, aside: string): void => {
    if (isRecorded) writeRecord(folder, names, aside);
  };
  if (added.length + changed.length + removed.length > 0 || !isKnown)
    putInPlace(folder, files, plan, (stage, isDone) =>
      record(isDone ? files.keys() : [...written, ...files.keys()], stage.root),
    );
  return { added: added.length, changed: changed.length, removed: removed.length, same: same.length, kept };
}

function putInPlace(
  folder: string,
  files: ReadonlyMap<string, string>,
  plan: Plan,
  record: (stage: Stage, isDone: boolean) => void,
): void {
  const stage = openStage(folder);
  try {
    for (const file of [...plan.added, ...plan.changed]) {
      const path = join(stage.next, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, files.get(file) ?? '', { flag: 'wx' });
      const before = plan.there.get(file);
      if (before?.kind === 'file') chmodSync(path, before.mode);
    }
    // Names of what comes and of what goes: whatever ends this run, all of it is known as synth's own.
    if (plan.added.length > 0) record(stage, false);
    const steps = plan.added.length + plan.changed.length + plan.removed.length;
    const isWhole = steps > 1 && plan.isMovable && stage.isBeside && completed(folder, stage, plan);
    if (!(isWhole && swapped(folder, stage)) && steps > 0) oneByOne(folder, stage, plan);
  } catch (error) {
    quietly(() => clear(stage, folder, files));
    throw error;
  }
  // All is in place. What cannot be cleared now, the next synth clears.
  quietly(() => {
    clearOld(stage, folder, files);
    record(stage, true);
    clear(stage, folder, files);
  });
}

/** Lays beside what has not changed and what is not synth's, as links to the very files. Where that cannot be, by false. */
function completed(folder: string, stage: Stage, { there, same, kept }: Plan): boolean {
  try {
    for (const path of [...same, ...kept]) {
      const from = join(folder, path);
      const to = join(stage.next, path);
      const kind = there.get(path)?.kind;
      mkdirSync(kind === 'folder' ? to : dirname(to), { recursive: true });
      if (kind === 'link') symlinkSync(readlinkSync(from), to);
      else if (kind !== 'folder') linkSync(from, to);
    }
    for (const [path, { kind, mode }] of there) {
      const to = join(stage.next, path);
      if (kind === 'folder' && isFolder(to)) chmodSync(to, mode);
    }
    const home = lstatSync(folder, { throwIfNoEntry: false });
    if (home) chmodSync(stage.next, home.mode & 0o7777);
    return true;
  } catch (error) {
    if (['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'].includes(codeOf(error))) return false;
    throw error;
  }
}

/** False where the folder can't be taken away at all: a mount, or in use on Windows. */
function swapped(folder: string, stage: Stage): boolean {
  let isThere = true;
  try {
    renameSync(folder, stage.old);
  } catch (error) {
    if (['EBUSY', 'EPERM', 'EACCES', 'EXDEV'].includes(codeOf(error))) return false;
    if (codeOf(error) !== 'ENOENT') throw error;
    isThere = false;
  }
  try {
    renameSync(stage.next, folder);
    return true;
  } catch (error) {
    if (isThere) renameSync(stage.old, folder);
    throw error;
  }
}

/**
 * Where a folder cannot be moved (it is a mount, say, or only one file changes and needs no more than one rename): file by file, all of
 * them renames of what is written already, and taken back in turn if one of them fails.
 */
function oneByOne(folder: string, stage: Stage, plan: Plan): void {
  const undo: (() => void)[] = [];
  const move = (from: string, to: string): void => {
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    undo.push(() => renameSync(to, from));
  };
  const aside = `${stage.old}-files`;
  try {
    mkdirSync(folder, { recursive: true });
    for (const file of plan.removed) move(join(folder, file), join(aside, file));
    for (const emptied of emptiedBy(plan))
      tried(() => rmdirSync(join(folder, emptied)), 'ENOTEMPTY', 'EEXIST', 'ENOENT');
    for (const file of [...plan.changed, ...plan.added]) {
      const path = join(folder, file);
      const before = plan.there.get(file)?.kind;
      if (before === 'file') {
        const copy = join(aside, file);
        mkdirSync(dirname(copy), { recursive: true });
        copyFileSync(path, copy);
        mkdirSync(dirname(path), { recursive: true });
        renameSync(join(stage.next, file), path);
        undo.push(() => renameSync(copy, path));
      } else {
        if (before === 'link' || before === 'other') move(path, join(aside, file));
        move(join(stage.next, file), path);
      }
    }
  } catch (error) {
    for (const back of undo.reverse()) back();
    throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

function isFolder(path: string): boolean {
  let is = false;
  tried(() => (is = lstatSync(path).isDirectory()), 'ENOENT', 'ENOTDIR');
  return is;
}

/** Folders that held only what is removed, the deepest first. */
function emptiedBy({ removed }: Plan): string[] {
  return [...new Set(removed.flatMap(foldersAbove))].sort((a, b) => b.length - a.length);
}

/** The folder itself where a link leads to it: what lies beside it is on the same file system. */
function realFolder(folder: string): string {
  const entry = lstatSync(folder, { throwIfNoEntry: false });
  if (entry === undefined) {
    mkdirSync(dirname(folder), { recursive: true });
    return join(realpathSync(dirname(folder)), basename(folder));
  }
  let real: string;
  try {
    real = realpathSync(folder);
  } catch {
    throw new OutputError(
      `Nothing was written: ${folder} is a link that leads nowhere. Remove it, or make the folder that it leads to.`,
    );
  }
  if (lstatSync(real).isDirectory()) return real;
  throw new OutputError(
    `Nothing was written: ${folder} is a file, and a folder has to be there. Move it away, or name another folder.`,
  );
}

function tried(action: () => unknown, ...codes: readonly string[]): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (codes.includes(codeOf(error))) return false;
    throw error;
  }
}

function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // Nothing that anybody has to know: whoever calls says why.
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
