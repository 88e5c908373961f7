import type { Mesh, Proxy } from '../model/mesh';
import type { Service } from '../model/services';
import type { Workload } from '../model/workloads';
import { authorize } from './authorization';
import { inboundCapture } from './capture';
import { findCluster, isMissing, type Cluster } from './clusters';
import { hostWithoutPort, matchFilterChain, type FilterChain, type Listener, type TcpTarget } from './envoy';
import { unknownDestination } from './explain';
import { gatewayListeners } from './gateway-listeners';
import { gatewayRouteConfig } from './gateway-routes';
import {
  abortShare,
  heaviest,
  ownAnswer,
  rewritten,
  routeMatches,
  unreadablePart,
  type HttpRequest,
  type Route,
  type VirtualHost,
} from './http-routes';
import { inboundChain } from './inbound';
import { dial, serviceAt } from './names';
import { networkVerdict } from './network-policy';
import { sidecarListeners, virtualOutbound, type SidecarView } from './sidecar-listeners';
import { sidecarRouteConfig, type RouteConfig } from './sidecar-routes';
import type { Alternative, Decision, Hop, ProxyKind, ProxyRef, Refusal, RouteRef, Trace, WireProtocol } from './types';
import { asPeer, layersTo, missingRefusal, unhealthyRefusal } from './upstream';
import { connectionOf, decisions, noMatch, outermost, wire, type Flight, type TlsLayer, type Walk } from './walk';

/** Parts of a hop that are known before its upstream is. */
interface Incoming {
  readonly proxy: ProxyRef;
  readonly receives: Hop['receives'];
  readonly envoy: Hop['envoy'];
  readonly decidedBy: readonly Decision[];
}

interface Sending {
  readonly view: SidecarView;
  readonly self: Proxy;
  readonly workload: Workload | undefined;
  readonly flight: Flight;
  readonly incoming: Incoming;
  readonly route: RouteRef | null;
  readonly alternatives: readonly Alternative[];
  /** TLS that the proxy left on. */
  readonly inner: readonly TlsLayer[];
  /** The request as it goes on; null unless the proxy reads it. */
  readonly http: HttpRequest | null;
  readonly gatewayApi: boolean;
  readonly tunnel: string | null;
}

function addHop(walk: Walk, parts: Incoming, rest: Partial<Hop>): void {
  walk.hops.push({
    route: null,
    cluster: null,
    sends: null,
    alternatives: [],
    ...parts,
    ...rest,
    decidedBy: rest.decidedBy ?? parts.decidedBy,
  });
}

function ruleDecision(route: RouteRef | null): Decision | undefined {
  return route === null
    ? undefined
    : { kind: route.kind, namespace: route.namespace, name: route.name, field: `spec.${route.rule}` };
}

function protocolOf(flight: Flight): WireProtocol {
  return flight.layers.length > 0 ? 'TLS' : 'TCP';
}

/** What an HTTP client sees if its connection breaks further on: 503 from the last proxy that reads its request, nothing without one. */
function brokenStatus(walk: Walk): number | null {
  return walk.hops.some((hop) => hop.receives.protocol === 'HTTP' && hop.proxy.kind !== 'none') ? 503 : null;
}

/** A client's connection as its sidecar treats it. */
export function throughSidecar(walk: Walk, flight: Flight, workload: Workload | undefined, proxy: ProxyRef): Trace {
  const { mesh } = walk;
  const self: Proxy = {
    type: 'sidecar',
    namespace: flight.from.namespace,
    labels: flight.from.labels,
    addresses: workload?.addresses ?? [],
  };
  const scope = mesh.scopeOf(self);
  const view: SidecarView = { mesh, scope, proxy: self, addresses: self.addresses };
  const isCommon = !scope.base.dependsOnProxy && !mesh.hasTunnels;
  const own = scope.base.hasHeadless ? self.addresses.join() : '';
  const whose = isCommon
    ? `${scope.outbound.mode} ${own}`
    : `${self.namespace} ${JSON.stringify(self.labels)} ${self.addresses.join()}`;
  const listeners = mesh.remember(isCommon ? scope.base : scope, `listeners ${flight.port} ${whose}`, () =>
    sidecarListeners(view, flight.port),
  );
  const listener = pickListener(walk, listeners, flight.address, proxy) ?? virtualOutbound(view);
  const chain = matchFilterChain(listener, connectionOf(flight));
  if (walk.loops(proxy, flight)) return loop(walk, proxy);
  return through(walk, {
    view,
    self,
    workload,
    flight,
    proxy,
    listener,
    chain,
    routeConfig: (name) =>
      mesh.remember(scope, `routes ${name} ${self.namespace} ${JSON.stringify(self.labels)}`, () =>
        sidecarRouteConfig(view, name),
      ),
  });
}

