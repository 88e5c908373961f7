/**
 * Manifests, file names, git and headers are written by strangers; what is printed of them goes to terminals, to logs that a runner obeys,
 * into comments. Here every text is made one that only shows: no control character, no direction override, no line of its own, no
 * workflow command. Markdown has signs of its own besides (`report/markdown-text.ts`).
 */

/** Controls of a terminal, what turns the direction of text, what cannot be seen, what ends a line, halves of characters. */
const HIDDEN =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line that shows what cannot be seen as an escape, and that no runner obeys. */
export function printable(text: string): string {
  return disarmed(text.replace(HIDDEN, visible));
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
  return SHORT[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** All texts within a value made printable, keys too: the answer of a question, before words are made of it. */
export function allPrintable<T>(value: T): T {
  return mapped(value) as T;
}

function mapped(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [printable(key), mapped(one)]));
}

/**
 * GitHub's runner obeys lines of output that begin, after spaces, with `::command`, and the older `##[command]` anywhere in a line
 * (actions/runner, ActionCommand.cs). A line break may be put before any word, so any word that looks like one is parted.
 */
function disarmed(text: string): string {
  return text.replace(/::(?=[A-Za-z][\w-]*)(?![0-9A-Fa-f]{1,4}(?![\w-]))/g, ': :').replace(/##(?=\[)/g, '# #');
}

/**
 * The last wall, before anything is written: output that was laid out in lines, of which only the ends of lines, tabs and (if asked) colours
 * are taken as they are. Escapes are JSON's, so that data stays data; a word is only parted where a line begins with it.
 */
export function safeOutput(text: string, { colors = false, commands = false } = {}): string {
  const shown = text.replace(HIDDEN, (character, at: number) =>
    character === '\n' ||
    character === '\t' ||
    (character === '\r' && text[at + 1] === '\n') ||
    (colors && character === '\u001b' && COLOR.test(text.slice(at, at + 12)))
      ? character
      : `\\u${hex(character.charCodeAt(0), 4)}`,
  );
  return commands ? shown : shown.replace(/^([ \t]*):(?=:[A-Za-z])/gm, '$1: ').replace(/##(?=\[)/g, '#\\u0023');
}

// eslint-disable-next-line no-control-regex
const COLOR = /^\u001b\[\d{1,3}(;\d{1,3})*m/;

/** JSON of the same value, in which nothing is hidden: what JSON.stringify leaves as it is, is written as an escape. */
export function json(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent)
    .replace(HIDDEN, (character) => (character === '\n' ? '\n' : `\\u${hex(character.charCodeAt(0), 4)}`))
    .replace(/##(?=\[)/g, '#\\u0023');
}
