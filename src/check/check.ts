/** Judges manifests: every rule over all of them, suppressions applied, findings sorted. */
import { installationOf } from '../model/installation';
import type { Loaded, Manifest, Source } from '../model/manifest';
import type { MeshOptions } from '../model/mesh-options';
import { countObjects } from '../model/recognize';
import { COMPONENTS, COMPONENT_NAMES, type Component, componentOf } from '../model/releases';
import type { Severities } from './configuration-entries';
import { CheckContext } from './context';
import { severityOf } from './doubtful';
import { speaksOfDeclared } from './externals';
import { formatField } from '../model/field-path';
import { type CheckResult, type Finding, type ObjectId, SEVERITIES, type Severity, type Where } from './finding';
import type { Hit, Rule } from './rule';
import { rules as allRules } from './rules';
import { rule as unexplained } from './rules/suppression-without-reason';
import { rule as unused } from './rules/unused-suppression';
import { type Suppression, suppress } from './suppress';
import { joinSymptoms } from './symptoms';
import { isKnown } from './unknown-values';

export interface CheckOptions extends MeshOptions {
  /** Default: all of them. For tests of one rule. */
  readonly rules?: readonly Rule[];
  readonly suppress?: readonly Suppression[];
  /** By rule, where it is another than the rule's own. */
  readonly severity?: Severities;
}

export function check(loaded: Loaded, options: CheckOptions = {}): CheckResult {
  const { rules = allRules, suppress: wishes = [], severity = {}, ...mesh } = options;
  const context = new CheckContext(loaded, mesh);
  const found: Placed[] = [];
  const failed: Placed[] = [];
  for (const rule of rules) {
    const hits = hitsOf(rule, context);
    if ('error' in hits) failed.push(place(rule, failure(rule, hits)));
    else
      for (const hit of hits)
        if (isJudged(rule, hit, context)) found.push(place(rule, { ...hit, severity: severityOf(rule, hit, context) }));
  }
  const { kept, complaints, hidden } = suppress(context, withoutEchoes(found), wishes, { unused, unexplained });
  // With some of the rules only, a suppression of another has nothing to hide.
  const said = complaints.filter(({ rule }) => options.rules === undefined || rule === unexplained);
  const all = [...failed, ...joinSymptoms(kept), ...said.map(({ rule, hit }) => place(rule, hit))];
  const off = all.filter(({ rule }) => severity[rule.id] === 'off' && !failed.some((one) => one.rule === rule));
  const placed = all
    .filter((one) => !off.includes(one))
    .map((one) => (failed.includes(one) ? one : weighed(one, severity[one.rule.id])))
    .sort(bySeverityThenPlace);
  const leftOut = (loaded.leftOut ?? []).map(({ digest: _digest, ...told }) => told);
  const suppressed = [
    ...hidden.map(({ candidate, by, reason }) => ({ ...pick(candidate.finding), by, reason })),
    ...off.map(({ finding }) => ({ ...pick(finding), by: 'configuration', reason: 'severity: off' })),
  ];
  return {
    findings: placed.map(({ finding }) => finding),
    summary: {
      ...summarize(loaded, placed, context),
      ...(leftOut.length === 0 ? {} : { leftOut: leftOut.length }),
      ...(suppressed.length === 0 ? {} : { suppressed: suppressed.length }),
    },
    ...(leftOut.length === 0 ? {} : { leftOut }),
    ...(suppressed.length === 0 ? {} : { suppressed }),
  };
}

interface Placed {
  readonly rule: Rule;
  readonly finding: Finding;
  readonly source: Source;
  readonly manifestIndex: number | undefined;
  readonly manifest: Manifest | undefined;
  readonly onTheWay: readonly Manifest[] | undefined;
  readonly file: string | undefined;
}

/** With the severity that the configuration gives the rule. */
function weighed(placed: Placed, severity: Severity | 'off' | undefined): Placed {
  if (severity === undefined || severity === 'off') return placed;
  return { ...placed, finding: { ...placed.finding, severity } };
}

/** What is not known is not judged, nor what others own, nor that something is missing which they have. */
function isJudged(rule: Rule, hit: Hit, context: CheckContext): boolean {
  const { loaded } = context;
  if (hit.manifest !== undefined && hit.manifest.index >= (loaded.own ?? Infinity)) return false;
  if (rule.findsAbsence === true && speaksOfDeclared(loaded, hit.what, context.mesh.config.clusterDomain)) return false;
  return isKnown(rule, hit, context);
}