/** The listener of the address itself, else of every address; one that Envoy refuses is not there. */
function pickListener(
  walk: Walk,
  listeners: ReadonlyMap<string, Listener>,
  address: string | null,
  proxy: ProxyRef,
): Listener | undefined {
  for (const bind of address === null ? ['0.0.0.0'] : [address, '0.0.0.0']) {
    const listener = listeners.get(bind);
    if (listener === undefined) continue;
    if (listener.refused === null) return listener;
    walk.note(
      `Envoy of ${proxy.namespace}/${proxy.workload ?? '?'} refuses listener ${listener.name}: several filter chains match ${listener.refused}; followed as if it had none`,
    );
  }
  return undefined;
}

interface AtListener {
  readonly view: SidecarView;
  readonly self: Proxy;
  readonly workload: Workload | undefined;
  readonly flight: Flight;
  readonly proxy: ProxyRef;
  readonly listener: Listener;
  readonly chain: FilterChain | null;
  readonly routeConfig: (name: string) => RouteConfig;
}

function loop(walk: Walk, proxy: ProxyRef): Trace {
  const path = walk.hops.map((hop) => `${hop.proxy.namespace}/${hop.proxy.workload ?? '?'}`);
  const last = walk.hops[walk.hops.length - 1];
  return walk.refused({
    code: 'loop',
    status: brokenStatus(walk),
    proxy,
    what: `the request comes back to ${proxy.namespace}/${proxy.workload ?? '?'}: ${[...path, `${proxy.namespace}/${proxy.workload ?? '?'}`].join(' -> ')}`,
    fix: `give the rule that ${proxy.kind === 'sidecar' ? 'sidecars' : 'the gateway'} uses a destination beyond the gateway, with match.gateways naming the one it is for`,
    by: ruleDecision(last?.route ?? null) ?? null,
  });
}

/** Envoy's view of one connection: TLS taken off if the chain does so, then a route or a TCP proxy. */
function through(walk: Walk, at: AtListener): Trace {
  const { flight, proxy, listener, chain, self } = at;
  const outer = outermost(flight.layers);
  const isGateway = self.type === 'gateway';
  const terminates = chain?.terminates ?? null;
  const receivedTls =
    terminates === null || outer === undefined
      ? wire(chain?.routeConfig != null ? 'HTTP' : protocolOf(flight), flight.namedPort, flight.layers)
      : {
          ...wire(chain?.routeConfig != null ? 'HTTP' : 'TCP', flight.namedPort, flight.layers),
          tls:
            outer.kind === 'APPLICATION'
              ? terminates.mode === 'MUTUAL'
                ? ('MUTUAL' as const)
                : ('SIMPLE' as const)
              : outer.kind,
        };
  const incoming: Incoming = {
    proxy,
    receives: receivedTls,
    envoy: {
      listener: listener.name,
      filterChain: chain?.name ?? null,
      routeConfig: chain?.routeConfig ?? null,
      virtualHost: null,
      endpoints: [],
    },
    decidedBy: chain?.decidedBy ?? [],
  };
  const refuse = (code: string, status: number | null, what: string, fix: string, by?: Decision): Trace => {
    addHop(walk, incoming, {});
    return walk.refused({ code, status, proxy, what, fix, by: by ?? chain?.decidedBy[0] ?? null });
  };
  if (chain === null) {
    const sni = outer?.sni ?? null;
    return refuse(
      'NR',
      brokenStatus(walk),
      `no filter chain of listener ${listener.name} takes ${outer === undefined ? 'plain text' : `SNI "${sni ?? ''}"`} (filter_chain_not_found)`,
      isGateway
        ? `make the SNI that is sent ("${sni ?? 'none'}") one of the Gateway server's hosts (${[...new Set(listener.chains.flatMap((one) => one.sniHosts))].join(', ') || 'none'}): set tls.sni in the sender's DestinationRule`
        : 'declare the port with the protocol that the client speaks',
      listener.chains[0]?.decidedBy[0],
    );
  }
  if (terminates !== null && outer === undefined) {
    return refuse(
      'UF',
      brokenStatus(walk),
      `the server expects TLS (${terminates.mode}) and gets plain text`,
      `originate TLS on the way here, or make the server's protocol HTTP`,
    );
  }
  if (
    terminates !== null &&
    outer !== undefined &&
    (terminates.mode === 'ISTIO_MUTUAL') !== (outer.kind === 'ISTIO_MUTUAL')
  ) {
    return refuse(
      'UF',
      brokenStatus(walk),
      `the server's TLS mode is ${terminates.mode} and the sender's is ${outer.kind}: the handshake fails`,
      terminates.mode === 'ISTIO_MUTUAL'
        ? 'set tls.mode ISTIO_MUTUAL in the DestinationRule towards the gateway'
        : `set the server's tls.mode to ISTIO_MUTUAL, or the DestinationRule's to ${terminates.mode === 'MUTUAL' ? 'MUTUAL' : 'SIMPLE'}`,
    );
  }
  if (terminates?.mode === 'MUTUAL' && outer !== undefined && outer.certificate === '') {
    if (outer.kind === 'SIMPLE')
      return refuse(
        'UF',
        brokenStatus(walk),
        'the server demands a client certificate and the sender has none',
        'use tls.mode MUTUAL with a credential in the DestinationRule',
      );
    walk.note(`assumed that the client shows a certificate that ${proxy.namespace}/${proxy.workload ?? '?'} trusts`);
  }
  const inner = terminates === null ? flight.layers : flight.layers.slice(0, -1);
  if (chain.routeConfig !== null) {
    if (inner.length > 0 || flight.http === null) {
      const spoken = inner.length > 0 ? 'TLS' : 'something that is not HTTP';
      return refuse(
        'DPE',
        brokenStatus(walk),
        `the listener expects HTTP and gets ${spoken}`,
        `declare the port with the protocol that is spoken on it`,
      );
    }
    const rules = at.routeConfig(chain.routeConfig);
    return throughRoutes(walk, at, incoming, rules, flight.http);
  }
  const verdict = isGateway
    ? authorize(walk.mesh, self, at.workload, {
        flight,
        http: null,
        sni: outer?.sni ?? null,
        port: flight.port,
        terminated: terminates !== null,
      })
    : undefined;
  if (verdict !== undefined && verdict.is !== 'allowed') return rejected(walk, incoming, verdict, proxy, null);
  return throughTcp(walk, at, incoming, chain.tcp, inner);
}

