/** The folder in which a new state is laid out before it is put in place, and what becomes of one that a crash left behind. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readRecord } from './record';

export interface Stage {
  readonly root: string;
  /** What is to be put in place. */
  readonly next: string;
  /** What is taken away. */
  readonly old: string;
  /** Beside the folder, on the same file system; within it where nothing can be made beside, and where it is a mount. */
  readonly isBeside: boolean;
}

const STAGE = /^\.synth-[0-9a-f]{12}$/;

export function openStage(folder: string): Stage {
  const name = `.${basename(folder)}.synth-${randomBytes(6).toString('hex')}`;
  const beside = join(dirname(folder), name);
  const within = lstatSync(folder, { throwIfNoEntry: false });
  const isBeside = (within === undefined || within.dev === statSync(dirname(folder)).dev) && isMade(beside);
  const root = isBeside ? beside : join(folder, name);
  if (!isBeside) mkdirSync(root, { recursive: true });
  const next = join(root, 'next');
  mkdirSync(next);
  return { root, next, old: join(root, 'old'), isBeside };
}

function isMade(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Deletes what was taken away into a stage. Of that, files that synth did not write go back to the folder. */
export function clearOld(stage: Pick<Stage, 'root'>, folder: string, files: ReadonlyMap<string, string>): void {
  const written = readRecord(folder);
  for (const name of readdirSync(stage.root).filter((one) => one.startsWith('old')))
    rescue(join(stage.root, name), folder, (path) => written.has(path) || files.has(path));
}

/** Clears a stage, unless it holds something that is nobody's but the user's and has no place in the folder. */
export function clear(stage: Pick<Stage, 'root'>, folder: string, files: ReadonlyMap<string, string>): void {
  clearOld(stage, folder, files);
  for (const name of readdirSync(stage.root))
    if (!name.startsWith('old')) rmSync(join(stage.root, name), { recursive: true, force: true });
  rmdirSync(stage.root);
}

/** Moves what is nobody's but the user's over to the folder, and deletes the rest. What has no place there, since one of its name is there, stays. */
function rescue(old: string, folder: string, isOurs: (path: string) => boolean): void {
  const visit = (under: string): void => {
    chmodSync(join(old, under), 0o700); // a folder that may not be written to could not be emptied
    for (const entry of readdirSync(join(old, under), { withFileTypes: true })) {
      const path = under === '' ? entry.name : `${under}/${entry.name}`;
      const from = join(old, path);
      const to = join(folder, path);
      if (entry.isDirectory()) {
        visit(path);
        if (readdirSync(from).length === 0) rmdirSync(from);
      } else if (isOurs(path) || isSame(from, to)) unlinkSync(from);
      else if (lstatSync(to, { throwIfNoEntry: false }) === undefined) {
        mkdirSync(dirname(to), { recursive: true });
        renameSync(from, to);
      }
    }
  };
  visit('');
  if (readdirSync(old).length === 0) rmdirSync(old);
}

function isSame(a: string, b: string): boolean {
  const one = lstatSync(a);
  const other = lstatSync(b, { throwIfNoEntry: false });
  if (other === undefined) return false;
  if (one.isSymbolicLink() && other.isSymbolicLink()) return readlinkSync(a) === readlinkSync(b);
  return one.ino === other.ino && one.dev === other.dev;
}

/**
 * Clears what an earlier run left behind that was broken off; a folder that it had taken away and not replaced comes back. One synth at a
 * time comes here, so whatever is there was left behind.
 */
export function putBack(folder: string): void {
  for (const parent of [dirname(folder), folder]) {
    for (const name of namesIn(parent)) {
      const left = join(parent, name);
      if (name.startsWith(`.${basename(folder)}.lock.`)) rmSync(left, { force: true }); // one that was being taken away
      if (!STAGE.test(name.slice(`.${basename(folder)}`.length)) || !name.startsWith(`.${basename(folder)}.`)) continue;
      try {
        if (!existsSync(folder) && existsSync(join(left, 'old'))) renameSync(join(left, 'old'), folder);
        clear({ root: left }, folder, new Map());
      } catch {
        // It is not ours to clear: synth goes on beside it.
      }
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
