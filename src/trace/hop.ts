/** What the steps of a hop share: its parts as far as they are known, and how it is written down. */
import type { ServerTlsMode } from '../model/merged-gateway';
import type { Proxy } from '../model/mesh';
import type { Workload } from '../model/workloads';
import type { Cluster, MissingCluster } from './clusters';
import type { FilterChain, Listener, TcpTarget, WeightedCluster } from './envoy';
import type { Filter, Past } from './filters';
import type { HttpRequest, Route, VirtualHost } from './http-routes';
import type { Reason } from './reasons';
import type { SidecarView } from './sidecar-listeners';
import type { RouteConfig } from './sidecar-routes';
import type { Step } from './step';
import type { Alternative, Copy, Decision, Hop, ProxyRef, Refused, RouteRef, Wire, WireProtocol } from './types';
import type { Flight, Peer, TlsLayer } from './walk';

/** Parts of a hop that are known before its upstream is. */
export interface Incoming {
  readonly proxy: ProxyRef;
  readonly receives: Hop['receives'];
  readonly envoy: Hop['envoy'];
  readonly decidedBy: readonly Decision[];
}

/** A connection at an Envoy, and how that finds its clusters. */
export interface AtProxy {
  readonly view: SidecarView;
  readonly self: Proxy;
  readonly workload: Workload | undefined;
  readonly flight: Flight;
  readonly cluster: (name: string) => Cluster | MissingCluster;
  /** Who it is to those whom it sends to, where that is more than its workload says. */
  readonly peer?: Peer;
}

/** What a proxy sends on to a cluster. */
export interface Onward {
  readonly incoming: Incoming;
  readonly route: RouteRef | null;
  readonly alternatives: readonly Alternative[];
  readonly weight?: number;
  /** TLS that the proxy left on. */
  readonly inner: readonly TlsLayer[];
  /** The request as it goes on; null unless the proxy reads it. */
  readonly http: HttpRequest | null;
  readonly gatewayApi: boolean;
  readonly tunnel: string | null;
  readonly copies?: readonly Copy[];
}

/** The same at a proxy of istiod's. */
export interface Sending extends Onward {
  readonly at: AtProxy;
}

export function hopOf(parts: Incoming, rest: Partial<Hop> = {}): Hop {
  // In the order in which people read a hop, which is that of its JSON.
  return {
    proxy: parts.proxy,
    receives: rest.receives ?? parts.receives,
    route: rest.route ?? null,
    cluster: rest.cluster ?? null,
    sends: rest.sends ?? null,
    decidedBy: rest.decidedBy ?? parts.decidedBy,
    alternatives: rest.alternatives ?? [],
    weight: rest.weight ?? null,
    ...(rest.copies === undefined || rest.copies.length === 0 ? {} : { copies: rest.copies }),
    ...(rest.asks === undefined ? {} : { asks: rest.asks }),
    ...(rest.identity === undefined ? {} : { identity: rest.identity }),
    ...(rest.endpointsOf === undefined ? {} : { endpointsOf: rest.endpointsOf }),
    envoy: rest.envoy ?? parts.envoy,
  };
}

/** The hop of a proxy that sends on to a cluster: what its route chose, and what it asks for in place of what it was asked for. */
export function hopTo(onward: Onward, { http: asked }: Flight, cluster: string, rest: Partial<Hop>): Hop {
  const { incoming, route, alternatives, weight = null, copies, http } = onward;
  return hopOf(incoming, {
    route,
    cluster,
    alternatives,
    weight,
    ...(copies === undefined ? {} : { copies }),
    ...changed(asked, http),
    ...rest,
  });
}

function changed(asked: HttpRequest | null, asks: HttpRequest | null): Pick<Hop, 'asks'> {
  if (asked === null || asks === null) return {};
  const [was, is] = [asked, asks].map(({ authority, path }) => ({ authority: `${authority}`, path: `${path}` }));
  return is === undefined || (was?.authority === is.authority && was.path === is.path) ? {} : { asks: is };
}

export function withVirtualHost(incoming: Incoming, name: string | null): Incoming {
  return { ...incoming, envoy: { ...incoming.envoy, virtualHost: name } };
}

export function ruleDecision(route: RouteRef | null): Decision | undefined {
  return route === null
    ? undefined
    : { kind: route.kind, namespace: route.namespace, name: route.name, field: `spec.${route.rule}` };
}

export function protocolOf(flight: Flight): WireProtocol {
  return flight.layers.length > 0 ? 'TLS' : 'TCP';
}

/** What an HTTP client sees if its connection breaks further on: 503 from the last proxy that reads its request, this one included; nothing without one. */
export function brokenStatus({ isRead }: Flight, receives?: Wire): number | null {
  return isRead || receives?.protocol === 'HTTP' ? 503 : null;
}

/** Why something is not there. */
export type Absent = Pick<Refused, 'reason' | 'by'>;

/**
 * What proxies of one control plane have for themselves: how they read a request before any filter, how they reach what clusters stand for, and why
 * there is none of what a connection or request would need.
 */
export interface ControlPlane {
  readonly byEnvoyGateway: boolean;
  readonly reads: (incoming: Incoming, http: HttpRequest) => Past;
  /** Sends to a cluster that a route or TCP proxy has chosen. */
  readonly send: (onward: Onward, chosen: WeightedCluster, by: Route | TcpTarget) => Step;
  /** What is told of the destinations of a route that are not followed. */
  readonly sharesOf: (by: Route | TcpTarget, chosen: WeightedCluster) => readonly Alternative[];
  readonly mayHave: (cluster: string) => boolean;
  /** Whether a cluster has closed a connection by the time that filters have read of it. */
  readonly isDeadEnd: (cluster: string) => boolean;
  /** Why the proxy has no certificate to show on a chain of its own. */
  readonly keyWithheld: (chain: FilterChain) => Absent | undefined;
  readonly noTls: (chain: FilterChain, mode: ServerTlsMode) => Reason;
  readonly noChain: (listener: Listener, outer: TlsLayer | undefined) => Absent;
  /** A request whose Host no virtual host of the route configuration has. */
  readonly noHost: (incoming: Incoming, routes: RouteConfig, http: HttpRequest) => Step;
  /** A request that no route of a virtual host takes. */
  readonly noRoute: (incoming: Incoming, host: VirtualHost, http: HttpRequest) => Step;
}

/** A connection at the listener of an Envoy, with what its control plane made for it. */
export interface AtListener {
  readonly flight: Flight;
  readonly proxy: ProxyRef;
  readonly plane: ControlPlane;
  readonly listener: Listener;
  readonly chain: FilterChain | null;
  /** What arrives, where that is told otherwise than by the chain that takes it. */
  readonly receives?: Wire;
  /** The SNI that a listener finds inside the session that ends before it. */
  readonly sni?: string | null;
  /** None on a sidecar's way out. */
  readonly filters: readonly Filter[];
  readonly routeConfig: (name: string) => RouteConfig;
}