function rejected(
  walk: Walk,
  incoming: Incoming,
  verdict: Exclude<ReturnType<typeof authorize>, { is: 'allowed' }>,
  proxy: ProxyRef,
  status: number | null,
): Trace {
  addHop(walk, incoming, { decidedBy: decisions(...incoming.decidedBy, verdict.by) });
  if (verdict.is === 'unknown') return walk.unknown(verdict.what);
  return walk.refused({ code: 'RBAC', status, proxy, what: verdict.what, fix: verdict.fix, by: verdict.by ?? null });
}

function throughRoutes(walk: Walk, at: AtListener, incoming: Incoming, rules: RouteConfig, http: HttpRequest): Trace {
  const { proxy, view, self, flight } = at;
  const isGateway = self.type === 'gateway';
  const host = hostWithoutPort(http.authority);
  const virtualHost = rules.match(host);
  if (isGateway) {
    const verdict = authorize(walk.mesh, self, at.workload, {
      flight,
      http,
      sni: outermost(flight.layers)?.sni ?? null,
      port: flight.port,
      terminated: true,
    });
    if (verdict.is !== 'allowed')
      return rejected(walk, withVirtualHost(incoming, virtualHost?.name ?? null), verdict, proxy, 403);
  }
  if (virtualHost === undefined)
    // A route configuration of one sniffed service has no virtual host for others.
    return isGateway || rules.name.includes(':')
      ? noRoute(walk, incoming, proxy, rules, http, view)
      : toCatchAll(walk, at, incoming, http);
  const named = withVirtualHost(incoming, virtualHost.name);
  if (virtualHost.requireTls && flight.layers.length === 0) {
    addHop(walk, named, {});
    return walk.refused({
      code: 'redirect',
      status: 301,
      proxy,
      what: `the server redirects plain HTTP to HTTPS`,
      fix: 'send the request as https, or take httpsRedirect off the server',
      by: named.decidedBy[0] ?? null,
    });
  }
  const route = firstRoute(virtualHost, http);
  if (route === 'unreadable') {
    addHop(walk, named, {});
    return walk.unknown(
      'a condition of a route is a token claim or a regular expression that only the proxy can evaluate',
    );
  }
  if (route === undefined) return noMatchingRoute(walk, named, proxy, virtualHost, http);
  return throughRoute(walk, at, named, route, http);
}

function withVirtualHost(incoming: Incoming, name: string | null): Incoming {
  return { ...incoming, envoy: { ...incoming.envoy, virtualHost: name } };
}

function firstRoute(virtualHost: VirtualHost, http: HttpRequest): Route | 'unreadable' | undefined {
  for (const route of virtualHost.routes) {
    if (unreadablePart(route) !== undefined) return 'unreadable';
    if (routeMatches(route, http)) return route;
  }
  return undefined;
}

