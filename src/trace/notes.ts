/**
 * What a trace says beside its outcome: a closed union with fields, as `reasons.ts` is of refusals. Programs read these; `words/notes.ts` makes
 * sentences of them, last.
 */
import type { PolicyRefusal } from '../model/envoy-gateway-policies';
import type { InstalledGateway } from '../model/installed-gateways';
import type { LeftOut } from '../model/left-out';
import type { WaypointProblem } from '../model/waypoints';
import type { Asking, NoCluster } from './reasons';
import { refOf, type ObjectRef, type RouteRef } from './refs';
import type { RequestProblem } from './request-problems';
import type { Outcome, ProxyRef } from './types';

/** A workload where manifests show it, or what stands for it. */
interface Place {
  readonly namespace: string;
  readonly workload: string | null;
}

/** What no manifest says, and installations usually have. */
interface Assumptions {
  'namespace-injects-sidecars': { readonly namespace: string };
  /** `known`: workloads that the namespace does have. */
  'client-workload': { readonly namespace: string; readonly name: string; readonly known: readonly string[]; readonly labels: Readonly<Record<string, string>>; readonly serviceAccount: string }; // prettier-ignore
  'gateway-pods': { readonly gateway: string; readonly namespace: string; readonly labels: Readonly<Record<string, string>>; readonly ports: readonly number[] }; // prettier-ignore
  'installed-gateway': { readonly service: ObjectRef; readonly labels: Readonly<Record<string, string>> };
  'client-certificate': Place;
  /** `blocks`: of addresses, by which policies tell clients apart. */
  'network-policies-let-client-in': Place & { readonly blocks: readonly string[] };
  'client-has-address': { readonly host: string; readonly policies: readonly string[] };
  'proxy-has-address': { readonly proxy: ProxyRef; readonly host: string; readonly policies: readonly string[] };
  /** `address`: one of the object's addresses, or a range of them. */
  'address-of-entry': { readonly host: string; readonly address: string };
  'endpoints-exist': { readonly service: ObjectRef };
  'proxies-without-sidecar': { readonly namespace: string };
  'backends-enabled': Record<never, never>;
  'account-lists-secrets': { readonly account: string; readonly secret: string };
  'authority-exists': { readonly authority: string; readonly by: ObjectRef };
}

/** What a SecurityPolicy's answer hangs on. */
export type OpenCondition =
  | 'limit of none'
  | 'external authorization'
  | 'credentials'
  | 'origin'
  | 'recorded share'
  | 'CEL'
  | 'path with query'
  | 'client address'
  | 'client location';

/** What the outcome hangs on and no manifest shows, so that it is `unknown`. */
interface Gaps {
  /** The Pod itself is dialled, where no listener of its sidecar is bound. */
  'own-loopback': { readonly address: string; readonly port: number };
  /** `detail` is words, put there last. */
  'request-not-followed': { readonly problem: RequestProblem; readonly detail?: string };
  'network-policy-by-node': { readonly policies: readonly string[]; readonly peer: Place };
  /** `namespace`: the one whose labels no manifest shows. */
  'network-policy-by-namespace': { readonly policies: readonly string[]; readonly namespace: string };
  'network-policy-by-address': { readonly policies: readonly string[]; readonly blocks: readonly string[] };
  'capture-by-address': Record<never, never>;
  'port-not-listed': Place & { readonly port: number };
  'proxy-protocol-at-gateway': Place;
  'tls-to-unknown-hosts': Record<never, never>;
  'x-backend': { readonly backend: string };
  'backend-of-extension': { readonly backend: string };
  /** `weight`: percent of connections that the canary gets. */
  'waypoint-canary': { readonly service: ObjectRef; readonly waypoint: string; readonly canary: string; readonly weight: number }; // prettier-ignore
  'proxy-protocol-at-listener': { readonly policy: ObjectRef; readonly field: string };
  'ingress-listener-and-redirection': Place & { readonly port: number };
  'condition-for-proxy-only': { readonly byEnvoyGateway: boolean };
  'token-signature': { readonly policy: ObjectRef };
  'left-to-authorizer': { readonly policy: ObjectRef; readonly asking: Asking };
  'authorization-open': { readonly policy: ObjectRef; readonly asking: Asking };
  'security-policy-open': { readonly policy: ObjectRef; readonly field: string; readonly on: OpenCondition };
  /** Envoy Gateway writes nothing of the proxies any more, which keep what they had. */
  'configuration-not-written': { readonly policy: ObjectRef; readonly rule: number; readonly route: ObjectRef };
  'patch-policy': { readonly policy: ObjectRef };
  /** Whether another response takes the place of one of that status hangs on its headers. */
  'response-headers': { readonly policy: ObjectRef; readonly status: number };
  /** Another route answers in the place of a response of that status. */
  'response-redirected': { readonly policy: ObjectRef; readonly status: number };
  'own-code': { readonly policy: ObjectRef; readonly field: string };
  'namespace-not-shown': { readonly namespace: string; readonly object: string };
  'cluster-namespace-not-shown': { readonly cluster: string; readonly cause: NoCluster };
  'service-not-shown': { readonly host: string; readonly by: ObjectRef };
  /** Gateways lead to that network, which take mutual TLS to what they find by its SNI. */
  'other-network': { readonly network: string; readonly service: ObjectRef };
  'import-not-shown': { readonly object: ObjectRef };
  'filter-not-shown': { readonly route: ObjectRef };
  'no-address-of-name': { readonly host: string };
  'resolved-for-oldest': { readonly entry: ObjectRef; readonly other: ObjectRef; readonly host: string; readonly port: number }; // prettier-ignore
  'answers-differ': { readonly host: string; readonly answers: readonly { readonly entry: ObjectRef; readonly outcome: Outcome; readonly code: string | null }[] }; // prettier-ignore
  /** `without`: what becomes of the request if the extension does nothing. */
  'extension': { readonly extension: ObjectRef; readonly field: string | null; readonly proxy: ProxyRef; readonly without: { readonly outcome: Outcome; readonly code: string | null } }; // prettier-ignore
}

