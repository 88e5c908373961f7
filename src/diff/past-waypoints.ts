/**
 * What changes for who dials Pods of ambient mode by their own addresses, past the waypoint of their Service. No request by name goes there, and so
 * both sides are compared once more with Services by which Pods are dialled themselves.
 */
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import { trafficOf, waypoints } from '../model/waypoints';
import { pastWaypoints } from '../traffic/past-waypoints';
import type { Doubt } from './compare';
import type { ObjectChange } from './objects';
import { isPastWaypoints } from './pod-ports';
import type { ChangedObject, Diff } from './types';

type Compare = (added: readonly [readonly Manifest[], readonly Manifest[]]) => Diff;

export class PastWaypointDoubts {
  private compared: Diff | undefined;

  public constructor(
    private readonly meshes: readonly [Mesh, Mesh],
    private readonly compare: Compare,
  ) {}

  /** What of a change is told as not decided; undefined where it is the same for who comes so. */
  public of(change: ObjectChange): Doubt | undefined {
    const { kind, namespace, name } = change.ref;
    if (isWorkloadsWaypoint(change, this.meshes))
      return {
        what: `connections to Pods that ask for waypoint ${namespace}/${name} by their own addresses`,
        why: 'these come by it where it is for workloads, and requests are followed by the names of Services',
      };
    if (!isPastWaypoints(change, this.meshes)) return undefined;
    const what = `connections to the Pods of ${kind} ${namespace}/${name} by their own addresses`;
    const past = 'these come past the waypoint of their Service, and requests are followed by the names of Services';
    const [was, is] = this.meshes.map((mesh) => pastWaypoints(mesh));
    if (was?.services.map(({ host }) => host).join() !== is?.services.map(({ host }) => host).join())
      return { what, why: past };
    this.compared ??= this.compare([was?.added ?? [], is?.added ?? []]);
    const { changes, undecided } = this.compared;
    const own = changes.filter(({ because }) => because.some((one) => isSame(one, change.ref)));
    if (own.length === 0 && undecided.length === 0) return undefined;
    const [first] = own;
    const told =
      first === undefined ? '' : `; ${first.from.join(', ')}, before: ${first.was.text}; now: ${first.is.text}`;
    return { what, why: `${past}${told}` };
  }
}

const isSame = (one: ChangedObject, other: ChangedObject): boolean =>
  one.kind === other.kind && one.namespace === other.namespace && one.name === other.name;

/** Whether a waypoint is for Pods themselves on one side, and not on the other. */
function isWorkloadsWaypoint({ ref: { kind, namespace, name } }: ObjectChange, meshes: readonly Mesh[]): boolean {
  if (kind !== 'Gateway') return false;
  const sides = meshes.map((mesh) => {
    const found = waypoints(mesh).find(({ config }) => config.namespace === namespace && config.name === name);
    return found !== undefined && ['workload', 'all'].includes(trafficOf(mesh, found));
  });
  return new Set(sides).size > 1;
}
