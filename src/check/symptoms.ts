/**
 * One cause is reported once: what is seen where a request fails is told with the object at fault, where a rule knows that
 * one on the way of the request. Which rules are causes of which, each says itself.
 */
import type { Manifest } from '../model/manifest';
import type { Finding } from './finding';
import type { Rule } from './rule';

export interface Reported {
  readonly rule: Rule;
  readonly finding: Finding;
  readonly manifest: Manifest | undefined;
  readonly onTheWay: readonly Manifest[] | undefined;
}

export function joinSymptoms<T extends Reported>(all: readonly T[]): readonly T[] {
  const found = withoutEchoes(atOneDestination(all));
  const causes = new Map<Manifest, T[]>();
  for (const item of found) {
    if (!mayBeCause(item) || !item.manifest) continue;
    const known = causes.get(item.manifest);
    if (known) known.push(item);
    else causes.set(item.manifest, [item]);
  }
  if (causes.size === 0) return found;
  const told = new Map<T, string[]>();
  const kept = found.filter((item) => {
    const first = causeOf(item, causes);
    const cause = first && (causeOf(first, causes) ?? first);
    if (!cause) return true;
    const isProof = cause.finding.severity === 'error' || cause.rule.needsProof === true;
    if (isProof && isKnownCause(item, cause)) told.set(cause, [...(told.get(cause) ?? []), item.finding.what]);
    return false;
  });
  return kept.map((item) => {
    const [first, ...more] = told.get(item) ?? [];
    if (first === undefined) return item;
    const rest = more.length > 0 ? ` (and ${more.length} more)` : '';
    const what = `${item.finding.what}. So ${first}${rest}`;
    return { ...item, finding: { ...item.finding, severity: 'error' as const, what } };
  });
}

function mayBeCause({ rule, finding: { severity }, onTheWay }: Reported): boolean {
  if (rule.needsProof === true) return severity !== 'info';
  if (rule.tellsEnough === true && severity === 'warning') return true;
  return severity === 'error' && (onTheWay === undefined || rule.isCauseToo === true);
}

/**
 * What is wrong with a destination, and that requests fail by it, are one finding: with the name that was meant where one is known, else with
 * the request that fails.
 */
function atOneDestination<T extends Reported>(all: readonly T[]): readonly T[] {
  const seen = new Map<string, T[]>();
  for (const item of all) {
    const at = item.onTheWay === undefined ? undefined : destinationOf(item);
    if (at !== undefined) seen.set(at, [...(seen.get(at) ?? []), item]);
  }
  if (seen.size === 0) return all;
  const dropped = new Set<T>();
  const told = new Map<T, string>();
  for (const item of all) {
    const { echoOf = [] } = item.rule;
    const at = echoOf.length === 0 || !item.finding.field.endsWith('.host') ? undefined : destinationOf(item);
    const failing = at === undefined ? [] : (seen.get(at) ?? []).filter(({ rule }) => echoOf.includes(rule.id));
    const [first, ...more] = failing;
    if (first === undefined) continue;
    if (item.finding.severity !== 'error') dropped.add(item);
    else {
      for (const one of failing) dropped.add(one);
      told.set(item, `. So ${first.finding.what}${more.length > 0 ? ` (and ${more.length} more)` : ''}`);
    }
  }
  return all
    .filter((item) => !dropped.has(item))
    .map((item) => ({ ...item, finding: { ...item.finding, what: `${item.finding.what}${told.get(item) ?? ''}` } }));
}

/** A destination of a route, whichever of its fields is named. */
function destinationOf({ finding: { field }, manifest }: Reported): string | undefined {
  const [, at] = /^(.*\.destination)(?:\.(?:host|subset|port\.number))?$/.exec(field) ?? [];
  return at === undefined || manifest === undefined ? undefined : `${manifest.index} ${at}`;
}

function withoutEchoes<T extends Reported>(found: readonly T[]): readonly T[] {
  const seen = new Map<Manifest, string[]>();
  for (const { finding, onTheWay } of found) {
    for (const manifest of onTheWay ?? []) seen.set(manifest, [...(seen.get(manifest) ?? []), finding.id]);
  }
  return found.filter(({ rule: { echoOf = [] }, finding: { field }, manifest }) => {
    if (echoOf.length === 0 || !manifest || !/(port\.number|subset)$/.test(field)) return true;
    return !(seen.get(manifest) ?? []).some((other) => echoOf.some((id) => id === other));
  });
}

function causeOf<T extends Reported>(item: T, causes: ReadonlyMap<Manifest, readonly T[]>): T | undefined {
  const { rule, manifest: named, onTheWay = [] } = item;
  const met = rule.namesCause === true ? onTheWay.filter((one) => one === named) : onTheWay;
  const candidates = met.flatMap((manifest) => causes.get(manifest) ?? []).filter((one) => one.rule.id !== rule.id);
  return candidates.find((one) => isKnownCause(item, one)) ?? candidates.find((one) => mayFailByIt(item, one));
}

/** Whether the rule that saw the request fail knows that the other names why. */
function isKnownCause({ rule, manifest, finding }: Reported, cause: Reported): boolean {
  if (rule.causedBy?.includes(cause.rule.id) !== true) return false;
  const [own, other] = [finding.field, cause.finding.field].map((field) => RULE.exec(field)?.[0]);
  return manifest !== cause.manifest || own === undefined || other === undefined || own === other;
}

/** A rule of a route: what is wrong with one is no matter of another. */
const RULE = /^spec\.(rules|http|tls|tcp)\[\d+\]/;

/**
 * An object that is refused is followed all the same, as if it were there: what fails then may be what is wrong with it, and would not fail in
 * this way in the cluster, which has no such object. That policies refuse the request is no matter of it, unless it is one of them.
 */
function mayFailByIt({ rule, manifest }: Reported, cause: Reported): boolean {
  return cause.rule.refuses === true && (rule.isByPolicy !== true || cause.manifest === manifest);
}
