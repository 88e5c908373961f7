/**
 * Clients from outside enter proxies, and Gateways are names for these: one that came or went with a change, and whose Pods another Gateway of the
 * other side has too, is entered there by the name of that one.
 */
import { canonical } from '../model/canonical';
import { labelsMatch, optionalRecord, strings } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { push, type Config } from '../model/objects';
import type { ClientClass } from '../traffic/clients';
import type { TraceRequest } from '../trace/types';

export interface SameDoors {
  /** The request as it enters on a side. */
  readonly on: (request: TraceRequest, side: number) => TraceRequest;
  /** The Gateways of which one of the other side is the new name. */
  readonly before: (gateway: string) => readonly string[];
  /** Whether a Gateway is followed by its new name. */
  readonly isFollowed: (gateway: string) => boolean;
}

export function sameDoors(meshes: readonly [Mesh, Mesh]): SameDoors {
  const [was, is] = meshes;
  return is.remember(was, 'diff: same doors', () => {
    const sides = meshes.map(doorsOf);
    const names = sides.map((doors) => new Set([...doors.values()].flat()));
    const elsewhere: readonly [Map<string, string>, Map<string, string>] = [new Map(), new Map()];
    const followed = new Map<string, string[]>();
    for (const [key, own] of sides[0] ?? [])
      for (const one of own.filter((name) => names[1]?.has(name) !== true && !isOther(is, name))) {
        const others = sides[1]?.get(key) ?? [];
        const fresh = others.find((name) => names[0]?.has(name) !== true && !isOther(was, name));
        const stand = fresh ?? others[0];
        if (stand === undefined) continue;
        elsewhere[1].set(one, stand);
        if (fresh !== undefined) push(followed, fresh, one);
      }
    for (const [key, own] of sides[1] ?? [])
      for (const one of own.filter((name) => names[0]?.has(name) !== true && !isOther(was, name))) {
        const [stand] = sides[0]?.get(key) ?? [];
        if (stand !== undefined) elsewhere[0].set(one, stand);
      }
    const gone = new Set([...followed.values()].flat());
    return {
      on: (request, side) => {
        const stand = request.at === undefined ? undefined : elsewhere[side === 0 ? 0 : 1].get(request.at);
        return stand === undefined ? request : { ...request, at: stand };
      },
      before: (gateway) => followed.get(gateway) ?? [],
      isFollowed: (gateway) => gone.has(gateway),
    };
  });
}

/** Clients outside, of two Gateways that are one under two names once. */
export function withSameDoors(clients: readonly ClientClass[], doors: SameDoors): readonly ClientClass[] {
  return clients
    .filter(({ at }) => at === undefined || !doors.isFollowed(at))
    .map((client) => {
      const before = client.at === undefined ? [] : doors.before(client.at);
      return before.length === 0 ? client : { ...client, before };
    });
}

/** Gateways of Istio, and those that it makes of Ingresses, by the Pods that run them. */
function doorsOf(mesh: Mesh): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const gateway of [...mesh.gateways, ...mesh.ingresses])
    push(found, podsOf(mesh, gateway), `${gateway.namespace}/${gateway.name}`);
  return found;
}

function podsOf({ workloads }: Mesh, { spec }: Config): string {
  const selector = strings(optionalRecord(spec.selector));
  const shown = workloads.gateways.filter(({ labels }) => labelsMatch(selector, labels));
  return shown.length === 0
    ? canonical(selector)
    : shown.map(({ namespace, name }) => `${namespace}/${name}`).sort().join(); // prettier-ignore
}

/** Whether a name is another's there: a Gateway of the Gateway API, or an object that is left out. */
function isOther(mesh: Mesh, gateway: string): boolean {
  const [namespace = '', name = ''] = gateway.split('/');
  return mesh.gatewayApi.find(namespace, name) !== undefined;
}
