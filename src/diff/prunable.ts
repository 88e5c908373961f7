/**
 * Objects of a cluster that Git no longer has, though who applies Git once applied them. Laying Git over a cluster deletes nothing; a prune of
 * that tool would, and so they are named.
 */
import { record, records, text } from '../model/fields';
import type { Manifest } from '../model/manifest';

/** Marks that tools leave on what they apply, with how they call the set that is pruned together. */
const MARKS: readonly ((manifest: Manifest) => string | undefined)[] = [
  ({ labels }) => owner('Kustomization', labels['kustomize.toolkit.fluxcd.io/namespace'], labels['kustomize.toolkit.fluxcd.io/name']),
  ({ labels }) => owner('HelmRelease', labels['helm.toolkit.fluxcd.io/namespace'], labels['helm.toolkit.fluxcd.io/name']),
  ({ annotations }) => owner('Application', undefined, annotations['argocd.argoproj.io/tracking-id']?.split(':')[0]),
  ({ annotations }) => owner('Helm release', annotations['meta.helm.sh/release-namespace'], annotations['meta.helm.sh/release-name']),
  ({ labels }) => owner('ApplySet', undefined, labels['applyset.kubernetes.io/part-of']),
  // Charts write it as well, so that it counts least.
  ({ labels }) => owner('app.kubernetes.io/instance', undefined, labels['app.kubernetes.io/instance']),
]; // prettier-ignore

/** Kinds whose objects controllers make with the labels of another. */
const COPIES = new Set(['Endpoints', 'EndpointSlice', 'Pod', 'ReplicaSet', 'ControllerRevision']);
const NAMED = 5;

/** @param isApplied whether Git has an object */
export function prunable(live: readonly Manifest[], isApplied: (manifest: Manifest) => boolean): readonly string[] {
  const owners = new Set(live.filter(isApplied).flatMap((one) => ownerOf(one) ?? []));
  const lost = new Map<string, string[]>();
  for (const one of live) {
    const by = ownerOf(one);
    if (by === undefined || !owners.has(by) || isApplied(one) || isMade(one)) continue;
    lost.set(by, [...(lost.get(by) ?? []), `${one.kind} ${one.namespace === '' ? '' : `${one.namespace}/`}${one.name}`]);
  }
  return [...lost].map(([by, names]) => {
    const rest = names.length - NAMED;
    const all = `${names.slice(0, NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
    return `${all} ${names.length === 1 ? 'is' : 'are'} of ${by}, as others that NEW has, and not in NEW: --over deletes nothing, a prune would, and what that does to traffic is not told (compare without --over)`;
  });
} // prettier-ignore

function ownerOf(manifest: Manifest): string | undefined {
  for (const mark of MARKS) {
    const found = mark(manifest);
    if (found !== undefined) return found;
  }
  return undefined;
}

function owner(kind: string, namespace: string | undefined, name: string | undefined): string | undefined {
  return text(name) === '' ? undefined : `${kind} ${text(namespace) === '' ? '' : `${text(namespace)}/`}${text(name)}`;
}

function isMade({ kind, body }: Manifest): boolean {
  return COPIES.has(kind) || records(record(body.metadata).ownerReferences).length > 0;
}
