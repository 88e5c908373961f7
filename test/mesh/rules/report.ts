/** The section of docs/accuracy/rules.md on what was seen of each rule. It has no times, so that it changes only when behaviour does. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { rules } from '../../../src/check/rules';

export const ACCURACY = path.resolve(__dirname, '../../../docs/accuracy/rules.md');
const BLOCK = /(<!-- rules -->\n)[^]*?(<!-- end of rules -->)/;

export interface Row {
  /** `rule/case`, or `rule`. */
  readonly of: string;
  readonly cells: readonly string[];
}

interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly Row[];
}

export function sectionOf(tables: readonly Table[]): string {
  return tables
    .filter(({ rows }) => rows.length > 0)
    .map(({ title, head, rows }) =>
      [
        `### ${title}`,
        '',
        line(['Rule', ...head]),
        line(['---', ...head.map(() => '---')]),
        ...[...rows].sort(byRule).map(({ of, cells }) => line([named(of), ...cells.map(escape)])),
        '',
      ].join('\n'),
    )
    .join('\n');
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const escape = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*');

function named(of: string): string {
  const [name, file] = of.split('/');
  const id = idOf(name!);
  return `[${id}](../rules/${id}.md) ${name}${file === undefined ? '' : `: ${file}`}`;
}

function idOf(name: string): string {
  return rules.find((rule) => rule.name === name)?.id ?? name;
}

function byRule(a: Row, b: Row): number {
  const key = ({ of }: Row) => `${idOf(of.split('/')[0]!)} ${of}`;
  return key(a) < key(b) ? -1 : 1;
}

/** The page as it is, and as it has to be. */
export function withSection(section: string): { readonly now: string; readonly wanted: string } {
  const now = fs.readFileSync(ACCURACY, 'utf8');
  if (!BLOCK.test(now)) throw new Error('docs/accuracy/rules.md has no place for what was seen of the rules');
  return { now, wanted: now.replace(BLOCK, (_, start: string, end: string) => `${start}\n${section}\n${end}`) };
}
