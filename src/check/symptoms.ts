/**
 * One cause is reported once: what is seen where a request fails is told with the object at fault, where a rule knows that
 * one on the way of the request.
 */
import type { Manifest } from '../model/manifest';
import type { Finding } from './finding';

/** Rules that name the cause of what another rule sees on paths. An object that is refused is a cause of anything. */
const CAUSES: Readonly<Record<string, RegExp>> = {
  EDGE201: /^EDGE(20[34]|406)$/,
  EDGE206: /^EDGE(20[345]|307|601|602|604)$/,
  EDGE207: /^EDGE(20[345]|307|601|602|604)$/,
  EDGE211: /^EDGE(113|602|80[1345])$/,
  EDGE302: /^EDGE306$/,
  EDGE303: /^EDGE205$/,
  EDGE305: /^EDGE(307|411|824|833)$/,
  EDGE401: /^EDGE(11[125]|406)$/,
  EDGE505: /^EDGE(111|201|406|50[34678])$/,
  EDGE517: /^EDGE(31[45]|519|522)$/,
};

const REFUSED = /^EDGE(00[23]|10\d)$/;

/** What a rule sees in an object by itself, where a path has already shown what becomes of it. */
const ECHOES: Readonly<Record<string, RegExp>> = { EDGE210: /^EDGE21[13]$/ };

/** What is only probably wrong until a path shows that it breaks. */
const PROVEN_BY_PATHS = /^EDGE(306|503)$/;

/** Seen on paths itself, and a cause of what else is seen on them. */
const BOTH = /^EDGE201$/;

export interface Reported {
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

function mayBeCause({ finding: { id, severity }, onTheWay }: Reported): boolean {
  if (PROVEN_BY_PATHS.test(id)) return severity !== 'info';
  return severity === 'error' && (onTheWay === undefined || BOTH.test(id));
}

function withoutEchoes<T extends Reported>(found: readonly T[]): readonly T[] {
  const seen = new Map<Manifest, string[]>();
  for (const { finding, onTheWay } of found) {
    for (const manifest of onTheWay ?? []) seen.set(manifest, [...(seen.get(manifest) ?? []), finding.id]);
  }
  return found.filter(({ finding: { id, field }, manifest }) => {
    const echo = ECHOES[id];
    if (!echo || !manifest || !/(port\.number|subset)$/.test(field)) return true;
    return !(seen.get(manifest) ?? []).some((other) => echo.test(other));
  });
}

function causeOf<T extends Reported>(
  { finding, onTheWay }: T,
  causes: ReadonlyMap<Manifest, readonly T[]>,
): T | undefined {
  for (const manifest of onTheWay ?? []) {
    const cause = (causes.get(manifest) ?? []).find(
      (candidate) =>
        candidate.finding.id !== finding.id &&
        (REFUSED.test(candidate.finding.id) || CAUSES[finding.id]?.test(candidate.finding.id)),
    );
    if (cause) return cause;
  }
  return undefined;
}
