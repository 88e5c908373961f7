/**
 * Filters before the router, or the TCP proxy: which of them a chain or a route has is data, in the order in which Envoy asks them, and one loop carries a
 * connection or request through them, whoever's proxy it is. istiod's own are here: the check of tokens, then authorization.
 */
import type { Mesh } from '../model/mesh';
import type { Config } from '../model/objects';
import type { Binding } from '../model/waypoints';
import { authorize, type Verdict } from './authorization';
import { hopOf, type Incoming } from './hop';
import type { HttpRequest } from './http-routes';
import type { Gap } from './notes';
import { isPreflight } from './own-answer';
import { asIstioReads } from './paths';
import type { Access } from './rbac';
import type { Reason } from './reasons';
import { refused, replied, unknown, type Step } from './step';
import { judgeToken, tokenRules, withoutWritten, type TokenRule } from './tokens';
import type { Decision, Hop, ObjectRef, ProxyRef, Refused } from './types';
import { decisions, type Flight, type Walk } from './walk';
import { policiesFor, tokenPoliciesFor, waypointPolicies } from './workload-policies';

/** A connection as it stands before the filters of a chain. */
export interface Filtered {
  readonly walk: Walk;
  readonly incoming: Incoming;
  readonly flight: Flight;
  readonly sni: string | null;
  /** Whether the proxy took TLS off. */
  readonly terminated: boolean;
}

export type FilterVerdict =
  /** `anew`: the route is chosen anew, for the request as it is now. */
  | { readonly is: 'passed'; readonly http: HttpRequest | null; readonly anew?: boolean }
  | { readonly is: 'unknown'; readonly why: Gap; readonly by: Decision | undefined }
  | {
      readonly is: 'refused';
      readonly code: string;
      /** Null where the connection is closed. */
      readonly status: number | null;
      readonly reason: Reason;
      readonly by: Decision | undefined;
      /** Where an answer leads that is no error. */
      readonly location?: string | undefined;
    };

/** What a filter does not let pass. */
export type Held = Exclude<FilterVerdict, { is: 'passed' }>;

/** What a filter makes of a connection, and of the request that the proxy reads from it, if any. */
export type Filter = (at: Filtered, http: HttpRequest | null) => FilterVerdict;

/** What passes the filters, or how it ended there. */
export type Past =
  | { readonly held: Step }
  | {
      readonly held?: undefined;
      readonly http: HttpRequest | null;
      /** The filters that are left, where a route is to be chosen anew before them. */
      readonly left?: readonly Filter[];
    };

/**
 * A connection at filters, one after the other, with the request that the proxy reads from it, if any. `logged` is what the router would do with it,
 * which Envoy logs of what a filter refuses.
 */
export function pastFilters(
  at: Filtered,
  filters: readonly Filter[],
  http: HttpRequest | null,
  logged: (http: HttpRequest | null) => Partial<Hop>,
): Past {
  const { incoming } = at;
  let passed = http;
  for (const [index, filter] of filters.entries()) {
    const verdict = filter(at, passed);
    if (verdict.is === 'passed') {
      passed = verdict.http;
      if (verdict.anew === true) return { http: passed, left: filters.slice(index + 1) };
      continue;
    }
    const decidedBy = decisions(...incoming.decidedBy, verdict.by);
    return { held: heldBy(verdict, hopOf(incoming, { ...logged(passed), decidedBy })) };
  }
  return { http: passed };
}

/** How a filter ends what it holds. */
export function heldBy(verdict: Held, hop: Hop): Step {
  if (verdict.is === 'unknown') return unknown(hop, verdict.why);
  const { code, status, reason, by = null, location } = verdict;
  const told = { code, proxy: hop.proxy, by, reason };
  if (status === null) return refused(hop, { ...told, status });
  return replied(hop, location === undefined ? { ...told, status } : { ...told, status, location });
}

/** Which tokens a filter takes, and what becomes of requests without one. */
export interface TokenCheck {
  readonly rules: readonly TokenRule[];
  /** Why a request without a token is refused; undefined lets it pass. */
  readonly missing?: { readonly reason: Reason; readonly by: Decision };
  /** Whether what a token that is not valid says counts for nothing, and the request passes. */
  readonly passesInvalid?: boolean;
  /** Whether nothing hangs on what a token says, once it may pass whatever it is. */
  readonly isIdle?: boolean;
  /** Whether a browser's question before a request of another origin passes as it is. */
  readonly sparesPreflights?: boolean;
}

