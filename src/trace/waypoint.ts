/** What a waypoint does with a connection to one of its services, by the configuration that istiod makes for it. */
import { isSubsetOf, overlaps } from '../model/hostnames';
import { isHttp, isTls } from '../model/protocols';
import type { Mesh } from '../model/mesh';
import type { Port, Service } from '../model/services';
import type { VirtualService } from '../model/virtual-services';
import { bindingOf, type Binding } from '../model/waypoints';
import type { Workload } from '../model/workloads';
import { toPod } from './ambient';
import { findCluster, isMissing, type Cluster, type MissingCluster } from './clusters';
import { hostWithoutPort } from './envoy';
import { pastFilters, pathRead, waypointFilters, type Filtered } from './filters';
import { cut, MUTUAL } from './hbone';
import { hopOf, ruleDecision, type Incoming } from './hop';
import {
  copiesOf,
  toldCopies,
  rewritten,
  routeMatches,
  routesOf,
  type HttpRequest,
  type Route,
  type RouteContext,
} from './http-routes';
import { ownAnswer, replyOf } from './own-answer';
import { askedFor, changed, tlsMisfit } from './send';
import { refused, replied, step, unknown, type Step, type WaypointTarget } from './step';
import type { Copy, Hop, ProxyRef, RouteRef, WireProtocol } from './types';
import { layersTo, missingRefusal, unhealthyRefusal } from './upstream';
import { decisions, noMatch, outermost, wire, type Flight, type Walk } from './walk';
import { noClusterWords } from './words';

/** A waypoint and the connection that it looks at. */
interface Visit {
  readonly walk: Walk;
  readonly flight: Flight;
  readonly binding: Binding;
  readonly service: Service;
  readonly port: Port;
  readonly proxy: ProxyRef;
  readonly readsHttp: boolean;
  readonly incoming: Incoming;
}

interface Chosen {
  /** As sidecars name it: `outbound|80||host`. */
  readonly cluster: string;
  readonly route: RouteRef | null;
  readonly http: HttpRequest | null;
  readonly copies?: readonly Copy[];
}

/** What the service's VirtualService has for a request. */
interface Found {
  readonly owner: VirtualService | undefined;
  /** Asked for a name that is none of a wildcard's. */
  readonly isForeign: boolean;
  /** Nobody routes it. */
  readonly isDefault: boolean;
  readonly route: Route | undefined;
}

/** A connection at a waypoint, for a service or for a Pod; NetworkPolicies see the tunnel in which it comes. */
export function throughWaypoint(walk: Walk, flight: Flight, binding: Binding, to: WaypointTarget): Step {
  const { mesh } = walk;
  const dropped = cut(mesh, flight, mesh.workloads.find(binding.namespace, binding.name));
  if (dropped !== undefined) return dropped;
  return 'workload' in to ? toWorkload(mesh, flight, binding, to.workload) : toService(walk, flight, binding, to);
}

function toService(
  walk: Walk,
  flight: Flight,
  binding: Binding,
  { service, port }: Extract<WaypointTarget, { service: Service }>,
): Step {
  const proxy: ProxyRef = { kind: 'waypoint', namespace: binding.namespace, workload: binding.name };
  const arriving = [...flight.layers, MUTUAL];
  const takesHttp = port !== undefined && isHttp(port.protocol);
  const readsHttp = flight.http !== null && flight.layers.length === 0 && (takesHttp || port?.protocol === 'AUTO');
  const spoken: WireProtocol = readsHttp ? 'HTTP' : flight.layers.length > 0 ? 'TLS' : 'TCP';
  const incoming: Incoming = { proxy, receives: wire(spoken, flight.port, arriving), envoy: noMatch(), decidedBy: [] };
  const ref = { kind: service.config.kind, namespace: service.namespace, name: service.config.name };
  if (port === undefined || (service.resolution === 'DYNAMIC_DNS' && isTls(port.protocol))) {
    return refused(hopOf(incoming), {
      code: 'NR',
      status: null,
      proxy,
      reason:
        port === undefined
          ? { kind: 'port-not-declared', service: ref, port: flight.port, ports: service.ports.map((one) => one.port) }
          : { kind: 'wildcard-tls-at-waypoint', service: ref },
      by: { ...ref, field: 'spec.ports' },
    });
  }
  if (takesHttp && !readsHttp) {
    return refused(hopOf(incoming), {
      code: 'DPE',
      status: null,
      proxy,
      reason: { kind: 'waypoint-port-declared-otherwise', service: ref, port: port.port, declared: port.protocol, got: spoken }, // prettier-ignore
      by: { ...ref, field: 'spec.ports' },
    });
  }
  const { mesh } = walk;
  // Only ports of TLS are looked into for it.
  const sni = isTls(port.protocol) ? (outermost(flight.layers)?.sni ?? null) : null;
  const at: Filtered = { mesh, incoming, flight: { ...flight, layers: arriving }, sni, terminated: true };
  const read = pathRead(at, readsHttp ? flight.http : null);
  if (read.held !== undefined) return read.held;
  const visit: Visit = { walk, flight, binding, service, port, proxy, readsHttp, incoming };
  const asking = (http: HttpRequest | null): Visit => ({ ...visit, flight: { ...flight, http: http ?? flight.http } });
  const past = pastFilters(at, waypointFilters(mesh, binding, ref), read.http, (http) => picked(asking(http)));
  return past.held ?? forwarded(asking(past.http));
}

