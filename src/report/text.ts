/** Findings for a terminal: most serious first, each with its place, what, why and how to fix it. */
import pc from 'picocolors';
import { judgedByLine } from './judged-by';
import type { CheckResult, ObjectId, Severity, Where } from '../check/finding';
import type { LeftOut } from '../model/manifest';
import { allPrintable } from '../model/printable';

export interface TextOptions {
  readonly color: boolean;
  /** Columns to wrap at. */
  readonly width?: number;
}

export function formatText(result: CheckResult, options: TextOptions): string {
  return [...textBlocks(result, options)].join('');
}

/** The same finding by finding: of a large mesh it is much to hold at once. */
export function* textBlocks(found: CheckResult, { color, width = 100 }: TextOptions): Generator<string> {
  const result = allPrintable(found);
  const c = pc.createColors(color);
  const paint: Record<Severity, (text: string) => string> = { error: c.red, warning: c.yellow, info: c.cyan };
  for (const finding of result.findings) {
    const head = `${paint[finding.severity](c.bold(finding.severity))} ${c.bold(finding.id)} ${c.dim(finding.name)}`;
    const place = [formatWhere(finding.where), objectName(finding.object), finding.field].filter(Boolean).join('  ');
    const lines = [
      head,
      ...(place ? [`  ${c.dim(place)}`] : []),
      ...wrap(finding.what, width, '  '),
      ...wrap(`Why: ${finding.why}`, width, '  ', '       ').map((line) => c.dim(line)),
      ...wrap(`Fix: ${finding.fix}`, width, '  ', '       ').map((line, at) =>
        at === 0 ? line.replace('Fix:', c.green('Fix:')) : line,
      ),
      ...(finding.see ? [`  ${c.dim(`See: ${finding.see}`)}`] : []),
    ];
    yield `${lines.join('\n')}\n\n`;
  }
  yield `${[summaryLine(result, c), c.dim(`  ${judgedByLine(result.summary.judgedBy)}`), ...passedOver(result).flatMap((line) => wrap(line, width, '  ', '    '))].join('\n')}\n`;
}

/** How many names are given of what was passed over. */
const NAMED = 5;

/** What was not judged, in a line each: files, folders and documents that were left out, and findings that are suppressed. */
export function passedOver({ leftOut = [], suppressed = [] }: CheckResult): readonly string[] {
  const by = [...new Set(suppressed.map((one) => (one.by === 'annotation' ? 'annotations' : one.by)))];
  return [
    ...leftOutLine(leftOut),
    ...(suppressed.length === 0 ? [] : [`${plural(suppressed.length, 'finding')} suppressed (${by.join(', ')})`]),
  ];
}

/** "2 files left out: ..."; nothing if nothing was. */
export function leftOutLine(leftOut: readonly LeftOut[]): readonly string[] {
  if (leftOut.length === 0) return [];
  const names = leftOut.map(({ file, line, why }) => `${file}${line === undefined ? '' : `:${line}`} (${why})`);
  const inside = leftOut.filter(({ line }) => line !== undefined).length;
  const counts = [
    ...(leftOut.length > inside ? [plural(leftOut.length - inside, 'file')] : []),
    ...(inside > 0 ? [plural(inside, 'document')] : []),
  ];
  return [`${counts.join(' and ')} left out: ${some(names)}`];
}

function some(names: readonly string[]): string {
  return names.length <= NAMED
    ? names.join(', ')
    : `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`;
}

/** `istio-egress/egress` of a Gateway, as `Gateway istio-egress/egress`. */
export function objectName(object: ObjectId | null): string {
  if (!object) return '';
  return `${object.kind} ${object.namespace ? `${object.namespace}/` : ''}${object.name}`;
}

export function formatWhere(where: Where): string {
  if ('construct' in where) return where.construct ?? '';
  if (!('file' in where)) return '';
  return where.line === undefined ? (where.file ?? '') : `${where.file}:${where.line}`;
}

function summaryLine({ findings, summary }: CheckResult, c: ReturnType<typeof pc.createColors>): string {
  const objects = plural(summary.objects, 'object');
  if (findings.length === 0) return `${c.green('✔')} ${objects} checked, nothing found`;
  const counts = [
    summary.errors ? c.red(plural(summary.errors, 'error')) : '',
    summary.warnings ? c.yellow(plural(summary.warnings, 'warning')) : '',
    summary.infos ? c.cyan(plural(summary.infos, 'info')) : '',
  ];
  const sign = summary.errors ? c.red('✖') : summary.warnings ? c.yellow('▲') : c.cyan('●');
  return `${sign} ${objects} checked: ${counts.filter(Boolean).join(', ')}`;
}

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function wrap(text: string, width: number, first: string, rest = first): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(/\s+/)) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