function noRoute(
  walk: Walk,
  incoming: Incoming,
  proxy: ProxyRef,
  rules: RouteConfig,
  http: HttpRequest,
  view: SidecarView,
): Trace {
  addHop(walk, incoming, {});
  const host = hostWithoutPort(http.authority);
  const routes = view.mesh.virtualServices.forHost(host);
  const bound = routes
    .map((route) => `${route.namespace}/${route.name} (gateways ${route.gateways.join(', ')})`)
    .join('; ');
  return walk.refused({
    code: 'NR',
    status: 404,
    proxy,
    what: `route configuration ${rules.name} has no virtual host for ${host}`,
    fix:
      bound === ''
        ? `bind a VirtualService with host ${host} to the gateway`
        : `check that a VirtualService for ${host} names this Gateway, is visible to namespace ${proxy.namespace}, has a rule for it, and that the server admits the host: ${bound}`,
    by: incoming.decidedBy[0] ?? null,
  });
}

function noMatchingRoute(
  walk: Walk,
  incoming: Incoming,
  proxy: ProxyRef,
  virtualHost: VirtualHost,
  http: HttpRequest,
): Trace {
  addHop(walk, incoming, {});
  const rule = virtualHost.routes[0]?.rule;
  return walk.refused({
    code: 'NR',
    status: 404,
    proxy,
    what: `no route of ${virtualHost.name} matches ${http.method} ${http.path}`,
    fix: 'add a rule for it, or one without a match at the end',
    by:
      rule == null
        ? (incoming.decidedBy[0] ?? null)
        : { kind: rule.ref.kind, namespace: rule.ref.namespace, name: rule.ref.name, field: 'spec.http' },
  });
}

/** HTTP for a host that no service of the port has: out as it is, or 502. */
function toCatchAll(walk: Walk, at: AtListener, incoming: Incoming, http: HttpRequest): Trace {
  const { view, proxy, flight } = at;
  const isBlocked = view.scope.outbound.mode === 'REGISTRY_ONLY';
  const named = withVirtualHost(incoming, isBlocked ? 'block_all' : 'allow_any');
  if (isBlocked) {
    addHop(walk, named, {});
    const reason = unknownDestination(view, hostWithoutPort(http.authority), flight.port, 'HTTP');
    return walk.refused({
      code: 'BlackHoleCluster',
      status: 502,
      proxy,
      what: `the proxy blocks ${http.authority}: ${reason.why}`,
      fix: reason.fix,
      by: reason.by ?? null,
    });
  }
  const name = catchAllCluster(view);
  return send(
    walk,
    {
      view,
      self: at.self,
      workload: at.workload,
      flight,
      incoming: named,
      route: null,
      alternatives: [],
      inner: [],
      http,
      gatewayApi: false,
      tunnel: null,
    },
    name,
  );
}

function catchAllCluster(view: SidecarView): string {
  return virtualOutbound(view).chains[0]?.tcp?.clusters[0]?.cluster ?? 'PassthroughCluster';
}

function throughRoute(walk: Walk, at: AtListener, incoming: Incoming, route: Route, http: HttpRequest): Trace {
  const { proxy, view, self, workload, flight } = at;
  const ref = route.rule?.ref ?? null;
  const answer = ownAnswer(route);
  if (answer !== undefined) {
    const by =
      ref === null
        ? null
        : { kind: ref.kind, namespace: ref.namespace, name: ref.name, field: `spec.${ref.rule}.${answer.field}` };
    addHop(walk, incoming, { route: ref, decidedBy: decisions(by ?? undefined, ...incoming.decidedBy) });
    return walk.refused({
      code: answer.code,
      status: answer.status,
      proxy,
      what: answer.what,
      fix: `take ${answer.field} off the rule to forward the request`,
      by,
    });
  }
  const share = abortShare(route);
  if (share > 0 && ref !== null)
    walk.note(`${ref.kind} ${ref.namespace}/${ref.name} ${ref.rule} aborts ${share} % of these requests`);
  const chosen = heaviest(route.clusters);
  if (chosen === undefined) {
    addHop(walk, incoming, { route: ref, decidedBy: decisions(ruleDecision(ref), ...incoming.decidedBy) });
    return walk.refused({
      code: 'NC',
      status: route.gatewaySemantics ? 500 : 503,
      proxy,
      what: 'the route has no destination with a weight',
      fix: 'give it a destination',
      by: ruleDecision(ref) ?? null,
    });
  }
  const alternatives = route.clusters
    .filter((item) => item !== chosen)
    .map(({ cluster, weight }) => ({ cluster, weight }));
  if (alternatives.length > 0)
    walk.note(
      `${chosen.weight} parts of ${route.clusters.reduce((sum, item) => sum + item.weight, 0)} go this way; the others to ${alternatives.map((item) => item.cluster).join(', ')}`,
    );
  return send(
    walk,
    {
      view,
      self,
      workload,
      flight,
      incoming: { ...incoming, decidedBy: decisions(ruleDecision(ref), ...incoming.decidedBy) },
      route: ref,
      alternatives,
      inner: [],
      http: rewritten(http, route, chosen.destination),
      gatewayApi: route.gatewaySemantics,
      tunnel: null,
    },
    chosen.cluster,
  );
}

