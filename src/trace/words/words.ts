import type { ReasonKind, Reasons } from '../reasons';
import type { ObjectRef } from '../types';

/** A reason for a reader: what happens, and how to mend it. */
export interface Words {
  readonly what: string;
  readonly fix: string;
}

/** Words for some kinds of reasons. */
export type WordsFor<K extends ReasonKind> = { readonly [kind in K]: (reason: Reasons[kind]) => Words };

/** How many of several names are said where the one that was asked for is none of them. */
const NAMED = 5;

export function firstOf(names: readonly string[]): string {
  const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${rest}`;
}

/** Advice as a sentence of its own. */
export function asSentence(fix: string): string {
  return `${fix[0]?.toUpperCase() ?? ''}${fix.slice(1)}.`;
}

export function named({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}

/** A port on the Pods, and that of their Service where it is another. */
export function portText({ port, namedPort }: { readonly port: number; readonly namedPort: number }): string {
  return `port ${port}${namedPort === port ? '' : ` (${namedPort} of its Service)`}`;
}
