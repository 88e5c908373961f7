/**
 * Reads manifests from files, folders and standard input. A document that cannot be read becomes a problem with its
 * place and reason, and the others are read all the same.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { printable } from './printable';
import {
  type Document,
  type KnownDocuments,
  type ReadDocument,
  type Reading,
  accept,
  firstLine,
  readDocument,
  readDocuments,
} from './documents';
import { digest } from './digest';
import { DISK, type FileTree } from './file-tree';
import { InputError, findFiles, readText } from './files';
import { jsonValues, keyGivenTwice } from './json-keys';
import { lineLocator } from './lines';
import type { FieldPath, LeftOut, LineOf, LoadProblem, Loaded, Manifest, Source } from './manifest';
import { toManifest } from './object';
import { HELM_CHART, HELM_VALUES, isRecord, recognize, seemsKubernetes } from './recognize';
import { TEMPLATE, hasYttData, isTemplate, isYtt } from './template';
import type { YamlReader } from './yaml-scalars';

export type { KnownDocuments } from './documents';
export { InputError } from './files';

/** Lists within lists, as `kubectl get -o yaml` never writes them, end here. */
const MAX_LIST_DEPTH = 4;

/**
 * Everything that the paths hold: files, folders (searched recursively for .yaml, .yml, .json and .values), `-` for standard input.
 * `known` is filled with what is read, and spares reading what it holds already. `tree`: where the paths are. Of files
 * that are named themselves no broken part is passed over.
 *
 * @throws InputError if a path does not exist, or if nothing that could be read is a Kubernetes object.
 */
export function load(paths: readonly string[], known?: KnownDocuments, tree: FileTree = DISK): Loaded {
  const { files, ...loaded } = read(paths, known, tree, true);
  if (loaded.manifests.length > 0) return loaded;
  const names = paths.map((path) => tree.nameOf(path));
  throw new InputError(nothingRead(names, files, loaded.problems, loaded.leftOut ?? []));
}

/** The same of files that nobody named, which may hold no object: no broken part of them that is none of ours is told. */
export function loadFound(files: readonly string[], known: KnownDocuments | undefined, tree: FileTree): Loaded {
  const { files: _files, ...loaded } = read(files, known, tree, false);
  return loaded;
}

function read(
  paths: readonly string[],
  known: KnownDocuments | undefined,
  tree: FileTree,
  isNamed: boolean,
): Loaded & { readonly files: readonly string[] } {
  const problems: LoadProblem[] = [];
  const manifests: Manifest[] = [];
  const named = new Set(paths);
  const leftOut: LeftOut[] = [];
  const files = findFiles(paths, problems, tree, leftOut);
  for (const file of files) {
    const own = readText(file, tree);
    if (!('text' in own)) {
      problems.push(own);
      continue;
    }
    const loaded = loadText(own.text, own.file, { named: isNamed && named.has(file), from: manifests.length, known });
    for (const manifest of loaded.manifests) manifests.push(manifest);
    problems.push(...loaded.problems);
    leftOut.push(...(loaded.leftOut ?? []));
  }
  return { manifests: tree.isOnDisk ? withConstructPaths(manifests) : manifests, problems, leftOut, files };
}

