/**
 * Text and code in Markdown, of which nothing comes out alive: no link, picture, mention, reference, tag, table or heading. Both are for
 * any place, table cells too.
 */
import { printable } from './printable';

/** What GitHub makes something of even where the sign itself is escaped: addresses, mentions, references to issues and commits. */
const LIVE = /:\/\/|www\.|@|#\d|\bGH-\d|\b[0-9a-f]{7,40}\b|[[\]`<>\\]/i;
/** What may begin or end markup in text. */
const SIGNS = /[!"#$%&'()*+,./:;<=>?@[\\\]^_`{|}~-]/g;
const MARKUP = /[\\`*_{}[\]<>()#+!|~&$-]/g;

/** A sentence. What it puts between backticks is code; words that would be more than text are code as well. */
export function text(value: string): string {
  return printable(value)
    .split(/`([^`]+)`/)
    .map((part, index) => (index % 2 === 1 ? code(part) : words(part)))
    .join('');
}

function words(part: string): string {
  return part
    .split(/(\s+)/)
    .map((word) => {
      if (!LIVE.test(word)) return word.replace(MARKUP, '\\$&');
      // Signs around a word are of the sentence.
      const [, before = '', inner = '', after = ''] = /^(["'(]*)(.*?)([)"'.,;:]*)$/.exec(word) ?? [];
      return `${before.replace(SIGNS, '\\$&')}${code(inner)}${after.replace(SIGNS, '\\$&')}`;
    })
    .join('')
    .replace(/^(\s*\d+)([.)])/, '$1\\$2');
}

/** A name, as code. */
export function code(value: string): string {
  const shown = printable(value);
  if (shown.trim() === '') return '';
  if (!/[`|\\]/.test(shown)) return `\`${shown}\``;
  // Neither backticks nor pipes can be escaped within backticks; as numbers they stand for themselves and begin nothing.
  return `<code>${shown.replace(SIGNS, (sign) => `&#${sign.charCodeAt(0)};`)}</code>`;
}
