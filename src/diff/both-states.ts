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
    holds(shownBefore, shownAfter) ? before : acceptedMesh(was, options, shownAfter),
    holds(shownAfter, shownBefore) ? after : acceptedMesh(is, optionsAfter, shownBefore),
  ];
}

function holds(all: Shown, some: Shown): boolean {
  return (
    [...some.workloads].every((name) => all.workloads.has(name)) &&
    [...some.services].every((name) => all.services.has(name))
  );
}