function throughTcp(
  walk: Walk,
  at: AtListener,
  incoming: Incoming,
  target: TcpTarget | null,
  inner: readonly TlsLayer[],
): Trace {
  const { view, self, workload, flight, proxy } = at;
  const chosen = target === null ? undefined : heaviest(target.clusters);
  if (target === null || chosen === undefined) {
    addHop(walk, incoming, {});
    return walk.refused({
      code: 'NC',
      status: null,
      proxy,
      what: 'the rule has no destination',
      fix: 'give it a destination',
      by: incoming.decidedBy[0] ?? null,
    });
  }
  const alternatives = target.clusters
    .filter((item) => item !== chosen)
    .map(({ cluster, weight }) => ({ cluster, weight }));
  return send(
    walk,
    {
      view,
      self,
      workload,
      flight,
      incoming: {
        ...incoming,
        decidedBy: decisions(ruleDecision(target.route), ...incoming.decidedBy, ...target.decidedBy),
      },
      route: target.route,
      alternatives,
      inner,
      http: null,
      gatewayApi: false,
      tunnel: target.tunnel,
    },
    chosen.cluster,
  );
}

/** Sends to a cluster: there may be none of that name, or none of its endpoints; otherwise to the first endpoint. */
function send(walk: Walk, sending: Sending, name: string): Trace {
  const { view, self, flight, incoming, http } = sending;
  const { proxy } = incoming;
  const isHttp = http !== null;
  const hop = (rest: Partial<Hop>): void =>
    addHop(walk, incoming, { route: sending.route, cluster: name, alternatives: sending.alternatives, ...rest });
  if (name === 'BlackHoleCluster') {
    hop({});
    const protocol = flight.layers.length > 0 ? 'TLS' : flight.http === null ? 'TCP' : 'HTTP';
    const reason = unknownDestination(view, outermost(flight.layers)?.sni ?? flight.host, flight.port, protocol);
    return walk.refused({
      code: 'BlackHoleCluster',
      status: brokenStatus(walk),
      proxy,
      what: `the proxy cuts the connection to ${flight.host}:${flight.port}: ${reason.why}`,
      fix: reason.fix,
      by: reason.by ?? null,
    });
  }
  const protocol: WireProtocol = isHttp ? 'HTTP' : sending.inner.length > 0 ? 'TLS' : 'TCP';
  const peer = asPeer(self, sending.workload, flight.from.serviceAccount);
  if (name === 'PassthroughCluster') {
    hop({ sends: wire(protocol, flight.port, sending.inner) });
    return arrive(
      walk,
      {
        ...flight,
        from: { ...peer, inMesh: true },
        layers: sending.inner,
        http: isHttp ? http : flight.http,
        sentBy: proxy,
        namedPort: flight.port,
      },
      undefined,
      isHttp,
    );
  }
  const cluster = findCluster(view, self.type === 'gateway', name);
  if (isMissing(cluster)) {
    hop({ decidedBy: decisions(...incoming.decidedBy, cluster.by) });
    if (cluster.mayExist)
      return walk.unknown(
        `${cluster.why} among the manifests given, and none of them shows its namespace: whether ${name} exists cannot be told`,
      );
    return walk.refused({
      ...missingRefusal(cluster, proxy, isHttp, sending.gatewayApi),
      ...(isHttp ? {} : { status: brokenStatus(walk) }),
    });
  }
  return sendToCluster(walk, sending, cluster, hop, protocol, peer);
}

