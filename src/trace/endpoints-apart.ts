/** Endpoints of one service that NetworkPolicies do not treat alike: a trace follows one of them, and says so. */
import type { Workload } from '../model/workloads';
import { endpointKinds } from './endpoint-kinds';
import { networkVerdict, type NetworkVerdict } from './network-policy';
import { remark } from './notes';
import type { Target } from './step';
import type { Flight, Walk } from './walk';

/** @param tunnel the port that all of them are dialled at, if it is not their own */
export function noteApart(
  walk: Walk,
  { from, port, address }: Flight,
  { workload, among = [] }: Pick<Target, 'workload' | 'among'>,
  tunnel: number | undefined,
): void {
  const { mesh } = walk;
  if (workload === undefined || among.length < 2) return;
  if (mesh.of('networking.k8s.io', 'NetworkPolicy').length === 0) return;
  const verdict = (to: Workload, at: number, dialled: string | null): NetworkVerdict['is'] =>
    networkVerdict(mesh, { from, port: tunnel ?? at, address: dialled }, to).is;
  const own = verdict(workload, port, address);
  if (own === 'unknown') return;
  const opposite = own === 'allowed' ? 'denied' : 'allowed';
  const others = endpointKinds(mesh, among)
    .filter(
      ({ workload: other, endpoint: at }) => other !== workload && verdict(other, at.port, at.address) === opposite,
    )
    .map(({ workload: other }) => `${other.namespace}/${other.name}`);
  const { namespace, name } = workload;
  if (others.length > 0)
    walk.note(remark({ kind: 'endpoints-apart', namespace, workload: name, passes: own === 'allowed', others }));
}
