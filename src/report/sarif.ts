/** Findings as SARIF 2.1.0, which code scanning of GitHub, GitLab and editors read. */
import type { CheckResult, Finding, Severity } from '../check/finding';
import { rules } from '../check/rules';
import { objectName } from './text';

const LEVELS: Record<Severity, string> = { error: 'error', warning: 'warning', info: 'note' };

export function formatSarif({ findings, summary }: CheckResult): string {
  const ids = [...new Set(findings.map(({ id }) => id))].sort();
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'mesh-edge',
            informationUri: 'https://github.com/cdk8s-mesh-edge/cdk8s-mesh-edge',
            rules: ids.map(describe),
          },
        },
        properties: { judgedBy: summary.judgedBy },
        results: findings.map((finding) => ({
          ruleId: finding.id,
          ruleIndex: ids.indexOf(finding.id),
          level: LEVELS[finding.severity],
          message: { text: `${finding.what}\n\nWhy: ${finding.why}\n\nFix: ${finding.fix}` },
          locations: [locationOf(finding)],
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function describe(id: string): object {
  const rule = rules.find((candidate) => candidate.id === id);
  if (!rule) return { id };
  return {
    id,
    name: rule.name,
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.why },
    help: { text: rule.fix },
    helpUri: rule.see,
    defaultConfiguration: { level: LEVELS[rule.severity] },
  };
}

function locationOf({ where, object, field }: Finding): object {
  const logical = [
    ...('construct' in where ? [{ fullyQualifiedName: where.construct, kind: 'module' }] : []),
    ...(object
      ? [
          {
            name: object.name,
            fullyQualifiedName: [objectName(object), field].filter(Boolean).join(' '),
            kind: 'object',
          },
        ]
      : []),
  ];
  const physical =
    'file' in where
      ? {
          physicalLocation: {
            artifactLocation: { uri: uriOf(where.file ?? '') },
            region: { startLine: where.line ?? 1 },
          },
        }
      : {};
  return { ...physical, ...(logical.length > 0 ? { logicalLocations: logical } : {}) };
}

function uriOf(file: string): string {
  const path = file.replace(/\\/g, '/').replace(/^\.\//, '');
  return path.startsWith('/') ? `file://${encodeURI(path)}` : encodeURI(path);
}
