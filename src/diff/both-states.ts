/** The meshes of the two sides of a change. */
import { acceptedMesh } from '../check/accepted';
import type { Manifest } from '../model/manifest';
import type { Mesh, Shown } from '../model/mesh';
import type { MeshOptions } from '../model/mesh-options';

/**
 * The mesh before and after. What the manifests of one side show and those of the other do not came or went with the change: nobody
 * assumes there that it is somewhere else.
 */
export function bothStates(
  was: readonly Manifest[],
  is: readonly Manifest[],
  options?: MeshOptions,
  optionsAfter = options,
): readonly [Mesh, Mesh] {
  const before = acceptedMesh(was, options);
  const after = acceptedMesh(is, optionsAfter);
  const [shownBefore, shownAfter] = [before.shown(), after.shown()];
  return [
    assumes(before, shownBefore, shownAfter) ? acceptedMesh(was, options, shownAfter) : before,
    assumes(after, shownAfter, shownBefore) ? acceptedMesh(is, optionsAfter, shownBefore) : after,
  ];
}

/** Whether a side takes something for granted that the other one shows: Pods behind Services, or a gateway's Service. */
function assumes({ services }: Mesh, own: Shown, other: Shown): boolean {
  return (
    [...other.workloads].some((name) => !own.workloads.has(name) && services.inNamespace(name).length > 0) ||
    services.all.some(({ assumed, namespace, name }) => assumed && other.services.has(`${namespace}/${name}`))
  );
}
