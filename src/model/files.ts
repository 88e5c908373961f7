/** Which files a PATH stands for, and their text. Nothing in them is executed. */
import { isUtf8 } from 'node:buffer';
import { readSync } from 'node:fs';
import { extname, join, resolve, sep } from 'node:path';
import { digest } from './digest';
import { printable } from './printable';
import { DISK, type FileTree } from './file-tree';
import { isGlob, matcher } from './glob';
import { isKustomization, overlaid } from './kustomize';
import { type ManifestProgram, manifestPrograms, passedOver } from './manifest-programs';
import type { LeftOut, LoadProblem } from './manifest';

/** A PATH that is not there: the user's command is wrong, not the manifests. */
export class InputError extends Error {}

/** `.values` is how our own install input names Helm values, so that kubectl and istioctl pass over them. */
const MANIFEST_EXTENSIONS = new Set(['.yaml', '.yml', '.json', '.values']);
const SKIPPED_FOLDERS = new Set(['node_modules', 'vendor', '__pycache__']);
/** Git's own folder, which holds no files of anybody. */
const GIT = '.git';
/** Written beside the manifests by cdk8s; read for what it says, never as a manifest. */
const METADATA = 'construct-metadata.json';
/** Entries looked at to see whether a folder that is passed over holds anything that kubectl would read. */
const LOOKED_AT = 2_000;

export interface FileText {
  readonly file: string;
  readonly text: string;
}

/**
 * Files of the paths in the order given, those of a folder sorted; a file reached twice is read once. Patches of a kustomization are
 * left out unless they are named themselves: kustomize would lay them over whole objects.
 *
 * `kubectl apply -R -f` goes by the ending alone, and would apply hidden files and vendored folders too. Those are drafts, tools' own
 * and other people's, so they are not read; but whoever hides an object there is found out: what is passed over is in `leftOut`.
 */
export function findFiles(
  paths: readonly string[],
  problems: LoadProblem[],
  tree: FileTree = DISK,
  leftOut: LeftOut[] = [],
): string[] {
  const { files, programs } = findAll(paths, problems, tree, leftOut);
  for (const one of programs) leftOut.push(...passedOver(one, tree));
  return files;
}

/** Files of the paths that are read, and the programs beside them that write manifests. */
export function findAll(
  paths: readonly string[],
  problems: LoadProblem[],
  tree: FileTree,
  leftOut: LeftOut[],
): { readonly files: string[]; readonly programs: readonly ManifestProgram[] } {
  const files: string[] = [];
  const seen = new Set<string>();
  const named = new Set<string>(['-']);
  const walked = new Set<string>();
  const others: string[] = [];
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
      throw new InputError(`cannot read ${printable(tree.nameOf(path))}: ${reasonOf(error)}`);
    }
    if (isFolder) walk({ tree, add, others, walked, problems, leftOut }, path);
    else {
      named.add(path);
      add(path);
    }
  }
  tree.prepare?.(files);
  const programs = manifestPrograms(files, others, tree);
  const parts = new Set(files.filter(isKustomization).flatMap((file) => overlaid(file, tree)));
  const whyNot = (file: string): string | undefined => {
    if (named.has(file)) return undefined;
    if (ASSERTION.test(file)) return 'an assertion of kuttl, which holds parts of objects';
    return parts.has(resolve(file)) ? 'a patch of a kustomization' : undefined;
  };
  return {
    files: files.filter((file) => {
      const why = whyNot(file);
      if (why !== undefined) leftOut.push({ file: tree.nameOf(file), why });
      return why === undefined;
    }),
    programs,
  };
}

/** What a step of a test of kuttl waits for, or must not see: objects without names among them. */
const ASSERTION = /(^|[/\\])\d+-(assert|errors)\.ya?ml$/;

