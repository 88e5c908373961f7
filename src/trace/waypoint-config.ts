/**
 * What istiod makes for a waypoint of a service: a filter chain of its internal listener, routes, filters and clusters, in the shape that sidecars and
 * gateways have (listener_waypoint.go and cluster_waypoint.go of pilot/pkg/networking/core).
 */
import { ANY_ADDRESS } from '../model/addresses';
import { overlaps } from '../model/hostnames';
import type { Mesh, Proxy } from '../model/mesh';
import { push } from '../model/objects';
import { isHttp } from '../model/protocols';
import type { Port, Service } from '../model/services';
import {
  destinationsOf,
  sourceMatches,
  type L4Match,
  type L4Rule,
  type VirtualService,
} from '../model/virtual-services';
import { serviceBindingOf, type Binding } from '../model/waypoints';
import { findCluster, isMissing, parseClusterName, type Cluster, type MissingCluster } from './clusters';
import { DomainIndex, filterChain, type FilterChain, type Listener, type TcpTarget } from './envoy';
import { clusterName, routesOf, VirtualHost, type Route } from './http-routes';
import { serviceRef } from './refs';
import type { SidecarView } from './sidecar-listeners';
import type { RouteConfig } from './sidecar-routes';
import { targetOfRule, targetOfService } from './tcp-routes';

/** A port of a service at its waypoint. */
export interface WaypointPort {
  readonly mesh: Mesh;
  readonly binding: Binding;
  readonly service: Service;
  readonly port: Port;
}

export function waypointProxy({ namespace }: Binding): Proxy {
  return { type: 'gateway', namespace, labels: {}, addresses: [] };
}

function viewOf({ mesh, binding }: Pick<WaypointPort, 'mesh' | 'binding'>): SidecarView {
  const proxy = waypointProxy(binding);
  return { mesh, scope: mesh.scopeOf(proxy), proxy, addresses: [] };
}

/** Whether no waypoint has the service, even where ztunnel leads connections for it there. */
export function isKeptFromWaypoints({ config }: Mesh, { resolution, meshExternal }: Service): boolean {
  return config.istio.keepsInternalWildcardsFromWaypoints && resolution === 'DYNAMIC_DNS' && !meshExternal;
}

/** Whether the waypoint is that service's own: it then has clusters of another name for it. */
function isOwn({ mesh, binding }: Pick<WaypointPort, 'mesh' | 'binding'>, service: Service): boolean {
  const other = serviceBindingOf(mesh, service);
  return (
    !isKeptFromWaypoints(mesh, service) &&
    other !== undefined &&
    other.problem === undefined &&
    other.namespace === binding.namespace &&
    other.name === binding.name
  );
}

function ownNamed(at: Pick<WaypointPort, 'mesh' | 'binding'>, host: string): Service | undefined {
  return [...at.mesh.services.named(host).values()].find((one) => isOwn(at, one));
}

/**
 * The name that routes at the waypoint give a cluster, of which sidecars have `outbound|80||host` (getWaypointDestinationCluster): of a host
 * that the waypoint does not see, that of a service of its own.
 */
function nameOf(at: WaypointPort, cluster: string): string {
  const { port, subset = '', host = '' } = parseClusterName(cluster) ?? {};
  const service = viewOf(at).scope.service(host);
  if (service !== undefined && ownNamed(at, host) === undefined) return cluster;
  const protocol = service?.ports.find((one) => one.port === port)?.protocol;
  const kind = protocol === undefined || isHttp(protocol) || protocol === 'AUTO' ? 'http' : 'tcp';
  return vipName(host, port ?? 0, `${kind}${subset === '' ? '' : `/${subset}`}`);
}

function vipName(host: string, port: number, kind: string): string {
  return `inbound-vip|${port}|${kind}|${host}`;
}

/** VirtualServices of the mesh that name the service's host, of the waypoint's namespace or the service's; of other namespaces they do not count. */
function routesFor({ mesh, binding, service }: WaypointPort): readonly VirtualService[] {
  return mesh.virtualServices
    .forGateway(binding.namespace, 'mesh')
    .filter(
      ({ namespace, hosts }) =>
        (namespace === binding.namespace || namespace === service.namespace) &&
        hosts.some((host) => overlaps(host, service.host)),
    );
}

