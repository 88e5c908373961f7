/**
 * YAML text to documents: split and read.
 *
 * Reading is on the path of every object of a mesh, so what is plain is read by a reader that knows no more (`plain-yaml.ts`),
 * the rest by the faster library. On which line a field stands is read only if somebody asks (`lines.ts`).
 */
import type { YAMLException } from 'js-yaml';
import { indentShallow, isShallow } from './flow-indentation';
import { PlainReader } from './plain-yaml';
import { isDefinition, unreadDefinition, withoutSpec } from './unread';
import type { YamlReader } from './yaml-scalars';
import { readYamlDocument } from './yaml-values';

/** One document of a stream. */
export interface Document {
  readonly text: string;
  /** One-based line of the file at which `text` begins. */
  readonly line: number;
}

/** What reading a document came to: its value, or why it has none. */
export type Reading =
  | { readonly value: unknown }
  | { readonly reason: string; readonly line: number; readonly isTwice?: boolean; readonly isToolsOwn?: boolean };

/** Deeper than any Kubernetes object: a hand-made bomb, not a manifest. */
const MAX_DEPTH = 100;
/** Aliases may repeat content, but not multiply it past this many nodes in one document. */
const MAX_ALIASED_NODES = 200_000;

/** An alias needs an anchor. Without one, `*` is a host or an audience like any other, and nothing is repeated. */
const MAY_HAVE_ALIASES = /(?:^|[\s[{,])&[^\s,[\]{}]/;

/** kubectl and kustomize end a document at every line that begins with `---`, and read on only if a comment at most is behind it. */
const MARKER = /^(?:---|\.\.\.(?=[ \t\r\n]|$))/gm;
const MARKER_LENGTH = 3;
/** Ends of lines to YAML 1.1, which kubectl and kustomize read, and to no other reader. */
const OLD_LINE_ENDS = /[\u0085\u2028\u2029]/;

/** A document that was read, or the reason why it could not be. */
export interface ReadDocument extends Document {
  readonly reading: Reading;
  /** One-based line of its first key. */
  readonly firstLine: number;
}

/** Values of documents by their text, for a reader of two versions of one thing: what is written alike is read once. */
export type KnownDocuments = Readonly<Record<YamlReader, Map<string, Record<string, unknown>>>>;

export function noKnownDocuments(): KnownDocuments {
  return { kubectl: new Map(), kustomize: new Map() };
}

/** Reads a YAML stream, split at its `---` and `...` lines; documents with nothing but comments are left out. */
export function* readDocuments(
  text: string,
  knownToAll?: KnownDocuments,
  by: YamlReader = 'kubectl',
): Generator<ReadDocument> {
  const isOld = OLD_LINE_ENDS.test(text);
  const plain = isOld ? undefined : new PlainReader(text);
  const known = knownToAll?.[by];
  let start = 0;
  let line = 1;
  for (;;) {
    const refused = unreadByTools(text, start);
    if (refused !== undefined) {
      const end = refused.isToEnd ? text.length : endOfDocument(text, start);
      const document = { text: text.slice(start, end), line };
      const reading = { reason: refused.reason, line: refused.isToEnd ? line : firstLine(document), isToolsOwn: true };
      if (!isBlank(document.text)) yield { ...document, reading, firstLine: firstLine(document) };
      line += countNewlines(document.text);
      start += document.text.length;
      if (start >= text.length) return;
      start += MARKER_LENGTH;
      continue;
    }
    const same = known === undefined || known.size === 0 ? undefined : knownAt(text, start, known);
    if (same !== undefined) {
      const document = { text: same.text, line };
      yield { ...document, reading: { value: same.value }, firstLine: firstLine(document) };
      line += countNewlines(same.text);
      start += same.text.length;
      if (start >= text.length) return;
      start += MARKER_LENGTH;
      continue;
    }
    const definition = !isOld && isDefinition(text, start) ? definitionAt(text, start, line, by) : undefined;
    if (definition !== undefined) {
      yield definition;
      line += countNewlines(definition.text);
      start += definition.text.length;
      if (start >= text.length) return;
      start += MARKER_LENGTH;
      continue;
    }
    const found = plain?.read(start, line);
    const end = found?.end ?? endOfDocument(text, start);
    if (found === undefined) {
      const document = { text: text.slice(start, end), line };
      if (!isBlank(document.text)) {
        yield { ...document, reading: readDocument(document, by), firstLine: firstLine(document) };
      }
      line += countNewlines(document.text);
    } else {
      const { value, firstLine } = found;
      if (value !== undefined) {
        const own = text.slice(start, end);
        known?.set(own, value);
        yield { text: own, line, reading: { value }, firstLine };
      }
      line = found.endLine;
    }
    if (end >= text.length) return;
    start = end + MARKER_LENGTH;
  }
}

function knownAt(
  text: string,
  start: number,
  known: ReadonlyMap<string, Record<string, unknown>>,
): { readonly text: string; readonly value: Record<string, unknown> } | undefined {
  const own = text.slice(start, endOfDocument(text, start));
  const value = known.get(own);
  return value === undefined ? undefined : { text: own, value };
}

/** A CustomResourceDefinition, whose `spec` is read when somebody asks for it. */
function definitionAt(text: string, start: number, line: number, by: YamlReader): ReadDocument | undefined {
  const document = { text: text.slice(start, endOfDocument(text, start)), line };
  const rest = withoutSpec(document.text);
  const known = rest === undefined ? undefined : readDocument({ text: rest, line }, by);
  if (known === undefined || !('value' in known)) return undefined;
  let whole: unknown;
  const value = unreadDefinition(known.value, document.text, () => {
    whole ??= readWhole(document, by);
    return whole;
  });
  return value === undefined ? undefined : { ...document, reading: { value }, firstLine: firstLine(document) };
}

function readWhole(document: Document, by: YamlReader): unknown {
  const plain = new PlainReader(document.text).read(0, document.line);
  if (plain !== undefined && plain.end >= document.text.length) return plain.value;
  const reading = readDocument(document, by);
  return 'value' in reading ? reading.value : undefined;
}

function endOfDocument(text: string, start: number): number {
  MARKER.lastIndex = start;
  return MARKER.exec(text)?.index ?? text.length;
}

/**
 * What neither kubectl nor kustomize reads of what other readers do: a document on the line of its marker and directives, for which they refuse
 * the file; what stands between `...` and the next `---`, which they pass over in silence (apimachinery, pkg/util/yaml, YAMLReader.Read; kyaml,
 * kio/byteio_reader.go).
 */
function unreadByTools(
  text: string,
  start: number,
): { readonly reason: string; readonly isToEnd?: boolean } | undefined {
  DIRECTIVE.lastIndex = start;
  if (DIRECTIVE.test(text))
    return { reason: 'kubectl and kustomize read no directives, and refuse the file', isToEnd: true };
  if (start === 0) return undefined;
  if (text.startsWith('...', start - MARKER_LENGTH))
    return { reason: 'kubectl and kustomize pass over what stands between `...` and the next `---`' };
  const isRead = /[ \t\r]*(?:[#\n]|$)/y;
  isRead.lastIndex = start;
  return isRead.test(text)
    ? undefined
    : {
        reason: 'kubectl and kustomize take no more than a comment behind `---`, and refuse the file from here on',
        isToEnd: true,
      };
}

/** The first line that says something. */
const DIRECTIVE = /(?:[ \t]*(?:#[^\n]*)?\r?\n)*%/y;

/** Reads one document as Kubernetes' tools do, but for keys that are given twice, which they do not agree about. */
export function readDocument(document: Document, by: YamlReader = 'kubectl'): Reading {
  try {
    const value = readYamlDocument(document.text, by);
    if (OLD_LINE_ENDS.test(document.text) && !isSame(value, document, by))
      return {
        reason: OLD_LINE_END,
        line: document.line + countNewlines(document.text.slice(0, document.text.search(OLD_LINE_ENDS))),
        isToolsOwn: true,
      };
    return accept(document, value, MAY_HAVE_ALIASES.test(document.text));
  } catch (error) {
    if (isYamlException(error)) {
      const indented = isShallow(error) ? indentShallow(document.text) : undefined;
      return indented === undefined ? unread(document, error) : readDocument({ ...document, text: indented }, by);
    }
    if (error instanceof Error && error.name === 'RangeError') {
      return { reason: 'it is nested too deeply to be read', line: document.line + leadingBlankLines(document.text) };
    }
    return { reason: error instanceof Error ? error.message : String(error), line: document.line };
  }
}

const OLD_LINE_END =
  'a character ends a line for kubectl and kustomize, and for no other reader (U+0085, U+2028 or U+2029), so that it says more than is seen';

/** Whether it says the same where these characters end lines. */
function isSame(value: unknown, document: Document, by: YamlReader): boolean {
  const plain = (text: string): string => text.replace(/[\u0085\u2028\u2029\n ]+/g, ' ');
  try {
    const broken = readYamlDocument(document.text.replace(/[\u0085\u2028\u2029]/g, '\n'), by);
    return plain(JSON.stringify(broken).replaceAll('\\n', ' ')) === plain(JSON.stringify(value).replaceAll('\\n', ' '));
  } catch {
    return false;
  }
}

function unread({ line }: Document, { reason, mark }: YAMLException): Reading {
  const at = line + (mark?.line ?? 0);
  return /duplicated mapping key/.test(reason)
    ? { reason: 'duplicated mapping key', line: at, isTwice: true }
    : { reason, line: at };
}

/** A value as read, unless it is too deep or, by its aliases, too much. */
export function accept(document: Document, value: unknown, hasAliases: boolean): Reading {
  const tooMuch = measure(value, hasAliases ? MAX_ALIASED_NODES : Infinity);
  return tooMuch ? { reason: tooMuch, line: firstLine(document) } : { value };
}

/** One-based line of the document's first key. */
export function firstLine(document: Document): number {
  return document.line + leadingBlankLines(document.text);
}

/** Says what is too much about a value: its depth, or the content that its aliases repeat. */
function measure(value: unknown, limit: number): string | undefined {
  const seen = limit === Infinity ? undefined : new Set<object>();
  let repeated = 0;
  const walk = (node: unknown, depth: number, isRepeated: boolean): string | undefined => {
    if (typeof node !== 'object' || node === null) return undefined;
    if (depth > MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} levels deep`;
    const again = isRepeated || (seen?.has(node) ?? false);
    seen?.add(node);
    for (const child of Array.isArray(node) ? node : Object.values(node)) {
      if (again) repeated += 1;
      if (repeated > limit) return `its anchors and aliases multiply to more than ${MAX_ALIASED_NODES} values`;
      const problem = walk(child, depth + 1, again);
      if (problem) return problem;
    }
    return undefined;
  };
  return walk(value, 0, false);
}

function isYamlException(error: unknown): error is YAMLException {
  return typeof error === 'object' && error !== null && 'reason' in error;
}

function isBlank(text: string): boolean {
  return !/^[ \t]*[^ \t\r\n#%]/m.test(text);
}

function leadingBlankLines(text: string): number {
  const first = /^[ \t]*[^ \t\r\n#%]/m.exec(text);
  return first ? countNewlines(text.slice(0, first.index)) : 0;
}

function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