/** Reads the documents of one text. `named`: the user named the file itself, so that no broken part of it is passed over. `by`: whose meaning of YAML holds, by default kubectl's. */
export function loadText(
  text: string,
  file?: string,
  options: { named?: boolean; from?: number; known?: KnownDocuments; by?: YamlReader } = {},
): Loaded {
  const problems: LoadProblem[] = [];
  const manifests: Manifest[] = [];
  const leftOut: LeftOut[] = [];
  const passOver = ({ text, firstLine: line }: ReadDocument, why: string): void =>
    void leftOut.push({
      file: file ?? 'input',
      line,
      why,
      ...(why === TEMPLATE ? { digest: digest(text.trim()) } : {}),
    });
  const from = options.from ?? 0;
  if (LFS_POINTER.test(text)) return { manifests, problems: [pointer(text, file)] };
  const isYttFile = hasYttData(text);
  for (const document of documentsOf(text, options.known, options.by)) {
    const { reading, firstLine } = document;
    if ('reason' in reading) {
      const why = whyNotOurs(document, reading, options.named ?? true, file);
      if (why === undefined) problems.push({ ...unreadable(reading, file), digest: digest(document.text.trim()) });
      else passOver(document, why);
      continue;
    }
    if (isYttFile || isYtt(document.text)) {
      passOver(document, TEMPLATE);
      continue;
    }
    const source = file === undefined ? { line: firstLine } : { file, line: firstLine };
    take(document, reading.value, [], source, lineLocator(document));
  }
  return { manifests, problems, leftOut };

  function take(
    document: ReadDocument,
    value: unknown,
    at: FieldPath,
    source: Source,
    locate: LineOf,
    depth = 0,
  ): void {
    const recognized = recognize(value);
    const unfit = options.by === 'kustomize' ? notForKustomize(value) : undefined;
    const refuse = (problem: Pick<LoadProblem, 'what' | 'why' | 'fix'>): void =>
      void problems.push({ source, ...problem, digest: digest(document.text.trim()) });
    if (unfit !== undefined && recognized.is !== 'broken')
      refuse({ what: unfit, why: 'kustomize refuses the file', fix: 'take it out of resources' }); // prettier-ignore
    else if (recognized.is === 'broken') {
      refuse({ what: recognized.what, why: recognized.why, fix: recognized.fix });
    } else if (holdsObjects(value)) {
      refuse({
        what: 'the document is a list of objects, and what it holds is left out of the judgement',
        why: 'kubectl takes one object, or one of kind List, and refuses anything else ("cannot unmarshal array")',
        fix: 'write one object after the other, or put them into the items of a List',
      });
    } else if (recognized.is === 'template') {
      passOver({ ...document, firstLine: source.line ?? document.firstLine }, TEMPLATE);
    } else if (recognized.is === 'list' && depth >= MAX_LIST_DEPTH) {
      refuse({
        what: `the list is within ${MAX_LIST_DEPTH} others, and what it holds is left out of the judgement`,
        why: 'kubectl takes a list apart; lists within lists are no more than a way to hide objects from readers',
        fix: 'write the objects one beside the other',
      });
    } else if (recognized.is === 'list' && isRecord(value) && Array.isArray(value.items)) {
      value.items.forEach((item: unknown, index) => {
        const field = [...at, 'items', index];
        const whole = withKind(value, item);
        // The line of an item is known only by reading the list with positions, so it is left until somebody asks.
        const itemSource: Source = { file: source.file, get line() { return locate(field) ?? source.line; } }; // prettier-ignore
        take(document, whole, field, itemSource, locate, depth + 1);
      });
    } else if (recognized.is === 'helm-values' && isRecord(value)) {
      manifests.push(toManifest({ ...value, kind: HELM_VALUES }, from + manifests.length, source, locate));
    } else if (recognized.is === 'helm-chart' && isRecord(value)) {
      manifests.push(toManifest({ ...value, kind: HELM_CHART }, from + manifests.length, source, locate));
    } else if (recognized.is === 'object' && isRecord(value)) {
      const lineOf = at.length === 0 ? locate : within(locate, at);
      manifests.push(toManifest(value, from + manifests.length, source, lineOf));
    }
  }
}

/** What kustomize refuses among resources: a document without a name, or that is no object. */
function notForKustomize(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (!isRecord(value)) return 'the document is no object';
  const { kind, metadata } = value;
  if (typeof kind === 'string' && kind.endsWith('List')) return undefined;
  return isRecord(metadata) && metadata.name !== undefined && metadata.name !== null && metadata.name !== ''
    ? undefined
    : 'the document has no metadata.name';
}

/** Whether a document is an array that has an object of Kubernetes in it. */
function holdsObjects(value: unknown): boolean {
  return Array.isArray(value) && value.some((item) => ['object', 'list'].includes(recognize(item).is));
}

/** Where the fields of an object stand that is within another one. */
function within(locate: LineOf, at: FieldPath): LineOf {
  return Object.assign((field: FieldPath) => locate([...at, ...field]), {
    written: (field: FieldPath) => locate.written?.([...at, ...field]),
  });
}

