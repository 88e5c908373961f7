/**
 * What is in quotes or brackets may go on at a column no deeper than its key: YAML's grammar forbids it, Kubernetes' parser (libyaml's
 * scanner, which looks at no indentation there) does not mind, and tools have written long descriptions so. Such lines are indented
 * here, which changes nothing of what they say: spaces at the start of a line that goes on are no part of a text.
 */
import { type YAMLException, parseEvents } from 'js-yaml';

/** Characters that may be read again and again to find the lines that want indenting. */
const REREAD = 30_000_000;

/** A key or dash, and quotes that open behind it. */
const OPENS = /^( *)(?:- +)*(?:[^\s#'"][^'"]*:[ \t]+|"[^"]*":[ \t]+|'[^']*':[ \t]+)?(?:[!&]\S+[ \t]+)*(['"])/;
/** The header of a block of text, whose lines are left alone. */
const BLOCK = /^( *)(?:- +)*(?:[^\s].*:[ \t]+)?[|>][-+0-9]*[ \t]*(?:#.*)?\r?$/;

export function isShallow({ reason }: YAMLException): boolean {
  return reason === 'deficient indentation';
}

/** The text with its shallow lines indented, line numbers as they were; undefined if that takes too long. */
export function indentShallow(text: string): string | undefined {
  let indented = indentQuoted(text);
  for (let spent = 0; spent < REREAD; spent += text.length + 1000) {
    const line = shallowLine(indented);
    if (line === undefined) return indented;
    const lines = indented.split('\n');
    // The library counts no tabs, which stand for nothing in quotes and brackets.
    const depth = lines.slice(0, line + 1).reduce((most, one) => Math.max(most, indentOf(one)), 0);
    lines[line] = `${' '.repeat(depth + 1)}${(lines[line] ?? '').replace(/^[ \t]+/, '')}`;
    indented = lines.join('\n');
  }
  return undefined;
}

/** The first line that is not deep enough, if that is what is wrong first. */
function shallowLine(text: string): number | undefined {
  try {
    parseEvents(text, {});
    return undefined;
  } catch (error) {
    const known = error as Partial<YAMLException>;
    return known.reason === 'deficient indentation' ? known.mark?.line : undefined;
  }
}

/** Quoted text, most of what there is, in one pass. */
function indentQuoted(text: string): string {
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const block = BLOCK.exec(line);
    if (block) {
      const column = block[1]?.length ?? 0;
      while (at + 1 < lines.length && (isBlank(lines[at + 1]) || indentOf(lines[at + 1]) > column)) at += 1;
      continue;
    }
    const opening = OPENS.exec(line);
    if (!opening) continue;
    const quote = opening[2] ?? '"';
    let isOpen = closingQuote(line, opening[0].length, quote) === -1;
    const column = /^ *(?:- +)*/.exec(line)?.[0].length ?? 0;
    while (isOpen && at + 1 < lines.length) {
      at += 1;
      const next = lines[at] ?? '';
      isOpen = closingQuote(next, 0, quote) === -1;
      if (!isBlank(next) && indentOf(next) <= column) lines[at] = `${' '.repeat(column + 1)}${next.trimStart()}`;
    }
  }
  return lines.join('\n');
}

/** Offset of the quote that ends a text; -1 if it goes on. */
function closingQuote(line: string, from: number, quote: string): number {
  for (let at = from; at < line.length; at += 1) {
    const character = line[at];
    if (character === '\\' && quote === '"') at += 1;
    else if (character === quote) {
      if (quote === "'" && line[at + 1] === "'") at += 1;
      else return at;
    }
  }
  return -1;
}

function isBlank(line: string | undefined): boolean {
  return line === undefined || line.trim() === '';
}

function indentOf(line: string | undefined): number {
  return /^ */.exec(line ?? '')?.[0].length ?? 0;
}
