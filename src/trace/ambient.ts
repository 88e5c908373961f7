/** Ambient mode: ztunnel carries connections of Pods that have no proxy of their own, to waypoints where services ask for one. */
import { isSubsetOf } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { isHttp } from '../model/protocols';
import type { Port, Service } from '../model/services';
import type { Workload } from '../model/workloads';
import { arrive } from './arrive';
import { authorize, waypointPolicies } from './authorization';
import { findCluster, isMissing } from './clusters';
import { hostWithoutPort } from './envoy';
import { heaviest, ownAnswer, rewritten, routeMatches, routesOf, type Route } from './http-routes';
import { serviceAt } from './names';
import type { Decision, Hop, ProxyRef, Trace, WireProtocol } from './types';
import { layersTo, missingRefusal, unhealthyRefusal } from './upstream';
import { decisions, noMatch, outermost, wire, type Flight, type TlsLayer, type Walk } from './walk';

interface Waypoint {
  readonly namespace: string;
  readonly name: string;
  readonly by: Decision;
}

const MUTUAL: TlsLayer = { kind: 'ISTIO_MUTUAL', sni: null, certificate: 'istio' };

/** The service that ztunnel knows a destination by: its address, or the VIP that DNS capture gives a ServiceEntry's host. */
function knownService(mesh: Mesh, flight: Flight): Service | undefined {
  const byAddress = flight.address === null ? undefined : serviceAt(mesh, flight.address);
  if (byAddress !== undefined) return byAddress;
  const visible = (service: Service): boolean => mesh.services.isVisible(service, flight.from.namespace);
  const exact = [...mesh.services.named(flight.host).values()].find(visible);
  return (
    exact ??
    mesh.services.all.find(
      (service) => service.registry === 'External' && isSubsetOf(flight.host, service.host) && visible(service),
    )
  );
}

/** The waypoint of a service: by its own label, else by its namespace's. */
function waypointOf(mesh: Mesh, service: Service): Waypoint | undefined {
  const own = service.labels['istio.io/use-waypoint'];
  const info = mesh.namespaces.get(service.namespace);
  const name = own ?? info?.labels['istio.io/use-waypoint'];
  if (name === undefined || name === 'none') return undefined;
  const labels = own === undefined ? info?.labels : service.labels;
  const { kind } = service.config;
  return {
    namespace: labels?.['istio.io/use-waypoint-namespace'] ?? service.namespace,
    name,
    by:
      own === undefined
        ? { kind: 'Namespace', namespace: '', name: service.namespace, field: 'metadata.labels.istio.io/use-waypoint' }
        : {
            kind,
            namespace: service.namespace,
            name: service.config.name,
            field: 'metadata.labels.istio.io/use-waypoint',
          },
  };
}

function addHop(walk: Walk, hop: Partial<Hop> & Pick<Hop, 'proxy' | 'receives'>): void {
  walk.hops.push({
    route: null,
    cluster: null,
    sends: null,
    decidedBy: [],
    alternatives: [],
    envoy: noMatch(),
    ...hop,
  });
}

function spoken(flight: Flight): WireProtocol {
  return flight.layers.length > 0 ? 'TLS' : flight.http === null ? 'TCP' : 'HTTP';
}

