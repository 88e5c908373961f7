/**
 * The validation plugin of cdk8s-cli: `cdk8s synth` refuses manifests with errors. In cdk8s.yaml:
 *
 * ```yaml
 * validations:
 *   - package: ./node_modules/cdk8s-mesh-edge/lib/plugin
 *     version: 0.1.0
 *     class: MeshEdgeValidation
 *     properties: { failOn: error, outbound: REGISTRY_ONLY }
 * ```
 */
import { existsSync, readFileSync } from 'node:fs';
import { load } from '../model/load';
import type { MeshOptions } from '../model/mesh-options';
import { formatText, formatWhere } from '../report/text';
import { check } from '../check/check';
import { readConfiguration } from '../check/configuration';
import { type Finding, SEVERITIES, type Severity } from '../check/finding';

/** What cdk8s-cli hands to a plugin, as far as this one uses it. */
interface ValidationContext {
  readonly manifests: readonly string[];
  readonly logger: { readonly log: (message: string) => void };
  readonly report: {
    readonly addViolation: (violation: {
      ruleName: string;
      recommendation: string;
      fix: string;
      violatingResources: { resourceName: string; locations: string[]; manifestPath: string }[];
    }) => void;
    readonly submit: (status: 'success' | 'failure', metadata?: Record<string, string>) => void;
  };
}

interface Properties extends MeshOptions {
  /** Findings at least this serious fail the synthesis. @default error */
  readonly failOn?: Severity;
  /** @default mesh-edge.yaml, if there is one */
  readonly config?: string;
}

export class MeshEdgeValidation {
  constructor(private readonly properties: Properties = {}) {}

  async validate(context: ValidationContext): Promise<void> {
    const { failOn = 'error', config = 'mesh-edge.yaml', ...mesh } = this.properties;
    const wishes = existsSync(config) ? readConfiguration(readFileSync(config, 'utf8'), config).suppress : [];
    const result = check(load(context.manifests), { ...mesh, suppress: wishes });
    const serious = SEVERITIES.slice(0, SEVERITIES.indexOf(failOn) + 1);
    for (const finding of result.findings) {
      if (serious.includes(finding.severity)) context.report.addViolation(violationOf(finding, context.manifests));
    }
    const fails = result.findings.some(({ severity }) => serious.includes(severity));
    if (result.findings.length > 0) context.logger.log(formatText(result, { color: false }));
    const { objects, errors, warnings, infos } = result.summary;
    context.report.submit(fails ? 'failure' : 'success', {
      objects: `${objects}`,
      errors: `${errors}`,
      warnings: `${warnings}`,
      infos: `${infos}`,
    });
  }
}

function violationOf(
  finding: Finding,
  manifests: readonly string[],
): Parameters<ValidationContext['report']['addViolation']>[0] {
  const { where, object } = finding;
  const file = 'file' in where && where.file ? where.file : (manifests[0] ?? '');
  return {
    ruleName: `${finding.id} ${finding.name}`,
    recommendation: `${finding.what}. ${finding.why}`,
    fix: finding.fix,
    violatingResources: [
      { resourceName: object?.name ?? '', locations: [finding.field || formatWhere(where)], manifestPath: file },
    ],
  };
}
