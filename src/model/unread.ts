/**
 * CustomResourceDefinitions as they are written in YAML, recognized by their first lines. Repositories hold a hundred megabytes of them, and
 * nobody asks but for the few of the mesh's own kinds: `spec` is read when somebody does. Who an object is (apiVersion, kind, metadata) is
 * read at once.
 */

import { createHash } from 'node:crypto';
import { record } from './fields';

const FIRST_LINES =
  /(?:[ \t]*(?:#[^\n]*)?\r?\n)*(?:apiVersion: ["']?apiextensions\.k8s\.io\/v1["']?[ \t]*\r?\nkind: ["']?CustomResourceDefinition["']?[ \t]*\r?\n|kind: ["']?CustomResourceDefinition["']?[ \t]*\r?\napiVersion: ["']?apiextensions\.k8s\.io\/v1["']?[ \t]*\r?\n)/y;
const SPEC = '\nspec:';
/** Where the next key of the object begins: a line that is neither indented, nor blank, nor a comment. */
const NEXT_KEY = /\n[^\s#]/g;
/** Indentation that YAML refuses. */
const TAB = /\n *\t[ \t]*[^\s]/;

/** Whether a definition begins here. */
export function isDefinition(text: string, start: number): boolean {
  FIRST_LINES.lastIndex = start;
  return FIRST_LINES.test(text);
}

/** What can be read of a definition without its `spec`; undefined if it is written in another way than those of generators. */
export function withoutSpec(text: string): string | undefined {
  const at = text.indexOf(SPEC);
  if (
    at < 0 ||
    !/^[ \t]*\r?\n/.test(text.slice(at + SPEC.length, at + SPEC.length + 80)) ||
    (text.includes('\t') && TAB.test(text))
  )
    return undefined;
  NEXT_KEY.lastIndex = at + SPEC.length;
  const end = NEXT_KEY.exec(text)?.index ?? text.length;
  const rest = text.slice(0, at) + text.slice(end);
  return rest.includes(SPEC) ? undefined : `${rest}\n`;
}

const TEXTS = new WeakMap<object, string>();
const READERS = new WeakMap<object, () => unknown>();

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param read reads the whole of the document */
export function unreadDefinition(
  rest: unknown,
  text: string,
  read: () => unknown,
): Record<string, unknown> | undefined {
  if (!isRecord(rest) || 'spec' in rest || !isRecord(rest.metadata)) return undefined;
  return withSpec(rest, text, read);
}

function withSpec(rest: Record<string, unknown>, text: string, read: () => unknown): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  const settle = (value: unknown): void => {
    TEXTS.delete(body);
    Object.defineProperty(body, 'spec', { value, enumerable: true, configurable: true, writable: true });
  };
  const { status, ...first } = rest;
  Object.assign(body, first);
  Object.defineProperty(body, 'spec', {
    enumerable: true,
    configurable: true,
    get(): unknown {
      const whole = read();
      settle(isRecord(whole) ? whole.spec : undefined);
      return body.spec;
    },
    set: settle,
  });
  if (status !== undefined) body.status = status;
  TEXTS.set(body, text);
  READERS.set(body, read);
  return body;
}

/** Whether nobody has asked for more of it than who it is. */
export const isUnread = (body: unknown): boolean => isRecord(body) && TEXTS.has(body);

/** A copy that may be written to. */
export function copyOf(body: Record<string, unknown>): Record<string, unknown> {
  const text = TEXTS.get(body);
  const read = READERS.get(body);
  if (text === undefined || read === undefined) return structuredClone(body);
  const { apiVersion, kind, metadata } = structuredClone({ apiVersion: body.apiVersion, kind: body.kind, metadata: body.metadata }); // prettier-ignore
  const status = 'status' in body ? { status: structuredClone(body.status) } : {};
  return withSpec({ apiVersion, kind, metadata, ...status }, text, () => structuredClone(read()));
}

/** Whether the text says this word anywhere, so that reading it may be worth it. */
export function mayHold(body: Record<string, unknown>, word: string): boolean {
  return TEXTS.get(body)?.includes(word) ?? true;
}

/** The same with its `spec` changed once somebody asks for it. `said`: what the change is, as text. */
export function changedLater(
  body: Record<string, unknown>,
  rest: Record<string, unknown>,
  said: string,
  change: (spec: unknown) => unknown,
): Record<string, unknown> {
  const read = READERS.get(body);
  const whole = (): unknown => ({ spec: change(structuredClone(record(read?.()).spec)) });
  return withSpec(rest, `${TEXTS.get(body) ?? ''}\n${said}`, whole);
}

/** Whether two objects are written with one content; two that nobody has read yet are compared as texts. */
export function isWrittenAlike(one: unknown, other: unknown): boolean {
  if (!isRecord(one) || !isRecord(other) || !isUnread(one) || !isUnread(other))
    return JSON.stringify(one) === JSON.stringify(other);
  return TEXTS.get(one) === TEXTS.get(other) || foldedDigest(one) === foldedDigest(other);
}

const DIGESTS = new WeakMap<object, string>();

/** Of the text without comments, and with lines folded: generators break long descriptions at other columns. */
function foldedDigest(body: Record<string, unknown>): string {
  const known = DIGESTS.get(body);
  if (known !== undefined) return known;
  const folded = (TEXTS.get(body) ?? '').replace(/(?:^|\n)[ \t]*#[^\n]*/g, '').replace(/\s+/g, ' ').trim(); // prettier-ignore
  const digest = createHash('sha256').update(folded).digest('base64');
  DIGESTS.set(body, digest);
  return digest;
}

/** API group of the kind that a CustomResourceDefinition defines: an API server takes no other name than `PLURAL.GROUP`. */
export function groupDefinedBy({ name }: { readonly name: string }): string {
  return name.slice(name.indexOf('.') + 1);
}
