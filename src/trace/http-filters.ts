/** Filters before the router of HTTP: the path as it is read, the token, authorization; and how a request ends that one of them holds. */
import type { Mesh, Proxy } from '../model/mesh';
import type { authorize } from './authorization';
import { hopOf, type Incoming } from './hop';
import type { HttpRequest } from './http-routes';
import type { RefusedPath } from './paths';
import { refused, unknown, type Step } from './step';
import { judgeToken, tokenRules } from './tokens';
import type { Hop, ProxyRef, Refused } from './types';
import { decisions } from './walk';

/** A path that no proxy takes, whatever its routes. */
export function badPath(incoming: Incoming, path: RefusedPath): Step {
  return refused(hopOf(incoming), {
    code: 'path_normalization_failed',
    status: 400,
    proxy: incoming.proxy,
    by: null,
    reason: { kind: 'path-refused', ...path, byEnvoyGateway: false },
  });
}

/** A request past the check of its token, or how it ended there. */
export type PastTokens = { readonly held: Step } | { readonly held?: undefined; readonly http: HttpRequest };

/** What a proxy makes of the token of a request before it asks for authorization: how the request ends there, or goes on. */
export function pastTokens(
  mesh: Mesh,
  incoming: Incoming,
  self: Proxy,
  http: HttpRequest,
  picked: Partial<Hop>,
): PastTokens {
  return judged(incoming, judgeToken(tokenRules(mesh, self), http), http, picked);
}

/** What becomes of a request by what was made of its token; `picked` is what Envoy logs of the route by then. */
export function judged(
  incoming: Incoming,
  verdict: ReturnType<typeof judgeToken>,
  http: HttpRequest,
  picked: Partial<Hop> | (() => Partial<Hop>),
): PastTokens {
  if (verdict.is === 'none') return { http };
  if (verdict.is === 'valid') return { http: verdict.http };
  const logged = typeof picked === 'function' ? picked() : picked;
  const hop = hopOf(incoming, { ...logged, decidedBy: decisions(...incoming.decidedBy, verdict.by) });
  if (verdict.is === 'unknown') return { held: unknown(hop, verdict.what) };
  const { status, reason, by } = verdict;
  return { held: refused(hop, { code: 'jwt_authn', status, proxy: incoming.proxy, by, reason }) };
}

/** Refused by authorization, with the route and cluster that Envoy had picked by then and logs. */
export function rejected(
  incoming: Incoming,
  verdict: Exclude<ReturnType<typeof authorize>, { is: 'allowed' }>,
  status: number | null,
  picked: Partial<Hop>,
): Step {
  const hop = hopOf(incoming, { ...picked, decidedBy: decisions(...incoming.decidedBy, verdict.by) });
  if (verdict.is === 'unknown') return unknown(hop, verdict.what);
  return refused(hop, { code: 'RBAC', status, proxy: incoming.proxy, by: verdict.by ?? null, reason: verdict.reason });
}

/** What a proxy that reads HTTP answers to CONNECT. */
export function noConnect(proxy: ProxyRef, authority: string, status: number | null): Refused {
  return { code: 'NR', status, proxy, by: null, reason: { kind: 'connect-not-taken', authority } };
}
