/** Ambient mode: ztunnel carries connections of Pods that have no proxy of their own, to waypoints where services ask for one. */
import { contains, isAddress, isRange, prefixLength } from '../model/addresses';
import { ztunnelAnswersDns } from '../model/ambient-capture';
import { endpointText } from '../model/endpoints';
import { isSubsetOf, isWildcard } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import type { Port, Service } from '../model/services';
import { serviceBindingOf, USE_WAYPOINT, workloadBindingOf, type Binding } from '../model/waypoints';
import { isMeshed, type Workload, shownName } from '../model/workloads';
import { authorize } from './authorization';
import { HBONE_PORT, MUTUAL, hasAddress, isOpenTo, isTold, shownInTunnel } from './hbone';
import { denied, heldBy } from './filters';
import { hopOf, brokenStatus, protocolOf, type Incoming } from './hop';
import { remark } from './notes';
import type { Reason } from './reasons';
import { refOf, serviceRef } from './refs';
import { sharedWith } from './shared-waypoint';
import { refused, step, unknown, type Behind, type Next, type Step } from './step';
import type { Decision, Destination, ProxyRef } from './types';
import { decisions, noMatch, outermost, wire, type Flight, type Walk } from './walk';
import { policiesFor } from './workload-policies';

/** Of the services of a host: that of the client's namespace, else a Service of the cluster, else the oldest. What is exported to whom does not matter. */
function preferred(mesh: Mesh, services: Iterable<Service>, namespace: string): Service | undefined {
  const told = [...services].filter(
    (service) => isTold(mesh, service) && hasAddress(service) && isOpenTo(service, namespace),
  );
  return (
    told.find((service) => service.namespace === namespace) ??
    told.find((service) => service.registry === 'Kubernetes') ??
    told.reduce<Service | undefined>(
      (oldest, one) => (oldest === undefined || one.created < oldest.created ? one : oldest),
      undefined,
    )
  );
}

/** Services that have an address, else those with the narrowest range that it is in. */
function servicesAt(mesh: Mesh, address: string): readonly Service[] {
  const at = mesh.services.all.filter((one) => one.address === address || one.extraAddresses.includes(address));
  if (at.length > 0 || !mesh.config.istio.tellsZtunnelOfRanges) return at;
  const around = mesh.services.all.filter((one) => isRange(one.address) && contains(one.address, address));
  const narrowest = Math.max(...around.map((one) => prefixLength(one.address)));
  return around.filter((one) => prefixLength(one.address) === narrowest);
}

function answersDns(mesh: Mesh, { workload }: Flight['from']): boolean {
  return ztunnelAnswersDns(workload?.annotations ?? {}, mesh.config.ztunnelAnswersDns);
}

/** The service that ztunnel knows a destination by: the address that is dialled, which its DNS proxy gave for the name. */
function knownService(mesh: Mesh, flight: Flight, dialsAddress: boolean): Service | undefined {
  const { namespace } = flight.from;
  if (flight.address !== null) {
    const { address } = flight;
    const found = preferred(mesh, servicesAt(mesh, address), namespace);
    if (found !== undefined || dialsAddress) return found;
  }
  // Where it answers no DNS queries, the name is that of the address which the cluster's DNS gives.
  if (!answersDns(mesh, flight.from)) return undefined;
  const exact = preferred(mesh, mesh.services.named(flight.host).values(), namespace);
  if (exact !== undefined) return exact;
  const wildcards = mesh.services.all.filter((one) => isWildcard(one.host) && isSubsetOf(flight.host, one.host));
  const longest = Math.max(...wildcards.map(({ host }) => host.length));
  return preferred(
    mesh,
    wildcards.filter(({ host }) => host.length === longest),
    namespace,
  );
}