/**
 * A connection to the own address of a Pod, by the chains `direct-http` and `direct-tcp` (listener_waypoint.go): of policies those
 * of the waypoint and of its class count, and nothing is routed.
 */
function toWorkload(mesh: Mesh, flight: Flight, binding: Binding, workload: Workload): Step {
  const proxy: ProxyRef = { kind: 'waypoint', namespace: binding.namespace, workload: binding.name };
  const layers = [...flight.layers, MUTUAL];
  const readsHttp = flight.http !== null && flight.layers.length === 0;
  const spoken: WireProtocol = readsHttp ? 'HTTP' : flight.layers.length > 0 ? 'TLS' : 'TCP';
  const incoming: Incoming = { proxy, receives: wire(spoken, flight.port, layers), envoy: noMatch(), decidedBy: [] };
  const logged = { cluster: 'encap' };
  const at: Filtered = { mesh, incoming, flight: { ...flight, layers }, sni: null, terminated: true };
  const read = pathRead(at, readsHttp ? flight.http : null);
  if (read.held !== undefined) return read.held;
  const past = pastFilters(at, waypointFilters(mesh, binding), read.http, () => logged);
  if (past.held !== undefined) return past.held;
  const hop = hopOf(incoming, { ...logged, sends: wire(spoken, flight.port, layers) });
  const onward = { ...flight, layers, http: past.http ?? flight.http, sentBy: proxy, from: peerOf(mesh, binding) };
  return step(hop, toPod(onward, workload));
}

function forwarded(visit: Visit): Step {
  const chosen = visit.readsHttp ? chosenByHttp(visit) : chosenByTcp(visit);
  return 'then' in chosen ? chosen : sent(visit, chosen);
}

/** VirtualServices of the mesh that name the service's host, of the waypoint's namespace or the service's; of other namespaces they do not count. */
function routesFor({ walk, binding, service }: Visit): readonly VirtualService[] {
  return walk.mesh.virtualServices
    .forGateway(binding.namespace, 'mesh')
    .filter(
      ({ namespace, hosts }) =>
        (namespace === binding.namespace || namespace === service.namespace) &&
        hosts.some((host) => overlaps(host, service.host)),
    );
}

function contextOf({ walk, binding, port }: Visit): RouteContext {
  const scope = walk.mesh.scopeOf({ type: 'gateway', namespace: binding.namespace, labels: {}, addresses: [] });
  const proxy = { namespace: binding.namespace, labels: {} };
  return { port: port.port, gateway: 'mesh', proxy, lookup: (host) => scope.service(host) };
}

function own({ service, port, flight, readsHttp }: Visit): Chosen {
  return {
    cluster: `outbound|${port.port}||${service.host}`,
    route: null,
    http: readsHttp ? flight.http : null,
  };
}

/** The first VirtualService with HTTP rules is the service's; conditions on labels of the caller are left out with their routes. */
function findRoute(visit: Visit, http: HttpRequest): Found {
  const { service } = visit;
  const owner = routesFor(visit).find((one) => one.http.length > 0);
  const all = owner === undefined ? [] : routesOf(owner, contextOf(visit));
  const routes = all.filter(({ match }) => match === null || Object.keys(match.sourceLabels).length === 0);
  const isForeign =
    service.resolution === 'DYNAMIC_DNS' && !isSubsetOf(hostWithoutPort(http.authority.name), service.host);
  const route = isForeign ? undefined : routes.find((one) => routeMatches(one, http));
  return { owner, isForeign, isDefault: routes.length === 0 && !isForeign, route };
}

/** What the router would do with a request that an earlier filter answers: Envoy logs it. */
function picked(visit: Visit): Partial<Hop> {
  const { http } = visit.flight;
  if (!visit.readsHttp || http === null) return {};
  const { isDefault, route } = findRoute(visit, http);
  if (isDefault) return { cluster: nameOf(visit, own(visit).cluster) };
  if (route === undefined) return {};
  const ref = route.rule?.ref ?? null;
  const isOwn = route.rule?.redirect !== undefined || route.rule?.directResponse !== undefined;
  return { route: ref, cluster: isOwn ? null : nameOf(visit, following(visit, route, ref, http).cluster) };
}

