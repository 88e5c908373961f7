/**
 * What istiod puts before the router, or the TCP proxy, of every proxy of its own that has policies: the check of tokens, then authorization. Which
 * of them a chain has is data, and what they make of a connection or request is the same at sidecars, gateways and waypoints.
 */
import type { Mesh } from '../model/mesh';
import type { Config } from '../model/objects';
import type { Binding } from '../model/waypoints';
import { authorize, type Verdict } from './authorization';
import { hopOf, type Incoming } from './hop';
import type { HttpRequest } from './http-routes';
import { asIstioReads, type RefusedPath } from './paths';
import { refused, unknown, type Step } from './step';
import { judgeToken, tokenRules, type TokenRule } from './tokens';
import type { Decision, Hop, ObjectRef, ProxyRef, Refused } from './types';
import { decisions, type Flight } from './walk';
import { policiesFor, tokenPoliciesFor, waypointPolicies } from './workload-policies';

export interface Filters {
  readonly tokens: () => readonly TokenRule[];
  /** AuthorizationPolicies. */
  readonly policies: () => readonly Config[];
}

/** Those of a workload: a sidecar's inbound listener, or a gateway. */
export function workloadFilters(
  mesh: Mesh,
  { namespace, labels }: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): Filters {
  return {
    tokens: () => tokenRules(tokenPoliciesFor(mesh, namespace, labels)),
    policies: () => policiesFor(mesh, namespace, labels),
  };
}

/** Those of a waypoint, for one of its services or, without any, for Pods that are dialled by their addresses. */
export function waypointFilters(mesh: Mesh, binding: Binding, service?: ObjectRef): Filters {
  return {
    tokens: () => tokenRules(waypointPolicies(mesh, 'RequestAuthentication', binding, service)),
    policies: () => waypointPolicies(mesh, 'AuthorizationPolicy', binding, service),
  };
}

/** A connection as it stands before the filters of a chain. */
export interface Filtered {
  readonly mesh: Mesh;
  readonly incoming: Incoming;
  readonly flight: Flight;
  readonly sni: string | null;
  /** Whether the proxy took TLS off. */
  readonly terminated: boolean;
}

/** What passes the filters, or how it ended there. */
export type Past = { readonly held: Step } | { readonly held?: undefined; readonly http: HttpRequest | null };

/** The request with its path as proxies of Istio's read it, before any filter; held where none of them takes such a path. */
export function pathRead({ mesh, incoming }: Pick<Filtered, 'mesh' | 'incoming'>, http: HttpRequest | null): Past {
  if (http === null) return { http };
  const read = asIstioReads(http, mesh.config.pathNormalization);
  return 'refused' in read ? { held: badPath(incoming, read.refused) } : { http: read };
}

/**
 * A connection at the filters, with the request that the proxy reads from it, if any. `logged` is what the router would do with it, which Envoy
 * logs of what a filter refuses.
 */
export function pastFilters(
  at: Filtered,
  { tokens, policies }: Filters,
  http: HttpRequest | null,
  logged: (http: HttpRequest | null) => Partial<Hop>,
): Past {
  const { mesh, incoming, flight, sni, terminated } = at;
  const hop = (asked: HttpRequest | null, by: Decision | undefined): Hop =>
    hopOf(incoming, { ...logged(asked), decidedBy: decisions(...incoming.decidedBy, by) });
  const { proxy } = incoming;
  let passed = http;
  if (passed !== null) {
    const token = judgeToken(tokens(), passed);
    if (token.is === 'unknown') return { held: unknown(hop(passed, token.by), token.why) };
    if (token.is === 'invalid') {
      const { status, reason, by } = token;
      return { held: refused(hop(passed, by), { code: 'jwt_authn', status, proxy, by, reason }) };
    }
    if (token.is === 'valid') passed = token.http;
  }
  const verdict = authorize(mesh, { flight, http: passed, sni, port: flight.port, terminated }, policies());
  if (verdict.is === 'allowed') return { http: passed };
  return { held: rejected(hop(passed, verdict.by), verdict, passed === null ? null : 403) };
}

/** Held by authorization. */
export function rejected(hop: Hop, verdict: Exclude<Verdict, { is: 'allowed' }>, status: number | null): Step {
  if (verdict.is === 'unknown') return unknown(hop, verdict.why);
  return refused(hop, { code: 'RBAC', status, proxy: hop.proxy, by: verdict.by ?? null, reason: verdict.reason });
}

function badPath(incoming: Incoming, path: RefusedPath): Step {
  return refused(hopOf(incoming), {
    code: 'path_normalization_failed',
    status: 400,
    proxy: incoming.proxy,
    by: null,
    reason: { kind: 'path-refused', ...path, byEnvoyGateway: false },
  });
}

/** What a proxy that reads HTTP answers to CONNECT. */
export function noConnect(proxy: ProxyRef, authority: string, status: number | null): Refused {
  return { code: 'NR', status, proxy, by: null, reason: { kind: 'connect-not-taken', authority } };
}
