/** Findings as a comment on a pull request: a table to scan, and the reasons folded beneath it. */
import type { CheckResult, Finding, Severity } from '../check/finding';
import { judgedByLine } from './judged-by';
import { code, text } from './markdown-text';
import { formatWhere, objectName, passedOver, plural } from './text';

const SIGNS: Record<Severity, string> = { error: '🔴', warning: '🟡', info: '🔵' };

export function formatMarkdown(result: CheckResult): string {
  const { findings, summary } = result;
  const objects = plural(summary.objects, 'object');
  const judged = text(judgedByLine(summary.judgedBy));
  const left = passedOver(result).flatMap((line) => [text(line), '']);
  if (findings.length === 0)
    return ['### mesh-edge check', '', `✅ ${objects} checked, nothing found; ${judged}`, '', ...left].join('\n');
  const counts = `${plural(summary.errors, 'error')}, ${plural(summary.warnings, 'warning')}, ${plural(summary.infos, 'info')}`;
  return [
    '### mesh-edge check',
    '',
    `${objects} checked: ${counts}; ${judged}`,
    '',
    ...left,
    '| | Rule | Where | What |',
    '|---|---|---|---|',
    ...findings.map(
      (finding) => `| ${SIGNS[finding.severity]} | ${finding.id} | ${placeOf(finding)} | ${text(finding.what, true)} |`,
    ),
    '',
    ...uniqueRules(findings).flatMap((finding) => [
      `<details><summary>${finding.id} ${finding.name}</summary>`,
      '',
      `**Why**: ${text(finding.why)}`,
      '',
      `**Fix**: ${text(finding.fix)}`,
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
    .map((part) => code(part, true))
    .join('<br>');
}

/** One entry a rule and reason: a rule whose reason differs from place to place gives each of them. */
function uniqueRules(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.id}\n${finding.why}\n${finding.fix}`, finding])).values()];
}
