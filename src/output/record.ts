/**
 * Which files of a folder synth has written. Only those does it ever delete: what somebody else put there is kept. The record lies beside
 * the folder and is committed with it, so that it is known in every clone; where there is none, nothing is deleted.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const HEAD = [
  '# Files that synth wrote there, and may delete once nothing renders them any more. Everything else in the folder is kept.',
  '# Commit this file with the folder.',
];

/** A name beside a folder, hidden, and of no ending that kubectl would apply. */
export function besideIt(folder: string, what: string): string {
  return join(dirname(folder), `.${basename(folder)}.${what}`);
}

function recordOf(folder: string): string {
  return besideIt(folder, 'synthesized');
}

/** Paths within the folder, with forward slashes. What leads out of it was not written by synth. */
export function readRecord(folder: string): ReadonlySet<string> {
  let text: string;
  try {
    text = readFileSync(recordOf(folder), 'utf8');
  } catch {
    return new Set();
  }
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Set(lines.filter((line) => !line.startsWith('/') && !line.split('/').includes('..')));
}

/** Writes the record, by way of `aside` so that it is whole. Where it cannot be kept, synth deletes nothing the next time. */
export function writeRecord(folder: string, files: Iterable<string>, aside: string): void {
  const text = [...HEAD, ...[...new Set(files)].sort(), ''].join('\n');
  const draft = join(aside, 'record');
  try {
    writeFileSync(draft, text);
    renameSync(draft, recordOf(folder));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // A folder that is mounted, beside which nothing may be written or all is on another disk.
    if (!['EACCES', 'EPERM', 'EROFS', 'EXDEV'].includes(code)) throw error;
  }
}
