/**
 * Why a request does not arrive, or is answered on its way: a closed union with fields. Programs read these; `words/` makes sentences of them, last.
 */
import type { AuthorizerProblem } from '../model/authorizers';
import type { AgainstRoute, Unattached } from '../model/attachments';
import type { AuthorityFault } from '../model/backend-authority';
import type { GatewayProblem } from '../model/envoy-gateway';
import type { ApiListener } from '../model/gateway-api';
import type { RefusedByEnvoy } from '../model/envoy-gateway-chains';
import type { BackendProblem } from '../model/envoy-gateway-backends';
import type { ReferenceFault } from '../model/envoy-gateway-references';
import type { RuleProblem } from '../model/envoy-gateway-rules';
import type { LeftOut } from '../model/left-out';
import type { ListenerProblem } from '../model/listener-problems';
import type { ServerProblem } from '../model/merged-gateway';
import type { PolicyProblem } from '../model/policy-problems';
import type { Protocol } from '../model/protocols';
import type { Unmerged } from '../model/virtual-services';
import type { ObjectRef, RouteRef } from './refs';

/** Who asked for what, as policies see it. */
export interface Asking {
  /** Null for a peer without an identity. */
  readonly principal: string | null;
  readonly port: number;
  /** Null where the filter reads no HTTP. */
  readonly http: { readonly method: string; readonly authority: string; readonly path: string } | null;
}

/** Why a client without a session is not sent to sign in. */
export type SignInProblem = 'callback' | 'redirect-denied';

/** What is wrong with a token. */
export type TokenProblem =
  | { readonly is: 'not-valid-yet' | 'expired' | 'not-signed-by-issuer' }
  /** Null: not for these, whoever else it is for. */
  | { readonly is: 'audience'; readonly audiences: readonly string[] | null; readonly wanted: readonly string[] }
  | { readonly is: 'no-keys' }
  | { readonly is: 'no-key'; readonly algorithm: string; readonly keyId: string }
  | { readonly is: 'issuer'; readonly issuer: string; readonly trusted: readonly string[] }
  | { readonly is: 'malformed'; readonly detail: string };

export interface CloserListener {
  readonly route: ObjectRef;
  readonly at: string;
  readonly listener: string;
  readonly hostname: string;
}

/** A route that names a Gateway and is not attached to it. */
export interface UnattachedRoute {
  readonly route: ObjectRef;
  readonly why: WhyUnattached;
}

export type WhyUnattached =
  | Exclude<Unattached['why'], { readonly is: 'no-listener' }>
  | { readonly is: 'no-listener'; readonly listeners: readonly ListenerAgainst[] }
  /** By Envoy Gateway. */
  | { readonly is: 'no-rule-accepted'; readonly problem: RuleProblem };

/** A listener that does not take a route. */
export type ListenerAgainst = AgainstRoute & {
  readonly listener: Pick<ApiListener, 'name' | 'port' | 'protocol' | 'hostname'>;
};

/** A rule leads clients by labels or namespace, and not this one. */
interface HeldBySource {
  readonly is: 'held-by-source';
  readonly rule: ObjectRef;
  readonly admits: string;
}

export type Spoken = 'HTTP' | 'TLS' | 'TCP';

/** What a client asks a proxy for that it does not know. */
export interface Wanted {
  readonly host: string;
  readonly port: number;
  readonly protocol: Spoken;
}