/** The files and folders that a pattern stands for; a name without one stands for itself. */
export function globbed(pattern: string, tree: FileTree = DISK): readonly string[] {
  if (!isGlob(pattern)) return [pattern];
  const parts = pattern.split('/');
  const fixed = parts.slice(0, parts.findIndex(isGlob)).join('/') || '.';
  const fits = matcher(pattern);
  const found = tree.kindOf(fixed) === 'folder' ? findFiles([fixed], [], tree) : [];
  return found.filter((file) => fits(file));
}

/**
 * The text of a file that is no manifest, or of standard input.
 *
 * @throws InputError if it cannot be read
 */
export function textAt(file: string): string {
  try {
    return textOf(file === '-' ? readStdin() : DISK.read(file));
  } catch (error) {
    throw new InputError(`${printable(file)} cannot be read: ${reasonOf(error)}`);
  }
}

/** The text of one file, or a problem: unreadable, too large for one string, or not UTF-8. */
export function readText(file: string, tree: FileTree = DISK): FileText | LoadProblem {
  const source = { file: file === '-' ? '<stdin>' : tree.nameOf(file) };
  let bytes: Buffer = Buffer.alloc(0);
  try {
    bytes = file === '-' ? readStdin() : tree.read(file);
    return { file: source.file, text: textOf(bytes) };
  } catch (error) {
    const notUtf8 = codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA';
    return {
      source: notUtf8 ? { ...source, line: lineOfForeignByte(bytes) } : source,
      what: notUtf8 ? 'the file is not UTF-8 text' : `the file cannot be read: ${reasonOf(error)}`,
      why: notUtf8
        ? 'Kubernetes reads manifests as UTF-8 and refuses any other bytes'
        : 'what it holds is left out of the judgement',
      fix: notUtf8 ? 'save the file as UTF-8' : 'make the file readable, or name other paths',
      ...(notUtf8 ? { digest: digest(bytes) } : {}),
    };
  }
}

interface Walk {
  readonly tree: FileTree;
  readonly add: (file: string) => void;
  /** Files of other names. */
  readonly others: string[];
  /** Real folders that were walked already. A folder may be linked to from many others, and from within itself. */
  readonly walked: Set<string>;
  readonly problems: LoadProblem[];
  readonly leftOut: LeftOut[];
}

/** Goes through a folder and those within it; a list and no recursion, since they may be nested deeper than a stack. */
function walk({ tree, add, others, walked, problems, leftOut }: Walk, root: string): void {
  const open: { readonly path: string; readonly kind: 'file' | 'folder' }[] = [{ path: root, kind: 'folder' }];
  let whole: string | undefined;
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const folder = one.path;
    if (one.kind === 'file') {
      add(folder);
      continue;
    }
    let entries: string[];
    try {
      const real = tree.real(folder);
      if (walked.has(real)) continue;
      whole ??= real;
      if (folder !== root && whole.startsWith(real.endsWith(sep) ? real : `${real}${sep}`)) {
        leftOut.push({ file: tree.nameOf(folder), why: 'a link to a folder around the one that was named' });
        continue;
      }
      walked.add(real);
      entries = [...tree.entries(folder)].sort();
    } catch (error) {
      problems.push(unreadFolder(tree.nameOf(folder), `the folder cannot be read: ${reasonOf(error)}`));
      continue;
    }
    const absent = tree.leftOut?.(folder) ?? [];
    for (const { path, why, digest } of absent) problems.push({ ...unreadFolder(tree.nameOf(path), why), digest });
    for (const path of tree.ignored?.(folder) ?? [])
      leftOut.push({ file: tree.nameOf(path), why: 'ignored in mesh-edge.yaml' });
    const isChart = entries.includes('Chart.yaml');
    const next: { readonly path: string; readonly kind: 'file' | 'folder' }[] = [];
    for (const entry of entries) {
      if (entry === GIT || entry === METADATA) continue;
      const path = join(folder, entry);
      const kind = tree.kindOf(path);
      if (kind !== 'folder' && !isManifestName(entry)) {
        if (kind === 'file' && !entry.startsWith('.')) others.push(path);
        continue;
      }
      if (kind === undefined && !entry.startsWith('.') && absent.length === 0) problems.push(unreadable(tree, path));
      if (kind !== 'folder' && kind !== 'file') continue;
      const why = whyPassedOver(entry, kind, isChart);
      if (why === undefined) next.push({ path, kind });
      else if (kind === 'file' || holdsManifests(tree, path)) leftOut.push({ file: tree.nameOf(path), why });
    }
    open.push(...next.reverse());
  }
}

