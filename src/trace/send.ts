/** From a proxy to the cluster that its route or TCP proxy names. */
import { ANY_ADDRESS, isAddress, isLoopback } from '../model/addresses';
import { istiodAuthorityOf } from '../model/backend-authority';
import { endpointText } from '../model/endpoints';
import { GATEWAY_API } from '../model/gateway-api';
import { isSubsetOf, isWildcard } from '../model/hostnames';
import { isHttp as isHttpProtocol } from '../model/protocols';
import type { Service } from '../model/services';
import { ingressBindingOf, USE_WAYPOINT, type Binding } from '../model/waypoints';
import { isCatchAll, RESOLVED_BY_HOST } from './catch-all';
import { type Cluster, isMissing } from './clusters';
import { hostWithoutPort } from './envoy';
import { unknownDestination } from './explain';
import { noteOwnDns } from './dns';
import { inCluster, spellsEndpoints } from './endpoint';
import { heldBySource } from './held-by-source';
import { type Resolved, forwardProxied, resolvedName } from './forward-proxy';
import { HBONE_PORT, MUTUAL, hasAddress } from './hbone';
import { type Sending, hopTo, brokenStatus } from './hop';
import { Asked, AskedHeaders, AskedPath } from './ask';
import type { HttpRequest } from './http-routes';
import { dial } from './names';
import { assumption, gap, type Gap, remark } from './notes';
import { refOf, serviceRef } from './refs';
import { sharedWith } from './shared-waypoint';
import { refused, step, unknown, type Step } from './step';
import type { Hop, ProxyRef, Refused, WireProtocol } from './types';
import { asPeer, layersTo, missingRefusal, opened, unhealthyRefusal } from './upstream';
import { type Flight, type TlsLayer, type Walk, decisions, outermost, wire } from './walk';
import { withheldKey } from './withheld-keys';

/** Sends to a cluster: there may be none of that name, or none of its endpoints; otherwise to the first endpoint. */
export function send(walk: Walk, sending: Sending, name: string): Step {
  const { at, incoming, http } = sending;
  const { view, self, flight } = at;
  const { proxy } = incoming;
  const isHttp = http !== null;
  const hop = (rest: Partial<Hop>): Hop => hopTo(sending, flight, name, rest);
  const [, extension, experiment] = /\|(?:extension ([^|]+)|(XBackend [^|]+))$/.exec(name) ?? [];
  if (extension !== undefined) return unknown(hop({ cluster: null }), gap({ kind: 'backend-of-extension', backend: extension })); // prettier-ignore
  if (experiment !== undefined) return unknown(hop({ cluster: null }), gap({ kind: 'x-backend', backend: experiment }));
  if (name === 'BlackHoleCluster') {
    const protocol = flight.layers.length > 0 ? 'TLS' : flight.http === null ? 'TCP' : 'HTTP';
    const asked = outermost(flight.layers)?.sni ?? flight.host;
    const { cause, by = null } = unknownDestination(view, asked, flight.port, protocol);
    return refused(hop({}), {
      code: 'BlackHoleCluster',
      status: brokenStatus(flight, incoming.receives),
      proxy,
      by,
      reason: { kind: 'host-blocked', to: `${flight.host}:${flight.port}`, readsHttp: false, cause },
    });
  }
  const protocol: WireProtocol = isHttp ? 'HTTP' : sending.inner.length > 0 ? 'TLS' : 'TCP';
  const peer = at.peer ?? asPeer(self, at.workload, flight.from.serviceAccount);
  if (isCatchAll(name)) {
    const { mode } = walk.mesh.config.outboundTls ?? {};
    if (name === RESOLVED_BY_HOST && mode !== undefined && mode !== 'DISABLE')
      return unknown(hop({}), gap({ kind: 'tls-to-unknown-hosts' }));
    const to: Partial<Flight> = name === RESOLVED_BY_HOST && http !== null ? byHost(http) : {};
    const { host, address, port } = flight;
    const onward = opened(flight, sending, { host, address, port, namedPort: to.port ?? port, ...to, from: { ...peer, inMesh: true }, layers: sending.inner }); // prettier-ignore
    const hopOn = hop({ sends: wire(protocol, onward.port, sending.inner) });
    return step(hopOn, { at: 'network', flight: onward, target: undefined, isHttp });
  }
  const cluster = at.cluster(name);
  if (isMissing(cluster)) {
    const missed = hop({ decidedBy: decisions(...incoming.decidedBy, cluster.by) });
    if (cluster.mayExist && walk.supposed === undefined)
      return unknown(missed, gap({ kind: 'cluster-namespace-not-shown', cluster: name, cause: cluster.cause }));
    const [, port = '', , host = ''] = name.split('|');
    // What changes in rules for it is told by itself: no manifest shows whom they hold for.
    if (cluster.mayExist && walk.supposed?.isSo(`${host}:${port} is there`, name) === true) {
      const sent = wire(protocol, Number(port), sending.inner);
      const sends = hop({ decidedBy: decisions(...incoming.decidedBy, cluster.by), sends: sent });
      return step(sends, { is: 'delivered', destination: { host, port: sent.port, tls: sent.tls, sni: sent.sni } });
    }
    return refused(missed, {
      ...missingRefusal(cluster, proxy, isHttp, sending.gatewayApi),
      ...(isHttp ? {} : { status: brokenStatus(flight) }),
    });
  }
  return sendToCluster(walk, sending, cluster, hop, protocol, peer);
}

