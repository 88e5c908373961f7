/**
 * What istiod makes for a waypoint of a service: a filter chain of its internal listener, routes, filters and clusters, in the shape that sidecars and
 * gateways have (listener_waypoint.go and cluster_waypoint.go of pilot/pkg/networking/core).
 */
import { overlaps } from '../model/hostnames';
import type { Mesh, Proxy } from '../model/mesh';
import { isHttp } from '../model/protocols';
import type { Port, Service } from '../model/services';
import type { L4Rule, VirtualService } from '../model/virtual-services';
import { bindingOf, type Binding } from '../model/waypoints';
import { findCluster, isMissing, parseClusterName, type Cluster, type MissingCluster } from './clusters';
import { DomainIndex, filterChain, type FilterChain, type Listener, type TcpTarget } from './envoy';
import { clusterName, routesOf, VirtualHost, type Route } from './http-routes';
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

/** Whether the waypoint is that service's own: it then has clusters of another name for it. */
function isOwn({ mesh, binding }: Pick<WaypointPort, 'mesh' | 'binding'>, service: Service): boolean {
  const other = bindingOf(mesh, { ...service.config, labels: service.labels });
  return (
    other !== undefined &&
    other.problem === undefined &&
    other.namespace === binding.namespace &&
    other.name === binding.name
  );
}

function ownNamed(at: Pick<WaypointPort, 'mesh' | 'binding'>, host: string): Service | undefined {
  return [...at.mesh.services.named(host).values()].find((one) => isOwn(at, one));
}

/** The name that the waypoint gives a cluster, of which sidecars have `outbound|80||host`. */
function nameOf(at: WaypointPort, cluster: string, readsHttp: boolean): string {
  const { port, subset = '', host = '' } = parseClusterName(cluster) ?? {};
  const service = ownNamed(at, host);
  if (service === undefined) return cluster;
  const protocol = service.ports.find((one) => one.port === port)?.protocol;
  const kind = protocol === undefined || isHttp(protocol) || (protocol === 'AUTO' && readsHttp) ? 'http' : 'tcp';
  return `inbound-vip|${port ?? ''}|${kind}${subset === '' ? '' : `/${subset}`}|${host}`;
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
  const name = `inbound-vip|${port.port}|${readsHttp ? 'http' : 'tcp'}|${service.host}`;
  const chain = filterChain({
    name,
    terminates: { mode: 'ISTIO_MUTUAL', httpsRedirect: false, credentialName: '' },
    ...(readsHttp ? { routeConfig: name } : { tcp: tcpTarget(at) }),
  });
  const listener = { name: 'main_internal', address: '', port: port.port, chains: [chain], defaultChain: null, tlsInspector: true, httpInspector: true, refused: null }; // prettier-ignore
  return { listener, chain };
}

/** The first VirtualService with HTTP rules is the service's; conditions on labels of the caller are left out with their routes. */
export function waypointRoutes(at: WaypointPort, name: string): RouteConfig {
  const { binding, service, port } = at;
  const owner = routesFor(at).find((one) => one.http.length > 0);
  const { scope } = viewOf(at);
  const proxy = { namespace: binding.namespace, labels: {} };
  const context = { port: port.port, gateway: 'mesh', proxy, lookup: (host: string) => scope.service(host) };
  const named = <T extends { readonly cluster: string }>(one: T): T => ({
    ...one,
    cluster: nameOf(at, one.cluster, true),
  });
  const routes = (owner === undefined ? [] : routesOf(owner, context))
    .filter(({ match }) => match === null || Object.keys(match.sourceLabels).length === 0)
    .map((route): Route => ({
      ...route,
      clusters: route.clusters.map(named),
      mirrors: (route.mirrors ?? []).map(named),
    }));
  // A wildcard's own names only, lest a Host header make the waypoint resolve any name.
  const domain = service.resolution === 'DYNAMIC_DNS' ? service.host : '*';
  // Of several routes of the Gateway API istiod makes one VirtualService, whose name nobody knows.
  const of = owner?.semantics === 'istio' ? `rule of ${owner.config.kind} ${owner.namespace}/${owner.name}` : `rule for ${service.host}`; // prettier-ignore
  const host = new VirtualHost(`inbound|http|${port.port}`, [domain], () => (routes.length > 0 ? routes : [ownRoute(at)]), false, undefined, of); // prettier-ignore
  const domains = new DomainIndex<VirtualHost>();
  domains.add(domain, host);
  return { name, match: (asked) => domains.match(asked), hosts: () => [host], onlyFor: service.host };
}

function ownRoute(at: WaypointPort): Route {
  const { service, port } = at;
  const { host } = service;
  const destination = { host, subset: '', port: port.port, weight: 0, authority: '', headers: {} };
  const cluster = nameOf(at, clusterName(host, '', port.port), true);
  return { name: 'default', rule: null, match: null, clusters: [{ cluster, weight: 0, index: 0, destination }], gatewaySemantics: false }; // prettier-ignore
}

/** Rules for TLS come first, and only those that name exactly the service's host count; then rules for TCP. */
function tcpTarget(at: WaypointPort): TcpTarget {
  const { service, port } = at;
  const services = routesFor(at);
  const fits = (match: { readonly port: number; readonly gateways: readonly string[] }): boolean =>
    (match.port === 0 || match.port === port.port) && (match.gateways.length === 0 || match.gateways.includes('mesh'));
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
  const target = rule === undefined || rule.route.length === 0 ? targetOfService(view, service.host, port.port) : targetOfRule(view, rule, port.port); // prettier-ignore
  const clusters = target.clusters.map(({ cluster, weight }) => ({ cluster: nameOf(at, cluster, false), weight }));
  return { ...target, clusters };
}

/** A cluster by the name that the waypoint gives it. */
export function waypointCluster(at: WaypointPort, name: string): Cluster | MissingCluster {
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
  const isOriginal = found.service.resolution === 'PASSTHROUGH' && found.service.registry === 'External';
  const type = isOriginal ? 'ORIGINAL_DST' : 'EDS';
  // Of its own services it makes no mutual TLS of the mesh by a DestinationRule; the tunnel to the other end has it (buildWaypointTLSContext).
  return { ...found, type, ...(isVip && found.tls?.mode === 'ISTIO_MUTUAL' ? { tls: null } : {}) };
}