function chosenByHttp(visit: Visit): Chosen | Step {
  const { flight, service, proxy, incoming } = visit;
  const { http } = flight;
  if (http === null) return own(visit);
  const { owner, isForeign, isDefault, route } = findRoute(visit, http);
  if (isDefault) return own(visit);
  if (route === undefined) {
    const ref =
      owner === undefined ? undefined : { kind: owner.config.kind, namespace: owner.namespace, name: owner.name };
    return refused(hopOf(incoming), {
      code: 'NR',
      status: 404,
      proxy,
      reason: isForeign
        ? { kind: 'foreign-host', authority: `${http.authority}`, host: service.host }
        : { kind: 'no-rule-matches', of: `rule of ${ref?.kind ?? ''} ${ref?.namespace ?? ''}/${ref?.name ?? ''}`, method: `${http.method}`, path: `${http.path}` }, // prettier-ignore
      by: isForeign || ref === undefined ? null : { ...ref, field: 'spec.http' },
    });
  }
  const ref = route.rule?.ref ?? null;
  return answered(visit, route, ref, http) ?? following(visit, route, ref, http);
}

function answered(visit: Visit, route: Route, ref: RouteRef | null, http: HttpRequest): Step | undefined {
  const answer = ownAnswer(route, http, visit.flight.namedPort);
  if (answer === undefined) return undefined;
  const { proxy, incoming } = visit;
  const by = ruleDecision(ref);
  return replied(hopOf(incoming, { ...picked(visit), decidedBy: decisions(by) }), {
    ...replyOf(answer),
    proxy,
    by: by ?? null,
  });
}

function following(visit: Visit, route: Route, ref: RouteRef | null, http: HttpRequest): Chosen {
  const chosen = visit.walk.choose(route.clusters, copiesOf(route));
  return {
    cluster: chosen?.cluster ?? own(visit).cluster,
    route: ref,
    http: rewritten(http, route, chosen?.destination),
    ...(route.mirrors === undefined ? {} : { copies: toldCopies(route.mirrors) }),
  };
}

/** Rules for TLS come first, and only those that name exactly the service's host count; then rules for TCP. */
function chosenByTcp(visit: Visit): Chosen {
  const { service, port } = visit;
  const context = contextOf(visit);
  const services = routesFor(visit);
  const fits = (match: { readonly port: number; readonly gateways: readonly string[] }): boolean =>
    (match.port === 0 || match.port === port.port) && (match.gateways.length === 0 || match.gateways.includes('mesh'));
  const tls = services
    .flatMap((one) => one.tls)
    .find(
      ({ matches }) =>
        matches.length === 0 ||
        matches.some((match) => match.sniHosts.length === 1 && match.sniHosts[0] === service.host && fits(match)),
    );
  const rule =
    tls ??
    services.flatMap((one) => one.tcp).find(({ matches }) => matches.length === 0 || matches.some((one) => fits(one)));
  const destination = visit.walk.choose(
    rule?.route.map((one) => ({ ...one, cluster: `${one.host} ${one.subset} ${one.port}` })) ?? [],
  );
  if (rule === undefined || destination === undefined) return own(visit);
  const target = context.lookup(destination.host);
  const only = target?.ports.length === 1 ? target.ports[0]?.port : undefined;
  const number = destination.port > 0 ? destination.port : (only ?? port.port);
  return { cluster: `outbound|${number}|${destination.subset}|${destination.host}`, route: rule.ref, http: null };
}

/** Whether the waypoint is that service's own: it then has clusters of another name for it. */
function isOwn({ walk, binding }: Visit, service: Service): boolean {
  const other = bindingOf(walk.mesh, { ...service.config, labels: service.labels });
  return (
    other !== undefined &&
    other.problem === undefined &&
    other.namespace === binding.namespace &&
    other.name === binding.name
  );
}

/** The name that the waypoint gives a cluster. */
function nameOf(visit: Visit, cluster: string): string {
  const [, port = '', subset = '', host = ''] = cluster.split('|');
  const service = [...visit.walk.mesh.services.named(host).values()].find((one) => isOwn(visit, one));
  if (service === undefined) return cluster;
  const protocol = service.ports.find((one) => one.port === Number(port))?.protocol;
  const kind = protocol === undefined || isHttp(protocol) || (protocol === 'AUTO' && visit.readsHttp) ? 'http' : 'tcp';
  return `inbound-vip|${port}|${kind}${subset === '' ? '' : `/${subset}`}|${host}`;
}