/** Where a forward proxy goes that resolves the Host: to port 80 where that has none. */
function byHost({ authority }: HttpRequest): Pick<Flight, 'host' | 'address' | 'port'> {
  const { host, port } = resolvedName(authority.name, null, 80) ?? { host: '', port: 80 };
  return { host, address: isAddress(host) ? host : null, port };
}

function sendToCluster(
  walk: Walk,
  sending: Sending,
  cluster: Cluster,
  hop: (rest: Partial<Hop>) => Hop,
  protocol: WireProtocol,
  peer: Flight['from'],
): Step {
  const { at, incoming, http } = sending;
  const { flight } = at;
  const { proxy } = incoming;
  const isHttp = http !== null;
  const decidedBy = decisions(...incoming.decidedBy, ...cluster.decidedBy);
  const other = otherResolver(sending, cluster);
  if (other !== undefined) {
    return unknown(hop({ decidedBy }), other);
  }
  const resolved = resolvedByName(walk, sending, cluster);
  const isOriginal = cluster.type === 'ORIGINAL_DST' && resolved === undefined;
  const endpoint = isOriginal || resolved !== undefined ? undefined : walk.endpointOf(cluster.endpoints);
  if (cluster.ignoredTls !== undefined)
    walk.note(remark({ kind: 'tls-ignored', rule: refOf(cluster.ignoredTls), field: cluster.ignoredTls.field }));
  if (resolved === null) {
    return refused(hop({ decidedBy }), {
      code: 'UH',
      status: isHttp ? 503 : brokenStatus(flight),
      proxy,
      by: null,
      reason: { kind: 'name-not-resolved', cluster: cluster.name, readsHttp: isHttp },
    });
  }
  const binding = ingressWaypoint(walk, sending, cluster);
  if (binding !== undefined) return toWaypoint(walk, { ...sending, incoming: { ...incoming, decidedBy } }, { cluster, binding, peer, hop }); // prettier-ignore
  if (!isOriginal && endpoint === undefined && resolved === undefined) {
    if (cluster.endpointsKnown) {
      return refused(hop({ decidedBy }), {
        ...unhealthyRefusal(cluster, proxy, isHttp, heldBySource(at.view, cluster.service.host, cluster.port.port)),
        ...(isHttp ? {} : { status: brokenStatus(flight) }),
      });
    }
    walk.note(assumption({ kind: 'endpoints-exist', service: serviceRef(cluster.service) }));
  }
  const network = walk.mesh.endpoints.networks.elsewhere(endpoint?.network ?? '', at.view.proxy.labels);
  if (network !== undefined) return unknown(hop({ decidedBy }), gap({ kind: 'other-network', network, service: serviceRef(cluster.service) })); // prettier-ignore
  const inside = inCluster(walk.mesh, cluster, endpoint, at.self.namespace);
  if (inside !== undefined && 'missing' in inside) {
    const { kind, namespace, name } = cluster.service.config;
    const entry = { kind, namespace, name };
    if (inside.mayExist)
      return unknown(hop({ decidedBy }), gap({ kind: 'service-not-shown', host: inside.missing, by: entry }));
    return refused(hop({ decidedBy }), {
      code: 'UH',
      status: isHttp ? 503 : brokenStatus(flight),
      proxy,
      by: { ...entry, field: 'spec.endpoints' },
      reason: { kind: 'no-endpoints', cluster: cluster.name, cause: { is: 'no-service-at-endpoint', entry, host: inside.missing } }, // prettier-ignore
    });
  }
  if (inside !== undefined && cluster.endpoints.some((other) => other.address !== endpoint?.address))
    walk.note(
      remark({
        kind: 'several-endpoints',
        cluster: cluster.name,
        addresses: cluster.endpoints.map((one) => one.address),
      }),
    );
  // Where ambient mode is installed, proxies reach its workloads through tunnels, whose mutual TLS is the mesh's.
  const isTunnelled = endpoint?.workload?.membership === 'ztunnel' && sending.tunnel === null;
  const made = layersTo(
    isTunnelled && cluster.tls?.mode === 'ISTIO_MUTUAL' ? null : cluster.tls,
    sending.inner,
    http,
    isOriginal || (endpoint !== undefined && cluster.takesMutualTls(endpoint)),
  );
  const layers = isTunnelled ? [...made, MUTUAL] : made;
  // A ServiceEntry's targetPort overrides the port that was dialled; a headless Service's does not.
  const onEndpoint = cluster.service.registry === 'External' ? cluster.port.target : 0;
  const override = typeof onEndpoint === 'number' && onEndpoint > 0 ? onEndpoint : undefined;
  const dialled = resolved?.port ?? (isOriginal ? (override ?? flight.port) : (endpoint?.port ?? cluster.port.port));
  // A gateway that dials its own loopback comes back to itself, by a listener that nobody else can reach.
  const itself = at.self.type === 'gateway' && isLoopback(endpoint?.address ?? '') ? at.workload : undefined;
  const workload = itself ?? endpoint?.workload;
  const leaves = cluster.service.meshExternal && workload === undefined && inside === undefined;
  if (/DNS/.test(cluster.type) && endpoint !== undefined && inside === undefined && !isAddress(endpoint.address))
    noteOwnDns(walk, { proxy, from: peer, host: endpoint.address, dialled: flight });
  const namedPort = leaves || inside !== undefined ? dialled : cluster.port.port;
  const hopOn = hop({
    decidedBy,
    sends: wire(protocol, namedPort, layers),
    ...(outermost(layers)?.kind === 'ISTIO_MUTUAL' && layers.length > sending.inner.length
      ? { identity: `${walk.mesh.config.trustDomain}/ns/${peer.namespace}/sa/${peer.serviceAccount}` }
      : {}),
    envoy: {
      ...incoming.envoy,
      endpoints: (resolved ? [{ address: resolved.host, port: resolved.port }] : cluster.endpoints).map(endpointText),
      tunnel: sending.tunnel,
    },
    ...(resolved === undefined && !isOriginal && spellsEndpoints(cluster)
      ? {
          endpointsOf: {
            kind: cluster.service.config.kind,
            namespace: cluster.service.namespace,
            name: cluster.service.config.name,
          },
        }
      : {}),
  });
  const onward = opened(flight, sending, {
    from: itself === undefined ? peer : { ...peer, address: LOOPBACK },
    address: isOriginal ? flight.address : (inside?.address ?? endpoint?.address ?? null),
    port: dialled,
    namedPort,
    layers,
    host:
      resolved?.host ??
      (isOriginal ? dialledHost(walk, flight, cluster.service) : hostOf(cluster, layers, http, flight)),
  });
  if (sending.tunnel !== null)
    walk.note(remark({ kind: 'tunnelled', to: sending.tunnel, through: `${cluster.service.host}:${dialled}` }));
  const misfit =
    leaves && sending.tunnel === null
      ? tlsMisfit(cluster, sending.inner, layers, { isHttp, port: dialled }, proxy)
      : undefined;
  if (misfit !== undefined) return refused(hopOn, misfit);
  const unkeyed = withoutKey(walk, sending, cluster, peer);
  if (unkeyed !== undefined) return refused(hopOn, { ...unkeyed, status: isHttp ? 503 : brokenStatus(flight) });
  const unverified = withoutAuthority(walk, cluster, proxy);
  if (unverified !== undefined) return refused(hopOn, { ...unverified, status: isHttp ? 503 : brokenStatus(flight) });
  // What is dialled at a Service of the cluster is looked up as it is for any client.
  const target = { workload, original: isOriginal || inside !== undefined, among: endpoint === undefined ? [] : cluster.endpoints }; // prettier-ignore
  if (sending.tunnel === null) return step(hopOn, { at: 'network', flight: onward, target, isHttp });
  const asked = tunnelled(onward, sending.tunnel, sending.inner);
  return step(hopOn, { at: 'network', flight: asked, target, isHttp: false });
}

