/** What people wrote beside their objects: the comments of the YAML, each object's own, so that code which replaces it keeps them. */
import { Lexer } from 'yaml';
import { formatField } from '../model/field-path';
import { readText } from '../model/files';
import type { FieldPath, Manifest } from '../model/manifest';
import { isRecord } from '../model/recognize';

/** The comments of each object that has any, a line each, with the field that they stand at. */
export type Comments = ReadonlyMap<Manifest, readonly string[]>;

const STDIN = '<stdin>';

/** Those of the files that the objects were read from. JSON has none, and neither has what cannot be read again. */
export function commentsOf(manifests: readonly Manifest[]): Comments {
  const byFile = new Map<string, Manifest[]>();
  for (const one of manifests) {
    const { file } = one.source;
    if (file === undefined || file.endsWith('.json')) continue;
    byFile.set(file, [...(byFile.get(file) ?? []), one]);
  }
  const found = new Map<Manifest, readonly string[]>();
  for (const [file, own] of byFile) {
    const read = readText(file === STDIN ? '-' : file);
    if (!('text' in read) || !read.text.includes('#')) continue;
    for (const [manifest, lines] of shared(commentsIn(read.text), own)) found.set(manifest, lines);
  }
  return found;
}

interface Comment {
  readonly text: string;
  readonly line: number;
  /** The document that it stands in, counted from the start of the file. */
  readonly document: number;
  /** The line that it speaks of: its own, where something stands before it, else the next one that has something. */
  readonly about: number;
}

/** What the lexer of YAML says before a scalar, whose text comes next and may begin with any sign. */
const SCALAR = '\u001f';
/** Its other signs, which no character of the text stands for: the start of a document, a flow error's end, a mark of the byte order. */
const SIGNS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\ufeff', SCALAR]);
const BREAK = /\r\n|\r|\n/g;

function commentsIn(text: string): { readonly comments: readonly Comment[]; readonly starts: readonly number[] } {
  const comments: { text: string; line: number; document: number; about: number | undefined }[] = [];
  /** The line on which each document begins. */
  const starts = [1];
  let line = 1;
  /** The last line that has something other than a comment. */
  let filled = 0;
  let isScalar = false;
  /** The first that waits for what it is about. */
  let waiting = 0;
  const fill = (at: number): void => {
    filled = at;
    for (; waiting < comments.length; waiting += 1) comments[waiting]!.about ??= at;
  };
  for (const token of new Lexer().lex(text)) {
    if (!isScalar && token.startsWith('#')) {
      const about = filled === line ? line : undefined;
      comments.push({ text: token.slice(1).trim(), line, document: starts.length - 1, about });
    } else if (!isScalar && token === '---') {
      // What stands before the first document is of it.
      if (filled > 0) starts.push(line);
      filled = line;
    } else if (isScalar || (token.trim() !== '' && !SIGNS.has(token))) fill(line);
    isScalar = !isScalar && token === SCALAR;
    line += token.match(BREAK)?.length ?? 0;
  }
  return { comments: comments.map((one) => ({ ...one, about: one.about ?? line })), starts };
}

/** Each comment given to the object that it stands in or before; the last of a document to the last object of that. */
function shared(
  { comments, starts }: ReturnType<typeof commentsIn>,
  manifests: readonly Manifest[],
): ReadonlyMap<Manifest, readonly string[]> {
  const found = new Map<Manifest, string[]>();
  const placed = manifests.map((manifest) => ({ manifest, line: manifest.source.line ?? 1 })).sort((a, b) => a.line - b.line); // prettier-ignore
  /** Those of each document; one of comments alone is about what comes next. */
  const inDocument = starts.map((): (typeof placed)[number][] => []);
  let document = 0;
  for (const one of placed) {
    while ((starts[document + 1] ?? Infinity) <= one.line) document += 1;
    inDocument[document]!.push(one);
  }
  const ownersOf = ({ document, about }: Comment): typeof placed => {
    const own = inDocument[document] ?? [];
    const before = own.filter(({ line }) => line <= about);
    const [first] = own.length > 0 ? own : (inDocument.slice(document).find(({ length }) => length > 0) ?? []);
    const last = before.at(-1)?.line ?? first?.line;
    return own.length > 0 ? own.filter(({ line }) => line === last) : first === undefined ? [] : [first];
  };
  comments.forEach((comment, index) => {
    const former = comments[index - 1];
    const isContinued =
      former?.line === comment.line - 1 && former.about === comment.about && comment.about !== comment.line;
    for (const { manifest } of ownersOf(comment)) {
      const field = isContinued || comment.line < (manifest.source.line ?? 1) ? undefined : fieldAt(manifest, comment.about); // prettier-ignore
      const said = field === undefined ? comment.text : `${formatField(field)}: ${comment.text}`;
      found.set(manifest, [...(found.get(manifest) ?? []), said]);
    }
  });
  return found;
}

/** The outermost field that stands on a line. */
function fieldAt(manifest: Manifest, line: number): FieldPath | undefined {
  const look = (value: unknown, at: FieldPath): FieldPath | undefined => {
    const inner: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : isRecord(value) ? Object.entries(value) : []; // prettier-ignore
    for (const [step] of inner) if (manifest.lineOf([...at, step]) === line) return [...at, step];
    for (const [step, one] of inner) {
      const found = look(one, [...at, step]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return look(manifest.body, []);
}
