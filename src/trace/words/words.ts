import type { ReasonKind, Reasons } from '../reasons';
import type { ObjectRef } from '../types';

/** A reason for a reader: what happens, and how to mend it. */
export interface Words {
  readonly what: string;
  readonly fix: string;
}

/** Words for some kinds of reasons. */
export type WordsFor<K extends ReasonKind> = { readonly [kind in K]: (reason: Reasons[kind]) => Words };

export function named({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}

/** A port on the Pods, and that of their Service where it is another. */
export function portText({ port, namedPort }: { readonly port: number; readonly namedPort: number }): string {
  return `port ${port}${namedPort === port ? '' : ` (${namedPort} of its Service)`}`;
}