/** Why a proxy knows nothing of a host and port. */
export type UnknownHost =
  | HeldBySource
  | ({ readonly is: 'port-not-declared'; readonly entry: ObjectRef; readonly declared: readonly string[]; readonly namespace: string; readonly ofEntry: string | null; readonly isForEverywhere: boolean } & Wanted) // prettier-ignore
  | ({ readonly is: 'neither-declared-nor-exported'; readonly entry: ObjectRef; readonly declared: readonly string[]; readonly namespace: string } & Wanted) // prettier-ignore
  | { readonly is: 'port-not-imported'; readonly sidecar: ObjectRef; readonly host: string; readonly port: number }
  | { readonly is: 'replaced-by-tls-rules'; readonly rule: ObjectRef; readonly entry: ObjectRef; readonly host: string; readonly declared: string; readonly names: readonly string[] } // prettier-ignore
  | { readonly is: 'other-protocol'; readonly entry: ObjectRef; readonly port: number; readonly declared: Protocol; readonly spoken: Spoken } // prettier-ignore
  | { readonly is: 'other-address'; readonly entry: ObjectRef; readonly addresses: readonly string[]; readonly spoken: Spoken } // prettier-ignore
  | { readonly is: 'not-imported'; readonly entry: ObjectRef; readonly host: string; readonly sidecar: ObjectRef }
  /** A headless Service, of whose Pods sidecars have listeners, and there are none. */
  | { readonly is: 'headless-without-pods'; readonly service: ObjectRef; readonly port: number }
  | { readonly is: 'pod-by-address'; readonly pod: ObjectRef; readonly service: ObjectRef; readonly host: string; readonly port: number; readonly headless: Protocol | null } // prettier-ignore
  | { readonly is: 'not-exported'; readonly entry: ObjectRef; readonly namespace: string; readonly carrier: { readonly route: ObjectRef; readonly section: Section; readonly port: number } | null } // prettier-ignore
  | { readonly is: 'neither-spoken-nor-exported'; readonly entry: ObjectRef; readonly namespace: string; readonly port: number; readonly declared: Protocol; readonly spoken: Spoken } // prettier-ignore
  | { readonly is: 'refused-at-admission'; readonly entry: ObjectRef; readonly refusedBy: LeftOut['by']; readonly detail: string } // prettier-ignore
  | ({ readonly is: 'not-declared'; readonly namespace: string; readonly mode: string } & Wanted);

export type Section = 'http' | 'tls' | 'tcp';

/** What keeps the rules of a VirtualService that is bound to a Gateway from counting at its server. */
export type Unrouted =
  | { readonly is: 'not-exported'; readonly route: ObjectRef; readonly namespace: string }
  | { readonly is: 'other-port'; readonly route: ObjectRef; readonly rule: string; readonly matched: number; readonly gateway: string; readonly port: number } // prettier-ignore
  | { readonly is: 'not-admitted'; readonly route: ObjectRef; readonly gateway: string; readonly hosts: readonly string[]; readonly admitted: readonly string[] } // prettier-ignore
  | { readonly is: 'other-gateway'; readonly route: ObjectRef; readonly section: Section; readonly gateway: string }
  | { readonly is: 'other-kind'; readonly route: ObjectRef; readonly section: Section; readonly found: Section; readonly gateway: string }; // prettier-ignore

/** Why a proxy has no cluster of a name. */
export type NoCluster =
  | { readonly is: 'no-such-name'; readonly cluster: string }
  | { readonly is: 'external-name'; readonly service: ObjectRef; readonly externalName: string; readonly ports: readonly number[]; readonly isDeclared: boolean } // prettier-ignore
  | { readonly is: 'not-imported'; readonly sidecar: ObjectRef; readonly host: string; readonly namespace: string }
  | { readonly is: 'not-exported'; readonly entry: ObjectRef; readonly host: string; readonly to: string; readonly hasSidecar: boolean } // prettier-ignore
  | { readonly is: 'no-service'; readonly host: string; readonly inCluster: boolean; readonly namespace: string }
  | {
      readonly is: 'wildcard-protocol-at-waypoint';
      readonly entry: ObjectRef;
      readonly port: number;
      readonly protocol: string;
    }
  | { readonly is: 'wildcard-by-name'; readonly entry: ObjectRef; readonly inSidecars: boolean; readonly since: string; readonly atGateway: boolean } // prettier-ignore
  | { readonly is: 'port-not-imported'; readonly sidecar: ObjectRef; readonly host: string; readonly port: number; readonly imported: readonly number[] } // prettier-ignore
  | { readonly is: 'no-port'; readonly entry: ObjectRef; readonly host: string; readonly port: number; readonly ports: readonly number[] } // prettier-ignore
  | { readonly is: 'no-subset'; readonly host: string; readonly subset: string; readonly rules: readonly { readonly namespace: string; readonly name: string }[] | null; readonly subsets: readonly string[]; readonly elsewhere: { readonly service: string; readonly proxy: string; readonly root: string; readonly rule: { readonly namespace: string; readonly name: string } } | null } // prettier-ignore
  | { readonly is: 'no-dns-endpoint'; readonly host: string; readonly subset: string }
  | { readonly is: 'no-route-of-waypoint'; readonly host: string; readonly waypoint: string };

