import type { k8s } from 'cdk8s-plus-27';

/**
 * The typed bindings of Kubernetes' own objects. Loaded when an object of theirs is rendered, because loading takes longer than
 * synthesizing a small app.
 *
 * @internal
 */
export function coreBindings(): typeof k8s {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require('cdk8s-plus-27') as typeof import('cdk8s-plus-27')).k8s;
}
