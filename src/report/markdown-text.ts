/**
 * Text and code in Markdown, of which nothing comes out alive: no link, picture, mention, reference, tag, table or heading. Both are for
 * any place, table cells too.
 */
import { printable } from '../model/printable';

/** What GitHub makes something of even where the sign itself is escaped: addresses, mentions, references to issues and commits. */
const LIVE = /:\/\/|www\.|@|#\d|\bGH-\d|\b[0-9a-f]{7,40}\b|[[\]`<>\\]/i;
/** What may begin or end markup in text. */
const SIGNS = /[!"#$%&'()*+,./:;<=>?@[\\\]^_`{|}~-]/g;
const MARKUP = /[\\`*_{}[\]<>()#+!|~&$-]/g;

/** A sentence, in a table's cell or elsewhere. What it puts between backticks is code; words that would be more than text are code as well. */
export function text(value: string, isInCell = false): string {
  return printable(value)
    .split(/`([^`]+)`/)
    .map((part, index) => (index % 2 === 1 ? code(part, isInCell) : words(part, isInCell)))
    .reduce(joined, '');
}

function words(part: string, isInCell: boolean): string {
  return part
    .split(/(\s+)/)
    .map((word) => {
      if (!LIVE.test(word)) return word.replace(MARKUP, '\\$&');
      // Signs around a word are of the sentence.
      const [, before = '', inner = '', after = ''] = /^(["'(]*)(.*?)([)"'.,;:]*)$/.exec(word) ?? [];
      return `${before.replace(SIGNS, '\\$&')}${code(inner, isInCell)}${after.replace(SIGNS, '\\$&')}`;
    })
    .reduce(joined, '')
    .replace(/^(\s*\d+)([.)])/, '$1\\$2');
}

/** Code beside code: their backticks would be one fence. */
function joined(before: string, part: string): string {
  return before.endsWith('`') && part.startsWith('`') ? `${before} ${part}` : before + part;
}

/** A name, as code, in a table's cell or elsewhere: only in a cell may a pipe be escaped within backticks. */
export function code(value: string, isInCell = false): string {
  const shown = printable(value);
  if (shown.trim() === '') return '';
  const piped = isInCell ? shown.replace(/(\\?)\|/g, (_, slash: string) => (slash === '' ? '\\|' : '\\\\x7c')) : shown;
  // As many backticks as stand nowhere within, and apart from those that begin or end it.
  const longest = Math.max(0, ...(piped.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  const pad = /^`|`$|^ .* $/.test(piped) ? ' ' : '';
  return `${fence}${pad}${piped}${pad}${fence}`;
}