/** Why a cluster has no endpoints. */
export type NoEndpoints =
  | (HeldBySource & { readonly entry: ObjectRef })
  | { readonly is: 'no-original-destination'; readonly entry: ObjectRef; readonly host: string; readonly isAddress: boolean } // prettier-ignore
  | { readonly is: 'entry-without-endpoint'; readonly entry: ObjectRef; readonly selects: boolean; readonly isBlock: boolean } // prettier-ignore
  | { readonly is: 'nothing-selected'; readonly service: ObjectRef }
  | { readonly is: 'not-exported-to-waypoint'; readonly service: ObjectRef; readonly namespace: string }
  | {
      readonly is: 'nothing-in-subset';
      readonly service: ObjectRef;
      readonly subset: string;
      readonly ofEntry: boolean;
    }
  | { readonly is: 'no-service-at-endpoint'; readonly entry: ObjectRef; readonly host: string };

/** How what no rule allows may be allowed, and to whom. */
export type HowToAllow =
  | { readonly is: 'take-prefix-off'; readonly policy: ObjectRef }
  | { readonly is: 'name-principal'; readonly principal: string }
  /** The rule takes the caller, and not these of what it asks: `notPaths`, `when[0] (request.headers[x-team])`. */
  | { readonly is: 'meet-conditions'; readonly policy: ObjectRef; readonly rule: number; readonly conditions: readonly string[] } // prettier-ignore
  /** The rule takes the request but for a token. */
  | { readonly is: 'send-token'; readonly policy: ObjectRef; readonly rule: number }
  | { readonly is: 'no-rules' | 'without-source' | 'by-mutual-tls' };

/** On the network, before any proxy or between two. */
interface OfNetwork {
  'network-policy-denies': { readonly policies: readonly string[]; readonly direction: 'Egress' | 'Ingress'; readonly from: string; readonly to: string; readonly port: number }; // prettier-ignore
  'auto-address-without-port': { readonly host: string; readonly entry: ObjectRef; readonly port: number };
  'service-without-port': { readonly service: ObjectRef; readonly port: number; readonly ports: readonly number[] };
  'service-without-endpoints': { readonly service: ObjectRef; readonly port: number };
  'port-not-served': { readonly workload: string; readonly port: number; readonly service: ObjectRef; readonly targetPort: number }; // prettier-ignore
  'mutual-tls-without-sidecar': { readonly workload: string };
  'no-such-gateway': { readonly gateway: string };
}

/** What is wrong and how to mend it, in words, which are put there last. */
interface Spelled {
  readonly detail?: string;
  readonly cure?: string;
}

