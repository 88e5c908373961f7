/** What the steps of a hop share: its parts as far as they are known, and how it is written down. */
import type { Proxy } from '../model/mesh';
import type { Workload } from '../model/workloads';
import type { Cluster, MissingCluster } from './clusters';
import type { FilterChain, Listener } from './envoy';
import type { Filters } from './filters';
import type { HttpRequest } from './http-routes';
import type { SidecarView } from './sidecar-listeners';
import type { RouteConfig } from './sidecar-routes';
import type { Alternative, Copy, Decision, Hop, ProxyRef, RouteRef, Wire, WireProtocol } from './types';
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
export interface Sending {
  readonly at: AtProxy;
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

/** A connection at the listener of an Envoy, with what the control plane made for it. */
export interface AtListener extends AtProxy {
  readonly proxy: ProxyRef;
  readonly listener: Listener;
  readonly chain: FilterChain | null;
  /** What arrives, where that is told otherwise than by the chain that takes it. */
  readonly receives?: Wire;
  /** The SNI that a listener finds inside the session that ends before it. */
  readonly sni?: string | null;
  /** None on a sidecar's way out. */
  readonly filters: Filters | undefined;
  readonly routeConfig: (name: string) => RouteConfig;
}
