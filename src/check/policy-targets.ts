/** Whether two policies, which choose proxies by selectors or targets, have a proxy between them. */
import { labelsMatch } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { targetRefsOf } from './authorization';
import type { CheckContext } from './context';
import type { PolicyTarget } from './istio';

export interface Placed {
  readonly manifest: Manifest;
  readonly spec: PolicyTarget;
}

/** Whether there may be a proxy that reads both. */
export function mayMeet(context: CheckContext, a: Placed, b: Placed): boolean {
  const { rootNamespace } = context.mesh.config;
  const [own, other] = [a.manifest.namespace, b.manifest.namespace];
  if (own !== other && own !== rootNamespace && other !== rootNamespace) return false;
  const [refs, others] = [targetRefsOf(a.spec), targetRefsOf(b.spec)];
  // A waypoint reads what targets it and what targets a Service behind it.
  if (refs.length > 0 && others.length > 0) {
    const isAlike = refs.some(({ kind, name }) => others.some((one) => one.kind === kind && one.name === name));
    return isAlike || refs.some(({ kind }) => others.some((one) => one.kind !== kind));
  }
  if (refs.length > 0 || others.length > 0) return true;
  const [labels, wanted] = [a.spec.selector?.matchLabels ?? {}, b.spec.selector?.matchLabels ?? {}];
  const namespace = own === rootNamespace ? other : own;
  const pods = namespace === rootNamespace ? context.mesh.workloads.all : context.mesh.workloads.inNamespace(namespace);
  const chosen = pods.filter((pod) => labelsMatch(labels, pod.labels));
  if (chosen.length > 0) return chosen.some((pod) => labelsMatch(wanted, pod.labels));
  return Object.entries(labels).every(([key, value]) => wanted[key] === undefined || wanted[key] === value);
}
