/**
 * Pods of ambient mode behind a Service whose requests a waypoint sees: who dials a Pod by its own address comes past that waypoint. No manifest has
 * the address, and no request by name goes there, and so it is followed by the name of a Service without a waypoint or an address of its own.
 */
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import { serviceBindingOf } from '../model/waypoints';

export interface PodsOfService {
  /** The name that the Service has. */
  readonly host: string;
  readonly ports: readonly number[];
  /** By which its Pods are dialled themselves, in the mesh that knows it. */
  readonly direct: { readonly host: string; readonly port: number };
  readonly waypoint: { readonly namespace: string; readonly name: string };
}

export interface PastWaypoints {
  readonly mesh: Mesh;
  /** The Services of that mesh that no manifest has: they have the names of `direct`. */
  readonly added: readonly Manifest[];
  readonly services: readonly PodsOfService[];
}

export function pastWaypoints(mesh: Mesh): PastWaypoints {
  return mesh.remember(mesh, 'past waypoints', () => {
    const found: PodsOfService[] = [];
    const added: Manifest[] = [];
    for (const manifest of mesh.of('', 'Service')) {
      const host = `${manifest.name}.${manifest.namespace}.svc.${mesh.config.clusterDomain}`;
      const [service] = mesh.services.declaring(host);
      if (service === undefined || Object.keys(service.selector).length === 0) continue;
      const binding = serviceBindingOf(mesh, service);
      if (binding === undefined) continue;
      const workload = mesh.workloads.behind(service).find(({ membership }) => membership === 'ztunnel');
      const [port] = service.ports;
      if (workload === undefined || port === undefined) continue;
      const { target } = port;
      const own = typeof target === 'string' ? workload.namedPorts.get(target) : target || port.port;
      if (own === undefined) continue;
      const name = `pods-of-${manifest.name}`;
      const spec = { clusterIP: 'None', selector: service.selector, ports: [{ name: 'tcp', port: own }] }; // prettier-ignore
      const metadata = { name, namespace: manifest.namespace, labels: { 'istio.io/use-waypoint': 'none' } };
      added.push({ ...manifest, name, labels: metadata.labels, body: { apiVersion: 'v1', kind: 'Service', metadata, spec } }); // prettier-ignore
      found.push({ host, ports: service.ports.map((one) => one.port), direct: { host: `${name}.${manifest.namespace}.svc.${mesh.config.clusterDomain}`, port: own }, waypoint: binding }); // prettier-ignore
    }
    return { mesh: found.length === 0 ? mesh : mesh.with(added), added, services: found };
  });
}
