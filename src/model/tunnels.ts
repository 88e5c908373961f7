/** DestinationRules that have connections tunnelled by CONNECT. */
import { record, records, type Json } from './fields';
import type { Mesh } from './mesh';

/** Whether any DestinationRule tunnels: only then do TCP listeners depend on the client's namespace. */
export function hasTunnels(mesh: Mesh): boolean {
  return mesh.remember(mesh, 'tunnels', () =>
    mesh.of('networking.istio.io', 'DestinationRule').some((manifest) => tunnels(record(record(manifest.body).spec))),
  );
}

function tunnels(spec: Json): boolean {
  return [spec, ...records(spec.subsets)].some(({ trafficPolicy }) => {
    if (trafficPolicy === undefined) return false;
    const policy = record(trafficPolicy);
    return policy.tunnel !== undefined || records(policy.portLevelSettings).some((port) => port.tunnel !== undefined);
  });
}
