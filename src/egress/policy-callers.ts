import * as networking from '../../imports/networking.istio.io';
import { isWildcard, nameOfHost } from '../core/hostname';
import { shorten } from '../core/names';
import { Grant, Permission, grouped } from './policy-grant';
import { HostPlan, HostWay, OpaquePort } from './policy-host';

/** Hosts that one namespace reaches in the same way, by the same workloads: one VirtualService says it of all. */
export interface CallerGroup {
  readonly id: string;
  readonly namespace: string;
  readonly hosts: readonly string[];
  /** Whether its sidecars know the traffic by address: then the host's own ServiceEntry for clients carries it. */
  readonly byAddress: boolean;
}

/** The words of the subset that carries plain HTTP to the gateway. */
export const HTTP_SUBSET = 'mutual-tls';

/** Nothing is sent twice that the site may have seen: only what never left is tried again. Istio's own default goes further. */
export const SAFE_RETRIES = { attempts: 2, retryOn: 'connect-failure,refused-stream' };

/** Keeps Istio from giving an entry an address of its own: sidecars that capture DNS would then listen there only. */
export const NO_ADDRESS = { 'networking.istio.io/enable-autoallocate-ip': 'false' };

/**
 * The groups of one namespace, from what is granted to it. They are named after ports and ways, and after their first host where there are several: never after callers,
 * so that one more caller renames nothing.
 */
