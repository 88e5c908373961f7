import type * as k8s from '../../imports/k8s';

/**
 * The typed bindings of Kubernetes' own objects. Loaded when an object of theirs is rendered, because loading takes longer than
 * synthesizing a small app.
 *
 * @internal
 */
export function coreBindings(): typeof k8s {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require('../../imports/k8s') as typeof k8s;
}