/** A connection of an ambient client. What ztunnel does not know it lets pass: REGISTRY_ONLY is for sidecars. */
export function throughZtunnel(walk: Walk, flight: Flight, name: string | null, dialsPod: boolean): Step {
  const { mesh } = walk;
  const proxy: ProxyRef = { kind: 'ztunnel', namespace: flight.from.namespace, workload: name };
  const receives = wire(protocolOf(flight), flight.port, flight.layers);
  const incoming = { proxy, receives, envoy: noMatch(), decidedBy: [] };
  const dialsAddress =
    dialsPod || isAddress(flight.host) || (flight.address !== null && walk.addressOf(flight.host) !== null);
  const service = knownService(mesh, flight, dialsAddress);
  const onward: Flight = { ...flight, sentBy: proxy, from: { ...flight.from, inMesh: true } };
  if (service === undefined) {
    const workload = flight.address === null ? undefined : mesh.workloads.at(flight.address);
    if (workload !== undefined && isMeshed(workload)) {
      const layers = [...flight.layers, MUTUAL];
      const identity = shownInTunnel(mesh, flight.from);
      const led = workloadBindingOf(mesh, workload);
      if (led !== undefined) {
        const hop = hopOf(incoming, { sends: wire(protocolOf(flight), HBONE_PORT, layers), identity, decidedBy: decisions(asksFor(led)) }); // prettier-ignore
        return step(hop, { at: 'waypoint', flight: onward, binding: led, to: { workload } });
      }
      const hop = hopOf(incoming, { sends: wire(protocolOf(flight), flight.port, layers), identity });
      return step(hop, toPod({ ...onward, layers }, workload));
    }
    noteUnknown(walk, flight);
    return step(hopOf(incoming, { sends: receives }), toOriginal(onward));
  }
  const port = service.ports.find((candidate) => candidate.port === flight.port);
  const binding = serviceBindingOf(mesh, service);
  const by = binding === undefined ? undefined : asksFor(binding);
  if (binding?.problem !== undefined)
    walk.note(
      remark({
        kind: 'waypoint-ignored',
        by: refOf(binding.by),
        waypoint: `${binding.namespace}/${binding.name}`,
        problem: binding.problem,
      }),
    );
  if (binding?.gateway !== undefined && binding.problem === undefined) {
    const tunnel = wire(protocolOf(flight), HBONE_PORT, [...flight.layers, MUTUAL]);
    const hop = hopOf(incoming, {
      sends: tunnel,
      identity: shownInTunnel(mesh, flight.from),
      decidedBy: decisions(by),
    });
    const shared = sharedWith(mesh, service, binding);
    if (shared !== undefined) return unknown(hop, shared);
    return step(hop, { at: 'waypoint', flight: onward, binding, to: { service, port } });
  }
  if (service.resolution === 'PASSTHROUGH' && service.registry === 'External') {
    return step(hopOf(incoming, { sends: receives, decidedBy: decisions(by) }), toOriginal(onward));
  }
  const ref = { kind: service.config.kind, namespace: service.namespace, name: service.config.name };
  const isResolved = service.resolution !== 'DYNAMIC_DNS';
  const endpoints = port === undefined || !isResolved ? undefined : mesh.endpoints.of(service, port, {});
  if (endpoints === undefined || (endpoints.known && endpoints.endpoints.length === 0)) {
    return refused(hopOf(incoming, { decidedBy: decisions(by) }), {
      code: 'UH',
      status: null,
      proxy,
      by: { ...ref, field: port === undefined ? 'spec.ports' : 'spec.resolution' },
      reason:
        port === undefined
          ? { kind: 'port-not-declared', service: ref, port: flight.port, ports: service.ports.map((one) => one.port) }
          : isResolved
            ? { kind: 'no-endpoint-on-port', service: ref, port: flight.port }
            : { kind: 'resolved-by-waypoints-only', service: ref },
    });
  }
  return straight(walk, onward, { service, port: port as Port, incoming, by });
}

/** The label that leads to a waypoint. */
function asksFor({ by: { kind, namespace, name } }: Binding): Decision {
  return { kind, namespace, name, field: `metadata.labels.${USE_WAYPOINT}` };
}

/** Names the entries that a reader would expect to hold the host. */
function noteUnknown(walk: Walk, flight: Flight): void {
  const entries = walk.mesh.services.declaring(flight.host).filter((one) => one.registry === 'External');
  const isAsked = flight.address !== null || answersDns(walk.mesh, flight.from);
  for (const entry of entries)
    walk.note(remark(isAsked ? { kind: 'not-known-by-name', entry: serviceRef(entry), hasRange: !isTold(walk.mesh, entry) } : { kind: 'dns-not-captured', entry: serviceRef(entry) })); // prettier-ignore
}

interface Straight {
  readonly service: Service;
  readonly port: Port;
  readonly incoming: Incoming;
  readonly by: Decision | undefined;
}

/** To the address that the client dialled. */
function toOriginal(flight: Flight): Next {
  return { at: 'network', flight, target: undefined, isHttp: false };
}

