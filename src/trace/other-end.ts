/** Connections that end at another host than the one that the client names, where no route says so: TCP carries no name, and a listener is for a port. */
import { isAddress } from '../model/addresses';
import { isSubsetOf } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { MESH_GATEWAY, type VirtualService } from '../model/virtual-services';
import { parseClusterName } from './clusters';
import { serviceNamed } from './names';
import { remark, type Remark } from './notes';
import { refOf } from './refs';
import type { Hop, Trace } from './types';

/** The note for a delivered request that does not end where its client means it to. */
export function otherEnd(
  mesh: Mesh,
  named: string,
  namespace: string,
  { hops, destination }: Trace,
): Remark | undefined {
  const host = named.replace(/\.$/, '');
  // Who dials the address of an entry means the host of that.
  const meant = isAddress(host) ? hostsAt(mesh, host) : [host];
  if (destination === null || meant.length === 0 || meant.includes(destination.host)) return undefined;
  const last = [...hops].reverse().find(({ cluster }) => cluster?.startsWith('outbound') === true);
  const key = parseClusterName(last?.cluster ?? '');
  if (last === undefined || key === undefined) return undefined;
  if (meant.some((one) => isSubsetOf(one, key.host) || isMeant(mesh, last, one))) return undefined;
  // Another name of a Service of the cluster is no other host.
  if (serviceNamed(mesh, host, namespace) !== undefined) return undefined;
  const entry = mesh.services.declaring(key.host).find(({ ports }) => ports.some(({ port }) => port === key.port));
  const by = last.route ?? entry?.config;
  const { port, protocol } = last.receives;
  return remark({
    kind: 'other-end',
    host,
    end: destination.host,
    by: by === undefined ? null : refOf(by),
    cluster: last.cluster,
    port,
    isTcp: protocol === 'TCP',
  });
}

function hostsAt(mesh: Mesh, address: string): readonly string[] {
  return mesh.services.all
    .filter((service) => service.registry === 'External' && service.address === address)
    .map(({ host }) => host);
}

/** Whether the rule that was followed is one for the host. */
function isMeant(mesh: Mesh, { route }: Hop, host: string): boolean {
  if (route === null) return false;
  const service = mesh.virtualServices.all.find(
    ({ config: { kind, namespace, name } }) =>
      kind === route.kind && namespace === route.namespace && name === route.name,
  );
  if (service === undefined) return true;
  if (service.semantics !== 'istio') return !(service.tcp.length > 0 && isTaken(mesh, service, host));
  const snis = service.tls.flatMap(({ matches }) => matches.flatMap(({ sniHosts }) => sniHosts));
  return [...service.hosts, ...snis].some((own) => isSubsetOf(host, own));
}

/** Whether a TCPRoute has the connections of a listener that another one of it would lead to the host. */
function isTaken(mesh: Mesh, { config, gateways }: VirtualService, host: string): boolean {
  return mesh.virtualServices.all.some(
    (other) =>
      other.config.manifest !== config.manifest &&
      other.gateways.some((gateway) => gateway !== MESH_GATEWAY && gateways.includes(gateway)) &&
      other.tcp.some(({ route }) => route.some((one) => one.host === host)),
  );
}