/** Of its own services a waypoint makes no mutual TLS of the mesh by a DestinationRule; the tunnel to the other end has it. */
function withoutMutual(cluster: Cluster): Cluster {
  return cluster.tls?.mode === 'ISTIO_MUTUAL' ? { ...cluster, tls: null } : cluster;
}

function sent(visit: Visit, { cluster: wanted, route, http, copies }: Chosen): Step {
  const { walk, flight, binding, proxy, readsHttp, incoming } = visit;
  const { mesh } = walk;
  const name = nameOf(visit, wanted);
  const by = ruleDecision(route);
  const self = { type: 'gateway' as const, namespace: binding.namespace, labels: {}, addresses: [] };
  const service = [...mesh.services.named(wanted.split('|')[3] ?? '').values()].find((one) => isOwn(visit, one));
  const exported = mesh.scopeOf(self);
  // A waypoint has its own services whoever they are exported to; DestinationRules only for those that it sees.
  const scope = { ...exported, service: (host: string) => (host === service?.host ? service : exported.service(host)) };
  const found = findCluster({ mesh, scope, proxy: self }, true, wanted);
  const cluster = isMissing(found) ? resolvedThere(found, service) : name === wanted ? found : withoutMutual(found);
  if (cluster !== undefined && isMissing(cluster)) {
    const missed = hopOf(incoming, { route, cluster: name, decidedBy: decisions(by, cluster.by) });
    if (cluster.mayExist)
      return unknown(
        missed,
        `${noClusterWords(cluster.cause).why} among the manifests given, and none of them shows its namespace: whether ${name} exists cannot be told`,
      );
    return refused(missed, missingRefusal(cluster, proxy, readsHttp, route?.kind === 'HTTPRoute'));
  }
  const target = cluster?.service ?? service ?? visit.service;
  const isOriginal = target.resolution === 'PASSTHROUGH' && target.registry === 'External';
  const endpoint = isOriginal ? undefined : cluster?.endpoints[0];
  if (cluster !== undefined && endpoint === undefined && cluster.endpointsKnown && !isOriginal) {
    const dead = hopOf(incoming, { route, cluster: name, decidedBy: decisions(by) });
    return refused(dead, unhealthyRefusal(cluster, proxy, readsHttp));
  }
  const workload = endpoint?.workload;
  const toSidecar = endpoint !== undefined && cluster !== undefined && cluster.takesMutualTls(endpoint);
  const made = cluster === undefined ? flight.layers : layersTo(cluster, flight.layers, http, toSidecar);
  const outgoing = workload?.membership === 'ztunnel' ? [...made, MUTUAL] : made;
  const port = Number(wanted.split('|')[1]);
  const dialled = endpoint?.port ?? (isOriginal ? flight.port : port);
  const named = workload === undefined ? dialled : port;
  const hop = hopOf(incoming, {
    route,
    cluster: name,
    decidedBy: decisions(by, ...(cluster?.decidedBy ?? [])),
    ...changed(flight.http, http),
    ...(copies === undefined ? {} : { copies }),
    sends: wire(readsHttp ? 'HTTP' : incoming.receives.protocol, named, outgoing),
  });
  const onward: Flight = {
    ...flight,
    http: http ?? flight.http,
    layers: outgoing,
    address: endpoint?.address ?? (isOriginal ? flight.address : null),
    port: dialled,
    namedPort: named,
    host: target.host.startsWith('*') ? askedFor(outgoing, http, flight) : target.host,
    sentBy: proxy,
    from: peerOf(mesh, binding),
  };
  const leaves = cluster !== undefined && cluster.service.meshExternal && workload === undefined;
  const misfit = leaves
    ? tlsMisfit(cluster, flight.layers, outgoing, { isHttp: readsHttp, port: dialled }, proxy)
    : undefined;
  if (misfit !== undefined) return refused(hop, misfit);
  return step(hop, { at: 'network', flight: onward, target: { workload, original: false }, isHttp: onward.http !== null }); // prettier-ignore
}

/** Names of wildcards are resolved in a waypoint, and nowhere else. */
function resolvedThere(missing: MissingCluster, service: Service | undefined): MissingCluster | undefined {
  return service?.resolution === 'DYNAMIC_DNS' ? undefined : missing;
}

/** From here on the waypoint is the caller. */
function peerOf(mesh: Mesh, binding: Binding): Flight['from'] {
  const workload = mesh.workloads.find(binding.namespace, binding.name);
  return {
    namespace: binding.namespace,
    serviceAccount: workload?.serviceAccount ?? binding.name,
    labels: workload?.labels ?? { 'gateway.networking.k8s.io/gateway-name': binding.name },
    address: workload?.addresses[0] ?? null,
    workload,
    inMesh: true,
  };
}
