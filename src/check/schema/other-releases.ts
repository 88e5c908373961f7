/** Which other release takes what the one in force does not: "needs Istio 1.31". */
import type { FieldPath, Manifest } from '../../model/manifest';
import { COMPONENTS, type Component, EXPERIMENTAL, componentOf, releaseNames } from '../../model/releases';
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
  const component = componentOf(manifest.group);
  if (component === undefined) return undefined;
  // A CRD among the manifests may be older than what is judged by otherwise.
  const own = schemas.releaseFor(manifest.group, manifest.kind) === null ? [{ release, isNewer: true }] : [];
  return [...own, ...inOrder(component, release)].find((other) => {
    if (!releasesServing(manifest).includes(other.release)) return false;
    const { violations, ruled } = admit(manifest, schemas.with(component, other.release));
    return ![...violations, ...evaluateRules(ruled)].some((own) => stands(own, violation));
  });
}

/** Whether another release finds the same wrong, or does not know what it would have to look into. */
function stands(own: Violation, violation: Violation): boolean {
  if (own.isUnknownField === true) return startsWith(violation.field, own.field);
  // A release that knows a field may find something else wrong inside of it.
  return violation.isUnknownField !== true && startsWith(own.field, violation.field);
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
  const older = others.filter((name) => level(name) > own);
  return [
    ...newer
      .sort((a, b) => ownChannelFirst(a, b) || level(b) - level(a))
      .map((name) => ({ release: name, isNewer: true })),
    ...older
      .sort((a, b) => level(a) - level(b) || ownChannelFirst(a, b))
      .map((name) => ({ release: name, isNewer: false })),
  ];
}
