/**
 * Text of a template (Helm, gomplate, Jinja, FreeMarker, ERB), which is no YAML before it is rendered. Braces alone make none: they stand in comments, in
 * strings and in Envoy's formats too, and a broken document that holds them is a broken document.
 */
import { readDocument } from './documents';

const ACTION = /\{\{|\{%|\{#/;
/** Tags of FreeMarker and ERB, which nothing else that stands in YAML has. */
const TAG = /<\/?#[a-z]+[\s>]|<#--|<%[-=#]?\s[^\n]*%>/;

/** Why a document of them is left out. */
export const TEMPLATE = 'a template, which is not rendered';

/** Lines and values of ytt, which stand in comments of YAML, so that any other reader takes the values for empty. */
const YTT = /^[ \t]*#@(?:[ \t/a-z]|$)|[:-][ \t]+#@[ \t]/m;

/** Whether ytt makes something else of a document than it says. */
export function isYtt(text: string): boolean {
  return text.includes('#@') && YTT.test(text);
}

/** Whether a file is what ytt is given to render with, which it says before the document. */
export function hasYttData(text: string): boolean {
  return text.includes('#@') && /^#@[ \t]*data\//m.test(text);
}

/** Whether a document that cannot be read on a line (of its own) is a template: it is broken by its actions, and by nothing else. */
export function isTemplate(text: string, brokenLine: number): boolean {
  if (TAG.test(text)) return true;
  if (!ACTION.test(text)) return false;
  if (hasBareAction(text.split('\n')[brokenLine] ?? '')) return true;
  const reading = readDocument({ text: withoutActions(text), line: 1 });
  // The two branches of a condition often give one key.
  return 'value' in reading || reading.isTwice === true;
}

/** Whether a string is one that a template will render. */
export function hasAction(text: string): boolean {
  return /\{\{[-~]?\s*[^}]/.test(text) || /\{%[-+]?\s*\w+/.test(text);
}

function hasBareAction(line: string): boolean {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '').replace(/(^|\s)#(?!\}).*$/, '');
  return /\{\{|\{%/.test(bare);
}

/** The text as if it had been rendered: lines of actions alone are gone, and what an action stands for elsewhere is a word. */
function withoutActions(text: string): string {
  let out = '';
  let from = 0;
  for (;;) {
    const found = ACTION.exec(text.slice(from, from + 100_000));
    if (found === null) {
      if (from + 100_000 >= text.length) break;
      out += text.slice(from, from + 99_999);
      from += 99_999;
      continue;
    }
    const start = from + found.index;
    const end = text.indexOf(found[0] === '{{' ? '}}' : `${found[0].charAt(1)}}`, start + 2);
    if (end === -1) break;
    const lineStart = text.lastIndexOf('\n', start) + 1;
    const lineEnd = text.indexOf('\n', end);
    const stop = lineEnd === -1 ? text.length : lineEnd;
    const isAlone =
      text.slice(Math.max(lineStart, from), start).trim() === '' && /^[\s}]*$/.test(text.slice(end + 2, stop));
    out += text.slice(from, start);
    if (!isAlone) out += 'x';
    from = isAlone ? stop : end + 2;
  }
  return (out + text.slice(from)).replace(/^[ \t]+$/gm, '');
}