/** A client certificate that istiod does not give the proxy, which opens no connection without. */
function withoutKey(
  walk: Walk,
  { at, incoming }: Sending,
  { tls }: Cluster,
  peer: Flight['from'],
): Omit<Refused, 'status'> | undefined {
  if (tls?.mode !== 'MUTUAL' || tls.by === undefined) return undefined;
  const { namespace, serviceAccount } = peer;
  const withheld = withheldKey(walk, { namespace, serviceAccount, workload: at.workload }, tls.credentialName);
  if (withheld === undefined) return undefined;
  const by = { ...tls.by, field: `${tls.by.field}.credentialName` };
  return { code: 'UF', proxy: incoming.proxy, by, reason: { kind: 'key-withheld', ...withheld } };
}

/** A BackendTLSPolicy whose authority istiod cannot read: the proxy is given none, and opens no connection. One that no manifest shows is taken as there. */
function withoutAuthority(walk: Walk, { tls }: Cluster, proxy: ProxyRef): Omit<Refused, 'status'> | undefined {
  const { mesh } = walk;
  if (tls?.by?.kind !== 'BackendTLSPolicy') return undefined;
  const manifest = mesh.find(GATEWAY_API, 'BackendTLSPolicy', tls.by.namespace, tls.by.name);
  if (manifest === undefined) return undefined;
  const { fault, assumed } = istiodAuthorityOf(manifest, (...of) => mesh.find(...of));
  for (const authority of assumed)
    walk.note(assumption({ kind: 'authority-exists', authority, by: refOf(manifest) })); // prettier-ignore
  if (fault === undefined) return undefined;
  const by = { ...tls.by, field: `spec.${fault.field}` };
  return { code: 'UF', proxy, by, reason: { kind: 'backend-authority-not-usable', problem: fault } };
}

