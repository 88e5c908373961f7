/**
 * YAML text to documents: split and read.
 *
 * Reading is on the path of every object of a mesh, so what is plain is read by a reader that knows no more (`plain-yaml.ts`),
 * the rest by the faster library. On which line a field stands is read only if somebody asks (`lines.ts`).
 */
import { type YAMLException, load } from 'js-yaml';
import { indentShallow, isShallow } from './flow-indentation';
import { PlainReader } from './plain-yaml';
import { isDefinition, unreadDefinition, withoutSpec } from './unread';
import { KUBERNETES_SCHEMA } from './yaml-schema';

/** One document of a stream. */
export interface Document {
  readonly text: string;
  /** One-based line of the file at which `text` begins. */
  readonly line: number;
}

/** What reading a document came to: its value, or why it has none. */
export type Reading =
  { readonly value: unknown } | { readonly reason: string; readonly line: number; readonly isTwice?: boolean };

/** Deeper than any Kubernetes object: a hand-made bomb, not a manifest. */
const MAX_DEPTH = 100;
/** Aliases may repeat content, but not multiply it past this many nodes in one document. */
const MAX_ALIASED_NODES = 200_000;

/** An alias needs an anchor. Without one, `*` is a host or an audience like any other, and nothing is repeated. */
const MAY_HAVE_ALIASES = /(?:^|[\s[{,])&[^\s,[\]{}]/;

const MARKER = /^(?:---(?=[ \t\r\n]|$)|\.\.\.(?=[ \t\r\n]|$))/gm;
const MARKER_LENGTH = 3;

/** A document that was read, or the reason why it could not be. */
export interface ReadDocument extends Document {
  readonly reading: Reading;
  /** One-based line of its first key. */
  readonly firstLine: number;
}

/** Values of documents by their text, for a reader of two versions of one thing: what is written alike is read once. */
export type KnownDocuments = Map<string, Record<string, unknown>>;

/** Reads a YAML stream, split at its `---` and `...` lines; documents with nothing but comments are left out. */
export function* readDocuments(text: string, known?: KnownDocuments): Generator<ReadDocument> {
  const plain = new PlainReader(text);
  let start = 0;
  let line = 1;
  for (;;) {
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
    const definition = isDefinition(text, start) ? definitionAt(text, start, line) : undefined;
    if (definition !== undefined) {
      yield definition;
      line += countNewlines(definition.text);
      start += definition.text.length;
      if (start >= text.length) return;
      start += MARKER_LENGTH;
      continue;
    }
    const found = plain.read(start, line);
    const end = found?.end ?? endOfDocument(text, start);
    if (found === undefined) {
      const document = { text: text.slice(start, end), line };
      if (!isBlank(document.text)) {
        yield { ...document, reading: readDocument(document), firstLine: firstLine(document) };
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
  known: KnownDocuments,
): { readonly text: string; readonly value: Record<string, unknown> } | undefined {
  const own = text.slice(start, endOfDocument(text, start));
  const value = known.get(own);
  return value === undefined ? undefined : { text: own, value };
}

/** A CustomResourceDefinition, whose `spec` is read when somebody asks for it. */
function definitionAt(text: string, start: number, line: number): ReadDocument | undefined {
  const document = { text: text.slice(start, endOfDocument(text, start)), line };
  const rest = withoutSpec(document.text);
  const known = rest === undefined ? undefined : readDocument({ text: rest, line });
  if (known === undefined || !('value' in known)) return undefined;
  let whole: unknown;
  const value = unreadDefinition(known.value, document.text, () => {
    whole ??= readWhole(document);
    return whole;
  });
  return value === undefined ? undefined : { ...document, reading: { value }, firstLine: firstLine(document) };
}

function readWhole(document: Document): unknown {
  const plain = new PlainReader(document.text).read(0, document.line);
  if (plain !== undefined && plain.end >= document.text.length) return plain.value;
  const reading = readDocument(document);
  return 'value' in reading ? reading.value : undefined;
}

function endOfDocument(text: string, start: number): number {
  MARKER.lastIndex = start;
  return MARKER.exec(text)?.index ?? text.length;
}

/** Reads one document with the meaning that Kubernetes gives to YAML: no duplicate keys, no tags of one's own, no dates. */
export function readDocument(document: Document): Reading {
  try {
    return accept(document, load(document.text, { schema: KUBERNETES_SCHEMA }), MAY_HAVE_ALIASES.test(document.text));
  } catch (error) {
    if (isYamlException(error)) {
      const indented = isShallow(error) ? indentShallow(document.text) : undefined;
      return indented === undefined ? unread(document, error) : readDocument({ ...document, text: indented });
    }
    if (error instanceof Error && error.name === 'RangeError') {
      return { reason: 'it is nested too deeply to be read', line: document.line + leadingBlankLines(document.text) };
    }
    return { reason: error instanceof Error ? error.message : String(error), line: document.line };
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