/** Envoy's filter for tokens. */
export function tokenFilter(check: () => TokenCheck): Filter {
  return (_at, http) => {
    if (http === null) return { is: 'passed', http };
    const { rules, missing, passesInvalid, isIdle, sparesPreflights } = check();
    // Where nobody asks for tokens, nothing hangs on whether a request is one.
    if (rules.length === 0 && missing === undefined) return { is: 'passed', http };
    if (sparesPreflights === true && isPreflight(http)) return { is: 'passed', http };
    const token = judgeToken(rules, http);
    if (token.is === 'valid') return { is: 'passed', http: token.http, anew: token.rule.choosesAnew === true };
    if (token.is === 'unknown' && !(passesInvalid === true && isIdle === true)) return token;
    if (passesInvalid === true) return { is: 'passed', http: withoutWritten(rules, http) };
    if (token.is === 'invalid') return { ...token, is: 'refused', code: 'jwt_authn' };
    if (token.is === 'none' && missing !== undefined) return { is: 'refused', code: 'jwt', status: 401, ...missing };
    return { is: 'passed', http: withoutWritten(rules, http) };
  };
}

/** @param proxies how many before this one are believed to have written who the client is */
function authorizationFilter(policies: () => readonly Config[], proxies: number): Filter {
  return (at, http) => {
    const client = http === null ? undefined : { by: { proxies }, headers: http.headers };
    const verdict = authorize(at.walk.mesh, { ...accessOf(at, http), client }, policies());
    return verdict.is === 'allowed'
      ? { is: 'passed', http: verdict.http ?? http }
      : denied(verdict, http === null ? null : 403);
  };
}

/** What the filter for authorization sees of a connection, and of the request in it. */
export function accessOf({ walk, flight, sni, terminated }: Filtered, http: HttpRequest | null): Access {
  return { flight, http, sni, port: flight.port, terminated, client: http?.client, supposed: walk.supposed };
}

/** What authorization does not allow. */
export function denied(verdict: Exclude<Verdict, { is: 'allowed' }>, status: number | null): Held {
  return verdict.is === 'unknown' ? verdict : { ...verdict, is: 'refused', code: 'RBAC', status };
}

/** A sidecar, and a waypoint, believe whoever wrote last. */
export const BEFORE_SIDECARS = 1;

/** Those of a workload: a sidecar's inbound listener, or a gateway. */
export function workloadFilters(
  mesh: Mesh,
  { namespace, labels }: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  trustedProxies: number,
): readonly Filter[] {
  return [
    tokenFilter(() => ({ rules: tokenRules(tokenPoliciesFor(mesh, namespace, labels)), sparesPreflights: true })),
    authorizationFilter(() => policiesFor(mesh, namespace, labels), trustedProxies),
  ];
}

/** Those of a waypoint, for one of its services or, without any, for Pods that are dialled by their addresses. */
export function waypointFilters(mesh: Mesh, binding: Binding, service?: ObjectRef): readonly Filter[] {
  return [
    tokenFilter(() => ({ rules: tokenRules(waypointPolicies(mesh, 'RequestAuthentication', binding, service)), sparesPreflights: true })), // prettier-ignore
    authorizationFilter(() => waypointPolicies(mesh, 'AuthorizationPolicy', binding, service), BEFORE_SIDECARS),
  ];
}

/** The request with its path as proxies of Istio's read it, before any filter; held where none of them takes such a path. */
export function pathRead({ config }: Mesh, incoming: Incoming, http: HttpRequest | null): Past {
  if (http === null) return { http };
  const read = asIstioReads(http, config);
  if (!('refused' in read)) return { http: read };
  const reason: Reason = { kind: 'path-refused', ...read.refused, byEnvoyGateway: false };
  const { proxy } = incoming;
  return {
    held: refused(hopOf(incoming), { code: 'path_normalization_failed', status: 400, proxy, by: null, reason }),
  };
}

/** What a proxy that reads HTTP answers to CONNECT. */
export function noConnect(proxy: ProxyRef, authority: string, status: number | null): Refused {
  return { code: 'NR', status, proxy, by: null, reason: { kind: 'connect-not-taken', authority } };
}
