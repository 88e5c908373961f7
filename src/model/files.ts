/** Which files a PATH stands for, and their text. Nothing in them is executed. */
import { isUtf8 } from 'node:buffer';
import { readSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { DISK, type FileTree } from './file-tree';
import { isKustomization, overlaid } from './kustomize';
import type { LoadProblem } from './manifest';

/** A PATH that is not there: the user's command is wrong, not the manifests. */
export class InputError extends Error {}

/** `.values` is how our own install input names Helm values, so that kubectl and istioctl pass over them. */
const MANIFEST_EXTENSIONS = new Set(['.yaml', '.yml', '.json', '.values']);
const SKIPPED_FOLDERS = new Set(['node_modules', 'vendor', '__pycache__']);
/** Written beside the manifests by cdk8s and by package managers; read for what it says, never as a manifest. */
const SKIPPED_FILES = new Set([
  'construct-metadata.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'Chart.yaml',
  'cdk8s.yaml',
]);

export interface FileText {
  readonly file: string;
  readonly text: string;
}

/**
 * Files of the paths in the order given, those of a folder sorted; a file reached twice is read once. Patches of a kustomization are
 * left out unless they are named themselves: kustomize would lay them over whole objects.
 */
export function findFiles(paths: readonly string[], problems: LoadProblem[], tree: FileTree = DISK): string[] {
  const files: string[] = [];
  const seen = new Set<string>();
  const named = new Set<string>(['-']);
  const walked = new Set<string>();
  const add = (file: string): void => {
    const real = file === '-' ? file : tree.real(file);
    if (!seen.has(real)) {
      seen.add(real);
      files.push(file);
    }
  };
  for (const path of paths) {
    if (path === '-') {
      add(path);
      continue;
    }
    let isFolder: boolean;
    try {
      isFolder = tree.at(path) === 'folder';
    } catch (error) {
      throw new InputError(`cannot read ${tree.nameOf(path)}: ${reasonOf(error)}`);
    }
    if (isFolder) walk(tree, path, add, walked, problems);
    else {
      named.add(path);
      add(path);
    }
  }
  tree.prepare?.(files);
  const parts = new Set(files.filter(isKustomization).flatMap((file) => overlaid(file, tree)));
  return parts.size === 0 ? files : files.filter((file) => named.has(file) || !parts.has(resolve(file)));
}

/** The text of one file, or a problem: unreadable, too large for one string, or not UTF-8. */
export function readText(file: string, tree: FileTree = DISK): FileText | LoadProblem {
  const source = { file: file === '-' ? '<stdin>' : tree.nameOf(file) };
  let bytes: Buffer = Buffer.alloc(0);
  try {
    bytes = file === '-' ? readStdin() : tree.read(file);
    return { file: source.file, text: decode(bytes).replace(/^\uFEFF/, '') };
  } catch (error) {
    const notUtf8 = codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA';
    return {
      source: notUtf8 ? { ...source, line: lineOfForeignByte(bytes) } : source,
      what: notUtf8 ? 'the file is not UTF-8 text' : `the file cannot be read: ${reasonOf(error)}`,
      why: notUtf8
        ? 'Kubernetes reads manifests as UTF-8 and refuses any other bytes'
        : 'what it holds is left out of the judgement',
      fix: notUtf8 ? 'save the file as UTF-8' : 'make the file readable, or name other paths',
    };
  }
}

/** `walked`: real folders that were walked already. A folder may be linked to from many others, and from within itself. */
function walk(
  tree: FileTree,
  folder: string,
  add: (file: string) => void,
  walked: Set<string>,
  problems: LoadProblem[],
): void {
  let entries: string[];
  try {
    const real = tree.real(folder);
    if (walked.has(real)) return;
    walked.add(real);
    entries = [...tree.entries(folder)].sort();
  } catch (error) {
    problems.push(unreadFolder(tree.nameOf(folder), `the folder cannot be read: ${reasonOf(error)}`));
    return;
  }
  for (const { path, why } of tree.leftOut?.(folder) ?? []) problems.push(unreadFolder(tree.nameOf(path), why));
  const isChart = entries.includes('Chart.yaml');
  for (const entry of entries) {
    if (entry.startsWith('.') || SKIPPED_FILES.has(entry)) continue;
    const path = join(folder, entry);
    const kind = tree.kindOf(path); // undefined: a dangling link
    if (kind === 'folder') {
      // A chart's templates are not YAML before Helm has rendered them.
      if (!SKIPPED_FOLDERS.has(entry) && !(isChart && entry === 'templates')) walk(tree, path, add, walked, problems);
    } else if (kind === 'file' && MANIFEST_EXTENSIONS.has(extname(entry).toLowerCase())) {
      add(path);
    }
  }
}

function unreadFolder(file: string, what: string): LoadProblem {
  return {
    source: { file },
    what,
    why: 'what it holds is left out of the judgement',
    fix: 'make the folder readable, or name other paths',
  };
}

function decode(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding, { fatal: true }).decode(bytes);
}

/** The first line that is not UTF-8. */
function lineOfForeignByte(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(10, start);
    const part = bytes.subarray(start, end < 0 ? bytes.length : end);
    if (!isUtf8(part)) return line;
    if (end < 0) break;
    start = end + 1;
  }
  return line;
}

/** `readFileSync(0)` fails with EAGAIN where standard input is a pipe or socket that has nothing to read yet. */
function readStdin(): Buffer {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(1 << 16);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      const size = readSync(0, chunk);
      if (size === 0) return Buffer.concat(chunks);
      chunks.push(Buffer.from(chunk.subarray(0, size)));
    } catch (error) {
      if (codeOf(error) === 'EOF') return Buffer.concat(chunks);
      if (codeOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}

function reasonOf(error: unknown): string {
  const known: Record<string, string> = {
    ENOENT: 'no such file or folder',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    ELOOP: 'too many symbolic links',
    ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GB',
    ERR_STRING_TOO_LONG: 'it is larger than 512 MB',
  };
  return known[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