/** What a reader would else miss, or wonder about. */
interface Remarks {
  'gateway-of-operator': { readonly gateway: string; readonly operator: ObjectRef };
  'left-out': { readonly object: ObjectRef; readonly field: string | null; readonly by: LeftOut['by']; readonly detail: string }; // prettier-ignore
  /** A workload or namespace that an API server refuses, and that is followed as it is written. */
  'followed-though-refused': { readonly object: ObjectRef; readonly detail: string };
  'gateways-of-one-name': { readonly gateway: string; readonly port: number };
  /** What a client of a gateway dials its Pods at, since none of their Services has that port. */
  'no-service-port': { readonly namespace: string; readonly workload: string; readonly port: number; readonly ports: readonly number[] }; // prettier-ignore
  'not-led-to-sidecar': Record<never, never>;
  /** Endpoints of a service that NetworkPolicies do not treat alike: the one that is followed, and those that fare otherwise. */
  'endpoints-apart': Place & { readonly passes: boolean; readonly others: readonly string[] };
  /** The same by whatever else holds for some of them: policies, proxies, ports. */
  'endpoints-differ': { readonly passes: boolean; readonly others: readonly string[] };
  /** What Envoy takes by HTTP/2 alone. */
  'method-of-http2': { readonly method: string; readonly proxy: ProxyRef };
  /** What virtual machines in a Pod send. */
  'virtual-machines': Place & { readonly interfaces: readonly string[]; readonly annotation: string };
  'containers-past-sidecar': Place & { readonly containers: readonly string[] };
  copied: { readonly cluster: string; readonly percent: number };
  'listener-refused': Place & { readonly listener: string; readonly chains: string };
  /** `detail` and `cure` are words, put there last. */
  'waypoint-ignored': { readonly by: ObjectRef; readonly waypoint: string; readonly problem: WaypointProblem; readonly detail?: string; readonly cure?: string }; // prettier-ignore
  /** ztunnel answers no DNS queries of the client, and so knows the host by addresses of its own alone. */
  'dns-not-captured': { readonly entry: ObjectRef };
  'not-known-by-name': { readonly entry: ObjectRef; readonly hasRange: boolean };
  'tls-ignored': { readonly rule: ObjectRef; readonly field: string };
  'several-endpoints': { readonly cluster: string; readonly addresses: readonly string[] };
  'backend-of-several-endpoints': { readonly backend: string; readonly endpoints: number };
  tunnelled: { readonly to: string; readonly through: string };
  'original-destination': { readonly entry: ObjectRef; readonly host: string; readonly dialled: string };
  'aborts-share': { readonly rule: RouteRef; readonly percent: number };
  weighted: { readonly weight: number; readonly total: number; readonly others: readonly string[] };
  /** A host is null where nothing is sent on, and requests are answered 500. */
  'backends-weighted': { readonly shares: readonly { readonly host: string | null; readonly percent: number }[] };
  'status-replaced': { readonly policy: ObjectRef; readonly from: number; readonly to: number };
  'rate-limited': { readonly policy: ObjectRef; readonly isUncertain: boolean };
  /** `detail` is words, put there last. */
  'policy-not-for-route': { readonly policy: ObjectRef; readonly route: ObjectRef; readonly problem: PolicyRefusal; readonly detail?: string }; // prettier-ignore
  /** `by` is null where only the cluster is known. */
  'other-end': { readonly host: string; readonly end: string; readonly by: ObjectRef | null; readonly cluster: string | null; readonly port: number; readonly isTcp: boolean }; // prettier-ignore
}

type Of<Kinds> = { readonly [K in keyof Kinds]: { readonly kind: K } & Kinds[K] }[keyof Kinds];

export type Assumption = { readonly is: 'assumption' } & Of<Assumptions>;
export type Gap = { readonly is: 'gap' } & Of<Gaps>;
export type Remark = { readonly is: 'remark' } & Of<Remarks>;

/** One thing that a trace says beside its outcome. */
export type Note = Assumption | Gap | Remark;

export type Notes = Assumptions & Gaps & Remarks;
export type NoteKind = keyof Notes;

/** What is to be said of a gateway of which no manifest shows the Service or the Pods. */
export function noteOfInstalled({ workload: { namespace, name, labels }, installedBy }: InstalledGateway): Note {
  return installedBy === undefined
    ? assumption({ kind: 'installed-gateway', service: { kind: 'Service', namespace, name }, labels })
    : remark({ kind: 'gateway-of-operator', gateway: `${namespace}/${name}`, operator: refOf(installedBy) });
}

export function assumption(fields: Of<Assumptions>): Assumption {
  return { is: 'assumption', ...fields };
}

export function gap(fields: Of<Gaps>): Gap {
  return { is: 'gap', ...fields };
}

export function remark(fields: Of<Remarks>): Remark {
  return { is: 'remark', ...fields };
}
