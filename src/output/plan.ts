/** What has to be done to a folder so that it holds the files of an app: found out before anything is touched. */
import { type Stats, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What lies in a folder, links not followed. */
export interface Entry {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly mode: number;
}

export interface Plan {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly same: readonly string[];
  /** Files, links and empty folders that synth did not write. */
  readonly kept: readonly string[];
  readonly there: ReadonlyMap<string, Entry>;
  /** The folders that hold anything. */
  readonly filled: ReadonlySet<string>;
  /** Whether all of it can be laid out anew beside: no other file system is mounted within, and every name can be said. */
  readonly isMovable: boolean;
}

export class OutputError extends Error {}

export function planOf(folder: string, files: ReadonlyMap<string, string>, written: ReadonlySet<string>): Plan {
  const { there, filled, isMovable } = entriesOf(folder);
  const added: string[] = [];
  const changed: string[] = [];
  const same: string[] = [];
  for (const [file, content] of files) {
    const entry = there.get(file);
    if (entry === undefined) added.push(file);
    else if (entry.kind === 'file' && holds(join(folder, file), content)) same.push(file);
    else changed.push(file);
  }
  const removed: string[] = [];
  const kept: string[] = [];
  for (const [path, { kind }] of there) {
    if (files.has(path) || (kind === 'folder' && filled.has(path))) continue;
    if (kind !== 'folder' && written.has(path)) removed.push(path);
    else kept.push(path);
  }
  const plan = { added, changed, removed, same, kept: kept.sort(), there, filled, isMovable };
  refuseObstacles(folder, files, plan);
  return plan;
}

/** A file of somebody else where a folder has to be, or a folder of theirs where a file has to be. */
function refuseObstacles(folder: string, files: ReadonlyMap<string, string>, { kept, there, filled }: Plan): void {
  const foreign = new Set(kept);
  const obstacles = new Set<string>();
  for (const file of files.keys()) {
    const isFolder = there.get(file)?.kind === 'folder';
    if (isFolder && (!filled.has(file) || kept.some((path) => path.startsWith(`${file}/`)))) obstacles.add(file);
    for (const above of foldersAbove(file))
      if (foreign.has(above) && there.get(above)?.kind !== 'folder') obstacles.add(above);
  }
  if (obstacles.size === 0) return;
  const list = [...obstacles].map((path) => `${join(folder, path)} (${KINDS[there.get(path)?.kind ?? 'other']})`);
  throw new OutputError(
    `Nothing was written: ${list.join(', ')} ${list.length === 1 ? 'is' : 'are'} in the way, and synth did not write ${list.length === 1 ? 'it' : 'them'}. ` +
      'Move away what is yours, or give the chart or the file another name.',
  );
}

const KINDS = {
  file: 'a file',
  folder: 'a folder of others',
  link: 'a link, which synth writes nothing through',
  other: 'no ordinary file',
};

export function foldersAbove(file: string): string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

function entriesOf(root: string): Pick<Plan, 'there' | 'filled' | 'isMovable'> {
  const there = new Map<string, Entry>();
  const filled = new Set<string>();
  const home = lstatSync(root, { throwIfNoEntry: false });
  let isMovable = true;
  const open = home === undefined ? [] : [''];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const name of readdirSync(join(root, folder))) {
      filled.add(folder);
      const path = folder === '' ? name : `${folder}/${name}`;
      const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
      there.set(path, stats ? { kind: kindOf(stats), mode: stats.mode & 0o7777 } : { kind: 'other', mode: 0 });
      if (stats?.dev !== home?.dev) isMovable = false;
      else if (stats?.isDirectory()) open.push(path);
    }
  }
  return { there, filled, isMovable };
}

function kindOf(entry: Stats): Entry['kind'] {
  if (entry.isDirectory()) return 'folder';
  if (entry.isSymbolicLink()) return 'link';
  return entry.isFile() ? 'file' : 'other';
}

/** Whether a file is there with this text. Its size is asked first: most files that differ differ in that. */
function holds(path: string, content: string): boolean {
  try {
    return lstatSync(path).size === Buffer.byteLength(content) && readFileSync(path, 'utf8') === content;
  } catch {
    return false; // unreadable: it is written anew
  }
}