/** An API server leaves the kind of the items of a list to the list (`kubectl get --raw`, client libraries): a PodList holds Pods. */
function withKind(list: Record<string, unknown>, item: unknown): unknown {
  const { apiVersion, kind } = list;
  if (!isRecord(item) || 'kind' in item || 'apiVersion' in item || typeof kind !== 'string' || kind === 'List')
    return item;
  return { apiVersion, kind: kind.slice(0, -'List'.length), ...item };
}

/** Manifests of objects that are in memory already, such as those of a chart. */
export function loadObjects(
  objects: readonly unknown[],
  sourceOf: (object: unknown, index: number) => Source = () => ({}),
): Loaded {
  const manifests: Manifest[] = [];
  const problems: LoadProblem[] = [];
  objects.forEach((object, index) => {
    const recognized = recognize(object);
    if (recognized.is === 'broken') {
      problems.push({
        source: sourceOf(object, index),
        what: recognized.what,
        why: recognized.why,
        fix: recognized.fix,
      });
    } else if (isRecord(object) && recognized.is !== 'other' && recognized.is !== 'template') {
      const items =
        recognized.is === 'list' && Array.isArray(object.items)
          ? object.items.map((item) => withKind(object, item)).filter(isRecord)
          : [object];
      for (const item of items)
        manifests.push(toManifest(item, manifests.length, sourceOf(object, index), () => undefined));
    }
  });
  return { manifests, problems };
}

/** Half a character, which JSON can spell out: Go's JSON makes of it the sign for one that cannot be read. */
const HALVES = /\\u[dD][89a-fA-F]/;
const whole = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/\p{Cs}/gu, '\ufffd') : value;

/**
 * JSON is read by the platform's own parser, which is faster by far; what it refuses may still be YAML in flow style. Several values one after
 * the other, such as one object a line, are as many documents: kubectl reads them so (apimachinery, pkg/util/yaml, YAMLOrJSONDecoder).
 */