/** A connection of an ambient client. What ztunnel does not know it lets pass: REGISTRY_ONLY is for sidecars. */
export function throughZtunnel(walk: Walk, flight: Flight, name: string | null): Trace {
  const { mesh } = walk;
  const proxy: ProxyRef = { kind: 'ztunnel', namespace: flight.from.namespace, workload: name };
  const protocol: WireProtocol = flight.layers.length > 0 ? 'TLS' : 'TCP';
  const receives = wire(protocol, flight.port, flight.layers);
  const service = knownService(mesh, flight);
  const port = service?.ports.find((candidate) => candidate.port === flight.port);
  const onward: Flight = { ...flight, sentBy: proxy, from: { ...flight.from, inMesh: true } };
  if (service === undefined || port === undefined) {
    addHop(walk, { proxy, receives, sends: receives });
    return arrive(walk, onward, undefined, false);
  }
  const waypoint = waypointOf(mesh, service);
  if (waypoint !== undefined) {
    const gateway = mesh.gatewayApi.find(waypoint.namespace, waypoint.name);
    if (gateway?.controller === 'istio-waypoint') {
      addHop(walk, {
        proxy,
        receives,
        sends: wire(protocol, flight.port, [...flight.layers, MUTUAL]),
        decidedBy: [waypoint.by],
      });
      return throughWaypoint(walk, onward, waypoint, service, port);
    }
    walk.note(
      `${waypoint.by.kind} ${waypoint.by.name} asks for waypoint ${waypoint.namespace}/${waypoint.name}, which no manifest has: followed without it`,
    );
  }
  const endpoint = mesh.endpoints.of(service, port, {}).endpoints[0];
  const inMesh = endpoint?.workload?.membership === 'ztunnel' || endpoint?.workload?.membership === 'sidecar';
  const layers = inMesh ? [...flight.layers, MUTUAL] : flight.layers;
  addHop(walk, { proxy, receives, sends: wire(protocol, port.port, layers) });
  return atWorkload(
    walk,
    {
      ...onward,
      address: endpoint?.address ?? flight.address,
      port: endpoint?.port ?? flight.port,
      host: service.host,
    },
    service,
    endpoint?.workload,
    layers,
  );
}

/** Delivery to an endpoint: at another ztunnel policies of layer 4 hold, and its mutual TLS ends. */
function atWorkload(
  walk: Walk,
  flight: Flight,
  service: Service,
  workload: Workload | undefined,
  layers: readonly TlsLayer[],
): Trace {
  if (workload?.membership !== 'ztunnel') {
    return arrive(walk, { ...flight, layers }, { service, workload, original: false }, false);
  }
  const proxy: ProxyRef = { kind: 'ztunnel', namespace: workload.namespace, workload: workload.name };
  const inner = layers.slice(0, -1);
  const protocol: WireProtocol = inner.length > 0 ? 'TLS' : 'TCP';
  const verdict = authorize(walk.mesh, workload, {
    flight: { ...flight, layers },
    http: null,
    sni: null,
    port: flight.port,
    terminated: true,
  });
  const receives = wire(protocol, flight.port, layers);
  if (verdict.is === 'unknown') {
    addHop(walk, { proxy, receives });
    return walk.unknown(verdict.what);
  }
  if (verdict.is === 'denied') {
    addHop(walk, { proxy, receives, decidedBy: decisions(verdict.by) });
    return walk.refused({
      code: 'RBAC',
      status: null,
      proxy,
      what: verdict.what,
      fix: verdict.fix,
      by: verdict.by ?? null,
    });
  }
  addHop(walk, { proxy, receives, sends: wire(protocol, flight.port, inner) });
  const outer = outermost(inner);
  return walk.delivered({
    host: flight.host,
    port: flight.namedPort,
    tls: outer?.kind ?? 'NONE',
    sni: outer?.sni ?? null,
  });
}

/** The routes that a waypoint has for a service: those of the mesh for its host, else one to the service itself. */
function waypointRoute(
  walk: Walk,
  flight: Flight,
  waypoint: Waypoint,
  service: Service,
  port: Port,
): Route | undefined {
  const { mesh } = walk;
  const { http } = flight;
  if (http === null) return undefined;
  const proxy = { namespace: waypoint.namespace, labels: {} };
  const lookup = (host: string): Service | undefined => [...mesh.services.named(host).values()][0];
  for (const virtualService of mesh.virtualServices.forGateway(waypoint.namespace, 'mesh')) {
    if (
      !virtualService.hosts.some(
        (host) => isSubsetOf(service.host, host) || isSubsetOf(hostWithoutPort(http.authority), host),
      )
    )
      continue;
    return routesOf(virtualService, { port: port.port, gateway: 'mesh', proxy, lookup }).find((route) =>
      routeMatches(route, http),
    );
  }
  return undefined;
}

