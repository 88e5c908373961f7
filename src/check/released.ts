/**
 * Manifests as an API server stores them: without the fields that its CRDs do not have, and without the objects that it refuses. Where
 * nobody says which release stores them, only what no release takes is left out.
 */
import { formatField } from '../model/field-path';
import { record } from '../model/fields';
import type { FieldPath, Manifest } from '../model/manifest';
import { unknownFields } from '../model/placeholders';
import { componentOf, serverOf } from '../model/releases';
import type { ReleasesInForce } from '../model/releases-in-force';
import { type Admitted, admit } from './schema/admit';
import { evaluateRules } from './schema/cel';
import { releaseServing, releaseTaking, releaseTitle } from './schema/other-releases';
import type { Schemas } from './schema/store';
import type { Violation } from './schema/structural';
import { isKnownForm } from './unknown-values';

export interface Stored {
  /** Undefined if the API server refuses the object. */
  readonly manifest: Manifest | undefined;
  /** What was left out and why: the whole object, or fields. */
  readonly missing: readonly { readonly field?: string; readonly why: string }[];
}

/** Kinds of Kubernetes itself that decide about requests, and of which there is nothing where an API server refuses them. */
const OF_KUBERNETES = new Set([
  '/Service',
  '/Endpoints',
  'discovery.k8s.io/EndpointSlice',
  'networking.k8s.io/NetworkPolicy',
  'networking.k8s.io/Ingress',
]);

/**
 * Who sends requests, and where. They are followed as they are written all the same: whoever asks about a workload by its name wants to
 * know what becomes of it once its manifest is mended.
 */
const FOLLOWED = new Set([
  '/Namespace',
  '/Pod',
  '/ReplicationController',
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'apps/ReplicaSet',
  'batch/Job',
  'batch/CronJob',
]);

/** Whether an object is followed though an API server refuses it. */
export function isFollowedAnyway({ group, kind }: Manifest): boolean {
  return FOLLOWED.has(`${group}/${kind}`);
}

/** Whether an object's requests fare by it, so that what an API server makes of it is asked. */
export function isAskedOf(manifest: Manifest): boolean {
  const { group, kind } = manifest;
  return componentOf(group) !== undefined || OF_KUBERNETES.has(`${group}/${kind}`) || isFollowedAnyway(manifest);
}

/** @returns undefined where the object is stored as it is, or where nobody can say that it is not */
export function storedBy(admitted: Admitted, schemas: Schemas, releases: ReleasesInForce): Stored | undefined {
  const { original: manifest } = admitted;
  const { group, kind, version } = manifest;
  const component = componentOf(group);
  const served = schemas.versionsOf(group, kind);
  if (served === undefined) return undefined;
  const inForce = releases[serverOf(group)];
  // Without a word of a release, what another one takes may be taken by the cluster.
  const isOpen = inForce.from === 'default' && schemas.releaseFor(group, kind) !== null;
  if (!served.includes(version)) {
    const other = releaseServing(manifest, inForce);
    if (component === undefined || (other !== undefined && isOpen)) return undefined;
    if (other === undefined) return refused([`no release serves ${kind} as ${manifest.apiVersion}`]);
    const title = releaseTitle(component, other.release);
    const why = other.isNewer ? `${kind} ${version} needs ${title}` : `${kind} ${version} was served up to ${title}`;
    return refused([why]);
  }
  const missing: { readonly field?: string; readonly why: string }[] = [];
  const dropped: FieldPath[] = [];
  for (const violation of violationsOf(admitted)) {
    const other = releaseTaking(manifest, violation, schemas, inForce);
    if (other !== undefined && isOpen) continue;
    const why = whyNot(violation, other && { ...other, title: releaseTitle(serverOf(group), other.release) });
    if (violation.isUnknownField === true) {
      dropped.push(violation.field);
      missing.push({ field: formatField(violation.field), why });
    } else missing.push({ why });
  }
  if (missing.length === 0) return undefined;
  const refusals = missing.filter(({ field }) => field === undefined);
  if (refusals.length > 0) return refused(refusals.map(({ why }) => why));
  const body = record(dropped.reduce<unknown>((value, field) => without(value, field), manifest.body));
  const left = { ...manifest, body };
  // Rules are run over what is left: `type: X` without the field that it asks for is refused.
  const broken = violationsOf(admit(left, schemas)).filter(
    (one) => one.isUnknownField !== true && !(isOpen && releaseTaking(manifest, one, schemas, inForce) !== undefined),
  );
  if (broken.length > 0) return refused(broken.map(({ what }) => `${what}, without what it drops`));
  return { manifest: left, missing };
}

/** One reason is enough to look for the object in what `check` says. */
function refused([first = '', ...others]: readonly string[]): Stored {
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return { manifest: undefined, missing: [{ why: `${first}${more}` }] };
}

/** What an API server has against an object, as far as the object is known. */
function violationsOf({ original, violations, ruled }: Admitted): readonly Violation[] {
  const all = ruled.length > 0 ? [...violations, ...evaluateRules(ruled)] : violations;
  if (all.length === 0) return all;
  const unknown = unknownFields(original, Infinity);
  return all.filter(({ what, field }) => isKnownForm(original, what, field, unknown));
}

function whyNot(
  { what, isUnknownField }: Violation,
  other: { readonly title: string; readonly isNewer: boolean } | undefined,
): string {
  if (other === undefined) return isUnknownField === true ? `${what} (kubectl refuses the object for it)` : what;
  const which = other.isNewer ? `it needs ${other.title}` : `it was up to ${other.title}`;
  return isUnknownField === true ? which : `${what}: ${which}`;
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
