/** Witnesses as `trace` takes them with the manifests of one side alone, who does not know what the other side shows. */
import type { Beside } from '../model/beside';
import type { Mesh } from '../model/mesh';
import { RequestError, trace } from '../trace/index';
import type { Trace, TraceRequest } from '../trace/types';
import type { BothStates } from './both-states';
import { follow } from './follow';
import { sameDoors } from './same-doors';
import { fingerprint, wayOf } from './way';

/** What is tried by itself: each is a state of the mesh once more. */
const MOST_TRIED = 8;

/** The request, with what has to be known beside either side for it to fare there as it does in the change. */
export function byItself(request: TraceRequest, { meshes, alone, beside }: BothStates): TraceRequest {
  const doors = sameDoors(meshes);
  const traces = meshes.map((mesh, side) => follow(mesh, doors.on(request, side)));
  const wanted = traces.map((one, side) => fingerprint(wayOf(meshes[side as 0 | 1], one, '')));
  const isSo = (given: Partial<TraceRequest>): boolean =>
    alone.every((mesh, side) => asTraced(mesh, { ...request, ...given }) === wanted[side]);
  // A Gateway that only one side has is entered by the name of its Pods.
  const isOneSided = meshes.some((_mesh, side) => doors.on(request, side).at !== request.at);
  const pods = isOneSided ? traces.flatMap(entered).find((at) => isSo({ at })) : undefined;
  if (pods !== undefined) return { ...request, at: pods };
  const gateways = request.at === undefined ? [] : entrancesNamed(request.at, meshes);
  const known = [...gateways, ...beside.known];
  const few: readonly Beside[] = [
    {},
    ...known.map((one) => ({ known: [one] })),
    ...beside.assumed.map((one) => ({ assumed: [one] })),
  ];
  const all = { ...(known.length === 0 ? {} : { known }), ...(beside.assumed.length === 0 ? {} : { assumed: beside.assumed }) }; // prettier-ignore
  return { ...request, ...(few.slice(0, 1 + MOST_TRIED).find(isSo) ?? all) };
}

/** The gateway that a client outside comes to. */
function entered({ hops, refusal, answer }: Trace): readonly string[] {
  const proxy = hops[0]?.proxy ?? refusal?.proxy ?? answer?.proxy;
  return proxy?.kind === 'ingress-gateway' && proxy.workload !== null ? [`${proxy.namespace}/${proxy.workload}`] : [];
}

function asTraced(mesh: Mesh, request: TraceRequest): string | undefined {
  try {
    return fingerprint(wayOf(mesh, trace(mesh, request), ''));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return undefined;
  }
}

/** The Gateways, and Ingresses, of a name that either side has. */
function entrancesNamed(at: string, meshes: readonly Mesh[]): readonly string[] {
  const all = meshes.flatMap(
    (mesh) =>
    mesh.manifests.filter(({ kind, namespace, name }) => (kind === 'Gateway' || kind === 'Ingress') && `${namespace}/${name}` === at), // prettier-ignore
  );
  return [...new Set(all.map(({ kind, group, namespace, name }) => `${kind}.${group}/${namespace}/${name}`))];
}
