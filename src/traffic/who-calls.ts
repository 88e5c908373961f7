/** Who sends requests of its own: one rule for all that follow clients of the mesh. */
import type { Mesh } from '../model/mesh';
import { isNeverInjected, type Workload } from '../model/workloads';

/** What only passes on what others send calls nobody by itself, even if something is wrong with its injection; nor does what does not run. */
export function callsOthers({ runs, membership, hasNoApplication }: Workload): boolean {
  return runs && membership !== 'gateway' && membership !== 'waypoint' && hasNoApplication !== true;
}

/** Whether anything but what is shown of a namespace says who is in it: whoever it may hold, nothing is known of them. */
export function mayHoldAnyone(meshes: readonly Mesh[], namespace: string): boolean {
  return (
    !isOfControlPlane(meshes, namespace) &&
    // A waypoint is beside those whom it serves, whether manifests show them or not.
    meshes.every((mesh) =>
      mesh.workloads
        .inNamespace(namespace)
        .every((one) => one.membership === 'waypoint' || (one.manifest === undefined && callsOthers(one))),
    )
  );
}

/** Namespaces of Kubernetes and Istio themselves: of these only what is shown calls anyone. */
export function isOfControlPlane(meshes: readonly Mesh[], namespace: string): boolean {
  return isNeverInjected(namespace) || meshes.some((mesh) => mesh.config.rootNamespace === namespace);
}