function documentsOf(text: string, known?: KnownDocuments, by?: YamlReader): Iterable<ReadDocument> {
  if (!/^\s*[{[]/.test(text)) return readDocuments(text, known, by);
  const documents: ReadDocument[] = [];
  let line = 1;
  for (const own of jsonValues(text)) {
    let value: unknown;
    try {
      value = JSON.parse(own, HALVES.test(own) ? whole : undefined);
    } catch {
      if (documents.length === 0 || /^---/m.test(text)) return readDocuments(text, known, by);
      // Broken, or in the wider syntax of YAML, among others that are not.
      const document = { text: own, line };
      documents.push({ ...document, reading: readDocument(document, by), firstLine: firstLine(document) });
      line += newlinesIn(own);
      continue;
    }
    if (by === 'kustomize' && documents.length > 0 && !/^---/m.test(text))
      documents.push(unreadByKustomize({ text: own, line }));
    else documents.push(withValue({ text: own, line }, value));
    line += newlinesIn(own);
  }
  return documents;
}

function unreadByKustomize(document: Document): ReadDocument {
  const first = firstLine(document);
  const reason = 'of several values of JSON in a file kustomize takes the first, and passes over the rest';
  return { ...document, reading: { reason, line: first, isToolsOwn: true }, firstLine: first };
}

function newlinesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function withValue(document: Document, value: unknown): ReadDocument {
  const first = firstLine(document);
  const twice = keyGivenTwice(document.text);
  if (twice !== undefined) {
    const reason = `key ${JSON.stringify(twice.key)} is given twice`;
    return { ...document, reading: { reason, line: document.line + twice.line - 1, isTwice: true }, firstLine: first };
  }
  return { ...document, reading: accept(document, value, false), firstLine: first };
}

/** What Git keeps instead of a file that Git LFS stores elsewhere. */
const LFS_POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\r?\n/;

function pointer(text: string, file: string | undefined): LoadProblem {
  return {
    source: { ...(file === undefined ? {} : { file }), line: 1 },
    what: 'the file is a pointer of Git LFS, and what it stands for is left out of the judgement',
    why: 'whoever applies it has the file itself, which lies elsewhere',
    fix: 'fetch it first (git lfs pull), and name the folder instead of a revision',
    digest: digest(text),
  };
}

type Unread = Extract<Reading, { readonly reason: string }>;

/** Why a document that cannot be read is passed over: a template is no YAML yet, and a foreign file that nobody named is none of ours. */
function whyNotOurs(
  { text, line }: ReadDocument,
  reading: Unread,
  named: boolean,
  file: string | undefined,
): string | undefined {
  // It has an apiVersion, and is Helm's own.
  if (!named && /(^|[/\\])Chart\.ya?ml$/.test(file ?? ''))
    return 'the description of a Helm chart, which cannot be read';
  if (isTemplate(text, reading.line - line)) return TEMPLATE;
  return named || seemsKubernetes(text) ? undefined : 'it cannot be read, and seems to be no Kubernetes object';
}

function unreadable(reading: Unread, file: string | undefined): LoadProblem {
  return {
    source: { ...(file === undefined ? {} : { file }), line: reading.line },
    what: `the document cannot be read: ${reading.reason}`,
    why: reading.isToolsOwn
      ? 'what it says is left out of the judgement'
      : reading.isTwice
        ? 'kubectl takes the last of the two, kustomize and Flux refuse the document; which one was meant it does not say, and it is left out of the judgement'
        : 'an API server would refuse it, and what it was meant to say is left out of the judgement',
    fix: reading.isTwice ? 'keep one of the two' : 'correct the YAML at this line',
  };
}

/** As many as one reads. */
const MOST_REASONS = 20;

function nothingRead(
  paths: readonly string[],
  files: readonly string[],
  problems: readonly LoadProblem[],
  leftOut: readonly LeftOut[],
): string {
  const where = paths.map((path) => (path === '-' ? 'standard input' : printable(path))).join(', ');
  const reasons = [
    ...problems.map(({ source, what }) => ({ file: source.file ?? '', line: source.line, text: what })),
    ...leftOut.map(({ file, line, why }) => ({ file, line, text: `left out: ${why}` })),
  ].map(({ file, line, text }) => `\n  ${printable(`${file}${line === undefined ? '' : `:${line}`}: ${text}`)}`);
  if (reasons.length > MOST_REASONS)
    reasons.splice(MOST_REASONS, Infinity, `\n  and ${reasons.length - MOST_REASONS} more`);
  const looked =
    files.length === 0 ? 'no .yaml, .yml, .json or .values file' : 'no Kubernetes object that could be read';
  const hint = leftOut.some(({ why }) => why.startsWith('templates of a Helm chart'))
    ? '\n  render the chart first: helm template RELEASE CHART | mesh-edge check -'
    : '';
  return `there is ${looked} in ${where}${reasons.join('')}${hint}`;
}

/**
 * cdk8s writes `construct-metadata.json` beside the manifests. It is keyed by the object's name alone, so two objects of
 * one name share an entry, and only a name that one single object bears tells whose path it is.
 */
function withConstructPaths(manifests: Manifest[]): Manifest[] {
  const folders = new Map<string, Map<string, string> | undefined>();
  const bearers = new Map<string, number>();
  const keyOf = (manifest: Manifest): string | undefined => {
    if (manifest.source.file === undefined || manifest.source.file === '<stdin>') return undefined;
    const folder = resolve(dirname(manifest.source.file));
    if (!folders.has(folder)) folders.set(folder, readConstructPaths(join(folder, 'construct-metadata.json')));
    return folders.get(folder) ? `${folder}\n${manifest.name}` : undefined;
  };
  const keys = manifests.map(keyOf);
  if (![...folders.values()].some(Boolean)) return manifests;
  for (const key of keys) if (key !== undefined) bearers.set(key, (bearers.get(key) ?? 0) + 1);
  return manifests.map((manifest, at) => {
    const key = keys[at];
    if (key === undefined || bearers.get(key) !== 1) return manifest;
    const construct = folders.get(resolve(dirname(manifest.source.file ?? '')))?.get(manifest.name);
    return construct === undefined
      ? manifest
      : { ...manifest, source: { file: manifest.source.file, line: manifest.source.line, construct } };
  });
}

function readConstructPaths(file: string): Map<string, string> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!isRecord(parsed) || !isRecord(parsed.resources)) return undefined;
    const paths = new Map<string, string>();
    for (const [name, entry] of Object.entries(parsed.resources)) {
      if (isRecord(entry) && typeof entry.path === 'string') paths.set(name, entry.path);
    }
    return paths;
  } catch {
    return undefined; // metadata helps to find a place; without it the file and line do
  }
}
