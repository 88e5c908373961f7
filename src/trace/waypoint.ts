/** What a waypoint does with a connection to one of its services, by the configuration that istiod makes for it. */
import type { Mesh } from '../model/mesh';
import { isHttp, isTls } from '../model/protocols';
import type { Service } from '../model/services';
import type { Binding } from '../model/waypoints';
import type { Workload } from '../model/workloads';
import { toPod } from './ambient';
import { through } from './connection';
import { pastFilters, pathRead, waypointFilters, type Filtered } from './filters';
import { cut, MUTUAL, shownInTunnel } from './hbone';
import { hopOf, type AtProxy, type Incoming } from './hop';
import { istioPlane } from './istio-plane';
import { refused, step, type Step, type WaypointTarget } from './step';
import type { ProxyRef, WireProtocol } from './types';
import { noMatch, outermost, wire, type Flight, type Walk } from './walk';
import {
  isKeptFromWaypoints,
  servedAt,
  waypointChain,
  waypointCluster,
  waypointProxy,
  waypointRoutes,
} from './waypoint-config';

/** A connection at a waypoint, for a service or for a Pod; NetworkPolicies see the tunnel in which it comes. */
export function throughWaypoint(walk: Walk, flight: Flight, binding: Binding, to: WaypointTarget): Step {
  const { mesh } = walk;
  const dropped = cut(walk, flight, mesh.workloads.find(binding.namespace, binding.name));
  if (dropped !== undefined) return dropped;
  return 'workload' in to ? toWorkload(walk, flight, binding, to.workload) : toService(walk, flight, binding, to);
}

function toService(
  walk: Walk,
  flight: Flight,
  binding: Binding,
  asked: Extract<WaypointTarget, { service: Service }>,
): Step {
  const { mesh } = walk;
  const served = servedAt({ mesh, binding, service: asked.service }, flight.port);
  const service = served ?? asked.service;
  const port = served === asked.service ? asked.port : service.ports.find((one) => one.port === flight.port);
  const proxy: ProxyRef = { kind: 'waypoint', namespace: binding.namespace, workload: binding.name };
  const arriving = [...flight.layers, MUTUAL];
  const takesHttp = port !== undefined && isHttp(port.protocol);
  const readsHttp = flight.http !== null && flight.layers.length === 0 && (takesHttp || port?.protocol === 'AUTO');
  const spoken: WireProtocol = readsHttp ? 'HTTP' : flight.layers.length > 0 ? 'TLS' : 'TCP';
  const incoming: Incoming = { proxy, receives: wire(spoken, flight.port, arriving), envoy: noMatch(), decidedBy: [] };
  const ref = { kind: service.config.kind, namespace: service.namespace, name: service.config.name };
  if (served === undefined) {
    const first = mesh.services.named(service.host).get(service.namespace)?.address ?? '';
    return refused(hopOf(incoming), { code: 'NR', status: null, proxy, reason: { kind: 'other-address-at-waypoint', service: ref, address: service.address, first }, by: { ...ref, field: 'spec.addresses' } }); // prettier-ignore
  }
  if (isKeptFromWaypoints(mesh, service))
    return refused(hopOf(incoming), { code: 'NR', status: null, proxy, reason: { kind: 'internal-wildcard-at-waypoint', service: ref }, by: { ...ref, field: 'spec.location' } }); // prettier-ignore
  const isUnread = service.resolution === 'DYNAMIC_DNS' && !mesh.config.resolvesSniAtWaypoints;
  if (port === undefined || (isUnread && isTls(port.protocol))) {
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
  const own = { mesh, binding, service, port };
  const self = waypointProxy(binding);
  const at: AtProxy = {
    view: { mesh, scope: mesh.scopeOf(self), proxy: self, addresses: [] },
    self,
    workload: undefined,
    flight: { ...flight, layers: arriving },
    cluster: (name) => waypointCluster(own, name),
    peer: peerOf(mesh, binding),
  };
  return through(walk, {
    flight: at.flight,
    proxy,
    plane: istioPlane(walk, at),
    ...waypointChain(own, readsHttp),
    receives: incoming.receives,
    // Only ports of TLS are looked into for it.
    sni: isTls(port.protocol) ? (outermost(flight.layers)?.sni ?? null) : null,
    filters: waypointFilters(mesh, binding, ref),
    routeConfig: (name) =>
      mesh.remember(service, `routes ${name} ${binding.namespace}/${binding.name}`, () => waypointRoutes(own, name)),
  });
}

/**
 * A connection to the own address of a Pod, by the chains `direct-http` and `direct-tcp` (listener_waypoint.go): of policies those
 * of the waypoint and of its class count, and nothing is routed.
 */
function toWorkload(walk: Walk, flight: Flight, binding: Binding, workload: Workload): Step {
  const { mesh } = walk;
  const proxy: ProxyRef = { kind: 'waypoint', namespace: binding.namespace, workload: binding.name };
  const layers = [...flight.layers, MUTUAL];
  const readsHttp = flight.http !== null && flight.layers.length === 0;
  const spoken: WireProtocol = readsHttp ? 'HTTP' : flight.layers.length > 0 ? 'TLS' : 'TCP';
  const incoming: Incoming = { proxy, receives: wire(spoken, flight.port, layers), envoy: noMatch(), decidedBy: [] };
  const logged = { cluster: 'encap' };
  const at: Filtered = { walk, incoming, flight: { ...flight, layers }, sni: null, terminated: true };
  const read = pathRead(mesh, incoming, readsHttp ? flight.http : null);
  if (read.held !== undefined) return read.held;
  const past = pastFilters(at, waypointFilters(mesh, binding), read.http, () => logged);
  if (past.held !== undefined) return past.held;
  const from = peerOf(mesh, binding);
  const hop = hopOf(incoming, { ...logged, sends: wire(spoken, flight.port, layers), identity: shownInTunnel(mesh, from) }); // prettier-ignore
  const onward = { ...flight, layers, http: past.http ?? flight.http, sentBy: proxy, from };
  return step(hop, toPod(onward, workload));
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