/** At a listener: whether a connection is taken, and its TLS. */
interface OfListeners {
  'port-of-the-proxy': { readonly port: number; readonly path: string; readonly isServed: boolean };
  'no-server-on-port': { readonly port: number; readonly namedPort: number };
  'server-without-route': { readonly gateway: string; readonly port: number; readonly namedPort: number; readonly section: 'tls' | 'tcp' }; // prettier-ignore
  'server-left-out': { readonly gateway: string; readonly port: number; readonly namedPort: number; readonly problem: ServerProblem; readonly detail?: string }; // prettier-ignore
  'listener-not-programmed': { readonly gateway: ObjectRef; readonly listener: string; readonly problem: ListenerProblem } & Spelled; // prettier-ignore
  'gateway-not-accepted': { readonly gateway: ObjectRef; readonly problem: GatewayProblem } & Spelled;
  'chains-match-alike': { readonly listener: string; readonly matched: string; readonly servers: readonly string[] };
  'listener-refused-by-envoy': { readonly problem: RefusedByEnvoy } & Spelled;
  'no-listener-on-port': { readonly gateway: ObjectRef; readonly port: number };
  'no-listener-for-connection': { readonly gateway: ObjectRef; readonly port: number; readonly isTls: boolean; readonly sni: string | null }; // prettier-ignore
  'listener-takes-udp': { readonly gateway: ObjectRef; readonly listener: string; readonly port: number };
  'no-filter-chain': { readonly listener: string; readonly isTls: boolean; readonly sni: string | null; readonly served: readonly string[]; readonly atGateway: boolean }; // prettier-ignore
  'tls-expected': { readonly listener: string | null; readonly mode: string | null };
  'tls-mode-mismatch': { readonly server: string; readonly sender: string };
  /** Two revisions of istiod have different trust domains; one of the two proxies takes the other for a stranger. */
  'trust-domains-differ': { readonly client: string; readonly server: string; readonly refusedBy: 'client' | 'server' };
  /** A Secret that istiod does not give the proxy. `binding`: what binds its account, or a group of it, to something else. */
  'key-withheld': { readonly secret: string; readonly account: string; readonly binding: ObjectRef | null; readonly byGroup: boolean }; // prettier-ignore
  'client-certificate-missing': { readonly asks: 'server' | 'sidecar-ingress' | 'listener'; readonly port: number };
  'http-expected': { readonly got: 'TLS' | 'other'; readonly byEnvoyGateway: boolean };
  /** `byProxy`: a proxy of the mesh sends it so, and not the client; `policy`: for a BackendTLSPolicy. */
  'mutual-tls-expected': { readonly port: number; readonly got: 'plain-text' | 'tls'; readonly atZtunnel: boolean; readonly byProxy?: boolean; readonly policy?: ObjectRef }; // prettier-ignore
  'ingress-tls-expected': { readonly port: number };
  'own-certificate': { readonly port: number };
  'mutual-tls-disabled': { readonly port: number };
  'declared-otherwise': { readonly port: number; readonly declared: string; readonly got: 'tls' | 'other'; readonly byProxy?: boolean; readonly policy?: ObjectRef }; // prettier-ignore
  'port-not-declared': { readonly service: ObjectRef; readonly port: number; readonly ports: readonly number[] };
  'wildcard-tls-at-waypoint': { readonly service: ObjectRef };
  'internal-wildcard-at-waypoint': { readonly service: ObjectRef };
  'other-address-at-waypoint': { readonly service: ObjectRef; readonly address: string; readonly first: string };
  'waypoint-port-declared-otherwise': { readonly service: ObjectRef; readonly port: number; readonly declared: string; readonly got: string }; // prettier-ignore
}

/** By filters: paths, headers, tokens, authorization. */
interface OfFilters {
  'path-refused': { readonly path: string; readonly has: 'escaped slash' | 'escaped NUL'; readonly byEnvoyGateway: boolean }; // prettier-ignore
  'path-redirected': { readonly location: string };
  'connect-not-taken': { readonly authority: string };
  'token-refused': { readonly policy: ObjectRef; readonly problem: TokenProblem };
  'token-required': { readonly policy: ObjectRef; readonly issuer: string };
  'origin-missing': { readonly policy: ObjectRef };
  'token-missing': { readonly policy: ObjectRef };
  'credentials-missing': { readonly policy: ObjectRef; readonly credential: 'apiKeyAuth' | 'basicAuth' };
  'sign-in': { readonly policy: ObjectRef };
  'sign-out': { readonly policy: ObjectRef };
  'sign-in-refused': { readonly policy: ObjectRef; readonly why: SignInProblem };
  'denied-by-rule': { readonly policy: ObjectRef; readonly rule: number; readonly asking: Asking };
  'allowed-by-no-rule': { readonly policies: readonly string[]; readonly asking: Asking; readonly advice: HowToAllow };
  'no-authorizer': { readonly policy: ObjectRef; readonly asking: Asking; readonly providers: readonly string[]; readonly known: readonly string[]; readonly problem: AuthorizerProblem } & Spelled; // prettier-ignore
  'refused-by-authorizer': { readonly policy: ObjectRef };
  'denied-by-security-policy': { readonly policy: ObjectRef };
  'underscore-in-header': { readonly headers: readonly string[] };
  'client-address-missing': { readonly header: string };
  'policy-not-usable': { readonly policy: ObjectRef; readonly problem: 'missing' | 'no-port' | 'not-granted' | 'elsewhere' | 'invalid'; readonly fault: ReferenceFault | PolicyProblem } & Spelled; // prettier-ignore
  'rate-limit-not-configured': { readonly policy: ObjectRef };
  'rate-limit-of-none': { readonly policy: ObjectRef };
  /** A Backend of type DynamicResolver, asked for a name of the proxy itself. */
  'loopback-asked-for': { readonly backend: string };
  'circuit-always-open': { readonly policy: ObjectRef; readonly field: string };
}