/** Whether kubectl would read a file, or one in a folder. */
export function isRead(tree: FileTree, path: string): boolean {
  const kind = tree.kindOf(path);
  return kind === 'folder' ? holdsManifests(tree, path) : kind === 'file' && isManifestName(path);
}

function isManifestName(name: string): boolean {
  return MANIFEST_EXTENSIONS.has(extname(name).toLowerCase());
}

function whyPassedOver(entry: string, kind: 'file' | 'folder', isChart: boolean): string | undefined {
  if (entry.startsWith('.')) return `a hidden ${kind}`;
  if (kind === 'file') return undefined;
  if (SKIPPED_FOLDERS.has(entry)) return 'a folder of files that were copied from elsewhere';
  // A chart's templates are not YAML before Helm has rendered them.
  return isChart && entry === 'templates' ? 'templates of a Helm chart, which is not rendered' : undefined;
}

/** Whether a folder that is passed over holds a file that kubectl would read. Of a very large one that is taken for granted. */
function holdsManifests(tree: FileTree, root: string): boolean {
  const open = [root];
  const walked = new Set<string>();
  for (let looked = 0; open.length > 0;) {
    const folder = open.pop() ?? root;
    let entries: readonly string[];
    try {
      const real = tree.real(folder);
      if (walked.has(real)) continue;
      walked.add(real);
      entries = tree.entries(folder);
    } catch {
      return true; // what cannot be looked into is told
    }
    for (const entry of entries) {
      if ((looked += 1) > LOOKED_AT) return true;
      const path = join(folder, entry);
      const kind = tree.kindOf(path);
      if (kind === 'folder' && entry !== GIT) open.push(path);
      else if (kind === 'file' && isManifestName(entry)) return true;
    }
  }
  return false;
}

/** What is in a folder and cannot be looked at, as a link that leads nowhere: kubectl would stop there. */
function unreadable(tree: FileTree, path: string): LoadProblem {
  let reason = '';
  try {
    tree.at(path);
  } catch (error) {
    reason = reasonOf(error);
  }
  return {
    source: { file: tree.nameOf(path) },
    what: `the file cannot be read: ${reason}`,
    why: 'what it holds is left out of the judgement',
    fix: 'mend the link or take it away',
  };
}

function unreadFolder(file: string, what: string): LoadProblem {
  return {
    source: { file },
    what,
    why: 'what it holds is left out of the judgement',
    fix: 'make the folder readable, or name other paths',
  };
}

/**
 * What bytes say, in UTF-8, or in UTF-16 with the mark by which kubectl knows it.
 *
 * @throws for bytes that are neither.
 */
export function textOf(bytes: Uint8Array): string {
  return withoutMarks(decode(bytes));
}

/**
 * Without byte order marks where a document begins, in which files are left that were joined from others: kubectl and kustomize read each
 * document by itself, and take a mark before it for none of its text.
 */
function withoutMarks(text: string): string {
  return text.includes('\uFEFF') ? text.replace(/^\uFEFF/, '').replace(/^(---.*\r?\n)\uFEFF/gm, '$1') : text;
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

/** Standard input, which gives what it has once. */
let standardInput: Buffer | undefined;

function readStdin(): Buffer {
  standardInput ??= drainStdin();
  return standardInput;
}

/** `readFileSync(0)` fails with EAGAIN where standard input is a pipe or socket that has nothing to read yet. */
function drainStdin(): Buffer {
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