export function callerGroups(
  namespace: string,
  grants: readonly Grant[],
  planOf: (host: string) => HostPlan,
): CallerGroup[] {
  const groups = new Map<string, { stem: string; hosts: string[]; byAddress: boolean }>();
  for (const [host, mine] of grouped(grants, (grant) => grant.host)) {
    const byAddress = mine.some(({ port }) => port.isTcp);
    const stem = stemOf(mine, planOf(host));
    const key = JSON.stringify([stem, ...signature(mine, planOf(host)), ...(byAddress ? [host] : [])]);
    const group = groups.get(key) ?? { stem, hosts: [], byAddress };
    group.hosts.push(host);
    groups.set(key, group);
  }
  const sorted = [...groups.values()].map((group) => ({ ...group, hosts: group.hosts.sort() }));
  sorted.sort((a, b) => (a.hosts[0] < b.hosts[0] ? -1 : 1));
  const taken = new Set<string>();
  const named = sorted.map(({ stem, hosts, byAddress }) => {
    const id = byAddress || taken.has(stem) ? `${stem}-${nameOfHost(hosts[0])}` : stem;
    taken.add(id);
    return { id, namespace, hosts, byAddress };
  });
  return named.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** On which ports and by which ways, whoever calls. */
function stemOf(grants: readonly Grant[], plan: HostPlan): string {
  return [...new Set(grants.map((grant) => portWords(grant, plan)))].sort().join('-');
}

/** Who calls on which port by which way: what hosts must have in common to share a VirtualService. */
function signature(grants: readonly Grant[], plan: HostPlan): string[] {
  const byCallers = grouped(grants, ({ from }) => JSON.stringify(from.labels));
  return [...byCallers.entries()]
    .map(([callers, mine]) => [callers, ...new Set(mine.map((grant) => portWords(grant, plan)).sort())].join(' '))
    .sort();
}

function portWords(grant: Grant, plan: HostPlan): string {
  const { port, gatewayPort } = grant;
  const way = wayOf(plan, grant);
  const hop = gatewayPort === defaultHop(grant) ? '' : `-at-${gatewayPort}`;
  const alias = way && way.authority !== plan.host ? `-as-${nameOfHost(way.authority)}` : '';
  return `${port.isHttp ? 'http' : port.isTls ? 'tls' : 'tcp'}-${port.number}${hop}${alias}`;
}

function defaultHop({ port }: Grant): number {
  return port.isHttp ? 80 : 443;
}

function wayOf(plan: HostPlan, grant: Grant): HostWay | undefined {
  return plan.http.find(({ grants }) => grants.includes(grant));
}

/** The name of a group's VirtualService. */
export function groupName(gateway: string, group: CallerGroup): string {
  return shorten(`${gateway}-from-${group.namespace}-${group.id}`);
}

/**
 * The host that a group hangs on in its clients. A sidecar listens on a port, and reads VirtualServices for TLS there, only for the sake
 * of a service that it sees; the hosts themselves are shown to the gateway alone.
 */
export function carrierHost(gateway: string, group: CallerGroup): string {
  return `${groupName(gateway, group)}.mesh-edge.invalid`;
}

interface ToGateway {
  readonly host: string;
  readonly name: string;
}

/** The first hop, as the namespace's sidecars read it. Workloads that no grant names find no route in it. */
export function callerRoutes(
  gateway: ToGateway,
  group: CallerGroup,
  grants: readonly Grant[],
  planOf: (host: string) => HostPlan,
  exportTo: string[],
): networking.VirtualServiceSpec {
  // All hosts of a group have the same HTTP routes, so those of the first are those of all.
  const [first] = group.hosts;
  const ofFirst = grants.filter(({ host }) => host === first);
  const to = (subset: string, number: number) => [{ destination: { host: gateway.host, subset, port: { number } } }];
  const http = planOf(first).http.flatMap((way) =>
    byHop(ofFirst.filter((grant) => way.grants.includes(grant))).map((some) => ({
      match: sources(some),
      retries: SAFE_RETRIES,
      rewrite: way.authority === first ? undefined : { authority: way.authority },
      route: to(HTTP_SUBSET, some[0].gatewayPort),
    })),
  );
  const opaque = group.hosts.flatMap((host) => planOf(host).opaque.flatMap((some) => called(group, host, some)));
  const alike = grouped(
    opaque.filter(({ port }) => port.isTls),
    ({ hop, grants: mine }) => JSON.stringify([hop.name, mine[0].gatewayPort, sources(mine)]),
  );
  const tls = [...alike.values()].map((some) => {
    const [{ hop, grants: mine }] = some;
    const sniHosts = some.map(({ host }) => host);
    return {
      match: sources(mine).map((source) => ({ ...source, sniHosts })),
      route: to(hop.name, mine[0].gatewayPort),
    };
  });
  const tcp = opaque
    .filter(({ port }) => port.isTcp)
    .map(({ hop, grants: mine }) => ({ match: sources(mine), route: to(hop.name, mine[0].gatewayPort) }));
  return {
    hosts: group.byAddress ? [...group.hosts] : [carrierHost(gateway.name, group), ...group.hosts],
    exportTo,
    http: http.length ? http : undefined,
    tls: tls.length ? tls : undefined,
    tcp: tcp.length ? tcp : undefined,
  };
}

/** What of a port's grants is this group's, apart for each port of the gateway. */
function called(
  group: CallerGroup,
  host: string,
  { port, hop, grants }: OpaquePort,
): Array<OpaquePort & { host: string }> {
  const mine = grants.filter(({ from }) => from.namespace === group.namespace);
  return byHop(mine).map((some) => ({ host, port, hop, grants: some }));
}

function byHop(grants: readonly Grant[]): Grant[][] {
  const groups = [...grouped(grants, ({ gatewayPort }) => String(gatewayPort)).values()];
  return groups.sort((a, b) => a[0].gatewayPort - b[0].gatewayPort);
}

/** Callers, as their own sidecar tells them. */
export interface Source {
  readonly port: number;
  readonly sourceLabels?: { [key: string]: string };
}

/** One match for each port and set of labels. Once a whole namespace is meant, labels add nothing. */
export function sources(grants: readonly Permission[]): Source[] {
  const matches = new Map<string, Source>();
  for (const { port, from } of grants) {
    const all = grants.some((other) => other.port.number === port.number && !other.from._sourceLabels);
    const source: Source = { port: port.number, sourceLabels: all ? undefined : from._sourceLabels };
    matches.set(JSON.stringify(source), source);
  }
  return [...matches.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source);
}

/** The hosts of a namespace's carrier, and the ports that it listens on. */
export function carrierPorts(grants: readonly Grant[], groups: readonly CallerGroup[]): Grant[] {
  const hosts = new Set(groups.filter(({ byAddress }) => !byAddress).flatMap((group) => group.hosts));
  const byPort = grouped(
    grants.filter(({ host, port }) => hosts.has(host) && !port.isTcp),
    ({ port }) => String(port.number),
  );
  return [...byPort.values()].map(([grant]) => grant).sort((a, b) => a.port.number - b.port.number);
}

/** The hosts by which AuthorizationPolicies know a Host header, with a port or without one. */
export function authorities(authority: string): string[] {
  return isWildcard(authority) ? [authority] : [authority, `${authority}:*`];
}