/** By routes, and where they lead. */
interface OfRoutes {
  loop: { readonly path: readonly string[]; readonly bySidecar: boolean };
  'host-blocked': { readonly to: string; readonly readsHttp: boolean; readonly cause: UnknownHost };
  'no-virtual-host': { readonly routes: string; readonly host: string; readonly namespace: string; readonly bound: readonly { readonly route: string; readonly gateways: readonly string[] }[] }; // prettier-ignore
  'no-rule-on-port': { readonly port: number };
  'no-rule-matches': { readonly of: string; readonly method: string; readonly path: string };
  /** `server`: the listener that istiod leaves out for want of a rule. */
  'no-rule-for-server': { readonly server: { readonly gateway: string; readonly port: number; readonly namedPort: number } | null; readonly cause: Unrouted }; // prettier-ignore
  'delegate-left-out': { readonly rule: RouteRef; readonly delegate: Unmerged['delegate']; readonly why: Unmerged['why']; readonly leaf: RouteRef | null }; // prettier-ignore
  'foreign-host': { readonly authority: string; readonly host: string };
  'no-hostname': {
    readonly gateway: ObjectRef;
    readonly host: string;
    readonly unattached: readonly UnattachedRoute[];
    /** A route that has it at one listener, and the one that requests for it belong to, whose hostname is closer. */
    readonly closer: CloserListener | null;
  };
  'no-l4-route': {
    readonly sni: string | null;
    readonly port: number;
    readonly unattached: readonly UnattachedRoute[];
  };
  'no-destination': { readonly readsHttp: boolean };
  'no-cluster': { readonly cluster: string; readonly cause: NoCluster };
  'no-endpoints': { readonly cluster: string; readonly cause: NoEndpoints };
  'no-endpoint-on-port': { readonly service: ObjectRef; readonly port: number };
  'resolved-by-waypoints-only': { readonly service: ObjectRef };
  'name-not-resolved': { readonly cluster: string; readonly readsHttp: boolean };
  'backend-not-granted': Record<never, never>;
  'backend-service-missing': { readonly host: string; readonly port: number | null };
  'backend-without-pods': { readonly host: string };
  'backends-not-enabled': { readonly backend: string };
  'backend-missing': { readonly backend: string };
  'backend-tls-unverified': { readonly backend: string };
  'backend-authority-not-usable': { readonly problem: AuthorityFault } & Spelled;
  'backend-unix-socket': { readonly backend: string };
  /** `resolves`: it has none by nature, and the connection names no host that Envoy Gateway reads. */
  'backend-without-endpoint': { readonly backend: string; readonly resolves: boolean };
  /** Envoy Gateway does not take an address of it. */
  'backend-not-accepted': { readonly backend: string; readonly problem: BackendProblem } & Spelled;
  /** A Service of type ExternalName. */
  'backend-by-name': { readonly host: string };
  /** A filter, or a copy, that Envoy Gateway cannot carry out. */
  'filter-not-usable': { readonly problem: RuleProblem } & Spelled;
}

/** At the other end, by the TLS that is sent. */
interface OfUpstreamTls {
  'tls-inside-tls': { readonly host: string; readonly rule: ObjectRef | null };
  'tls-to-http-port': { readonly host: string };
  'originated-to-http-port': { readonly host: string };
  'mesh-tls-outside': { readonly host: string };
  'http-to-tls-port': { readonly host: string; readonly port: number; readonly declared: string };
}

/** What a proxy replies by itself. */
interface OfReplies {
  fault: { readonly status: string; readonly policy: boolean };
  preflight: { readonly by: 'route' | 'policy' | 'filter' };
  redirect: { readonly location: string };
  'redirect-to-https': Record<never, never>;
  /** `withoutBackend`: since the rule of a route leads nowhere, and not since somebody wrote it. */
  'direct-response': { readonly status: number; readonly filter: boolean; readonly byEnvoyGateway: boolean; readonly withoutBackend: boolean }; // prettier-ignore
  'health-check': { readonly path: string };
}

/** Fields of each reason, by its kind. */
export type Reasons = OfNetwork & OfListeners & OfFilters & OfRoutes & OfUpstreamTls & OfReplies;

export type ReasonKind = keyof Reasons;

export type Reason = { readonly [K in ReasonKind]: { readonly kind: K } & Reasons[K] }[ReasonKind];
