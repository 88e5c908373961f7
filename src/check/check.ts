/** Judges manifests: every rule over all of them, suppressions applied, findings sorted. */
import type { Loaded, Manifest, Source } from '../model/manifest';
import type { MeshOptions } from '../model/mesh-options';
import { CheckContext } from './context';
import { formatField } from './field';
import { type CheckResult, type Finding, type ObjectId, SEVERITIES, type Severity, type Where } from './finding';
import type { Hit, Rule } from './rule';
import { rules as allRules } from './rules';

export interface CheckOptions extends MeshOptions {
  /** Default: all of them. For tests of one rule. */
  readonly rules?: readonly Rule[];
}

export function check(loaded: Loaded, options: CheckOptions = {}): CheckResult {
  const context = new CheckContext(loaded, options);
  const findings: Placed[] = [];
  for (const rule of options.rules ?? allRules) {
    if (rule.reads.length > 0 && !rule.reads.some((kind) => context.hasKind(kind))) continue;
    for (const hit of rule.check(context)) findings.push({ finding: toFinding(rule, hit), source: sourceOf(hit) });
  }
  findings.sort(bySeverityThenPlace);
  return { findings: findings.map(({ finding }) => finding), summary: summarize(loaded, findings) };
}

interface Placed {
  readonly finding: Finding;
  readonly source: Source;
}

function toFinding(rule: Rule, hit: Hit): Finding {
  return {
    id: rule.id,
    name: rule.name,
    severity: hit.severity ?? rule.severity,
    what: hit.what,
    why: hit.why ?? rule.why,
    fix: hit.fix ?? rule.fix,
    see: rule.see,
    object: hit.manifest ? objectId(hit.manifest) : null,
    field: formatField(hit.field),
    where: whereOf(sourceOf(hit)),
  };
}

function sourceOf({ manifest, source, field }: Hit): Source {
  if (!manifest) return source ?? {};
  const line = field.length === 0 ? manifest.source.line : (manifest.lineOf(field) ?? manifest.source.line);
  return { ...(manifest.source.file === undefined ? {} : { file: manifest.source.file }), ...(line === undefined ? {} : { line }), ...(manifest.source.construct === undefined ? {} : { construct: manifest.source.construct }) }; // prettier-ignore
}

function whereOf({ construct, file, line }: Source): Where {
  if (construct !== undefined) return { construct };
  if (file === undefined) return {};
  return line === undefined ? { file } : { file, line };
}

function objectId({ apiVersion, kind, namespace, name }: Manifest): ObjectId {
  return { apiVersion, kind, namespace, name };
}

function bySeverityThenPlace(a: Placed, b: Placed): number {
  return (
    SEVERITIES.indexOf(a.finding.severity) - SEVERITIES.indexOf(b.finding.severity) ||
    compare(a.source.file ?? a.source.construct ?? '', b.source.file ?? b.source.construct ?? '') ||
    (a.source.line ?? 0) - (b.source.line ?? 0) ||
    compare(a.finding.id, b.finding.id) ||
    compare(a.finding.field, b.finding.field) ||
    compare(a.finding.what, b.finding.what)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function summarize(loaded: Loaded, placed: readonly Placed[]): CheckResult['summary'] {
  const count = (severity: Severity): number => placed.filter(({ finding }) => finding.severity === severity).length;
  return { objects: loaded.manifests.length, errors: count('error'), warnings: count('warning'), infos: count('info') };
}
