/** Changes of what leads to the mesh by others than its own proxies: Gateways and Ingresses of other controllers, and ports of nodes. */
import { canonical } from '../model/canonical';
import { record, records } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { hostPorts, ingressClassOf, isForeign } from '../traffic/open-services';
import type { Doubt } from './compare';
import { type ObjectChange } from './objects';

/** A Gateway of a class that no manifest shows: nobody knows whose proxies run it, so that nothing behind it can be followed. */
export function unknownGateways(meshes: readonly Mesh[]): ReadonlySet<string> {
  return new Set(
    meshes.flatMap((mesh) =>
      mesh.gatewayApi.gateways
        .filter(({ controller }) => controller === 'other')
        .map(({ config: { namespace, name } }) => `${namespace}/${name}`),
    ),
  );
}

/** Whether an object is about such Gateways alone. */
export function isBehind(gateways: ReadonlySet<string>, { ref, was, is }: ObjectChange): boolean {
  if (gateways.size === 0) return false;
  if (ref.kind === 'Gateway') return gateways.has(`${ref.namespace}/${ref.name}`);
  const parents = [was, is].flatMap((manifest) => {
    const { parentRefs, targetRefs, parentRef, targetRef } = record(record(manifest?.body).spec);
    const single = [parentRef, targetRef].filter((one) => one !== undefined).map(record);
    return [...records(parentRefs), ...records(targetRefs), ...single];
  });
  const named = parents.filter(({ kind }) => kind === undefined || kind === 'Gateway');
  return (
    named.length > 0 &&
    named.every(({ namespace, name }) => gateways.has(`${String(namespace ?? ref.namespace)}/${String(name)}`))
  );
}

/** A way in that no proxy of the mesh is: undefined where a change is about none. */
export function otherDoor({ ref, was, is }: ObjectChange, meshes: readonly Mesh[]): Doubt | undefined {
  const what = `${ref.kind} ${ref.namespace}/${ref.name} is ${ref.change}`;
  if (ref.kind === 'Ingress') {
    const other = [was, is].find((side) => side !== undefined && meshes.every((mesh) => isForeign(mesh, side)));
    const why = 'its controller lets clients outside the cluster in by rules of its own';
    return other && { what, why: `it is not for Istio (${ingressClassOf(other)}): ${why}` };
  }
  const [before, after] = [was, is].map((side) => (side === undefined ? [] : hostPorts(side)));
  if (canonical(before) === canonical(after)) return undefined;
  const ports = [...new Set([...(before ?? []), ...(after ?? [])].map(({ port }) => port))].sort((a, b) => a - b);
  return {
    what,
    why: `its Pods take connections at ports of their nodes (hostPort ${ports.join(', ')}), which no request here shows`,
  };
}