function sendToCluster(
  walk: Walk,
  sending: Sending,
  cluster: Cluster,
  hop: (rest: Partial<Hop>) => void,
  protocol: WireProtocol,
  peer: Flight['from'],
): Trace {
  const { flight, incoming, http } = sending;
  const { proxy } = incoming;
  const isHttp = http !== null;
  const decidedBy = decisions(...incoming.decidedBy, ...cluster.decidedBy);
  const isOriginal = cluster.type === 'ORIGINAL_DST';
  const endpoint = isOriginal ? undefined : cluster.endpoints[0];
  if (cluster.ignoredTls !== undefined)
    walk.note(
      `${cluster.ignoredTls.kind} ${cluster.ignoredTls.namespace}/${cluster.ignoredTls.name} ${cluster.ignoredTls.field} is ignored: a sidecar takes credentials only from a DestinationRule with a workloadSelector, so no TLS is originated`,
    );
  if (!isOriginal && endpoint === undefined) {
    if (cluster.endpointsKnown) {
      hop({ decidedBy });
      return walk.refused({
        ...unhealthyRefusal(cluster, proxy, isHttp),
        ...(isHttp ? {} : { status: brokenStatus(walk) }),
      });
    }
    walk.note(
      `no manifest shows the endpoints of ${cluster.service.config.kind} ${cluster.service.namespace}/${cluster.service.config.name}; assumed that there are some`,
    );
  }
  const layers = layersTo(
    cluster,
    sending.inner,
    http,
    isOriginal || (endpoint !== undefined && cluster.takesMutualTls(endpoint)),
  );
  const override = typeof cluster.port.target === 'number' && cluster.port.target > 0 ? cluster.port.target : undefined;
  const dialled = isOriginal ? (override ?? flight.port) : (endpoint?.port ?? cluster.port.port);
  // A gateway that dials its own loopback comes back to itself, by a listener that nobody else can reach.
  const itself = sending.self.type === 'gateway' && isLoopback(endpoint?.address) ? sending.workload : undefined;
  const workload = itself ?? endpoint?.workload;
  const leaves = cluster.service.meshExternal && workload === undefined;
  const namedPort = leaves ? dialled : cluster.port.port;
  hop({
    decidedBy,
    sends: wire(protocol, namedPort, layers),
    envoy: { ...incoming.envoy, endpoints: cluster.endpoints.map((item) => `${item.address}:${item.port}`) },
  });
  const onward: Flight = {
    ...flight,
    from: itself === undefined ? peer : { ...peer, address: LOOPBACK },
    address: isOriginal ? flight.address : (endpoint?.address ?? null),
    port: dialled,
    namedPort,
    layers,
    http: isHttp ? http : flight.http,
    sentBy: proxy,
    // A wildcard is no host: the one that was asked for is in the SNI, or in the Host header.
    host: cluster.service.host.startsWith('*') ? askedFor(layers, http, flight) : cluster.service.host,
  };
  if (sending.tunnel !== null)
    walk.note(
      `the connection is tunnelled by HTTP CONNECT to ${sending.tunnel} through ${cluster.service.host}:${dialled}`,
    );
  const misfit = leaves ? tlsMisfit(cluster, sending.inner, layers, isHttp, proxy) : undefined;
  if (misfit !== undefined) return walk.refused(misfit);
  return arrive(walk, onward, { service: cluster.service, workload, original: isOriginal }, isHttp);
}

const LOOPBACK = '127.0.0.1';

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address.startsWith('127.') || address === '::1');
}

function askedFor(layers: readonly TlsLayer[], http: Sending['http'], flight: Flight): string {
  return outermost(layers)?.sni ?? (http === null ? flight.host : hostWithoutPort(http.authority));
}

