/**
 * Reads the plain part of YAML that tools write manifests in, several times as fast as a library that knows all of YAML:
 * block mappings and sequences, scalars on one line, literal blocks, flow collections on one line. At the first thing of
 * which it is not certain it gives up, and the library reads the document from its beginning. What it does read is what
 * the library reads: test/model/plain-yaml.test.ts holds it to that, and docs/decisions/0007-plain-yaml.md says why it is here.
 */
import { type Interned, StringTable } from './string-table';
import { resolvePlain } from './plain-scalars';

const TAB = 9;
const NEWLINE = 10;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const SINGLE_QUOTE = 39;
const COMMA = 44;
const DASH = 45;
const DOT = 46;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_MAPPING = 123;
const BAR = 124;
const CLOSE_MAPPING = 125;

/** What a character may be in a plain scalar; 0 for what is not certain: control characters, and all beyond ASCII. */
const ORDINARY = 1;
const SPECIAL = 2;
const CLASS = new Uint8Array(128);
for (let code = 33; code < 127; code += 1) CLASS[code] = ORDINARY;
for (const code of [NEWLINE, SPACE, HASH, COLON]) CLASS[code] = SPECIAL;

/** Characters that end a plain scalar within brackets. */
const FLOW_CLASS = CLASS.slice();
for (const code of [COMMA, OPEN_LIST, CLOSE_LIST, OPEN_MAPPING, CLOSE_MAPPING]) FLOW_CLASS[code] = SPECIAL;

const tableOf = (characters: RegExp): Uint8Array =>
  Uint8Array.from({ length: 128 }, (_, code) => (characters.test(String.fromCharCode(code)) ? 1 : 0));
const BEGINS_PLAIN = tableOf(/[A-Za-z0-9_/.$()+:;=^~-]/);
const BEGINS_KEY = tableOf(/[A-Za-z0-9_/.]/);
const IN_KEY = tableOf(/[A-Za-z0-9_/.-]/);