interface Failure {
  readonly error: unknown;
}

function hitsOf(rule: Rule, context: CheckContext): readonly Hit[] | Failure {
  if (rule.reads.length > 0 && !rule.reads.some((kind) => context.hasKind(kind))) return [];
  try {
    return [...rule.check(context)];
  } catch (error) {
    return { error };
  }
}

/**
 * A rule that fails on somebody's manifests fails the run, and the others are heard all the same. It is an error that nothing
 * suppresses: otherwise whoever finds manifests on which a rule fails has found how to turn it off.
 */
function failure(rule: Rule, { error }: Failure): Hit {
  return {
    source: {},
    field: [],
    severity: 'error',
    what: `the rule ${rule.name} failed on these manifests: ${error instanceof Error ? error.message : String(error)}`,
    why: 'This is a fault of mesh-edge: what the rule would have found is not known.',
    fix: 'Report it with the manifests that show it.',
  };
}

function pick({ id, name, object, where }: Finding): Pick<Finding, 'id' | 'name' | 'object' | 'where'> {
  return { id, name, object, where };
}

function place(rule: Rule, hit: Hit): Placed {
  const source = sourceOf(hit);
  const finding: Finding = {
    id: rule.id,
    name: rule.name,
    severity: hit.severity ?? rule.severity,
    what: hit.what,
    why: hit.why ?? rule.why,
    fix: hit.fix ?? rule.fix,
    see: hit.see ?? rule.see,
    object: hit.manifest ? objectId(hit.manifest) : null,
    field: formatField(hit.field),
    where: whereOf(source),
  };
  const { manifest, onTheWay } = hit;
  return { rule, finding, source, manifestIndex: manifest?.index, manifest, onTheWay, file: source.file };
}

/** istiod's webhook says in words what the CRD says as a CEL rule; where both speak of one field, the words are enough. */
function withoutEchoes(found: readonly Placed[]): readonly Placed[] {
  const inWords = found.filter(({ rule, finding }) => rule.refuses === true && rule.id !== 'EDGE002' && rule.id !== 'EDGE003' && finding.severity === 'error'); // prettier-ignore
  if (inWords.length === 0) return found;
  return found.filter(
    ({ finding, manifestIndex }) =>
      finding.id !== 'EDGE003' ||
      !inWords.some(
        (other) =>
          other.manifestIndex === manifestIndex &&
          (other.finding.field.startsWith(finding.field) || finding.field.startsWith(other.finding.field)),
      ),
  );
}

function sourceOf({ manifest, source, field }: Hit): Source {
  if (!manifest) return source ?? {};
  const { file, construct } = manifest.source;
  const line = field.length === 0 ? manifest.source.line : (manifest.lineOf(field) ?? manifest.source.line);
  return {
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(construct === undefined ? {} : { construct }),
  };
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

function summarize(loaded: Loaded, placed: readonly Placed[], context: CheckContext): CheckResult['summary'] {
  const count = (severity: Severity): number => placed.filter(({ finding }) => finding.severity === severity).length;
  return {
    objects: countObjects(loaded.manifests.slice(0, loaded.own)),
    errors: count('error'),
    warnings: count('warning'),
    infos: count('info'),
    judgedBy: judgedBy(loaded.manifests, context),
  };
}

/** Istio always: it decides about objects of Kubernetes too. Of the others, those that the manifests have objects of, or were told of. */
function judgedBy(manifests: readonly Manifest[], context: CheckContext): CheckResult['summary']['judgedBy'] {
  const { releases } = context;
  const used = new Set<Component | undefined>(['istio', ...manifests.map(({ group }) => componentOf(group))]);
  return COMPONENT_NAMES.filter((name) => used.has(name) || releases[name].from !== 'default').map((name) => {
    const { release, stated, from } = releases[name];
    const compatibility = name === 'istio' ? compatibilityAsked(context) : '';
    return {
      component: COMPONENTS[name].title,
      release,
      stated,
      from,
      ...(compatibility === '' ? {} : { compatibility }),
    };
  });
}

function compatibilityAsked({ manifests, mesh }: CheckContext): string {
  return manifests.some((one) => installationOf(one) !== undefined) ? mesh.config.compatibilityVersion : '';
}