function throughWaypoint(walk: Walk, flight: Flight, waypoint: Waypoint, service: Service, port: Port): Trace {
  const { mesh } = walk;
  const proxy: ProxyRef = { kind: 'waypoint', namespace: waypoint.namespace, workload: waypoint.name };
  const readsHttp =
    flight.http !== null && flight.layers.length === 0 && (isHttp(port.protocol) || port.protocol === 'AUTO');
  const arriving = [...flight.layers, MUTUAL];
  const receives = wire(readsHttp ? 'HTTP' : spoken(flight), port.port, arriving);
  const target = { kind: service.config.kind, namespace: service.namespace, name: service.config.name };
  const access = {
    flight: { ...flight, layers: arriving },
    http: readsHttp ? flight.http : null,
    sni: outermost(flight.layers)?.sni ?? null,
    port: port.port,
    terminated: true,
  };
  const verdict = authorize(
    mesh,
    { namespace: waypoint.namespace, labels: {} },
    access,
    waypointPolicies(mesh, waypoint, target),
  );
  if (verdict.is !== 'allowed') {
    addHop(walk, { proxy, receives, decidedBy: decisions(verdict.by) });
    if (verdict.is === 'unknown') return walk.unknown(verdict.what);
    return walk.refused({
      code: 'RBAC',
      status: readsHttp ? 403 : null,
      proxy,
      what: verdict.what,
      fix: verdict.fix,
      by: verdict.by ?? null,
    });
  }
  const route = readsHttp ? waypointRoute(walk, flight, waypoint, service, port) : undefined;
  const ref = route?.rule?.ref ?? null;
  const by: Decision | undefined =
    ref === null ? undefined : { kind: ref.kind, namespace: ref.namespace, name: ref.name, field: `spec.${ref.rule}` };
  const answer = route === undefined ? undefined : ownAnswer(route);
  if (answer !== undefined) {
    addHop(walk, { proxy, receives, route: ref, decidedBy: decisions(by) });
    return walk.refused({
      code: answer.code,
      status: answer.status,
      proxy,
      what: answer.what,
      fix: `take ${answer.field} off the rule to forward the request`,
      by: by ?? null,
    });
  }
  const chosen = route === undefined ? undefined : heaviest(route.clusters);
  const wanted = chosen?.cluster ?? `outbound|${port.port}||${service.host}`;
  const self = { type: 'gateway' as const, namespace: waypoint.namespace, labels: {}, addresses: [] };
  const scope = mesh.scopeOf(self);
  const isOwn = wanted.endsWith(`||${service.host}`);
  const name = isOwn
    ? `inbound-vip|${wanted.split('|')[1] ?? ''}|${readsHttp ? 'http' : 'tcp'}|${service.host}`
    : wanted;
  const cluster = findCluster({ mesh, scope, proxy: self }, true, wanted);
  // Of wildcard hosts a waypoint resolves the one that is asked for.
  if (isMissing(cluster) && service.resolution !== 'DYNAMIC_DNS') {
    addHop(walk, { proxy, receives, route: ref, cluster: name, decidedBy: decisions(by, cluster.by) });
    return walk.refused(missingRefusal(cluster, proxy, readsHttp, false));
  }
  const http =
    route === undefined || flight.http === null ? flight.http : rewritten(flight.http, route, chosen?.destination);
  const known = isMissing(cluster) ? undefined : cluster;
  const endpoint = known?.endpoints[0];
  if (known !== undefined && endpoint === undefined && known.endpointsKnown) {
    addHop(walk, { proxy, receives, route: ref, cluster: name, decidedBy: decisions(by) });
    return walk.refused(unhealthyRefusal(known, proxy, readsHttp));
  }
  const toMesh = endpoint?.workload?.membership === 'ztunnel';
  const outgoing =
    known === undefined
      ? flight.layers
      : toMesh
        ? [...flight.layers, MUTUAL]
        : layersTo(known, flight.layers, http, endpoint !== undefined && known.takesMutualTls(endpoint));
  const dialled = endpoint?.port ?? port.port;
  const leaves = endpoint?.workload === undefined;
  addHop(walk, {
    proxy,
    receives,
    route: ref,
    cluster: name,
    decidedBy: decisions(by, ...(known?.decidedBy ?? [])),
    sends: wire(readsHttp ? 'HTTP' : spoken(flight), leaves ? dialled : port.port, outgoing),
  });
  const onward: Flight = {
    ...flight,
    http,
    layers: outgoing,
    address: endpoint?.address ?? null,
    port: dialled,
    namedPort: leaves ? dialled : port.port,
    host: service.host.startsWith('*') ? flight.host : service.host,
    sentBy: proxy,
  };
  return atWorkload(walk, onward, service, endpoint?.workload, outgoing);
}
