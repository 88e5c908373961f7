/** Findings as SARIF 2.1.0, which code scanning of GitHub, GitLab and editors read. */
import type { CheckResult, Finding, Severity } from '../check/finding';
import { rules } from '../check/rules';
import { allPrintable, json, printable } from '../model/printable';
import { objectName, passedOver } from './text';

const LEVELS: Record<Severity, string> = { error: 'error', warning: 'warning', info: 'note' };

export function formatSarif(result: CheckResult): string {
  const { findings, summary, leftOut = [], suppressed = [] } = result;
  const ids = [...new Set([...findings, ...suppressed].map(({ id }) => id))].sort();
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
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: [
              ...leftOut.map(({ file, line, why }) => ({
                level: 'note',
                message: { text: plain(printable(`left out: ${why}`)) },
                locations: [
                  locationOf({ where: line === undefined ? { file } : { file, line }, object: null, field: '' }),
                ],
              })),
              ...passedOver({ ...result, findings: [] }).map((text) => ({
                level: 'note',
                message: { text: plain(printable(text)) },
              })),
            ],
          },
        ],
        results: [
          ...findings.map((finding) => ({
            ruleId: finding.id,
            ruleIndex: ids.indexOf(finding.id),
            level: LEVELS[finding.severity],
            message: { text: messageOf(finding) },
            locations: [locationOf(finding)],
          })),
          ...suppressed.map((one) => ({
            ruleId: one.id,
            ruleIndex: ids.indexOf(one.id),
            message: { text: `${one.name}, which is accepted` },
            locations: [locationOf({ ...one, field: '' })],
            suppressions: [
              { kind: one.by === 'annotation' ? 'inSource' : 'external', justification: plain(printable(one.reason)) },
            ],
          })),
        ],
      },
    ],
  };
  return `${json(log, 2)}\n`;
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

function locationOf({ where, object, field }: Pick<Finding, 'where' | 'object' | 'field'>): object {
  const logical = [
    ...('construct' in where ? [{ fullyQualifiedName: printable(where.construct ?? ''), kind: 'module' }] : []),
    ...(object
      ? [
          {
            name: printable(object.name),
            fullyQualifiedName: printable([objectName(object), field].filter(Boolean).join(' ')),
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
  // Half a character has no encoding.
  const escaped = path
    .split('/')
    .map((part) => encodeURIComponent(part.replace(/\p{Cs}/gu, '\ufffd')))
    .join('/');
  return path.startsWith('/') ? `file://${escaped}` : escaped;
}

function messageOf(finding: Finding): string {
  const { what, why, fix } = allPrintable(finding);
  return plain(`${what}\n\nWhy: ${why}\n\nFix: ${fix}`);
}

/** Viewers make links of `[text](target)` in a message (SARIF 2.1.0, 3.11.6); ours has none. */
function plain(message: string): string {
  return message.replace(/\](?=\()/g, '] ');
}
