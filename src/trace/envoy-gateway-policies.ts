/** What Envoy Gateway's own policies and filters do to a request before it is forwarded. */
import { ownFilters, type EffectivePolicy, type PolicyPlace } from '../model/envoy-gateway-policies';
import { number, optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { claimsFit, tokenRulesOf } from './envoy-gateway-tokens';
import type { Asked, AskedPath } from './ask';
import { byExpression, type HttpRequest } from './http-routes';
import { anyOf, exact, PRESENT } from './matcher';
import { isPreflight } from './own-answer';
import { judgeToken, type TokenVerdict } from './tokens';
import type { Decision } from './types';

export type PolicyVerdict =
  | {
      readonly is: 'refused';
      readonly code: string;
      readonly status: number;
      readonly what: string;
      readonly fix: string;
      readonly location?: string | undefined;
      readonly by: Decision;
    }
  | { readonly is: 'unknown'; readonly what: string; readonly by: Decision };

function decision({ manifest }: EffectivePolicy, field: string): Decision {
  const { kind, namespace, name } = manifest;
  return { kind, namespace, name, field: `spec.${field}` };
}

/** What the policies on a rule refuse; undefined lets the request pass. Faults come first, then who may call. */
export function policyVerdict(
  traffic: EffectivePolicy | undefined,
  security: EffectivePolicy | undefined,
  http: HttpRequest,
  forwards: boolean,
): PolicyVerdict | undefined {
  return (traffic && faultVerdict(traffic)) ?? (security && securityVerdict(security, http, forwards));
}

function faultVerdict(policy: EffectivePolicy): PolicyVerdict | undefined {
  const abort = optionalRecord(record(policy.spec.faultInjection).abort);
  if (abort === undefined || number(abort.percentage ?? 100) < 100) return undefined;
  const status = number(abort.httpStatus) || 200;
  return {
    is: 'refused',
    code: 'FI',
    status,
    what: `a fault aborts every request with ${String(abort.httpStatus ?? `gRPC status ${String(abort.grpcStatus)}`)}`,
    fix: 'take faultInjection.abort out of the BackendTrafficPolicy',
    by: decision(policy, 'faultInjection.abort'),
  };
}

function securityVerdict(policy: EffectivePolicy, http: HttpRequest, forwards: boolean): PolicyVerdict | undefined {
  const { spec } = policy;
  const has = (kind: string): boolean => optionalRecord(spec[kind]) !== undefined;
  // The filter for CORS comes before those that ask who calls, and answers every preflight, if the route is one that forwards.
  if (has('cors') && forwards && isPreflight(http))
    return {
      is: 'refused',
      code: 'direct_response',
      status: 200,
      what: `the proxy answers the preflight request itself, by the policy's CORS settings`,
      fix: 'take cors out of the SecurityPolicy to forward it',
      by: decision(policy, 'cors'),
    };
  if (has('oidc') && !http.headers.get('cookie').is(PRESENT))
    return {
      is: 'refused',
      code: 'oidc',
      status: 302,
      what: 'a request without a session is sent to the OpenID provider',
      location: text(record(record(spec.oidc).provider).authorizationEndpoint) || undefined,
      fix: 'sign in first',
      by: decision(policy, 'oidc'),
    };
  const lacks = ['basicAuth', 'apiKeyAuth'].find((kind) => has(kind) && !shows(kind, record(spec[kind]), http));
  if (lacks !== undefined)
    return {
      is: 'refused',
      code: lacks,
      status: 401,
      what: `the request has no credentials for ${lacks}`,
      fix: lacks === 'apiKeyAuth' ? 'send the key where extractFrom says' : 'send an Authorization header',
      by: decision(policy, lacks),
    };
  const open = ['oidc', 'basicAuth', 'apiKeyAuth', 'extAuth'].find(has);
  if (open !== undefined) return unknown(policy, open, 'credentials or a service that no manifest shows');
  const token = judgeToken(tokenRulesOf(policy), http);
  if (token.is === 'unknown') return token;
  if (token.is === 'invalid') return { ...token, is: 'refused', code: 'jwt_authn' };
  if (token.is === 'none' && has('jwt') && record(spec.jwt).optional !== true)
    return {
      is: 'refused',
      code: 'jwt',
      status: 401,
      what: 'the request has no token where a provider looks for one',
      fix: 'send a token where extractFrom says',
      by: decision(policy, 'jwt'),
    };
  return has('authorization') ? authorizationVerdict(policy, http, token) : undefined;
}

const hasToken = (http: HttpRequest): boolean => http.headers.get('authorization').is(PRESENT);

function shows(kind: string, settings: Json, http: HttpRequest): boolean {
  if (kind !== 'apiKeyAuth') return hasToken(http);
  return records(settings.extractFrom).some(
    (from) =>
      texts(from.headers).some((name) => http.headers.get(name).is(PRESENT)) ||
      texts(from.params).some((name) => http.path.parameter(name).is(PRESENT)) ||
      (texts(from.cookies).length > 0 && http.headers.get('cookie').is(PRESENT)),
  );
}

function unknown(policy: EffectivePolicy, field: string, on: string): PolicyVerdict {
  const { namespace, name } = policy.manifest;
  return {
    is: 'unknown',
    what: `whether SecurityPolicy ${namespace}/${name} lets the request pass hangs on ${on} (${field})`,
    by: decision(policy, field),
  };
}

const EVERYBODY = new Set(['0.0.0.0/0', '::/0']);

/** Whether a principal of an authorization rule is who calls; undefined where the manifests cannot tell. */
function isPrincipal(principal: Json, http: HttpRequest, token: TokenVerdict): boolean | undefined {
  const named = records(principal.headers).every(({ name, values }) => {
    return http.headers.get(text(name)).is(anyOf(...texts(values).map((value) => exact(value))));
  });
  if (!named) return false;
  const jwt = optionalRecord(principal.jwt);
  if (jwt !== undefined && !claimsFit(jwt, token)) return false;
  const ranges = [texts(principal.clientCIDRs), texts(principal.sourceCIDRs)].filter((list) => list.length > 0);
  return ranges.every((list) => list.some((range) => EVERYBODY.has(range))) ? true : undefined;
}

/** The first rule that fits decides. */
function authorizationVerdict(
  policy: EffectivePolicy,
  http: HttpRequest,
  token: TokenVerdict,
): PolicyVerdict | undefined {
  const authorization = record(policy.spec.authorization);
  let action = text(authorization.defaultAction) || 'Deny';
  let field = 'authorization.defaultAction';
  const open: string[] = [];
  for (const [index, rule] of records(authorization.rules).entries()) {
    const methods = texts(record(rule.operation).methods);
    if (methods.length > 0 && !http.method.is(anyOf(...methods.map((method) => exact(method))))) continue;
    const fits = isPrincipal(record(rule.principal), http, token);
    if (fits === false) continue;
    if (fits === undefined) {
      open.push(text(rule.action));
      continue;
    }
    action = text(rule.action);
    field = `authorization.rules[${index}]`;
    break;
  }
  if (open.some((one) => one !== action)) return unknown(policy, 'authorization', "the client's address");
  if (action === 'Allow') return undefined;
  return {
    is: 'refused',
    code: 'RBAC',
    status: 403,
    what: `SecurityPolicy ${policy.manifest.namespace}/${policy.manifest.name} denies it`,
    fix: 'add a rule that allows the caller, before those that deny',
    by: decision(policy, field),
  };
}

/** What Envoy Gateway's own filters make of a rule: an answer by itself, or another Host and path. */
export interface OwnFilters {
  readonly answer: { readonly status: number; readonly what: string; readonly fix: string } | undefined;
  /** The Host; undefined leaves it, null is what only the backend tells. */
  readonly authority: Asked | null | undefined;
  readonly path: AskedPath | undefined;
}

export function applyOwnFilters(mesh: Mesh, place: PolicyPlace, rule: Json, http: HttpRequest): OwnFilters {
  let answer: OwnFilters['answer'];
  let authority: OwnFilters['authority'];
  let path: OwnFilters['path'];
  for (const filter of ownFilters(place.route, rule, mesh)) {
    if (filter === null) {
      answer ??= { status: 500, what: 'a filter of the rule names an HTTPRouteFilter that is not there', fix: 'make that HTTPRouteFilter, or correct its name' }; // prettier-ignore
      continue;
    }
    const direct = optionalRecord(filter.directResponse);
    if (direct !== undefined) {
      const status = number(direct.statusCode) || 200;
      answer ??= { status, what: `the route answers ${status} by itself`, fix: 'take directResponse out of the HTTPRouteFilter, if requests are to be forwarded' }; // prettier-ignore
    }
    const rewrite = record(filter.urlRewrite);
    const hostname = record(rewrite.hostname);
    if (hostname.type === 'Header') {
      const named = http.headers.get(text(hostname.header));
      if (named.is(PRESENT))
        authority = named.changed((value) => value, 'a header that becomes the Host of the request');
    }
    if (hostname.type === 'Backend') authority = null;
    const pattern = record(record(rewrite.path).replaceRegexMatch);
    if (text(pattern.pattern) !== '')
      path = http.path.withPlain(byExpression(http.path.plain, text(pattern.pattern), text(pattern.substitution)));
  }
  return { answer, authority, path };
}
