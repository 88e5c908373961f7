/** Changes of what is for Gateways whose proxies nobody knows. */
import { record, records } from '../model/fields';
import type { Mesh } from '../model/mesh';
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
