/** The meshes of the two sides of a change. */
import { acceptedMesh } from '../check/accepted';
import { Taken } from '../check/taken';
import { assumedGateways } from '../model/assumed-gateways';
import { assumedAlike } from '../model/installed-gateways';
import type { Beside } from '../model/beside';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import type { MeshOptions } from '../model/mesh-options';

export interface BothStates {
  /** Before and after, each with what is known of the other. */
  readonly meshes: readonly [Mesh, Mesh];
  /** The same by themselves, as `trace` has them. */
  readonly alone: readonly [Mesh, Mesh];
  /** What sets the former apart from the latter. */
  readonly beside: Required<Beside>;
}

/**
 * The mesh before and after. What the manifests of one side show and those of the other do not came or went with the change: nobody
 * assumes there that it is somewhere else. A Gateway that routes are bound to and neither side shows is in another repository, and so is
 * the Service of a gateway that routes of one side alone send to.
 */
export function bothStates(
  was: readonly Manifest[],
  is: readonly Manifest[],
  options?: MeshOptions,
  optionsAfter = options,
): BothStates {
  const taken = new Taken();
  const alone = [acceptedMesh(was, options, taken), acceptedMesh(is, optionsAfter, taken)] as const;
  const gateways = assumedGateways(was, is);
  const bound = alone.map((mesh) => mesh.beside({ assumed: gateways }).installedGateways);
  const assumed = [...gateways, ...assumedAlike(...bound)];
  const [before, after] = [alone[0].beside({ assumed }), alone[1].beside({ assumed })];
  const known = [before.lacking(after), after.lacking(before)] as const;
  return {
    meshes: [alone[0].beside({ known: known[0], assumed }), alone[1].beside({ known: known[1], assumed })],
    alone,
    beside: { known: [...new Set(known.flat())], assumed },
  };
}