/** TLS that no server outside would take: one session inside another, or plain text on a port declared for TLS. */
function tlsMisfit(
  cluster: Cluster,
  inner: readonly TlsLayer[],
  layers: readonly TlsLayer[],
  isHttp: boolean,
  proxy: ProxyRef,
): Refusal | undefined {
  const { service, port } = cluster;
  const by = cluster.tls?.by;
  if (inner.length > 0 && layers.length > inner.length) {
    return {
      code: 'UPE',
      status: null,
      proxy,
      what: `the application speaks TLS already, and ${by === undefined ? 'the proxy' : `${by.kind} ${by.namespace}/${by.name}`} adds TLS around it: ${service.host} gets TLS inside TLS`,
      fix: `originate TLS on a subset or port that only plain HTTP is routed to`,
      by: by ?? null,
    };
  }
  if (isHttp && layers.length === 0 && (port.protocol === 'HTTPS' || port.protocol === 'TLS')) {
    return {
      code: 'UPE',
      status: 400,
      proxy,
      what: `plain HTTP goes to port ${port.port} of ${service.host}, which is declared ${port.protocol}: the server answers 400 or closes the connection`,
      fix: `originate TLS: a DestinationRule for ${service.host} with tls.mode SIMPLE on port ${port.port}`,
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

export interface Target {
  readonly service: Service;
  readonly workload: Workload | undefined;
  readonly original: boolean;
}

/** The connection leaves its sender: over the network to a gateway, a workload of the mesh, or out. */
export function arrive(walk: Walk, flight: Flight, target: Target | undefined, isHttp: boolean): Trace {
  const { mesh } = walk;
  let { workload } = target ?? { workload: undefined };
  let onward = flight;
  if (target === undefined || target.original) {
    const service = target === undefined && flight.address !== null ? serviceAt(mesh, flight.address) : undefined;
    const port = service?.ports.find((candidate) => candidate.port === flight.port);
    workload = flight.address === null ? undefined : mesh.workloads.at(flight.address);
    if (service !== undefined && port !== undefined) {
      const endpoint = mesh.endpoints.of(service, port, {}).endpoints[0];
      workload = endpoint?.workload;
      onward = {
        ...flight,
        port: endpoint?.port ?? flight.port,
        host: service.host,
        address: endpoint?.address ?? flight.address,
      };
    } else if (workload === undefined && flight.address === null) {
      workload = dial(mesh, flight.host, null, flight.from.namespace).workload;
    }
  }
  const verdict = networkVerdict(mesh, onward, workload);
  if (verdict.is === 'unknown') return walk.unknown(verdict.what);
  if (verdict.is === 'denied') {
    const proxy = flight.sentBy ?? {
      kind: 'none' as const,
      namespace: flight.from.namespace,
      workload: flight.from.workload?.name ?? null,
    };
    return walk.refused({
      code: flight.sentBy === null ? 'NetworkPolicy' : 'UF',
      status: flight.sentBy !== null && isHttp ? 503 : null,
      proxy,
      what: verdict.what,
      fix: verdict.fix,
      by: verdict.by,
    });
  }
  if (workload?.membership === 'gateway') return throughGateway(walk, onward, workload);
  if (workload?.membership === 'sidecar' && inboundCapture(workload, onward.port))
    return throughServer(walk, onward, workload);
  const outer = outermost(onward.layers);
  if (workload !== undefined && outer?.kind === 'ISTIO_MUTUAL') {
    return walk.refused({
      code: 'UF',
      status: isHttp ? 503 : null,
      proxy: flight.sentBy ?? { kind: 'none', namespace: flight.from.namespace, workload: null },
      what: `${workload.namespace}/${workload.name} has no sidecar and gets Istio's mutual TLS`,
      fix: 'inject a sidecar there, or set tls.mode DISABLE in the DestinationRule',
      by: null,
    });
  }
  return walk.delivered({
    host: onward.host,
    port: onward.namedPort,
    tls: outer?.kind ?? 'NONE',
    sni: outer?.sni ?? null,
  });
}

export function gatewayKind(workload: Workload, fromOutside: boolean): ProxyKind {
  const name = `${workload.labels.istio ?? ''} ${workload.labels.app ?? ''} ${workload.name}`;
  if (/egress/.test(name)) return 'egress-gateway';
  if (/ingress/.test(name)) return 'ingress-gateway';
  return fromOutside ? 'ingress-gateway' : 'egress-gateway';
}

/** A connection at a gateway's Pod. */
export function throughGateway(walk: Walk, flight: Flight, workload: Workload): Trace {
  const { mesh } = walk;
  const self: Proxy = {
    type: 'gateway',
    namespace: workload.namespace,
    labels: workload.labels,
    addresses: workload.addresses,
  };
  const proxy: ProxyRef = {
    kind: gatewayKind(workload, flight.sentBy === null),
    namespace: workload.namespace,
    workload: workload.name,
  };
  const assumption = mesh.assumptions.get(`${workload.namespace}/${workload.name}`);
  if (assumption !== undefined) walk.note(assumption);
  if (walk.loops(proxy, flight)) return loop(walk, proxy);
  const scope = mesh.scopeOf(self);
  const merged = mesh.mergedGateway(self);
  const view: SidecarView = { mesh, scope, proxy: self, addresses: self.addresses };
  const listeners = mesh.remember(merged, `listeners ${flight.port}`, () =>
    gatewayListeners(view, merged, flight.port),
  );
  const listener = pickListener(walk, listeners, flight.address, proxy);
  if (listener === undefined) return noListener(walk, flight, proxy, merged);
  const chain = matchFilterChain(listener, connectionOf(flight));
  return through(walk, {
    view,
    self,
    workload,
    flight,
    proxy,
    listener,
    chain,
    routeConfig: (name) => mesh.remember(merged, `routes ${name}`, () => gatewayRouteConfig(view, merged, name)),
  });
}

function noListener(walk: Walk, flight: Flight, proxy: ProxyRef, merged: ReturnType<Mesh['mergedGateway']>): Trace {
  addHop(
    walk,
    { proxy, receives: wire(protocolOf(flight), flight.namedPort, flight.layers), envoy: noMatch(), decidedBy: [] },
    {},
  );
  const onPort = merged.groups.filter((group) => group.port.number === flight.port).flatMap((group) => group.servers);
  const rejection = merged.rejected.find((item) => item.port === flight.port);
  const server = onPort[0] ?? rejection?.server;
  const by: Decision | null =
    server === undefined
      ? null
      : {
          kind: server.gateway.kind,
          namespace: server.gateway.namespace,
          name: server.gateway.name,
          field: `spec.servers[${server.index}]`,
        };
  const where = `port ${flight.port}${flight.namedPort === flight.port ? '' : ` (${flight.namedPort} of its Service)`}`;
  const what =
    onPort.length > 0
      ? `Gateway ${server?.gatewayName ?? ''} has a server for ${where}, but no VirtualService gives it a ${server?.tls === undefined ? 'tcp' : server.tls.mode === 'PASSTHROUGH' ? 'tls' : 'tcp'} route, so istiod makes no listener`
      : rejection !== undefined
        ? `istiod leaves out the server of Gateway ${rejection.server.gatewayName} for ${where}: ${rejection.why}`
        : `the gateway has no server on ${where}: the connection is refused`;
  return walk.refused({
    code: 'UF',
    status: brokenStatus(walk),
    proxy,
    what,
    fix:
      onPort.length > 0
        ? 'bind a VirtualService whose route kind fits the server: http for HTTP and HTTPS, tls for PASSTHROUGH, tcp for TCP and terminated TLS'
        : 'add a server for the port to a Gateway that selects these Pods',
    by,
  });
}

/** A connection at the sidecar of the workload that serves it. */
function throughServer(walk: Walk, flight: Flight, workload: Workload): Trace {
  const { mesh } = walk;
  const proxy: ProxyRef = { kind: 'sidecar', namespace: workload.namespace, workload: workload.name };
  const self: Proxy = {
    type: 'sidecar',
    namespace: workload.namespace,
    labels: workload.labels,
    addresses: workload.addresses,
  };
  const chain = inboundChain(mesh, self, flight.port, connectionOf(flight));
  const by: Decision | undefined =
    chain.tls.config === undefined
      ? undefined
      : {
          kind: chain.tls.config.kind,
          namespace: chain.tls.config.namespace,
          name: chain.tls.config.name,
          field: chain.tls.field,
        };
  const inner = chain.is === 'accepted' && chain.terminates ? flight.layers.slice(0, -1) : flight.layers;
  const readsHttp = chain.is === 'accepted' && chain.http && flight.http !== null && inner.length === 0;
  const incoming: Incoming = {
    proxy,
    receives: wire(
      readsHttp ? 'HTTP' : chain.is === 'accepted' && chain.terminates ? 'TCP' : protocolOf(flight),
      flight.port,
      flight.layers,
    ),
    envoy: { ...noMatch(), listener: 'virtualInbound' },
    decidedBy: decisions(by),
  };
  if (chain.is === 'refused') {
    addHop(walk, incoming, {});
    return walk.refused({
      code: 'NR',
      status: brokenStatus(walk),
      proxy,
      what: chain.what,
      fix: chain.fix,
      by: by ?? null,
    });
  }
  const verdict = authorize(mesh, self, workload, {
    flight,
    http: readsHttp ? flight.http : null,
    sni: outermost(flight.layers)?.sni ?? null,
    port: flight.port,
    terminated: chain.terminates,
  });
  if (verdict.is !== 'allowed') return rejected(walk, incoming, verdict, proxy, readsHttp ? 403 : null);
  const outer = outermost(inner);
  addHop(walk, incoming, {
    cluster: chain.cluster,
    sends: wire(readsHttp ? 'HTTP' : inner.length > 0 ? 'TLS' : 'TCP', flight.port, inner),
  });
  return walk.delivered({
    host: flight.host,
    port: flight.namedPort,
    tls: outer?.kind ?? 'NONE',
    sni: outer?.sni ?? null,
  });
}

/** A client whose connections no proxy of its own carries: it dials its destination itself. */
export function withoutProxy(walk: Walk, flight: Flight, proxy: ProxyRef, by: Decision | undefined): Trace {
  const protocol: WireProtocol = flight.layers.length > 0 ? 'TLS' : flight.http === null ? 'TCP' : 'HTTP';
  addHop(
    walk,
    { proxy, receives: wire(protocol, flight.port, flight.layers), envoy: noMatch(), decidedBy: decisions(by) },
    { sends: wire(protocol, flight.port, flight.layers) },
  );
  return arrive(walk, { ...flight, from: { ...flight.from, inMesh: false } }, undefined, false);
}