/** The chain for a connection that is read as HTTP, or is not; what is mutual TLS of the mesh is the tunnel that ends before it. */
export function waypointChain(
  at: WaypointPort,
  readsHttp: boolean,
): { readonly listener: Listener; readonly chain: FilterChain } {
  const { service, port } = at;
  const name = vipName(service.host, port.port, readsHttp ? 'http' : 'tcp');
  const chain = filterChain({
    name,
    terminates: { mode: 'ISTIO_MUTUAL', httpsRedirect: false, credentialName: '' },
    ...(readsHttp ? { routeConfig: name } : { tcp: tcpTarget(at) }),
  });
  const listener = { name: 'main_internal', address: '', port: port.port, chains: [chain], defaultChain: null, tlsInspector: true, httpInspector: true, refused: null }; // prettier-ignore
  return { listener, chain };
}

/** The routes of the VirtualServices with HTTP rules, one after the other, or of the first alone (`joinsRoutesOfWaypoints`); conditions on labels of the caller are left out with their routes. */
export function waypointRoutes(at: WaypointPort, name: string): RouteConfig {
  const { binding, service, port } = at;
  const [owner, ...others] = routesFor(at).filter((one) => one.http.length > 0);
  const { scope } = viewOf(at);
  const proxy = { namespace: binding.namespace, labels: {} };
  const context = { port: port.port, gateway: 'mesh', proxy, lookup: (host: string) => scope.service(host) };
  const named = <T extends { readonly cluster: string }>(one: T): T => ({
    ...one,
    cluster: nameOf(at, one.cluster),
  });
  const owners = owner === undefined ? [] : at.mesh.config.istio.joinsRoutesOfWaypoints ? [owner, ...others] : [owner];
  const routes = owners
    .flatMap((one) => routesOf(one, context))
    .filter(({ match }) => match === null || Object.keys(match.sourceLabels).length === 0)
    .map((route): Route => ({
      ...route,
      clusters: route.clusters.map(named),
      mirrors: (route.mirrors ?? []).map(named),
    }));
  // A wildcard's own names only, lest a Host header make the waypoint resolve any name.
  const domain = service.resolution === 'DYNAMIC_DNS' ? service.host : '*';
  // Of several routes of the Gateway API istiod makes one VirtualService, whose name nobody knows.
  const of = owners.length === 1 && owner?.semantics === 'istio' ? `rule of ${owner.config.kind} ${owner.namespace}/${owner.name}` : `rule for ${service.host}`; // prettier-ignore
  const host = new VirtualHost(`inbound|http|${port.port}`, [domain], () => (routes.length > 0 ? routes : [ownRoute(at)]), false, undefined, of); // prettier-ignore
  const domains = new DomainIndex<VirtualHost>();
  domains.add(domain, host);
  return { name, match: (asked) => domains.match(asked), hosts: () => [host], onlyFor: service.host };
}

function ownRoute(at: WaypointPort): Route {
  const { service, port } = at;
  const { host } = service;
  const destination = { host, subset: '', port: port.port, weight: 0, authority: '', headers: {} };
  const cluster = vipName(host, port.port, 'http');
  return { name: 'default', rule: null, match: null, clusters: [{ cluster, weight: 0, index: 0, destination }], gatewaySemantics: false }; // prettier-ignore
}

/** Of a connection a waypoint asks nothing about who sends it: a condition on that fits nobody. */
const NOBODY = { namespace: '', labels: {} };

/** Rules for TLS come first, and only those that name exactly the service's host count; then rules for TCP. */
function tcpTarget(at: WaypointPort): TcpTarget {
  const { service, port } = at;
  const services = routesFor(at);
  const fits = (match: L4Match): boolean =>
    (match.port === 0 || match.port === port.port) &&
    (match.gateways.length === 0 || match.gateways.includes('mesh')) &&
    sourceMatches(match, NOBODY);
  const tls = services
    .flatMap((one) => one.tls)
    .find(
      ({ matches }) =>
        matches.length === 0 ||
        matches.some((match) => match.sniHosts.length === 1 && match.sniHosts[0] === service.host && fits(match)),
    );
  const rule: L4Rule | undefined =
    tls ??
    services.flatMap((one) => one.tcp).find(({ matches }) => matches.length === 0 || matches.some((one) => fits(one)));
  const view = viewOf(at);
  if (rule === undefined || rule.route.length === 0)
    return { ...targetOfService(view, service.host, port.port), clusters: [{ cluster: vipName(service.host, port.port, 'tcp'), weight: 0 }] }; // prettier-ignore
  const target = targetOfRule(view, rule, port.port);
  return { ...target, clusters: target.clusters.map((one) => ({ ...one, cluster: nameOf(at, one.cluster) })) };
}

