/**
 * The words of a trace: the JSON of `mesh-edge trace --format json`, field for field. Text, Mermaid, diff and the jest
 * matchers are all made from these, so nothing here is prose that a program would have to read.
 */
import type { Note } from './notes';
import type { Reason } from './reasons';
import type { Decision, ObjectRef, RouteRef } from './refs';

export type { Decision, ObjectRef, RouteRef } from './refs';

/** What carries out a hop. `none`: a workload without a proxy, whose connections nothing in the mesh sees. */
export type ProxyKind =
  'sidecar' | 'egress-gateway' | 'ingress-gateway' | 'envoy-gateway' | 'waypoint' | 'ztunnel' | 'none';

export interface ProxyRef {
  readonly kind: ProxyKind;
  readonly namespace: string;
  /** The workload's own name (Deployment, Pod ...), or the gateway's if no manifest shows its workload. Null if unknown. */
  readonly workload: string | null;
}

/**
 * Who speaks TLS on a connection. `APPLICATION`: the application's own TLS, which the proxies pass through unread.
 */
export type TlsKind = 'NONE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL' | 'APPLICATION';

export type WireProtocol = 'HTTP' | 'TLS' | 'TCP';

/** One connection, as it is on the wire. */
export interface Wire {
  /** What travels inside, as far as the proxy at hand can read it: `TLS` when it can only read the SNI. */
  readonly protocol: WireProtocol;
  /** Port of the Service, ServiceEntry or Gateway server; for a connection that leaves the mesh, the port dialled. */
  readonly port: number;
  readonly tls: TlsKind;
  readonly sni: string | null;
}

/** The Envoy configuration that matched, by the names istiod gives it. Not part of the contract: for readers of config dumps. */
export interface EnvoyMatch {
  readonly listener: string | null;
  readonly filterChain: string | null;
  readonly routeConfig: string | null;
  readonly virtualHost: string | null;
  /** Endpoint addresses of the cluster, where manifests tell them. */
  readonly endpoints: readonly string[];
  /** `host:port` that the proxy asks its upstream for by HTTP CONNECT; null where it sends the connection as it is. */
  readonly tunnel: string | null;
}

/** One way of a weighted route that was not followed. */
export interface Alternative {
  readonly cluster: string;
  readonly weight: number;
}

/** Where a proxy sends copies of the requests, whose answers nobody waits for. */
export interface Copy {
  readonly cluster: string;
  /** Share of the requests, up to 100. */
  readonly percent: number;
}

export interface Hop {
  readonly proxy: ProxyRef;
  readonly receives: Wire;
  /** Null where no object chose: a default route, a service with no rules, passthrough. */
  readonly route: RouteRef | null;
  /** The upstream cluster as Envoy logs it; null where the proxy answered by itself (redirect, fault, 502 of a REGISTRY_ONLY mesh). */
  readonly cluster: string | null;
  /** Null if the request ends here. */
  readonly sends: Wire | null;
  readonly decidedBy: readonly Decision[];
  /** The other clusters of a weighted route; the one followed is that of the greatest weight. */
  readonly alternatives: readonly Alternative[];
  /** Of a weighted route, the weight of the cluster that was followed; null or absent where there was none to choose. */
  readonly weight?: number | null;
  /** Absent where no route says so. */
  readonly copies?: readonly Copy[];
  /** Host and path that the proxy asks for; absent where it does not change them. */
  readonly asks?: { readonly authority: string; readonly path: string };
  /** Whom the next proxy sees by Istio's mutual TLS; absent where there is none. */
  readonly identity?: string;
  /** The object that spells out where the cluster leads, in place of its host: its endpoints are among `envoy`. Absent where none does. */
  readonly endpointsOf?: ObjectRef;
  readonly envoy: EnvoyMatch;
}

export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsKind;
  readonly sni: string | null;
  /** The proxy, none of the mesh, that a CONNECT asks to lead there. */
  readonly through?: { readonly host: string; readonly port: number };
}

/**
 * Why a request did not arrive. `code` is Envoy's own word: a response flag (NR, NC, UH, UF, FI, LH ...), `RBAC` or `jwt_authn`
 * for the filter that refused, or `BlackHoleCluster`; `redirect` and `direct_response` where a route answers by itself, `NetworkPolicy` where no packet passes.
 */
export interface Refusal {
  readonly code: string;
  /** What an HTTP client sees; null for a connection that is closed, reset, or never made. */
  readonly status: number | null;
  readonly proxy: ProxyRef;
  readonly what: string;
  readonly fix: string;
  /** The object at fault, where there is one. */
  readonly by: Decision | null;
  /** Why, with fields, as a program reads it: `what` and `fix` are its words. */
  readonly reason: Reason;
}

/** A refusal before its reason is put in words. */
export type Refused = Omit<Refusal, 'what' | 'fix'>;

/** What a proxy replies by itself as it is meant to: a redirect, a direct response under 400, the answer to a preflight. */
export interface Answer {
  /** `redirect`, `direct_response`, or `oidc` for a redirect to the login. */
  readonly code: string;
  readonly status: number;
  /** Where a redirect leads; absent for other answers, and where no manifest tells. */
  readonly location?: string;
  readonly proxy: ProxyRef;
  readonly what: string;
  /** The object that has it answered, where there is one. */
  readonly by: Decision | null;
  readonly reason: Reason;
}

export type Outcome = 'delivered' | 'answered' | 'refused' | 'unknown';

export interface Trace {
  readonly outcome: Outcome;
  readonly hops: readonly Hop[];
  /** Where the request arrived; null if it did not. */
  readonly destination: Destination | null;
  readonly refusal: Refusal | null;
  /** Present where the outcome is `answered`. */
  readonly answer?: Answer;
  /** Assumptions made (what an installation usually has and no manifest says), and for `unknown` what is missing. */
  readonly notes: readonly string[];
  /** The same, in the same order, as a program reads it: `notes` are its words. */
  readonly noted: readonly Note[];
}

/** One request to follow. The fields of a line of `--requests`, with what else the command line can say. */
export interface TraceRequest {
  /** `NAMESPACE` or `NAMESPACE/WORKLOAD`; `outside` for a client that is in no mesh. */
  readonly from: string;
  /** `http://host[:port]/path`, `https://…`, `tls://host:port`, `tcp://address:port`. */
  readonly request: string;
  /** The IP that the client dials, where it matters which one. */
  readonly address?: string;
  /** SNI of the client's TLS, where it is another name than that of the URL. */
  readonly sni?: string;
  /** @default GET */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Tokens that the request carries beside, each signed by its issuer and within its time: the claims, by the place where it is
   * (`header authorization Bearer`, `parameter access_token`, `cookie session`).
   */
  readonly tokens?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Labels of the client's pod. Default: those of the workload in the manifests. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: that of the workload in the manifests; of a workload in none, its name; of no workload, `default`. */
  readonly serviceAccount?: string;
  /** `NAMESPACE/GATEWAY` at which a request from `outside` enters. */
  readonly at?: string;
  /**
   * What another state of the manifests shows, as `KIND/NAMESPACE/NAME`: what these lack of it is gone, or not there yet, where it would
   * be assumed to be somewhere else.
   */
  readonly known?: readonly string[];
  /** Gateways that another repository has, as `Gateway.GROUP/NAMESPACE/NAME`: taken to admit what is bound to them. */
  readonly assumed?: readonly string[];
  /** Which of two gateways of that name: Istio's and one of the Gateway API may share it. */
  readonly atGroup?: 'networking.istio.io' | 'gateway.networking.k8s.io';
}
