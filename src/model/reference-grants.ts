/** ReferenceGrants of the Gateway API: who may use what of another namespace. */
import { record, records, text } from './fields';
import { GATEWAY_API } from './groups';
import type { Manifest } from './manifest';

/** The manifests that are shown, and what else there may be. */
interface Grants {
  readonly of: (group: string, kind: string) => readonly Manifest[];
  readonly find: (group: string, kind: string, namespace: string, name: string) => Manifest | undefined;
  readonly isFilledElsewhere: (namespace: string) => boolean;
}

interface Using {
  readonly group?: string;
  readonly kind: string;
  readonly namespace: string;
}

interface Used {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Whether a ReferenceGrant of the target's namespace lets a kind of another namespace name it. What brings a Service that no manifest shows may
 * bring its grant too: that is assumed as the Service is.
 *
 * @param lastOfKind of a grant's entries for one kind the last one counts alone
 */
export function isGranted(input: Grants, from: Using, to: Used, lastOfKind = false): boolean {
  return isBrought(to, input) || isGrantedByManifests(input, from, to, lastOfKind);
}

function isBrought({ group, kind, namespace, name }: Used, input: Grants): boolean {
  const isOfCharts = kind === 'Service' || kind === 'Backend';
  return isOfCharts && input.isFilledElsewhere(namespace) && input.find(group, kind, namespace, name) === undefined;
}

export function isGrantedByManifests(input: Pick<Grants, 'of'>, from: Using, to: Used, lastOfKind = false): boolean {
  if (from.namespace === to.namespace) return true;
  return input.of(GATEWAY_API, 'ReferenceGrant').some((grant) => {
    if (grant.namespace !== to.namespace) return false;
    const spec = record(record(grant.body).spec);
    const givenTo = records(spec.from).some(
      (entry) =>
        text(entry.kind) === from.kind &&
        text(entry.namespace) === from.namespace &&
        text(entry.group) === (from.group ?? GATEWAY_API),
    );
    const ofKind = records(spec.to).filter((entry) => text(entry.kind) === to.kind && text(entry.group) === to.group);
    const counting = lastOfKind ? ofKind.slice(-1) : ofKind;
    return givenTo && counting.some((entry) => text(entry.name) === '' || text(entry.name) === to.name);
  });
}
