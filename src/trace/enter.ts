/** From outside into the cluster: what NetworkPolicies say of it at the Pods of a gateway. */
import type { Workload } from '../model/workloads';
import { networkVerdict } from './network-policy';
import { assumption } from './notes';
import { refused, type Step } from './step';
import type { Flight, Walk } from './walk';

/**
 * The end of a connection that is dropped before the gateway, if it is for certain: of where a client comes from, manifests tell no more
 * than that it is no Pod.
 */
export function droppedBefore(walk: Walk, flight: Flight, workload: Workload, port: number): Step | undefined {
  const verdict = networkVerdict(walk.mesh, { from: flight.from, port, address: null }, workload, null, walk.supposed);
  if (verdict.is === 'allowed') return undefined;
  if (verdict.is === 'unknown') {
    const { namespace, name } = workload;
    const blocks = verdict.why.kind === 'network-policy-by-address' ? verdict.why.blocks : [];
    walk.note(assumption({ kind: 'network-policies-let-client-in', namespace, workload: name, blocks }));
    return undefined;
  }
  return refused(undefined, {
    code: 'NetworkPolicy',
    status: null,
    proxy: { kind: 'none', namespace: flight.from.namespace, workload: null },
    by: verdict.by,
    reason: verdict.reason,
  });
}
