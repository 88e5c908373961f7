import { ANY_ADDRESS } from './addresses';
import { isWildcard, OverlapIndex } from './hostnames';
import { compareAge, push } from './objects';
import { isHttp, isTls } from './protocols';
import type { Service } from './services';
import { atPorts, baseOf, destinationFor, type Registry, type ScopeBase } from './sidecar-scope';
import { destinationsOf, MESH_GATEWAY, type VirtualService } from './virtual-services';

/**
 * What a namespace sees beyond what everyone sees, where the two do not touch: hosts that nobody else has, on ports where they share a
 * listener without changing it. A request for one of those hosts goes as if there were nothing else, any other as if they were not
 * there. So a mesh in which each team has entries of its own is not read anew for each team.
 */
export interface OwnLayer {
  /** Ports of its hosts. */
  readonly ports: ReadonlyMap<string, ReadonlySet<number>>;
  /** Ports on which nothing else has a listener: a host that is not of the layer meets the layer's own there. */
  readonly alone: ReadonlySet<number>;
  readonly base: ScopeBase;
}

/** What is public in a mesh, by what a namespace's own things could touch. */
export interface PublicLayer {
  /** What the listener for all addresses speaks on a port. */
  readonly speaks: ReadonlyMap<number, 'http' | 'tls' | 'mixed'>;
  readonly hosts: OverlapIndex<Service>;
  readonly routesByHost: OverlapIndex<VirtualService>;
  readonly routesTo: ReadonlyMap<string, readonly VirtualService[]>;
}

function familyOf(
  service: Service,
  protocol: Service['ports'][number]['protocol'],
): 'http' | 'tls' | 'mixed' | undefined {
  if (protocol === 'UDP' || service.resolution === 'ALIAS') return undefined;
  if (isHttp(protocol)) return 'http';
  if (service.address !== ANY_ADDRESS && !service.address.includes('/')) return undefined;
  return isTls(protocol) && !service.address.includes('/') ? 'tls' : 'mixed';
}

export function publicLayer({ services, virtualServices }: Registry): PublicLayer {
  const speaks = new Map<number, 'http' | 'tls' | 'mixed'>();
  for (const service of services.everyones) {
    for (const { port, protocol } of service.ports) {
      const family = familyOf(service, protocol);
      if (family === undefined) continue;
      const known = speaks.get(port);
      speaks.set(port, known === undefined || known === family ? family : 'mixed');
    }
  }
  const routesByHost = new OverlapIndex<VirtualService>();
  const routesTo = new Map<string, VirtualService[]>();
  for (const route of virtualServices.everyones(MESH_GATEWAY)) {
    for (const host of route.hosts) routesByHost.add(host, route);
    for (const host of allDestinations(route)) push(routesTo, host, route);
  }
  const hosts = new OverlapIndex<Service>();
  for (const service of services.everyones) hosts.add(service.host, service);
  return { speaks, hosts, routesByHost, routesTo };
}

function allDestinations({ http, tls, tcp }: VirtualService): ReadonlySet<string> {
  return new Set([http, tls, tcp].flatMap((rules) => rules.flatMap(({ route }) => route.map(({ host }) => host))));
}

/** The own layer of a namespace that no Sidecar cuts down; undefined where it and what is public touch. */
export function ownLayer(registry: Registry, namespace: string, everyones: PublicLayer): OwnLayer | undefined {
  if (registry.virtualServices.prefersOwn) return undefined;
  const { doubled } = registry.services;
  const services = registry.services.ownTo(namespace);
  // Of several that declare a host, the namespace's own would decide.
  if ([...services, ...registry.services.inNamespace(namespace)].some(({ host }) => doubled.has(host)))
    return undefined;
  if (!services.every((service) => isApart(service, everyones))) return undefined;
  const hosts = new Map(services.map((service) => [service.host, service]));
  const own = new Set(registry.virtualServices.ownTo(namespace, MESH_GATEWAY));
  const shared = new Set<VirtualService>();
  for (const host of hosts.keys()) for (const route of everyones.routesByHost.overlapping(host)) shared.add(route);
  for (const route of [...own, ...shared]) if (!staysWithin(route, hosts)) return undefined;
  for (const host of hosts.keys())
    for (const route of everyones.routesTo.get(host) ?? []) if (!shared.has(route)) return undefined;
  const isHidden = (service: Service): boolean => !registry.services.isVisible(service, namespace);
  // What a namespace hides from itself it sees all the same where a route sends there.
  if (registry.services.inNamespace(namespace).some((one) => isHidden(one) && everyones.routesTo.has(one.host)))
    return undefined;
  if ([...own, ...shared].some((route) => [...allDestinations(route)].some((host) => doubled.has(host))))
    return undefined;
  const routes = [...own, ...[...shared].sort(compareAge)];
  const destinations = routes.flatMap((route) =>
    [...destinationsOf(route, namespace)].map(([host, ports]) => {
      const found = destinationFor(registry, host, namespace);
      return found === undefined ? undefined : atPorts(found, ports);
    }),
  );
  return {
    alone: new Set(
      services.flatMap(({ ports }) => ports.map(({ port }) => port).filter((port) => !everyones.speaks.has(port))),
    ),
    ports: new Map(services.map(({ host, ports }) => [host, new Set(ports.map(({ port }) => port))])),
    base: baseOf(
      services,
      routes,
      destinations.filter((service) => service !== undefined),
    ),
  };
}

/** A host of a service outside, with no address of its own, on ports where everyone's listener speaks the same. */
function isApart({ registry, host, address, resolution, ports }: Service, { speaks, hosts }: PublicLayer): boolean {
  return (
    registry === 'External' &&
    host.includes('.') &&
    host === host.toLowerCase() &&
    hosts.overlapping(host).length === 0 &&
    !host.endsWith('.') &&
    !isWildcard(host) &&
    !host.includes('.svc.') &&
    address === ANY_ADDRESS &&
    resolution !== 'DYNAMIC_DNS' &&
    ports.every(({ port, protocol }) =>
      isHttp(protocol)
        ? (speaks.get(port) ?? 'http') === 'http'
        : isTls(protocol) && (speaks.get(port) ?? 'tls') === 'tls',
    )
  );
}

/** Whether a route is for hosts of the layer alone, and for whole names. */
function staysWithin({ semantics, hosts, tls, tcp }: VirtualService, own: ReadonlyMap<string, Service>): boolean {
  return (
    semantics === 'istio' &&
    hosts.every((host) => own.has(host)) &&
    tcp.length === 0 &&
    tls.every(({ matches }) =>
      matches.every(
        ({ sniHosts, destinationSubnets }) =>
          destinationSubnets.length === 0 && sniHosts.length > 0 && sniHosts.every((name) => own.has(name)),
      ),
    )
  );
}
