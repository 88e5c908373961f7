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
  const found = withoutEchoes(all);
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
    told.set(cause, [...(told.get(cause) ?? []), item.finding.what]);
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
  return severity === 'error' && (onTheWay === undefined || rule.isCauseToo === true);
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

function causeOf<T extends Reported>(
  { rule, onTheWay }: T,
  causes: ReadonlyMap<Manifest, readonly T[]>,
): T | undefined {
  for (const manifest of onTheWay ?? []) {
    const cause = (causes.get(manifest) ?? []).find(
      (candidate) =>
        candidate.rule.id !== rule.id &&
        (candidate.rule.refuses === true || rule.causedBy?.includes(candidate.rule.id) === true),
    );
    if (cause) return cause;
  }
  return undefined;
}