/** A wildcard is no host: the one that was asked for is in the SNI, or in the Host header. */
function hostOf({ service }: Cluster, layers: readonly TlsLayer[], http: Sending['http'], flight: Flight): string {
  return service.host.startsWith('*') ? askedFor(layers, http, flight) : service.host;
}

/**
 * Where a connection goes that is sent on to its original destination: to the address that the client dialled, whatever host the object names
 * ("the hosts are ignored", pkg/config/validation/validation.go of Istio at resolution NONE).
 */
function dialledHost(walk: Walk, flight: Flight, service: Service): string {
  if (service.registry === 'Kubernetes')
    return dial(walk.mesh, flight.host, null, flight.from.namespace).service === service ? service.host : flight.host;
  const isNamed = service.host === flight.host || (isWildcard(service.host) && isSubsetOf(flight.host, service.host));
  if (!isNamed && service.address === ANY_ADDRESS)
    walk.note(
      remark({ kind: 'original-destination', entry: serviceRef(service), host: service.host, dialled: flight.host }),
    );
  return flight.host;
}

/**
 * HTTP ports of all hosts share a listener, which resolves names for the service that it was made for: the oldest (policySvc in
 * buildSidecarOutboundHTTPListenerOpts, pilot/pkg/networking/core/listener.go). For a wildcard that came later nothing is resolved.
 */
