/** The words of a diff: the JSON of `mesh-edge diff --format json`, field for field. */
import type { DimensionKind } from '../trace/ask';
import type { Matcher } from '../trace/matcher';
import type { ObjectRef, Outcome, TlsKind, TraceRequest } from '../trace/types';

/**
 * What a change does to access. `weakened`: it still arrives, with less protection than before (no gateway, no TLS, no
 * verified server). `refused-otherwise`: it was and is refused, in another way. `unclear`: one of the two cannot be told.
 */
export type Effect = 'widened' | 'weakened' | 'narrowed' | 'rerouted' | 'refused-otherwise' | 'unclear';

export const EFFECTS: readonly Effect[] = [
  'widened',
  'weakened',
  'narrowed',
  'rerouted',
  'unclear',
  'refused-otherwise',
];

/** One proxy that carries the request on, and how its next connection looks. */
export interface WayHop {
  /** `namespace/workload`; `client` for the client's own sidecar, or its absence. */
  readonly proxy: string;
  readonly kind: string;
  readonly port: number | null;
  readonly tls: TlsKind | null;
  readonly sni: string | null;
}

/** TLS that a proxy makes towards a server: whom it trusts, and which certificate it shows. */
export interface TlsSettings {
  readonly credential: string | null;
  readonly trust: string | null;
  readonly subjectAltNames: readonly string[];
  readonly insecureSkipVerify: boolean;
}

/** What a request does, without the names of the objects that make it so: two ways that are equal are the same traffic. */
export interface Way {
  readonly outcome: Outcome;
  /** For people: "refused with 502", "through istio-egress/egress with mutual TLS". */
  readonly text: string;
  readonly hops: readonly WayHop[];
  readonly destination: {
    readonly host: string;
    readonly port: number;
    readonly tls: TlsKind;
    readonly sni: string | null;
    /** Addresses, where the manifests fix them. */
    readonly endpoints: readonly string[];
  } | null;
  /** Workloads of the mesh that may answer, `NAMESPACE/NAME`, where the manifests show them. */
  readonly servers: readonly string[];
  /** TLS made by the last proxy. */
  readonly tls: TlsSettings | null;
  /** Whether the mesh knows the host, or lets it pass because it lets everything pass. */
  readonly passthrough: boolean;
  /** Ways of a weighted route, `host:port subset weight`. */
  readonly split: readonly string[];
  /** Who gets copies, as `host:port` and the share if it is not all. */
  readonly copies: readonly string[];
  /** Host and path that the destination is asked for; null if they are those of the request. */
  readonly asks: string | null;
  /** Whom the next proxy sees by Istio's mutual TLS, hop by hop; only where this alone has changed. */
  readonly identities?: readonly string[];
  /** Whether the gateway that a client from outside enters demands a certificate of it. */
  readonly certificate: boolean;
  /** What a proxy replies by itself, as it is meant to; absent where none does. */
  readonly answer?: {
    readonly code: string;
    readonly status: number;
    readonly location: string | null;
    readonly at: string;
  };
  readonly refusal: { readonly code: string; readonly status: number | null; readonly at: string } | null;
}

/** Whether what a request has there fits a matcher. */
export interface RegionCondition {
  readonly of: DimensionKind;
  /** Of headers, cookies, parameters; the place of a token. */
  readonly name: string;
  readonly claim?: readonly string[];
  readonly matcher: Matcher;
  readonly holds: boolean;
}

export interface Change {
  readonly effect: Effect;
  /** Clients for whom it is the same: `shop/payments`, `namespace shop`, `any other namespace`, `outside at NS/GATEWAY`. */
  readonly from: readonly string[];
  /** The request, as a URL, with the method or headers if they decide: of all that change alike, the plainest. */
  readonly to: string;
  /** The same, as a line of `trace --requests` has it. */
  readonly request: TraceRequest;
  /** Which requests to there change so, in words; `or` between classes. */
  readonly requests: string;
  /** The same as data: the classes, each with the conditions that all hold of its requests. */
  readonly region: readonly (readonly RegionCondition[])[];
  readonly was: Way;
  readonly is: Way;
  /** Objects that differ and had a say in it. */
  readonly because: readonly ChangedObject[];
}

export interface ChangedObject extends ObjectRef {
  readonly change: 'added' | 'removed' | 'changed';
}

export interface DiffSummary {
  readonly objects: {
    readonly added: number;
    readonly removed: number;
    readonly changed: number;
    /** Of those, the ones whose change alters no traffic. */
    readonly withoutEffect: number;
  };
  readonly requestsCompared: number;
  readonly widened: number;
  readonly weakened: number;
  readonly narrowed: number;
  readonly rerouted: number;
  readonly unclear: number;
  readonly refusedOtherwise: number;
}

/** Fields of an object that differ and show in no way that a request takes. */
export interface Setting extends ChangedObject {
  /** What they bear on, in words: "how long and how often proxies try". */
  readonly about: string;
  /** Whether they certainly decide neither where a request goes nor whether it gets through; others are among what is undecided. */
  readonly decided: boolean;
  readonly fields: readonly string[];
}

/** Requests of which it is not known whether they fare as before. */
export interface Undecided {
  readonly from: readonly string[];
  readonly to: string;
  /** Which of these requests. */
  readonly what: string;
  readonly why: string;
}

export interface Diff {
  readonly changes: readonly Change[];
  readonly summary: DiffSummary;
  readonly withoutEffect: readonly ChangedObject[];
  /** Whether what is said holds for every request that `docs/every-request.md` speaks of. */
  readonly complete: boolean;
  readonly undecided: readonly Undecided[];
  /** What differs beside where requests go: timeouts, limits, keys, versions of TLS. */
  readonly settings: readonly Setting[];
  /** What the comparison could not judge, and documents that could not be read. */
  readonly notes: readonly string[];
}
