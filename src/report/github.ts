/** Findings as workflow commands, which GitHub shows beside the lines of a pull request. */
import type { CheckResult, Finding, Severity } from '../check/finding';
import { judgedByLine } from './judged-by';
import { allPrintable } from '../model/printable';
import { objectName, passedOver, plural } from './text';

const COMMANDS: Record<Severity, string> = { error: 'error', warning: 'warning', info: 'notice' };

export function formatGithub(result: CheckResult): string {
  const { findings, summary, ...rest } = allPrintable(result);
  const lines = findings.map((finding) => {
    const properties = { ...placeOf(finding), title: `${finding.id} ${finding.name}` };
    const text = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
    return `::${COMMANDS[finding.severity]} ${text.join(',')}::${escapeData(messageOf(finding))}`;
  });
  const counts = `${plural(summary.objects, 'object')} checked: ${plural(summary.errors, 'error')}, ${plural(summary.warnings, 'warning')}, ${plural(summary.infos, 'info')}`;
  return [
    ...lines,
    `${counts}; ${judgedByLine(summary.judgedBy)}`,
    ...passedOver({ findings, summary, ...rest }),
    '',
  ].join('\n');
}

function placeOf({ where }: Finding): { file?: string; line?: number } {
  if (!('file' in where)) return {};
  return { file: where.file, ...(where.line === undefined ? {} : { line: where.line }) };
}

function messageOf({ what, why, fix, object, field, where }: Finding): string {
  const place = ['construct' in where ? where.construct : '', objectName(object), field].filter(Boolean).join(' ');
  return `${what}${place ? `\n${place}` : ''}\nWhy: ${why}\nFix: ${fix}`;
}

function escapeData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
