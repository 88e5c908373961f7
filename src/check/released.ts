/**
 * Manifests as an API server of the release in force stores them: without the fields that its CRDs do not have, and without the objects
 * that it refuses. Only what another release takes is left out: a slip of the pen is for `check` to tell.
 */
import { formatField } from './field';
import { record } from '../model/fields';
import type { FieldPath, Manifest } from '../model/manifest';
import { componentOf } from '../model/releases';
import type { ReleasesInForce } from '../model/releases-in-force';
import { admit } from './schema/admit';
import { evaluateRules } from './schema/cel';
import { releaseServing, releaseTaking, releaseTitle } from './schema/other-releases';
import type { Schemas } from './schema/store';

export interface Stored {
  /** Undefined if the API server refuses the object. */
  readonly manifest: Manifest | undefined;
  /** What was left out and why: the whole object, or fields. */
  readonly missing: readonly { readonly field?: string; readonly why: string }[];
}

/** @returns undefined where the object is stored as it is, or where nobody says which release stores it */
export function storedBy(manifest: Manifest, schemas: Schemas, releases: ReleasesInForce): Stored | undefined {
  const { group, kind, version } = manifest;
  const component = componentOf(group);
  if (component === undefined) return undefined;
  const inForce = releases[component];
  const isOwnCrd = schemas.releaseFor(group, kind) === null;
  if (inForce.from === 'default' && !isOwnCrd) return undefined;
  const served = schemas.versionsOf(group, kind);
  if (served === undefined) return undefined;
  if (!served.includes(version)) {
    const other = releaseServing(manifest, inForce);
    if (other === undefined) return undefined;
    const title = releaseTitle(component, other.release);
    const why = other.isNewer ? `${kind} ${version} needs ${title}` : `${kind} ${version} was served up to ${title}`;
    return { manifest: undefined, missing: [{ why }] };
  }
  const { violations, ruled } = admit(manifest, schemas);
  const missing: { readonly field?: string; readonly why: string }[] = [];
  const dropped: FieldPath[] = [];
  let isRefused = false;
  for (const violation of [...violations, ...(ruled.length > 0 ? evaluateRules(ruled) : [])]) {
    const other = releaseTaking(manifest, violation, schemas, inForce);
    if (other === undefined) continue;
    const title = releaseTitle(component, other.release);
    const which = other.isNewer ? `it needs ${title}` : `it was up to ${title}`;
    if (violation.isUnknownField === true) {
      dropped.push(violation.field);
      missing.push({ field: formatField(violation.field), why: which });
    } else {
      isRefused = true;
      missing.push({ why: `${violation.what}: ${which}` });
    }
  }
  if (missing.length === 0) return undefined;
  if (isRefused) return { manifest: undefined, missing: missing.filter(({ field }) => field === undefined) };
  const body = record(dropped.reduce<unknown>((value, field) => without(value, field), manifest.body));
  const left = { ...manifest, body };
  // Rules are run over what is left: `type: X` without the field that it asks for is refused.
  const broken = evaluateRules(admit(left, schemas).ruled).filter((rule) => releaseTaking(manifest, rule, schemas, inForce) !== undefined); // prettier-ignore
  if (broken.length > 0) return { manifest: undefined, missing: broken.map(({ what }) => ({ why: `${what}, without what it drops` })) }; // prettier-ignore
  return { manifest: left, missing };
}

/** A copy of a value without one field; what is not on the way to it is shared. */
function without(value: unknown, [step, ...rest]: FieldPath): unknown {
  if (step === undefined || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item: unknown, at) => (at === step ? without(item, rest) : item));
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  return Object.fromEntries(
    rest.length === 0
      ? entries.filter(([key]) => key !== step)
      : entries.map(([key, inner]) => [key, key === step ? without(inner, rest) : inner]),
  );
}