function otherResolver({ at: { view, flight, self }, http }: Sending, { service, port }: Cluster): Gap | undefined {
  if (service.resolution !== 'DYNAMIC_DNS' || http === null || self.type === 'gateway') return undefined;
  const sharing = view.scope.listeners.flatMap(({ servicesByPort }) => servicesByPort.get(port.port) ?? []);
  const other = sharing.find(([one, at]) => one.host !== service.host && isHttpProtocol(at.protocol));
  if (other === undefined) return undefined;
  return gap({
    kind: 'resolved-for-oldest',
    entry: serviceRef(service),
    other: refOf(other[0].config),
    host: flight.host,
    port: port.port,
  });
}

/**
 * The waypoint that a gateway hands a request to in place of its service's endpoints: for services with an address whose endpoints istiod
 * sends apart from the cluster (findServiceWaypoint of pilot/pkg/xds/endpoints/endpoint_builder.go).
 */
function ingressWaypoint(
  { mesh }: Walk,
  { at: { self }, incoming }: Sending,
  { type, service }: Cluster,
): Binding | undefined {
  if (self.type !== 'gateway' || incoming.proxy.kind === 'waypoint' || type !== 'EDS' || !hasAddress(service))
    return undefined;
  const { kind, namespace, name } = service.config;
  return ingressBindingOf(mesh, { kind, namespace, name, labels: service.labels });
}

interface ToWaypoint {
  readonly cluster: Cluster;
  readonly binding: Binding;
  readonly peer: Flight['from'];
  readonly hop: (rest: Partial<Hop>) => Hop;
}

function toWaypoint({ mesh }: Walk, sending: Sending, { cluster, binding, peer, hop }: ToWaypoint): Step {
  const { at, incoming, http, inner } = sending;
  const { flight } = at;
  const { kind, namespace, name } = binding.by;
  const { host, address } = cluster.service;
  const { port } = cluster.port;
  const onward = opened(flight, sending, { from: { ...peer, inMesh: true }, host, address, port, namedPort: port, layers: inner }); // prettier-ignore
  const protocol = http !== null ? 'HTTP' : inner.length > 0 ? 'TLS' : 'TCP';
  const hopOn = hop({
    decidedBy: decisions(...incoming.decidedBy, { kind, namespace, name, field: `metadata.labels.${USE_WAYPOINT}` }),
    sends: wire(protocol, HBONE_PORT, [...inner, MUTUAL]),
    identity: `${mesh.config.trustDomain}/ns/${peer.namespace}/sa/${peer.serviceAccount}`,
  });
  const shared = sharedWith(mesh, cluster.service, binding);
  if (shared !== undefined) return unknown(hopOn, shared);
  return step(hopOn, { at: 'waypoint', flight: onward, binding, to: cluster });
}

