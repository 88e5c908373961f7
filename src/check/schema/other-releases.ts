/** Which other release takes what the one in force does not: "needs Istio 1.31". */
import type { FieldPath, Manifest } from '../../model/manifest';
import { COMPONENTS, type Component, EXPERIMENTAL, componentOf, releaseNames, serverOf } from '../../model/releases';
import type { ReleaseInForce } from '../../model/releases-in-force';
import { admit } from './admit';
import { evaluateRules } from './cel';
import { type Schemas, releasesServing } from './store';
import type { Violation } from './structural';

/** A release as people name it: `Istio 1.31`, `the experimental channel of Gateway API 1.7`. */
export function releaseTitle(component: Component, release: string): string {
  const { title } = COMPONENTS[component];
  return release.endsWith(EXPERIMENTAL)
    ? `the experimental channel of ${title} ${release.replace(EXPERIMENTAL, '')}`
    : `${title} ${release}`;
}

export interface OtherRelease {
  readonly release: string;
  /** Whether it is newer than the one in force, or the experimental channel of it; else it went after that release. */
  readonly isNewer: boolean;
}

/** The first newer release, else the last older one, that serves a version of a kind. */
export function releaseServing(
  id: Pick<Manifest, 'group' | 'version' | 'kind'>,
  { release }: ReleaseInForce,
): OtherRelease | undefined {
  const component = componentOf(id.group);
  if (component === undefined) return undefined;
  const serving = releasesServing(id);
  return inOrder(component, release).find((other) => serving.includes(other.release));
}

/** The same for something wrong with an object: the release whose schema does not find that wrong. */
export function releaseTaking(
  manifest: Manifest,
  violation: Violation,
  schemas: Schemas,
  { release }: ReleaseInForce,
): OtherRelease | undefined {
  const component = serverOf(manifest.group);
  // A CRD among the manifests may be older than what is judged by otherwise.
  const own = schemas.releaseFor(manifest.group, manifest.kind) === null ? [{ release, isNewer: true }] : [];
  return [...own, ...inOrder(component, release)].find((other) => {
    if (!releasesServing(manifest).includes(other.release)) return false;
    return takes(manifest, violation, schemas.with(component, other.release));
  });
}

/** Whether nobody says which channel of the Gateway API there is, and the standard one takes what the other does not. */
export function standardTakes(
  manifest: Manifest,
  violation: Violation,
  schemas: Schemas,
  { release, from }: ReleaseInForce,
): boolean {
  // prettier-ignore
  if (from !== 'default' || componentOf(manifest.group) !== 'gatewayApi' || !release.endsWith(EXPERIMENTAL)) return false; // prettier-ignore
  if (schemas.releaseFor(manifest.group, manifest.kind) === null) return false;
  const standard = release.replace(EXPERIMENTAL, '');
  return releasesServing(manifest).includes(standard) && takes(manifest, violation, schemas.with('gatewayApi', standard)); // prettier-ignore
}

/** Whether the schemas of a release have nothing against what others find wrong. */
function takes(manifest: Manifest, violation: Violation, schemas: Schemas): boolean {
  const { violations, ruled, isBlocked, manifest: stored } = admit(manifest, schemas);
  // Rules that were not run say nothing: such a release refuses the object, or drops what the rule is about.
  if (violation.isRule === true && isBlocked) return false;
  // What is inside of something that is dropped, or of the wrong type, was not looked at.
  if (!hasPlace(stored.body, manifest.body, violation)) return false;
  return ![...violations, ...evaluateRules(ruled)].some((own) => stands(own, violation));
}

/** Whether another release finds the same wrong, or does not know what it would have to look into. */
function stands(own: Violation, violation: Violation): boolean {
  if (own.isUnknownField === true) return startsWith(violation.field, own.field);
  // A release that knows a field may find something else wrong inside of it.
  if (violation.isUnknownField === true) return false;
  // Rules move from an object to what is inside of it, and a list that may be longer may have bad entries all the same.
  if (violation.isRule === true) return startsWith(own.field, violation.field);
  const isSame = own.field.length === violation.field.length && startsWith(own.field, violation.field);
  return isSame && (own.missing === undefined || violation.missing === undefined || own.missing === violation.missing);
}

function hasPlace(stored: unknown, original: unknown, { field, isUnknownField }: Violation): boolean {
  const place = isUnknownField === true ? field : field.slice(0, -1);
  return valueAt(stored, place) !== undefined || valueAt(original, place) === undefined;
}

function valueAt(value: unknown, field: FieldPath): unknown {
  return field.reduce<unknown>(
    (inner, step) =>
      inner !== null && typeof inner === 'object' && Object.hasOwn(inner, step)
        ? (inner as Readonly<Record<string | number, unknown>>)[step]
        : undefined,
    value,
  );
}

function startsWith(field: FieldPath, start: FieldPath): boolean {
  return field.length >= start.length && start.every((step, at) => step === field[at]);
}

/** Newer releases from the next one on, then older ones from the last one back; of a channel, its own before the other. */
function inOrder(component: Component, release: string): readonly OtherRelease[] {
  const names = releaseNames(component);
  const at = names.indexOf(release);
  const isExperimental = release.endsWith(EXPERIMENTAL);
  const level = (name: string): number => COMPONENTS[component].releases.findIndex((known) => known.name === name.replace(EXPERIMENTAL, '')); // prettier-ignore
  const own = level(release);
  const ownChannelFirst = (a: string, b: string): number =>
    Number(a.endsWith(EXPERIMENTAL) !== isExperimental) - Number(b.endsWith(EXPERIMENTAL) !== isExperimental);
  const others = names.filter((_, index) => index !== at);
  const newer = others.filter((name) => level(name) < own || (level(name) === own && name.endsWith(EXPERIMENTAL)));
  const older = others.filter((name) => !newer.includes(name));
  return [
    ...newer
      .sort((a, b) => ownChannelFirst(a, b) || level(b) - level(a))
      .map((name) => ({ release: name, isNewer: true })),
    ...older
      .sort((a, b) => level(a) - level(b) || ownChannelFirst(a, b))
      .map((name) => ({ release: name, isNewer: false })),
  ];
}
