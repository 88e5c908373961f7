/**
 * Writes some files of a folder that holds others' too: all of them or, whatever goes wrong, none. All is written aside first, within the
 * folder and so on its disk; what is in their place is kept until each has come, and comes back where one does not.
 */
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { withLock } from './lock';
import { OutputError } from './plan';
import { reasonOf } from './reason';
import { besideIt } from './record';
import { holdSignals } from './signals';

/**
 * Puts `files` (paths within the folder, with forward slashes, and texts) in place, and takes `removed` away. A link in the place of a
 * file is replaced, and nothing is written through it.
 *
 * @throws OutputError with the reason in words; the folder is as it was then
 */
export function replaceFiles(
  folder: string,
  files: ReadonlyMap<string, string>,
  removed: readonly string[] = [],
): void {
  const home = resolve(folder);
  holdSignals(() => {
    const undo: (() => void)[] = [];
    try {
      makeFolder(home, undo);
      withLock(besideIt(home, 'lock'), () => replace(home, files, removed, undo));
    } catch (error) {
      for (const back of undo.reverse()) quietly(back);
      throw error instanceof OutputError ? error : new OutputError(reasonOf(error));
    }
  });
}

function replace(
  home: string,
  files: ReadonlyMap<string, string>,
  removed: readonly string[],
  undo: (() => void)[],
): void {
  const aside = mkdtempSync(join(home, '.mesh-edge-'));
  // Whatever was made before it is undone after it.
  undo.push(() => rmSync(aside, { recursive: true, force: true }));
  const drafts = [...files].map(([file, text], at) => {
    const draft = join(aside, `next-${at}`);
    writeFileSync(draft, text, { flag: 'wx' });
    const before = lstatSync(join(home, file), { throwIfNoEntry: false });
    if (before?.isFile()) chmodSync(draft, before.mode & 0o7777);
    return { draft, path: join(home, file) };
  });
  const takeAway = (path: string, to: string): void => {
    renameSync(path, to);
    undo.push(() => renameSync(to, path));
  };
  for (const [at, { draft, path }] of drafts.entries()) {
    makeFolder(dirname(path), undo);
    const old = join(aside, `old-${at}`);
    const before = lstatSync(path, { throwIfNoEntry: false });
    if (before?.isFile()) {
      copyFileSync(path, old);
      renameSync(draft, path);
      undo.push(() => renameSync(old, path));
    } else {
      if (before !== undefined && !before.isDirectory()) takeAway(path, old);
      renameSync(draft, path);
      undo.push(() => unlinkSync(path));
    }
  }
  for (const [at, file] of removed.entries()) takeAway(join(home, file), join(aside, `removed-${at}`));
  quietly(() => rmSync(aside, { recursive: true, force: true }));
}

/** A folder that is not there, and those above it, each by itself: of several at once Node does not say why they cannot be made. */
function makeFolder(path: string, undo: (() => void)[]): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  makeFolder(dirname(path), undo);
  mkdirSync(path);
  undo.push(() => rmdirSync(path));
}

function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // What cannot be undone or cleared is in nobody's way.
  }
}
