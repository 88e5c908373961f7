/** What made an object of a live cluster, by its owner references. */
import { record, records, strings, text, type Json } from './fields';

/**
 * The controller that a live Pod is of, as Istio names workloads: istio.io/istio, pkg/kube/util.go, GetDeployMetaFromPod. Undefined for a Pod that
 * nobody made.
 */
export function controllerOf(pod: Json): string | undefined {
  const { generateName, ownerReferences, labels } = record(pod.metadata);
  const owner = records(ownerReferences).find((one) => one.controller === true);
  if (text(generateName) === '' || owner === undefined) return undefined;
  const has = strings(labels);
  const name = text(owner.name);
  if (text(owner.kind) === 'ReplicaSet')
    for (const hash of [has['pod-template-hash'], has['rollouts-pod-template-hash']])
      if (hash !== undefined && hash !== '' && name.endsWith(`-${hash}`)) return name.slice(0, -hash.length - 1);
  if (text(owner.kind) === 'ReplicationController' && has.deploymentconfig) return has.deploymentconfig;
  return text(owner.kind) === 'Job' ? (/^(.+)-\d{8,10}$/.exec(name)?.[1] ?? name) : name;
}

/** Kinds of controllers that make controllers of Pods. */
const MAKERS = new Set(['Deployment', 'Rollout', 'CronJob', 'DeploymentConfig']);

/** What makes a ReplicaSet, a Job or a ReplicationController. */
export function makerOf(body: Json): string | undefined {
  const owner = records(record(body.metadata).ownerReferences).find((one) => one.controller === true);
  return owner !== undefined && MAKERS.has(text(owner.kind)) && text(owner.name) !== '' ? text(owner.name) : undefined;
}