/** To a Pod that is dialled by its own address: where that ends at another ztunnel, through a tunnel. */
export function toPod(flight: Flight, workload: Workload): Next {
  const target = workload.membership === 'ztunnel' ? { workload, original: false } : undefined;
  return { at: 'network', flight, target, isHttp: flight.http !== null };
}

/** Without a waypoint: to an endpoint, by the mesh's mutual TLS where the other end knows it. */
function straight(walk: Walk, flight: Flight, { service, port, incoming, by }: Straight): Step {
  const { endpoints } = walk.mesh.endpoints.of(service, port, {});
  const endpoint = walk.endpointOf(endpoints);
  const workload = endpoint?.workload;
  const inMesh = workload !== undefined && isMeshed(workload);
  const layers = inMesh ? [...flight.layers, MUTUAL] : flight.layers;
  const dialled = endpoint?.port ?? flight.port;
  const target = service.registry === 'External' && workload === undefined ? dialled : port.port;
  const envoy = { ...incoming.envoy, endpoints: endpoints.map(endpointText) };
  const hop = hopOf(incoming, { sends: wire(protocolOf(flight), target, layers), ...(inMesh ? { identity: shownInTunnel(walk.mesh, flight.from) } : {}), decidedBy: decisions(by), envoy }); // prettier-ignore
  const onward = { ...flight, layers, address: endpoint?.address ?? null, port: dialled, namedPort: target, host: endpoint?.address !== undefined && workload === undefined && !isAddress(endpoint.address) ? endpoint.address : service.host }; // prettier-ignore
  return step(hop, { at: 'network', flight: onward, target: { workload, original: false, among: endpoints }, isHttp: flight.http !== null }); // prettier-ignore
}

/** At the ztunnel of a Pod's node, where plain text arrives as well: it passes unless mutual TLS is demanded or a policy wants to know who sends. */
export function atZtunnel({ mesh, supposed }: Walk, flight: Flight, workload: Workload, behind?: Behind): Step {
  const { layers } = flight;
  const isMutual = outermost(layers)?.kind === 'ISTIO_MUTUAL';
  const inner = isMutual ? layers.slice(0, -1) : layers;
  const proxy: ProxyRef = { kind: 'ztunnel', namespace: workload.namespace, workload: shownName(workload) };
  const incoming = { proxy, receives: wire(inner.length > 0 ? 'TLS' : 'TCP', flight.port, layers), envoy: noMatch(), decidedBy: [] } as const; // prettier-ignore
  const held = plainTextRefusal(mesh, flight, workload, isMutual);
  if (held !== undefined)
    return refused(hopOf(incoming, { decidedBy: decisions(held.by) }), {
      code: 'RBAC',
      status: brokenStatus(flight),
      proxy,
      ...held,
    });
  const access = { flight, http: null, sni: null, port: flight.port, terminated: isMutual, atZtunnel: true, supposed };
  const verdict = authorize(mesh, access, policiesFor(mesh, workload.namespace, workload.labels));
  if (verdict.is !== 'allowed')
    return heldBy(denied(verdict, brokenStatus(flight)), hopOf(incoming, { decidedBy: decisions(verdict.by) }));
  const hop = hopOf(incoming, { sends: wire(incoming.receives.protocol, flight.port, inner) });
  if (behind !== undefined)
    return step(hop, {
      at: 'envoy-gateway',
      flight: { ...flight, layers: inner, port: behind.port },
      proxies: behind.proxies,
    });
  const left = outermost(inner);
  const destination: Destination = {
    host: flight.host,
    port: flight.namedPort,
    tls: left?.kind ?? 'NONE',
    sni: left?.sni ?? null,
  };
  return step(hop, { is: 'delivered', destination });
}

/** What PeerAuthentication says of plain text: istiod makes a policy for ztunnels of it. */
function plainTextRefusal(
  mesh: Mesh,
  flight: Flight,
  workload: Workload,
  isMutual: boolean,
): { readonly reason: Reason; readonly by: Decision } | undefined {
  const tls = mesh.peerAuthentications.atZtunnel(workload.namespace, workload.labels, flight.port);
  if (isMutual || tls.mode !== 'STRICT' || tls.config === undefined) return undefined;
  const { kind, namespace, name } = tls.config;
  return {
    reason: { kind: 'mutual-tls-expected', port: flight.port, got: 'plain-text', atZtunnel: true },
    by: { kind, namespace, name, field: tls.field },
  };
}
