import { labelsMatch, optionalRecord, strings } from '../model/fields';
import type { Mesh } from '../model/mesh';

/** Names of the gateways that a hop stands for: of its workload, and of the Gateways that select it. */
export function gatewayNames(mesh: Mesh, namespace: string, workload: string | null): ReadonlySet<string> {
  const labels = workload === null ? undefined : mesh.workloads.find(namespace, workload)?.labels;
  return new Set([
    `${namespace}/${workload ?? '*'}`,
    ...(labels === undefined
      ? []
      : mesh.gateways
          .filter(
            ({ spec }) =>
              Object.keys(strings(spec.selector)).length > 0 &&
              labelsMatch(strings(optionalRecord(spec.selector)), labels),
          )
          .map((gateway) => `${gateway.namespace}/${gateway.name}`)),
  ]);
}
