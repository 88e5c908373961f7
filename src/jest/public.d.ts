/**
 * Matchers for jest: unit tests of what may cross the edge of a mesh. Importing this module registers them.
 *
 * Each judges a chart, an app (with the charts in it), a list of plain objects, or the path of a file or folder.
 */

/** Who speaks TLS; `APPLICATION` where the application's own TLS passes through unread. */
export type TlsKind = 'NONE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL' | 'APPLICATION';

/** What no manifest says of the mesh. */
export interface MeshOptions {
  /** @default read from an IstioOperator, Helm values or the `istio` ConfigMap, else ALLOW_ANY */
  readonly outbound?: 'REGISTRY_ONLY' | 'ALLOW_ANY';
  /** @default "istio-system" */
  readonly rootNamespace?: string;
  /** @default "cluster.local" */
  readonly trustDomain?: string;
  /** Releases that the objects are judged by. @default found among the manifests, else the newest that are modelled */
  readonly istioVersion?: string;
  /** `1.4`, or `1.4/experimental` for that channel. */
  readonly gatewayApiVersion?: string;
  readonly envoyGatewayVersion?: string;
  readonly kubernetesVersion?: string;
}

export interface RequestExpectation {
  /** `NAMESPACE` or `NAMESPACE/WORKLOAD`; `outside`, with `at`, for a client in no mesh. */
  readonly from: string;
  /** `http://host/path`, `https://host/path`, `tls://host:port` or `tcp://address:port`. */
  readonly to: string;
  /** `NAMESPACE/GATEWAY` at which a request from outside enters. */
  readonly at?: string;
  /** IP that the client dials, where it matters which one. */
  readonly address?: string;
  /** @default "GET" */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Labels of the client's Pod. Default: those of the workload. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: that of the workload. */
  readonly serviceAccount?: string;
  readonly mesh?: MeshOptions;
}

export interface DeliverExpectation extends RequestExpectation {
  /** Gateways on the way, in order, as `NAMESPACE/WORKLOAD` or by the workload alone; an empty list for none. Default: any way. */
  readonly via?: string | readonly string[];
  /** TLS with which the request leaves the last proxy. Default: any. */
  readonly tls?: TlsKind;
  /** SNI of that TLS. Default: any. */
  readonly sni?: string;
  /** `host` or `host:port` where it arrives. Default: anywhere. */
  readonly destination?: string;
}

export interface RefuseExpectation extends RequestExpectation {
  /** Status that an HTTP client sees; null for a connection that is closed. Default: any. */
  readonly status?: number | null;
  /** Envoy's own word: `BlackHoleCluster`, `RBAC`, `NR` ... Default: any. */
  readonly code?: string;
}

export interface AnswerExpectation extends RequestExpectation {
  /** Status that the proxy answers with: 301, 302, 200 ... Default: any under 400. */
  readonly status?: number;
  /** `Location` of a redirect. Default: any. */
  readonly location?: string;
}

export interface FindingsExpectation {
  /**
   * Findings less serious than this are let pass.
   * @default "error"
   */
  readonly failOn?: 'error' | 'warning' | 'info';
  readonly mesh?: MeshOptions;
}

/** `NAMESPACE`, `NAMESPACE/WORKLOAD`, `NAMESPACE/key=value`, `outside`, `*` for every workload; or by fields. */
export type Clients =
  | string
  | { readonly serviceAccount: string; readonly namespace?: string }
  | { readonly labels: Readonly<Record<string, string>>; readonly namespace?: string };

/** Where requests go. All that is given must hold together. */
export interface Target {
  /** Hosts, and wildcards (`*.example.com`). Default: any. */
  readonly hosts?: readonly string[];
  /** Services of the cluster, `NAMESPACE/NAME`. Default: any. */
  readonly services?: readonly string[];
  readonly cidrs?: readonly string[];
  readonly ports?: readonly number[];
  /** `http`, `https`, `tls`, `tcp`. Default: any. */
  readonly protocols?: readonly string[];
  readonly methods?: readonly string[];
  /** Exact, or prefixes that end in `*`. Default: any. */
  readonly paths?: readonly string[];
  /** Whether only destinations outside of the mesh are meant. */
  readonly outside?: boolean;
  /** Hosts where it is no matter that requests arrive. */
  readonly except?: readonly string[];
}

/** Whose traffic. */
export interface TrafficExpectation {
  /** @default every workload */
  readonly from?: Clients | readonly Clients[];
  /** Who of these may. Default: nobody. */
  readonly except?: Clients | readonly Clients[];
  /** Whether it may be true of nobody: most often such a rule is misspelled. Default: it may not. */
  readonly mayBeVacuous?: boolean;
  readonly mesh?: MeshOptions;
}

export interface NeverReachExpectation extends TrafficExpectation {
  /** A host or wildcard, `outside` for every destination outside of the mesh, or more. */
  readonly to: string | Target;
}

export interface OnlyReachExpectation extends TrafficExpectation {
  /** Hosts and wildcards: outside of the mesh, nothing else is reached. */
  readonly to: string | readonly string[];
  /** Whether what is inside of the mesh counts too. Default: it does not. */
  readonly inside?: boolean;
}

export interface AlwaysPassExpectation extends TrafficExpectation {
  /** @default "outside" */
  readonly to?: string | Target;
  /** `NAMESPACE/NAME` of a gateway's workload, or of a Gateway. Default: any way. */
  readonly through?: string;
  /** TLS on the connection that leaves the mesh. Default: any, or none. */
  readonly tls?: 'encrypted' | 'verified';
  /** `NAMESPACE/SERVICEACCOUNT` that the next proxy sees; `true` for anybody. Default: nobody in particular. */
  readonly identity?: string;
  /** Whether whoever sends it shows a certificate, or a token that a proxy verifies. */
  readonly authenticated?: boolean;
}

export interface MeshEdgeMatchers<R> {
  /** The request arrives, and by the way that is asked for. */
  toDeliver(expected: DeliverExpectation): R;
  /** The request is refused, closed or blocked on its way. */
  toRefuse(expected: RefuseExpectation): R;
  /** A proxy replies by itself, as it is meant to: a redirect, a direct response under 400, the answer to a preflight. */
  toAnswer(expected: AnswerExpectation): R;
  /** `mesh-edge check` finds nothing wrong. */
  toHaveNoFindings(expected?: FindingsExpectation): R;
  /** No request of these clients arrives there, whatever its path, method, headers and tokens. Fails with one that does. */
  toNeverReach(expected: NeverReachExpectation): R;
  /** These clients reach, outside of the mesh, nothing but this. Fails with a request that arrives elsewhere. */
  toOnlyReach(expected: OnlyReachExpectation): R;
  /** Each request of these clients that arrives there does so in this way. Fails with one that does not. */
  toAlwaysPass(expected: AlwaysPassExpectation): R;
}

declare global {
  namespace jest {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars
    interface Matchers<R, T = {}> extends MeshEdgeMatchers<R> {}
  }
}

declare module '@jest/expect' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars
  interface Matchers<R extends void | Promise<void>, T> extends MeshEdgeMatchers<R> {}
}

declare module 'expect' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars
  interface Matchers<R extends void | Promise<void>, T> extends MeshEdgeMatchers<R> {}
}
