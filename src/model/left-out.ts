/** What no cluster would have of the manifests, because somebody refuses an object or drops a field of it. */
import type { Manifest } from './manifest';

export interface LeftOut {
  readonly manifest: Manifest;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** istiod's admission webhook, or the API server by the CRDs that it has. */
  readonly by: 'webhook' | 'api-server';
  /** The field that is dropped; undefined where the whole object is refused. */
  readonly field?: string;
  readonly why: string;
  /** Whether it is followed as it is written all the same, which a trace that meets it says. */
  readonly isFollowed?: true;
  /** Whose requests it would be for; undefined for all. */
  readonly hosts: readonly string[] | undefined;
  /** Whether requests for other hosts would fare by it as well. */
  readonly isForAll?: true;
}

/** `istiod's webhook refuses it`, and who else does what. */
export function whoLeavesOut({ by, field }: { readonly by: LeftOut['by']; readonly field?: string | null }): string {
  if (by === 'webhook') return "istiod's webhook refuses it";
  return field == null ? 'an API server refuses it' : 'an API server drops it';
}

/** That it is not in force, and why; or that it is followed nevertheless. */
export function textOfLeftOut(one: Said): string {
  return one.isFollowed === true
    ? `${nameOfLeftOut(one)} ${howFollowed(one.why)}`
    : `${nameOfLeftOut(one)} is not followed: ${whoLeavesOut(one)}, since ${one.why}`;
}

type Said = Pick<LeftOut, 'kind' | 'namespace' | 'name' | 'by' | 'why' | 'isFollowed'> & {
  readonly field?: string | null;
};

export function howFollowed(why: string): string {
  return `is followed as it is written, and an API server refuses it: ${why}`;
}

export function nameOfLeftOut({
  kind,
  namespace,
  name,
  field,
}: Pick<LeftOut, 'kind' | 'namespace' | 'name'> & { readonly field?: string | null }): string {
  return `${field == null ? '' : `${field} of `}${kind} ${namespace}/${name}`;
}
