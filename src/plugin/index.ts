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
 *
 * Those who run their app directly write `checkAtSynth(app)` before `app.synth()`.
 */
import { load } from '../model/load';
import { allPrintable, printable } from '../model/printable';
import { placeWhenAccepted } from '../output/held';
import { formatText, formatWhere } from '../report/text';
import { check } from '../check/check';
import type { Finding } from '../check/finding';
import { type ValidationProperties, checkOptionsOf, isSerious } from './at-synth';
import { valuesBeside } from './values';

export { problemsOf } from './invariants';
export { CheckValidation, type ValidationProperties, checkAtSynth } from './at-synth';

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

export class MeshEdgeValidation {
  constructor(private readonly properties: ValidationProperties = {}) {}

  async validate(context: ValidationContext): Promise<void> {
    // Once every validation has passed, ours and those of others.
    placeWhenAccepted(context.manifests, (text) => process.stderr.write(`${printable(text)}\n`));
    const found = load([...context.manifests, ...valuesBeside(context.manifests)]);
    const result = check(found, checkOptionsOf(this.properties));
    for (const finding of result.findings) {
      if (isSerious(finding, this.properties)) context.report.addViolation(violationOf(finding, context.manifests));
    }
    const fails = result.findings.some((finding) => isSerious(finding, this.properties));
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
  found: Finding,
  manifests: readonly string[],
): Parameters<ValidationContext['report']['addViolation']>[0] {
  const finding = allPrintable(found);
  const { where, object } = finding;
  const file = 'file' in found.where && found.where.file ? found.where.file : (manifests[0] ?? '');
  return {
    ruleName: `${finding.id} ${finding.name}`,
    recommendation: `${finding.what}. ${finding.why}`,
    fix: finding.fix,
    violatingResources: [
      { resourceName: object?.name ?? '', locations: [finding.field || formatWhere(where)], manifestPath: file },
    ],
  };
}
