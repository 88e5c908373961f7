/** Objects that a trace speaks of. */
import type { Service } from '../model/services';

export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The object that chose the route, and its rule: `http[0]`, `tls[1]`, `rules[0]`. */
export interface RouteRef extends ObjectRef {
  readonly rule: string;
}

/** An object that had a say, and the field in it. */
export interface Decision extends ObjectRef {
  readonly field: string;
}

/** An object by its name, without whatever else is known of it. */
export function refOf({ kind, namespace, name }: ObjectRef): ObjectRef {
  return { kind, namespace, name };
}

/** The object that a service is of. */
export function serviceRef({ config: { kind, name }, namespace }: Service): ObjectRef {
  return { kind, namespace, name };
}
