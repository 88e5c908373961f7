/** What a route answers by itself, without an upstream: faults, preflight requests, redirects, fixed answers. */
import { number, optionalRecord, record, records, texts, type Json } from '../model/fields';
import { locationOf } from './redirect';
import type { HttpRequest, Route } from './http-routes';
import { exact, PRESENT, stringMatch, evaluate } from './matcher';
import type { Reason } from './reasons';

/** A status that a route answers with by itself, in place of forwarding. */
export interface OwnAnswer {
  readonly code: 'redirect' | 'direct_response' | 'FI';
  readonly status: number;
  readonly reason: Reason;
  /** Of a redirect. */
  readonly location?: string;
  readonly field: string;
}

function redirectStatus(redirect: Json): number {
  return number(redirect.redirectCode) || 301;
}

/** Whether a request asks, for a browser, what an origin may do; the filter for CORS answers it. */
export function isPreflight(http: HttpRequest): boolean {
  return (
    http.method.is(exact('OPTIONS')) &&
    ['origin', 'access-control-request-method'].every((name) => {
      const value = http.headers.get(name);
      return value.is(PRESENT) && !value.is(exact(''));
    })
  );
}

/** The filter answers preflights of origins that it knows; those of others it sends on, unless it is told not to. */
function answersPreflight(cors: Json, http: HttpRequest): boolean {
  if (!isPreflight(http)) return false;
  const origin = http.headers.get('origin');
  const isKnown =
    records(cors.allowOrigins).some((match) => {
      const matcher = stringMatch(match) ?? PRESENT;
      // Envoy asks each matcher for "*" too, which stands for every origin.
      return evaluate(matcher, '*') || origin.is(matcher);
    }) || texts(cors.allowOrigin).some((one) => one === '*' || origin.is(exact(one)));
  return isKnown || cors.unmatchedPreflights === 'IGNORE';
}

/**
 * What a route does without an upstream: a fault for everyone, an answer to a preflight, a redirect, a fixed answer. `listens` is the
 * port of the listener.
 */
export function ownAnswer(
  route: Route,
  http: HttpRequest,
  listens: number,
  byEnvoyGateway = false,
): OwnAnswer | undefined {
  const { rule } = route;
  if (rule === null) return undefined;
  const told = route.extras?.().answer;
  if (told !== undefined) return told;
  const abort = optionalRecord(rule.fault?.abort);
  if (abort !== undefined && abortShare(route) >= 100) {
    return {
      code: 'FI',
      // A status of gRPC goes in a header of its own, whoever asks.
      status: number(abort.httpStatus) || 200,
      reason: { kind: 'fault', status: String(abort.httpStatus ?? abort.grpcStatus), policy: false },
      field: 'fault.abort',
    };
  }
  // Envoy's filter for CORS knows nothing of routes that do not forward.
  const forwards = rule.redirect === undefined && rule.directResponse === undefined;
  if (forwards && rule.corsPolicy !== undefined && answersPreflight(rule.corsPolicy, http)) {
    return {
      code: 'direct_response',
      status: 200,
      reason: { kind: 'preflight', by: 'route' },
      field: 'corsPolicy',
    };
  }
  if (rule.redirect !== undefined) {
    const location = locationOf(rule.redirect, route, http, listens);
    return {
      code: 'redirect',
      status: redirectStatus(rule.redirect),
      reason: { kind: 'redirect', location },
      location,
      field: 'redirect',
    };
  }
  if (rule.directResponse !== undefined) {
    const status = number(rule.directResponse.status);
    // Routes of the Gateway API have no such answer of their own.
    const withoutBackend = rule.ref.kind !== 'VirtualService';
    const reason = { kind: 'direct-response', status, filter: false, byEnvoyGateway, withoutBackend } as const;
    return { code: 'direct_response', status, reason, field: 'directResponse' };
  }
  return undefined;
}

/** As a trace tells it, without the field that has it. */
export function replyOf({ code, status, reason, location }: OwnAnswer): Omit<OwnAnswer, 'field'> {
  return { code, status, reason, ...(location === undefined ? {} : { location }) };
}

/** Share of requests that a fault aborts, 0 to 100. */
export function abortShare(route: Route): number {
  return number(record(optionalRecord(route.rule?.fault?.abort)?.percentage).value);
}