/** Where a cluster goes that EnvoyFilters made a dynamic forward proxy; see forwardProxied. */
function resolvedByName(walk: Walk, sending: Sending, cluster: Cluster): Resolved | null | undefined {
  const { at, http, incoming } = sending;
  const { self, workload } = at;
  if (cluster.service.resolution === 'DYNAMIC_DNS') {
    const usual = http === null ? cluster.port.port : cluster.tls === null ? 80 : 443;
    return resolvedName(http?.authority.name ?? null, outermost(sending.inner)?.sni ?? null, usual);
  }
  // No EnvoyFilter of a gateway's or a sidecar's is for waypoints.
  if (incoming.proxy.kind === 'waypoint') return undefined;
  const proxy = { namespace: self.namespace, workload: workload?.name ?? null, labels: self.labels };
  return forwardProxied(walk.mesh, proxy, {
    cluster: cluster.name,
    context: self.type === 'gateway' ? 'GATEWAY' : 'SIDECAR_OUTBOUND',
    authority: http?.authority.name ?? null,
    sni: outermost(sending.inner)?.sni ?? null,
    originates: cluster.tls !== null,
  });
}

/** A connection inside a CONNECT: what the next proxy reads is an HTTP request, in the TLS that was put around it if any. */
function tunnelled(flight: Flight, authority: string, inner: readonly TlsLayer[]): Flight {
  const at = authority.lastIndexOf(':');
  return {
    ...flight,
    layers: flight.layers.slice(inner.length),
    http: {
      authority: Asked.fixed(authority),
      method: Asked.fixed('CONNECT'),
      path: AskedPath.of(''),
      scheme: 'http',
      headers: AskedHeaders.of({}),
    },
    isHttp2: false,
    tunnelled: { host: authority.slice(0, at), port: Number(authority.slice(at + 1)), layers: inner },
  };
}

const LOOPBACK = '127.0.0.1';

export function askedFor(layers: readonly TlsLayer[], http: Sending['http'], flight: Flight): string {
  return outermost(layers)?.sni ?? (http === null ? flight.host : hostWithoutPort(http.authority.name));
}

/**
 * TLS that no server outside would take: one session inside another, that of the mesh, plain text on a port declared for TLS, or TLS on the port of plain
 * HTTP. `to` says which port is dialled, and whether the proxy reads HTTP.
 */
export function tlsMisfit(
  cluster: Cluster,
  inner: readonly TlsLayer[],
  layers: readonly TlsLayer[],
  to: { readonly isHttp: boolean; readonly port: number },
  proxy: ProxyRef,
): Refused | undefined {
  const { service, port } = cluster;
  const { host } = service;
  const by = cluster.tls?.by;
  if (inner.length > 0 && layers.length > inner.length) {
    return {
      code: 'UPE',
      status: null,
      proxy,
      by: by ?? null,
      reason: { kind: 'tls-inside-tls', host, rule: by === undefined ? null : { kind: by.kind, namespace: by.namespace, name: by.name } }, // prettier-ignore
    };
  }
  if (!to.isHttp && to.port === 80 && inner.length > 0) {
    return {
      code: 'UPE',
      status: null,
      proxy,
      reason: { kind: 'tls-to-http-port', host },
      by: {
        kind: service.config.kind,
        namespace: service.namespace,
        name: service.config.name,
        field: `spec.ports[${port.index}]`,
      },
    };
  }
  const isMeshTls = outermost(layers)?.kind === 'ISTIO_MUTUAL';
  if (!isMeshTls && to.isHttp && to.port === 80 && port.port === 80 && layers.length > inner.length) {
    return {
      code: 'UF',
      status: 503,
      proxy,
      by: by ?? null,
      reason: { kind: 'originated-to-http-port', host },
    };
  }
  if (layers.length > inner.length && isMeshTls) {
    return {
      code: 'UF',
      status: to.isHttp ? 503 : null,
      proxy,
      by: by ?? null,
      reason: { kind: 'mesh-tls-outside', host },
    };
  }
  if (to.isHttp && layers.length === 0 && (port.protocol === 'HTTPS' || port.protocol === 'TLS')) {
    return {
      code: 'UPE',
      status: 400,
      proxy,
      reason: { kind: 'http-to-tls-port', host, port: port.port, declared: port.protocol },
      by: {
        kind: service.config.kind,
        namespace: service.namespace,
        name: service.config.name,
        field: `spec.ports[${port.index}].protocol`,
      },
    };
  }
  return undefined;
}
