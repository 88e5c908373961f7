/** Which requests cross the edge. */
import { isCatchAll } from '../trace/catch-all';
import type { Mesh } from '../model/mesh';
import type { Trace } from '../trace/types';

/** Whether a request leaves the mesh: to a host of no Service of the cluster. */
export function isOutside(mesh: Mesh, { destination, hops }: Trace): boolean {
  if (destination === null) return false;
  if (hops.some(({ cluster }) => isCatchAll(cluster))) return true;
  const services = [...mesh.services.named(destination.host).values()];
  return services.every(({ registry }) => registry !== 'Kubernetes') && !/\.svc(\.|$)/.test(destination.host);
}
