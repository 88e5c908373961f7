/** Which requests to follow: for each client class the hosts that some changed object may reach. */
import { isSubsetOf, isWildcard } from '../model/hostnames';
import { record, records, texts } from '../model/fields';
import type { ClientClass } from '../traffic/clients';
import { streamHost, type Links } from './links';
import type { ObjectChange } from './objects';
import { doorsOf } from './doors';
import type { Reach } from './reach-shape';
import { changedPorts, knows, openPorts } from './scopes';
import { DECLARED, isAmong, serversAt, type Probe, type Probes } from './requests';

export interface Task {
  readonly client: ClientClass;
  /** Clients for whom it is the same. */
  readonly also: readonly ClientClass[];
  readonly host: string;
  readonly probe: Probe;
}

/** What a changed object may reach, with the hosts that its wildcards and ports cover spelled out. */
export interface Covered {
  readonly change: ObjectChange;
  readonly reach: Reach;
  readonly hosts: ReadonlySet<string> | 'all';
  /** Gateways, `NAMESPACE/NAME`, at which every host may fare otherwise for clients outside. */
  readonly doors: ReadonlySet<string>;
}

export function cover(
  changes: readonly { readonly change: ObjectChange; readonly reach: Reach }[],
  both: readonly Links[],
): readonly Covered[] {
  const known = new Set<string>();
  const isNeeded = changes.some(({ reach }) => reach.hosts !== 'all' && [...reach.hosts].some(isWildcard));
  if (isNeeded) for (const links of both) for (const host of links.hosts()) known.add(host);
  return changes.map(({ change, reach }) => {
    const doors = doorsOf(change, both);
    if (reach.hosts === 'all') return { change, reach, hosts: 'all', doors };
    const named = reach.hosts;
    const hosts = new Set(named);
    const wild = [...reach.hosts].filter(isWildcard);
    if (wild.length > 0)
      for (const host of known) if (wild.some((pattern) => isSubsetOf(host, pattern))) hosts.add(host);
    const added = [...hosts].filter((host) => !named.has(host));
    for (const links of both) for (const host of links.viaAll(added)) hosts.add(host);
    return { change, reach, hosts, doors };
  });
}

/** Whether a client outside enters at one of some Gateways. */
export function isAt({ at = '', before = [] }: ClientClass, doors: ReadonlySet<string>): boolean {
  return [at, ...before].some((one) => doors.has(one));
}

export function isFor(reach: Reach, client: ClientClass): boolean {
  if (reach.clients === 'all') return true;
  if (client.at !== undefined) return false;
  for (const namespace of client.namespaces) if (reach.clients.has(namespace)) return true;
  return false;
}

