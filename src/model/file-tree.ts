/**
 * Where files lie: on this machine, or in a revision that git keeps. One list of files is made by one rule of either (`files.ts`),
 * so that a revision and a checkout of it always hold the same manifests.
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';

export interface FileTree {
  /** What is at a path, links followed; undefined if there is nothing that could be read, which is why `at` throws. */
  kindOf(path: string): 'file' | 'folder' | 'other' | undefined;
  /** @throws for a path at which there is nothing, with the reason. */
  at(path: string): 'file' | 'folder' | 'other';
  /** The path with every link followed: two paths of one file have the same. */
  real(path: string): string;
  /** Names in a folder. */
  entries(folder: string): readonly string[];
  read(file: string): Buffer;
  /** Called before many files are read one after another. */
  prepare?(files: readonly string[]): void;
  /** How a message names a file. */
  nameOf(path: string): string;
  /** The path of what a message names so. */
  pathOf(name: string): string;
  /** A path from this folder, as mesh-edge.yaml and options name it, as a path of the tree. */
  placeOf(path: string): string;
  /** Whether other programs find its files at these paths. */
  readonly isOnDisk: boolean;
  /** What of a folder the configuration leaves out, and kubectl would read. */
  ignored?(folder: string): readonly string[];
  /** Parts of a folder that the tree itself leaves out, with why, and what tells two versions of them apart. */
  leftOut?(folder: string): readonly { readonly path: string; readonly why: string; readonly digest: string }[];
}

/** The files of this machine. */
export const DISK: FileTree = {
  kindOf(path) {
    try {
      return DISK.at(path);
    } catch {
      return undefined;
    }
  },
  at(path) {
    const stat = statSync(toBytes(path));
    return stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'other';
  },
  real(path) {
    try {
      return fromBytes(realpathSync.native(toBytes(path), 'buffer'));
    } catch (error) {
      // A shell's `<(command)` is the end of a pipe, which has no other name.
      if (statSync(toBytes(path), { throwIfNoEntry: false })?.isFIFO() === true) return path;
      throw error;
    }
  },
  entries: (folder) => readdirSync(toBytes(folder), { encoding: 'buffer' }).map(fromBytes),
  read: (file) => readFileSync(toBytes(file)),
  nameOf: (path) => path.replace(/[\uDC80-\uDCFF]/gu, (one) => `\\x${(one.charCodeAt(0) - LONE).toString(16)}`),
  pathOf: (name) => name,
  placeOf: (path) => path,
  isOnDisk: true,
};

const LONE = 0xdc00;

/** A path as text. Names of files are bytes and need not be UTF-8: a byte that is not becomes a lone surrogate, which no text holds. */
export function fromBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceAt(bytes, at);
    text += length === 0 ? String.fromCharCode(LONE + (bytes[at] ?? 0)) : bytes.toString('utf8', at, at + length);
    at += Math.max(length, 1);
  }
  return text;
}

/** The bytes that `fromBytes` read; the text itself where nothing of it is foreign. */
export function toBytes(path: string): Buffer | string {
  if (!/[\uDC80-\uDCFF]/u.test(path)) return path;
  return Buffer.concat(
    Array.from(path, (character) => {
      const code = character.length === 1 ? character.charCodeAt(0) : 0;
      return code >= LONE + 0x80 && code <= LONE + 0xff ? Buffer.from([code - LONE]) : Buffer.from(character);
    }),
  );
}

/** How many bytes make the character that begins here; 0 if none does. */
function sequenceAt(bytes: Buffer, at: number): number {
  for (const length of [1, 2, 3, 4])
    if (at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))) return length;
  return 0;
}
