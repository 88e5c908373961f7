import type { CheckContext } from '../context';
import type { Hit, Rule } from '../rule';
import type { Manifest } from '../../model/manifest';
import { compareVersions } from '../../model/releases-in-force';
import { type Admitted, admit } from '../schema/admit';
import { readersOf } from '../served';
import { releaseTaking, releaseTitle, standardTakes } from '../schema/other-releases';
import type { Violation } from '../schema/structural';
import { COMPONENTS, componentOf, serverOf } from '../../model/releases';

export const rule: Rule = {
  id: 'EDGE002',
  name: 'schema-violation',
  severity: 'error',
  title: 'An object does not fit the schema of its kind',
  why: 'An API server refuses the object, or silently drops the field.',
  fix: 'Write the field as the schema of the kind has it.',
  see: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation',
  reads: [],
  footguns: ['G07', 'G16'],
  refuses: true,
  *check(context) {
    for (const { manifest, original, violations } of context.admitted)
      for (const violation of violations)
        yield { manifest, ...violation, ...byRelease({ original, violation }, context) };
    if (context.crds.istio.release !== context.releases.istio.release) yield* unreadByOlder(context);
  },
};

/** Fields that the CRDs of the newest revision take, and an older istiod, which serves Pods that the object is for, does not know. */
function* unreadByOlder(context: CheckContext): Generator<Hit> {
  const { release } = context.crds.istio;
  for (const { manifest, original } of context.admitted) {
    if (serverOf(original.group) !== 'istio' || componentOf(original.group) !== 'istio') continue;
    const older = olderThan(release, context, manifest);
    if (older === undefined) continue;
    for (const violation of admit(original, context.schemas.with('istio', older)).violations) {
      const needed = releaseTaking(original, violation, context.schemas, { ...context.crds.istio, release: older });
      if (violation.isUnknownField === true && needed?.isNewer === true)
        yield {
          manifest,
          field: violation.field,
          severity: 'warning',
          what: `there is no field ${JSON.stringify(violation.field.at(-1))} in ${releaseTitle('istio', older)}, which serves ${manifest.namespace === context.mesh.config.rootNamespace ? 'part of the mesh' : `namespace ${manifest.namespace}`}: it needs ${releaseTitle('istio', needed.release)}`,
          why: `The CRDs of ${releaseTitle('istio', release)} take it, and an istiod of ${releaseTitle('istio', older)} reads the object without it.`,
          fix: `Let a revision of ${releaseTitle('istio', needed.release)} or newer serve the namespace, or take it away.`,
        };
    }
  }
}

/** The oldest release that reads an object for somebody, where it is older than this one. */
function olderThan(release: string, context: CheckContext, manifest: Manifest): string | undefined {
  const found = readersOf(context, manifest).map(({ config }) => config.releases.istio.release);
  return found.filter((own) => compareVersions(own, release) < 0).sort(compareVersions)[0];
}

/** What one release refuses or drops, another may take: that is said instead of a slip of the pen. */
export function byRelease(
  { original, violation }: { readonly original: Admitted['original']; readonly violation: Violation },
  { schemas, crds: releases }: CheckContext,
): Partial<Hit> {
  const component = serverOf(original.group);
  const { from, release } = releases[component];
  if (standardTakes(original, violation, schemas, releases[component]))
    return {
      severity: 'warning',
      what: `${violation.what}, by ${releaseTitle(component, release)}`,
      why: `The standard channel of ${COMPONENTS[component].title} takes it; which channel the cluster has nobody says.`,
    };
  const other = releaseTaking(original, violation, schemas, releases[component]);
  if (other === undefined) return {};
  const needed = releaseTitle(component, other.release);
  const isOurs = schemas.releaseFor(original.group, original.kind) !== null;
  const inForce = isOurs ? releaseTitle(component, releases[component].release) : 'The CRD among the manifests';
  const what = violation.isUnknownField
    ? `there is no field ${JSON.stringify(violation.field.at(-1))} here`
    : violation.what;
  const happens = violation.isUnknownField
    ? 'does not have the field: the API server silently drops it, so that the object does not do what it says, and kubectl refuses the object before that'
    : 'does not allow it: an API server refuses the object';
  return {
    // Without a word of a release, what an older one has may be there all the same.
    ...(from === 'default' && isOurs && !other.isNewer && violation.isUnknownField ? { severity: 'warning' } : {}),
    what: other.isNewer
      ? `${what}: it needs ${needed}`
      : violation.isUnknownField
        ? `${what} any more: it was up to ${needed}`
        : `${what}: it was allowed up to ${needed}`,
    why: `${inForce} ${happens}.`,
    fix: other.isNewer ? `Install ${needed} or newer, or take it away.` : 'Take it away, or write what took its place.',
  };
}
