/** Endpoints of one service that NetworkPolicies do not treat alike: a trace follows one of them, and says so. */
import type { Endpoint } from '../model/endpoints';
import type { Workload } from '../model/workloads';
import { networkVerdict, type NetworkVerdict } from './network-policy';
import { remark } from './notes';
import type { Target } from './step';
import type { Flight, Walk } from './walk';

/** Of so many kinds of endpoints each is looked at by itself. */
const MOST = 50;

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
  const others = mesh
    .remember(among, 'kinds', () => kindsOf(among))
    .filter(([other, at]) => other !== workload && verdict(other, at.port, at.address) === opposite)
    .map(([other]) => `${other.namespace}/${other.name}`);
  const { namespace, name } = workload;
  if (others.length > 0)
    walk.note(remark({ kind: 'endpoints-apart', namespace, workload: name, passes: own === 'allowed', others }));
}

/** One endpoint of each kind that policies may tell apart: by namespace, labels and port. */
function kindsOf(among: readonly Endpoint[]): readonly (readonly [Workload, Endpoint])[] {
  const kinds = new Map<string, readonly [Workload, Endpoint]>();
  for (const endpoint of among) {
    const { workload, port } = endpoint;
    if (workload === undefined || kinds.size >= MOST) continue;
    kinds.set(JSON.stringify([workload.namespace, workload.labels, port]), [workload, endpoint]);
  }
  return [...kinds.values()];
}
