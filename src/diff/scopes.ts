/** What a client can know: which hosts are of its world, and which kinds of listener it has on each port. */
import { isSubsetOf, isWildcard } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import type { Service } from '../model/services';
import type { ProxyScope } from '../model/sidecar-scope';
import type { ClientClass } from '../traffic/clients';

const HTTP = new Set(['HTTP', 'HTTP2', 'GRPC', 'GRPC-Web', 'HTTP_PROXY', 'AUTO']);

/**
 * Whether any object that a client may see speaks of a host; of the others, "any other host" tells. Names below `invalid` are for
 * nobody to dial (RFC 6761): routes use them for what they carry.
 */
export function knows(client: ClientClass, host: string, meshes: readonly Mesh[]): boolean {
  if (/(^|\.)invalid$/i.test(host)) return false;
  return meshes.some((mesh) => {
    const services = [...mesh.services.declaring(host), ...wildcardsOver(mesh, host)];
    if (services.some((service) => service.registry === 'Kubernetes')) return true;
    // ztunnel is told of all services, whatever is exported to whom.
    if (services.length > 0 && isAmbient(client, mesh)) return true;
    for (const namespace of client.namespaces) {
      if (services.some((service) => mesh.services.isVisible(service, namespace))) return true;
      const routes = mesh.virtualServices.forHost(host);
      if (
        routes.some(
          ({ visibility, namespace: owner }) =>
            visibility === 'public' ||
            (visibility === 'private' ? owner === namespace : visibility !== 'none' && visibility.includes(namespace)),
        )
      )
        return true;
    }
    return false;
  });
}

/** Whether ztunnel carries what a client sends. */
export function isAmbient({ request }: ClientClass, mesh: Mesh): boolean {
  if (request.at !== undefined) return false;
  const slash = request.from.indexOf('/');
  const namespace = slash < 0 ? request.from : request.from.slice(0, slash);
  const workload = slash < 0 ? undefined : mesh.workloads.find(namespace, request.from.slice(slash + 1));
  return (workload?.membership ?? mesh.membershipIn(namespace)) === 'ztunnel';
}

/** Services whose wildcard takes a name, or all names of a narrower wildcard, that no Service has of its own. */
export function wildcardsOver(mesh: Mesh, host: string): readonly Service[] {
  const wild = mesh.remember(mesh, 'diff: wildcard services', () =>
    mesh.services.all.filter((service) => isWildcard(service.host)),
  );
  return wild.filter((service) => isSubsetOf(host, service.host));
}

/** Ports on which a client's listeners are of other kinds in one mesh than in the other: there every host may fare otherwise. */
export function changedPorts(client: ClientClass, meshes: readonly [Mesh, Mesh]): ReadonlySet<number> {
  const changed = new Set<number>();
  for (const namespace of client.namespaces) {
    const [was, is] = meshes.map((whole) => {
      const labels = labelsOf(client, whole);
      const mesh = whole.servedTo({ namespace, labels });
      return kinds(mesh, mesh.scopeOf({ type: 'sidecar', namespace, labels, addresses: [] }));
    });
    for (const port of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]))
      if (was?.get(port) !== is?.get(port)) changed.add(port);
    break; // the namespaces of a class see the same
  }
  return changed;
}

export function labelsOf(client: ClientClass, mesh: Mesh): Readonly<Record<string, string>> {
  const [namespace = '', name] = client.request.from.split('/');
  return client.request.labels ?? (name === undefined ? undefined : mesh.workloads.find(namespace, name)?.labels) ?? {};
}

/** For each port the kinds of traffic that its shared listener tells apart, and every host that takes all of a port. */
function kinds(mesh: Mesh, scope: ProxyScope): ReadonlyMap<number, string> {
  return mesh.remember(scope, 'diff: kinds of listener', () => {
    const found = new Map<number, Set<string>>();
    for (const service of scope.services()) {
      for (const port of service.ports) {
        // Of a service with an address of its own, only declared HTTP shares the listener of all addresses.
        const shares = service.address === '0.0.0.0' || service.address.includes('/');
        const isHttp = HTTP.has(port.protocol) && (shares || port.protocol !== 'AUTO');
        if (!isHttp && service.address !== '0.0.0.0') continue;
        const isTls = port.protocol === 'TLS' || port.protocol === 'HTTPS';
        const kind = isHttp ? 'http' : isTls ? 'tls' : `tcp ${service.host}`;
        const known = found.get(port.port);
        if (known === undefined) found.set(port.port, new Set([kind]));
        else known.add(kind);
      }
    }
    return new Map([...found].map(([port, names]) => [port, [...names].sort().join()]));
  });
}

/** By host, ports of TCP that an entry without an address has: a listener for the port takes connections to every address. */
export function openPorts(mesh: Mesh): ReadonlyMap<string, ReadonlySet<number>> {
  return mesh.remember(mesh, 'diff: ports of every address', () => {
    const found = new Map<string, Set<number>>();
    for (const { host, address, ports } of mesh.services.all) {
      if (address !== '0.0.0.0') continue;
      for (const { port, protocol } of ports) {
        if (HTTP.has(protocol) || protocol === 'UDP') continue;
        found.set(host, (found.get(host) ?? new Set()).add(port));
      }
    }
    return found;
  });
}