/**
 * The service whose chains a connection gets: a waypoint tells its services apart by address, has of each but the first one, and takes the oldest service
 * of several with the same that has the port (buildWaypointInternal). Undefined where none of its services has the address.
 */
export function servedAt(at: Omit<WaypointPort, 'port'>, port: number): Service | undefined {
  const { mesh, binding, service } = at;
  // Istio gives each service an address of its own where it has none.
  if (service.address === ANY_ADDRESS) return service;
  const byAddress = mesh.remember(mesh.services, `services of waypoint ${binding.namespace}/${binding.name}`, () => {
    const found = new Map<string, Service[]>();
    for (const one of mesh.services.all) {
      const isFirst = mesh.services.named(one.host).get(one.namespace) === one;
      if (!isFirst || one.address === ANY_ADDRESS || !isOwn(at, one)) continue;
      for (const address of [one.address, ...one.extraAddresses]) push(found, address, one);
    }
    return found;
  });
  const having = byAddress.get(service.address) ?? [];
  return having.find(({ ports }) => ports.some((one) => one.port === port && one.protocol !== 'UDP')) ?? having[0];
}

/** Whether a VirtualService for the whole name of one of the waypoint's services leads to a host (filterWaypointOutboundServices of waypoint.go). */
function isReferenced({ mesh, binding }: Pick<WaypointPort, 'mesh' | 'binding'>, host: string): boolean {
  const referenced = mesh.remember(
    mesh.services,
    `hosts that waypoint ${binding.namespace}/${binding.name} leads to`,
    () => {
      const own = new Set(mesh.services.all.filter((one) => isOwn({ mesh, binding }, one)).map((one) => one.host));
      const routes = mesh.virtualServices.all.filter(({ gateways, hosts }) => gateways.includes('mesh') && hosts.some((one) => own.has(one))); // prettier-ignore
      return new Set(routes.flatMap((one) => [...destinationsOf(one).keys()]));
    },
  );
  return referenced.has(host);
}

/** A cluster by the name that the waypoint gives it. */
export function waypointCluster(at: Pick<WaypointPort, 'mesh' | 'binding'>, name: string): Cluster | MissingCluster {
  const [direction, port = '', kind = '', host = ''] = name.split('|');
  const isVip = direction === 'inbound-vip';
  const subset = isVip ? kind.replace(/^\w+\/?/, '') : kind;
  const view = viewOf(at);
  const service = ownNamed(at, host);
  // A waypoint has its own services whoever they are exported to; DestinationRules only for those that it sees.
  const scope = {
    ...view.scope,
    service: (one: string) => (one === service?.host ? service : view.scope.service(one)),
  };
  const wanted = isVip ? clusterName(host, subset, Number(port)) : name;
  const found = findCluster({ ...view, scope }, true, wanted, isVip);
  if (isMissing(found)) return found;
  const { protocol } = found.port;
  if (isVip && found.service.resolution === 'DYNAMIC_DNS' && !['HTTP', 'TLS'].includes(protocol)) {
    const entry = serviceRef(found.service);
    const cause = { is: 'wildcard-protocol-at-waypoint', entry, port: found.port.port, protocol } as const;
    return { name, cause, by: { ...entry, field: 'spec.ports' }, mayExist: false };
  }
  if (!isVip && !isReferenced(at, host)) {
    const waypoint = `${at.binding.namespace}/${at.binding.name}`;
    return { name, cause: { is: 'no-route-of-waypoint', host, waypoint }, by: undefined, mayExist: false };
  }
  const type = found.service.resolution === 'PASSTHROUGH' ? 'ORIGINAL_DST' : found.type;
  const seen = view.scope.service(host);
  // Of its own services it makes no mutual TLS of the mesh by a DestinationRule; the tunnel to the other end has it (buildWaypointTLSContext).
  const unseen =
    type === 'EDS' && (seen?.namespace !== found.service.namespace || !seen.ports.some(({ port: own }) => own === found.port.port)) // prettier-ignore
      ? { endpoints: [], endpointsKnown: true, unseenIn: view.proxy.namespace }
      : {};
  return { ...found, ...unseen, type, ...(isVip && found.tls?.mode === 'ISTIO_MUTUAL' ? { tls: null } : {}) };
}
