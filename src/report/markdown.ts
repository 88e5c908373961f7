/** Findings as a comment on a pull request: a table to scan, and the reasons folded beneath it. */
import type { CheckResult, Finding, Severity } from '../check/finding';
import { judgedByLine } from './judged-by';
import { formatWhere, objectName, plural } from './text';

const SIGNS: Record<Severity, string> = { error: '🔴', warning: '🟡', info: '🔵' };

export function formatMarkdown({ findings, summary }: CheckResult): string {
  const objects = plural(summary.objects, 'object');
  const judged = judgedByLine(summary.judgedBy);
  if (findings.length === 0) return `### mesh-edge check\n\n✅ ${objects} checked, nothing found; ${judged}\n`;
  const counts = `${plural(summary.errors, 'error')}, ${plural(summary.warnings, 'warning')}, ${plural(summary.infos, 'info')}`;
  return [
    '### mesh-edge check',
    '',
    `${objects} checked: ${counts}; ${judged}`,
    '',
    '| | Rule | Where | What |',
    '|---|---|---|---|',
    ...findings.map(
      (finding) => `| ${SIGNS[finding.severity]} | ${finding.id} | ${cell(placeOf(finding))} | ${cell(finding.what)} |`,
    ),
    '',
    ...uniqueRules(findings).flatMap((finding) => [
      `<details><summary>${finding.id} ${finding.name}</summary>`,
      '',
      `**Why**: ${escape(finding.why)}`,
      '',
      `**Fix**: ${escape(finding.fix)}`,
      '',
      ...(finding.see ? [`[Source](${finding.see})`, ''] : []),
      '</details>',
      '',
    ]),
  ].join('\n');
}

function placeOf({ where, object, field }: Finding): string {
  return [formatWhere(where), objectName(object), field]
    .filter(Boolean)
    .map((part) => `\`${part}\``)
    .join('<br>');
}

/** One entry a rule and reason: a rule whose reason differs from place to place gives each of them. */
function uniqueRules(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.id}\n${finding.why}\n${finding.fix}`, finding])).values()];
}

function cell(text: string): string {
  return escape(text)
    .replace(/&lt;br&gt;/g, '<br>')
    .replace(/\|/g, '\\|')
    .replace(/\n/g, ' ');
}

function escape(text: string): string {
  return text.replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