export function plan(
  covered: readonly Covered[],
  clients: readonly ClientClass[],
  both: readonly [Links, Links],
  wanted: Probes = DECLARED,
): readonly Task[] {
  const meshes = [both[0].mesh, both[1].mesh] as const;
  const tasks: Task[] = [];
  const probes = new Map<string, readonly Probe[]>();
  const probesOf = (host: string): readonly Probe[] => {
    const known = probes.get(host) ?? wanted.to(host, meshes);
    probes.set(host, known);
    return known;
  };
  const everyHost = new Set<string>();
  for (const links of both) for (const host of links.hosts()) everyHost.add(host);
  const elsewhere = clients.find((client) => client.isElsewhere);
  const reachable = (client: ClientClass): readonly Covered[] => covered.filter(({ reach }) => isFor(reach, client));
  const everywhere = elsewhere === undefined ? [] : reachable(elsewhere);
  // Namespaces that differ from others only by objects of their own are followed to the hosts of these, and stand with the others else.
  const like = clients.filter((client) => client.likeElsewhere && reachable(client).length === everywhere.length);
  const owners = new Map<string, ReadonlySet<string>>();
  const ownersOf = (host: string): ReadonlySet<string> => {
    const known = owners.get(host) ?? new Set(both.flatMap((links) => [...links.ownersOf(host)]));
    owners.set(host, known);
    return known;
  };
  const isOwner = (client: ClientClass, host: string): boolean =>
    [...client.namespaces].some((namespace) => ownersOf(host).has(namespace));
  for (const client of clients) {
    const own = client.isElsewhere ? everywhere : reachable(client);
    if (own.length === 0) continue;
    const isAll = own.some((one) => one.hosts === 'all');
    const hosts = new Set(isAll ? everyHost : own.flatMap((one) => (one.hosts === 'all' ? [] : [...one.hosts])));
    if (client.at !== undefined) {
      const isOpen = isAll || own.some(({ doors }) => isAt(client, doors));
      tasks.push(...fromOutside(client, hosts, isOpen, both, wanted));
      continue;
    }
    const isLike = like.includes(client);
    const shaken = changedPorts(isLike && elsewhere !== undefined ? elsewhere : client, meshes);
    const alike = (host: string): readonly ClientClass[] =>
      client.isElsewhere ? like.filter((one) => !isOwner(one, host)) : [];
    const add = (host: string, isShaken: (probe: Probe) => boolean): void => {
      if ((isLike && !isOwner(client, host)) || !knows(client, host, meshes)) return;
      const also = alike(host);
      for (const probe of probesOf(host)) if (isShaken(probe)) tasks.push({ client, also, host, probe });
    };
    if (shaken.size > 0) for (const host of everyHost) if (!hosts.has(host)) add(host, ({ port }) => shaken.has(port));
    for (const host of hosts) add(host, () => true);
    const taken = isLike || client.isBare === true ? [] : [...hosts].filter((host) => knows(client, host, meshes)).flatMap((host) => meshes.flatMap((mesh) => [...(openPorts(mesh).get(host) ?? [])])); // prettier-ignore
    const ports = new Set([...shaken, ...taken, ...own.flatMap(({ reach }) => [...reach.ports])].filter((port) => port > 0)); // prettier-ignore
    if (!isLike && client.isBare !== true && (ports.size > 0 || own.some(({ reach }) => reach.otherHosts)))
      for (const probe of wanted.elsewhere(ports, meshes))
        tasks.push({ client, also: client.isElsewhere ? like : [], host: '', probe });
  }
  return tasks;
}

/** Hosts that a gateway is entered for: of the routes bound to it, else those that its own servers name. */
export function fromOutside(
  client: ClientClass,
  hosts: ReadonlySet<string>,
  isAll: boolean,
  both: readonly [Links, Links],
  wanted: Probes = DECLARED,
): readonly Task[] {
  const gateway = client.at ?? '';
  const gateways = [gateway, ...(client.before ?? [])];
  const meshes = both.map((links) => links.mesh);
  const own = new Set<string>();
  for (const links of both)
    for (const one of gateways) {
      for (const host of links.atGateway(one)) own.add(host);
      for (const server of serversAt(links.mesh, one)) for (const host of server.hosts) own.add(host);
      for (const host of routeHostnames(links, one)) own.add(host);
    }
  const stream = streamHost(gateway);
  const wild = [...hosts].filter(isWildcard);
  const isReached = (host: string): boolean => isAll || hosts.has(host) || wild.some((one) => isSubsetOf(host, one));
  if (!own.has(stream) && ![...own].some(isReached)) return [];
  return [...own]
    .filter((host) => host === stream || isReached(host))
    .flatMap((host) =>
      unique(gateways.flatMap((one) => wanted.at(one, host, meshes))).map((probe): Task => ({
        client,
        also: [],
        host,
        probe: besideOwn(probe, host, own),
      })),
    );
}

function unique(probes: readonly Probe[]): readonly Probe[] {
  return [...new Map(probes.map((one) => [one.label, one])).values()];
}

/** A wildcard at a gateway stands for all names but the gateway's own, which are followed by themselves: names of other objects are none of it there. */
function besideOwn(probe: Probe, host: string, own: ReadonlySet<string>): Probe {
  if (probe.target.except === undefined) return probe;
  return { ...probe, target: { ...probe.target, except: (name) => isAmong(own, name, host) } };
}

/** Hostnames of routes of the Gateway API that name a gateway. */
function routeHostnames(links: Links, gateway: string): readonly string[] {
  return ['HTTPRoute', 'GRPCRoute', 'TLSRoute'].flatMap((kind) =>
    links.mesh.of('gateway.networking.k8s.io', kind).flatMap((route) => {
      const spec = record(route.body.spec);
      const isBound = records(spec.parentRefs).some(
        (parent) => links.mesh.gatewayApi.nameOfParent(route.namespace, parent) === gateway,
      );
      return isBound ? texts(spec.hostnames) : [];
    }),
  );
}