/** Deeper than what people write and far from the limit of the library, which says what is too deep. */
const MAX_DEPTH = 40;
/** Behind a backslash, what JSON knows as well as YAML, so without slashes and halves of characters. Asked escape by escape: one expression over a long text ends the stack. */
const JSON_ESCAPE = /["\\bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}/y;
const NOT_IN_LITERAL = /[^\t\n\x20-\x7E]/;

/** One document of a stream, as far as it was understood. */
export interface PlainDocument {
  /** Undefined if there is nothing but comments. */
  readonly value: Record<string, unknown> | undefined;
  /** One-based line of its first key. */
  readonly firstLine: number;
  /** Where it ends: at the next marker, or at the end of the text. */
  readonly end: number;
  readonly endLine: number;
}

export class PlainReader {
  private readonly text: string;
  private readonly length: number;
  /** Behind what was read last. */
  private position = 0;
  /** The next line that says something: its first character that is no space, the column of that (-1 at the end), its number. */
  private at = 0;
  private indent = 0;
  private line = 0;
  private depth = 0;
  private readonly keys: StringTable;
  private readonly values: StringTable;

  public constructor(text: string) {
    this.length = text.length;
    this.text = text.endsWith('\n') ? text : `${text}\n`;
    this.keys = new StringTable(text.length, isPlainKey);
    this.values = new StringTable(text.length, resolvePlain);
  }

  /** The document that begins at an offset, behind its marker; undefined if it is not plain. */
  public read(start: number, line: number): PlainDocument | undefined {
    this.depth = 0;
    this.line = line;
    if (start === 0) {
      this.line -= 1;
      this.toNextLine(-1);
    } else if (!this.endLine(start)) {
      return undefined;
    }
    const firstLine = this.line;
    let value: Record<string, unknown> | undefined;
    if (this.indent !== -1) {
      value = this.indent === 0 ? this.readMapping(0) : undefined;
      if (value === undefined || this.indent !== -1) return undefined;
    }
    return { value, firstLine, end: Math.min(this.at, this.length), endLine: this.line };
  }

  private readMapping(column: number): Record<string, unknown> | undefined {
    if ((this.depth += 1) > MAX_DEPTH) return undefined;
    const mapping: Record<string, unknown> = {};
    for (;;) {
      const key = this.readKey(this.at);
      // What an object inherits counts as given twice, and so does the key that would set its prototype.
      if (key === undefined || mapping[key] !== undefined) return undefined;
      const value = this.readValue(column);
      if (value === undefined) return undefined;
      mapping[key] = value;
      if (this.indent === column) continue;
      if (this.indent > column) return undefined;
      this.depth -= 1;
      return mapping;
    }
  }

  /** Reads a key and its colon. */
  private readKey(start: number): string | undefined {
    const { text } = this;
    let at = start;
    let code = text.charCodeAt(at);
    let key: Interned;
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) {
      key = this.readQuoted(at, code);
      at = this.position;
    } else {
      if (!BEGINS_KEY[code]) return undefined;
      let hash = 0;
      while (IN_KEY[code]) {
        hash = (Math.imul(hash, 31) + code) | 0;
        code = text.charCodeAt((at += 1));
      }
      key = this.keys.take(text, start, at, hash);
    }
    // Quoted, `<<` merges nothing, and yet kustomize loses it.
    if (typeof key !== 'string' || key === '<<' || text.charCodeAt(at) !== COLON) return undefined;
    this.position = at + 1;
    return key;
  }

  /** What follows a key of a block mapping at a column. */
  private readValue(column: number): unknown {
    const { text } = this;
    let at = this.position;
    let code = text.charCodeAt(at);
    if (code !== NEWLINE) {
      if (code !== SPACE) return undefined;
      do code = text.charCodeAt((at += 1));
      while (code === SPACE);
      if (code !== NEWLINE && code !== HASH) return this.readInline(at, code, column);
    }
    if (!this.endLine(at)) return undefined;
    if (this.indent > column) return this.isItem() ? this.readSequence(this.indent) : this.readMapping(this.indent);
    return this.indent === column && this.isItem() ? this.readSequence(column) : null;
  }

  private isItem(): boolean {
    return this.text.charCodeAt(this.at) === DASH && this.text.charCodeAt(this.at + 1) === SPACE;
  }

  private readSequence(column: number): unknown[] | undefined {
    if ((this.depth += 1) > MAX_DEPTH) return undefined;
    const sequence: unknown[] = [];
    for (;;) {
      const item = this.readItem(column);
      if (item === undefined) return undefined;
      sequence.push(item);
      if (this.indent === column && this.isItem()) continue;
      // A key of the mapping around may stand in the same column; whether it does is for that mapping to see.
      if (this.indent > column) return undefined;
      this.depth -= 1;
      return exact(sequence);
    }
  }

  private readItem(column: number): unknown {
    const { text } = this;
    let at = this.at + 1;
    let code: number;
    do code = text.charCodeAt((at += 1));
    while (code === SPACE);
    const inner = column + at - this.at;
    if (code === DASH && text.charCodeAt(at + 1) === SPACE) {
      this.at = at;
      return this.readSequence(inner);
    }
    if (BEGINS_KEY[code]) {
      let end = at;
      while (IN_KEY[text.charCodeAt(end)]) end += 1;
      if (text.charCodeAt(end) === COLON && text.charCodeAt(end + 1) <= SPACE) {
        this.at = at;
        return this.readMapping(inner);
      }
    }
    return this.readInline(at, code, column);
  }

  /** A value that begins on the line of its key or dash. */
  private readInline(at: number, code: number, column: number): unknown {
    if (code === BAR) return this.readLiteral(at, column);
    let value: unknown;
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) value = this.readQuoted(at, code);
    else if (code === OPEN_LIST || code === OPEN_MAPPING) value = this.readFlow(at, code);
    else value = this.readPlain(at, code, CLASS);
    return value !== undefined && this.endLine(this.position) ? value : undefined;
  }

  private readPlain(start: number, first: number, classes: Uint8Array): unknown {
    const { text } = this;
    if (!BEGINS_PLAIN[first]) return undefined;
    let at = start;
    let code = first;
    let end = start;
    let hash = 0;
    if (first === DASH && text.charCodeAt(at + 1) <= SPACE) return undefined;
    for (;;) {
      const kind = classes[code];
      if (kind === ORDINARY) {
        end = at += 1;
      } else if (kind === SPECIAL) {
        if (code === COLON) {
          const next = text.charCodeAt(at + 1);
          if (classes[next] !== ORDINARY && next !== COLON && next !== HASH) return undefined;
          end = at += 1;
        } else if (code === HASH) {
          if (text.charCodeAt(at - 1) === SPACE) break;
          end = at += 1;
        } else if (code === SPACE) {
          at += 1;
        } else {
          break;
        }
      } else {
        return undefined;
      }
      hash = (Math.imul(hash, 31) + code) | 0;
      code = text.charCodeAt(at);
    }
    this.position = at;
    if (first === DASH && end === start + 1) return undefined;
    return this.values.take(text, start, end, hash);
  }

  /** A quoted string on one line. */
  private readQuoted(start: number, quote: number): string | undefined {
    const { text } = this;
    let at = start;
    let isSimple = true;
    for (;;) {
      const code = text.charCodeAt((at += 1));
      if (code === quote) {
        if (quote === DOUBLE_QUOTE || text.charCodeAt(at + 1) !== SINGLE_QUOTE) break;
        isSimple = false;
        at += 1;
      } else if (code === BACKSLASH && quote === DOUBLE_QUOTE) {
        isSimple = false;
        at += 1;
        if (text.charCodeAt(at) < SPACE) return undefined;
      } else if (code < SPACE) {
        return undefined;
      }
    }
    this.position = at + 1;
    const inner = text.slice(start + 1, at);
    if (isSimple) return inner;
    if (quote === SINGLE_QUOTE) return inner.replaceAll("''", "'");
    return hasJsonEscapesOnly(inner) ? (JSON.parse(`"${inner}"`) as string) : undefined;
  }

  /** A literal block, `|` or `|-`, whose first line has text. */
  private readLiteral(start: number, column: number): string | undefined {
    const { text } = this;
    let at = start + 1;
    const isStripped = text.charCodeAt(at) === DASH;
    if (isStripped) at += 1;
    if (text.charCodeAt(at) !== NEWLINE) return undefined;
    let width = 0;
    while (text.charCodeAt(at + 1 + width) === SPACE) width += 1;
    if (width <= column || text.charCodeAt(at + 1 + width) === NEWLINE) return undefined;
    let value = '';
    let blank = 0;
    let last = at;
    for (;;) {
      const begin = last + 1;
      if (begin >= text.length) break;
      let first = begin;
      while (first < begin + width && text.charCodeAt(first) === SPACE) first += 1;
      const isEmpty = text.charCodeAt(first) === NEWLINE;
      if (isEmpty && first > begin) return undefined;
      if (!isEmpty && first < begin + width) break;
      const end = isEmpty ? first : text.indexOf('\n', first);
      if (isEmpty) {
        blank += 1;
      } else {
        if (value !== '') value += '\n'.repeat(blank + 1);
        value += text.slice(first, end);
        blank = 0;
      }
      last = end;
      this.line += 1;
    }
    if (NOT_IN_LITERAL.test(value)) return undefined;
    this.toNextLine(last);
    return isStripped ? value : `${value}\n`;
  }

  /** `[...]` or `{...}` on one line. */
  private readFlow(start: number, open: number): unknown {
    return open === OPEN_LIST ? this.readFlowSequence(start) : this.readFlowMapping(start);
  }

  private readFlowSequence(start: number): unknown[] | undefined {
    if ((this.depth += 1) > MAX_DEPTH) return undefined;
    const sequence: unknown[] = [];
    this.position = start + 1;
    if (this.skipSpaces() === CLOSE_LIST) return this.close(sequence);
    for (;;) {
      const item = this.readFlowNode();
      if (item === undefined) return undefined;
      sequence.push(item);
      const code = this.skipSpaces();
      if (code === CLOSE_LIST) return this.close(exact(sequence));
      if (code !== COMMA) return undefined;
      this.position += 1;
      this.skipSpaces();
    }
  }

  private readFlowMapping(start: number): Record<string, unknown> | undefined {
    if ((this.depth += 1) > MAX_DEPTH) return undefined;
    const mapping: Record<string, unknown> = {};
    this.position = start + 1;
    if (this.skipSpaces() === CLOSE_MAPPING) return this.close(mapping);
    for (;;) {
      const key = this.readKey(this.position);
      if (key === undefined || mapping[key] !== undefined) return undefined;
      if (this.text.charCodeAt(this.position) !== SPACE) return undefined;
      this.skipSpaces();
      const value = this.readFlowNode();
      if (value === undefined) return undefined;
      mapping[key] = value;
      const code = this.skipSpaces();
      if (code === CLOSE_MAPPING) return this.close(mapping);
      if (code !== COMMA) return undefined;
      this.position += 1;
      this.skipSpaces();
    }
  }

  private readFlowNode(): unknown {
    const at = this.position;
    const code = this.text.charCodeAt(at);
    if (code === OPEN_LIST || code === OPEN_MAPPING) return this.readFlow(at, code);
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) return this.readQuoted(at, code);
    return this.readPlain(at, code, FLOW_CLASS);
  }

  private close<T>(collection: T): T {
    this.position += 1;
    this.depth -= 1;
    return collection;
  }

  private skipSpaces(): number {
    let code = this.text.charCodeAt(this.position);
    while (code === SPACE) code = this.text.charCodeAt((this.position += 1));
    return code;
  }

  /** Goes from the end of a value to the next line that says something; false if there is more on this line than a comment. */
  private endLine(from: number): boolean {
    const { text } = this;
    let at = from;
    let code = text.charCodeAt(at);
    while (code === SPACE) code = text.charCodeAt((at += 1));
    if (code === NEWLINE) {
      this.toNextLine(at);
      return true;
    }
    if (code !== HASH || text.charCodeAt(at - 1) !== SPACE) return false;
    at = this.endOfComment(at);
    if (at === -1) return false;
    this.toNextLine(at);
    return true;
  }

  /** Offset of the line break behind a comment; -1 if the comment holds anything that might end it. */
  private endOfComment(from: number): number {
    const { text } = this;
    let at = from;
    for (;;) {
      const code = text.charCodeAt((at += 1));
      if (code === NEWLINE) return at;
      if (code < SPACE && code !== TAB) return -1;
    }
  }

  /** Goes to the next line that says something, from a line break (or -1, before the text). */
  private toNextLine(lineBreak: number): void {
    const { text } = this;
    let at = lineBreak;
    for (;;) {
      const begin = (at += 1);
      this.line += 1;
      let code = text.charCodeAt(at);
      while (code === SPACE) code = text.charCodeAt((at += 1));
      if (code === NEWLINE) continue;
      if (code === HASH) {
        const end = this.endOfComment(at);
        if (end !== -1) {
          at = end;
          continue;
        }
      }
      const isOver = at >= text.length || (at === begin && isMarker(text, at, code));
      this.at = at;
      this.indent = isOver ? -1 : at - begin;
      return;
    }
  }
}

function hasJsonEscapesOnly(inner: string): boolean {
  for (let at = inner.indexOf('\\'); at !== -1; at = inner.indexOf('\\', JSON_ESCAPE.lastIndex)) {
    JSON_ESCAPE.lastIndex = at + 1;
    if (!JSON_ESCAPE.test(inner)) return false;
  }
  return true;
}

/** A list that grew has room for many more, which would be most of what short ones take in memory. */
function exact(sequence: unknown[]): unknown[] {
  return sequence.slice();
}

/** `---` or `...`, alone or before something else. */
function isMarker(text: string, at: number, code: number): boolean {
  if ((code !== DASH && code !== DOT) || text.charCodeAt(at + 1) !== code || text.charCodeAt(at + 2) !== code)
    return false;
  const next = text.charCodeAt(at + 3);
  return next === SPACE || next === NEWLINE || next === TAB || next === 13;
}

/** A key that is a string: what reads as a number or as a word of the language is left to the library. */
function isPlainKey(source: string): Interned {
  const key = resolvePlain(source);
  return typeof key === 'string' ? key : undefined;
}
