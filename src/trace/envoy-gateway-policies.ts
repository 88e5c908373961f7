/** What Envoy Gateway's own policies and filters do to a request before it is forwarded. */
import { filterOrder, type FilterName } from '../model/envoy-gateway-filters';
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { callbackPath, type BrokenReference } from '../model/envoy-gateway-references';
import type { PolicyFault } from '../model/envoy-gateway-traffic-faults';
import { number, optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import { authorizationVerdict } from './envoy-gateway-authorization';
import { csrfVerdict } from './envoy-gateway-csrf';
import { tokenRulesOf } from './envoy-gateway-tokens';
import { decision, refOf, unknown, type PolicyVerdict } from './envoy-gateway-verdict';
import type { Asked, AskedPath } from './ask';
import { byExpression, type HttpRequest } from './http-routes';
import { exact, prefix, PRESENT, regex, suffix } from './matcher';
import { gap } from './notes';
import { isPreflight } from './own-answer';
import type { Reason, SignInProblem } from './reasons';
import { judgeToken, type TokenVerdict } from './tokens';
import type { Decision } from './types';

/** The policies and filters of a rule, and the request that meets them. */
export interface AtRule {
  readonly proxy: Json;
  readonly traffic: EffectivePolicy | undefined;
  readonly security: EffectivePolicy | undefined;
  readonly extension: { readonly policy: EffectivePolicy; readonly field: string } | undefined;
  /** What Envoy Gateway does not take of the other policies: it answers 500. */
  readonly faults: readonly (PolicyFault & { readonly policy: EffectivePolicy })[];
  /** A CORS filter of the route's own, which goes before the policy's. */
  readonly cors: Decision | undefined;
  /** Whether Envoy Gateway's own configuration lets global rate limits be; undefined where no manifest shows it. */
  readonly limitsGlobally: boolean | undefined;
  /** What Envoy Gateway cannot follow in the SecurityPolicy. */
  readonly broken: readonly BrokenReference[];
  /** Whether the route sends on what it takes: Envoy's filter for CORS takes no notice of others. */
  readonly forwards: boolean;
  readonly http: HttpRequest & { readonly source: string | null };
}

/** A rule as the filters find it one after the other: the one for tokens leaves what it found to that for authorization. */
interface Passing extends AtRule {
  token: TokenVerdict;
}

type Filter = (at: Passing) => PolicyVerdict | undefined;

const FILTERS: Readonly<Partial<Record<FilterName, Filter>>> = {
  fault: ({ traffic }) => traffic && faultVerdict(traffic),
  cors: corsVerdict,
  csrf: ({ security, http }) => csrfVerdict(security!, http),
  ext_authz: ({ security }) => unknown(security!, 'extAuth', 'external authorization'),
  api_key_auth: (at) => credentialVerdict(at, 'apiKeyAuth'),
  basic_auth: (at) => credentialVerdict(at, 'basicAuth'),
  oauth2: oidcVerdict,
  jwt_authn: tokenVerdict,
  lua: foreignVerdict,
  ext_proc: foreignVerdict,
  wasm: foreignVerdict,
  dynamic_modules: foreignVerdict,
  rbac: ({ security, http, token }) => authorizationVerdict(security!, http, token),
};

/** Which filter carries out which part of a SecurityPolicy. */
const PARTS: Readonly<Record<string, FilterName>> = {
  cors: 'cors',
  csrf: 'csrf',
  extAuth: 'ext_authz',
  apiKeyAuth: 'api_key_auth',
  basicAuth: 'basic_auth',
  oidc: 'oauth2',
  jwt: 'jwt_authn',
  authorization: 'rbac',
};

const FOREIGN: Readonly<Record<string, FilterName>> = {
  lua: 'lua',
  extProc: 'ext_proc',
  wasm: 'wasm',
  dynamicModule: 'dynamic_modules',
};

/** What the filters before the router make of a request at a rule, in their order; undefined lets it pass. */
export function policyVerdict(rule: AtRule): PolicyVerdict | undefined {
  const { security, traffic, extension, broken, proxy } = rule;
  const present = new Set<FilterName>();
  const isCarriedOut = limitFailure(rule) === undefined && !rule.faults.some(({ policy }) => policy === traffic);
  if (isCarriedOut && optionalRecord(traffic?.spec.faultInjection) !== undefined) present.add('fault');
  if (rule.cors !== undefined) present.add('cors');
  for (const [part, filter] of Object.entries(PARTS))
    if (optionalRecord(security?.spec[part]) !== undefined && !broken.some((one) => one.part === part))
      present.add(filter);
  if (extension !== undefined) present.add(FOREIGN[extension.field] ?? 'wasm');
  const at: Passing = { ...rule, forwards: rule.forwards && failure(rule) === undefined, token: { is: 'none' } };
  for (const name of filterOrder(proxy, present)) {
    const verdict = FILTERS[name]?.(at);
    if (verdict !== undefined) return verdict;
  }
  return failure(rule);
}

/**
 * What a SecurityPolicy that Envoy Gateway cannot carry out makes of all requests: it answers 500, unless only the authorizer is amiss
 * and may be done without (translateSecurityPolicyForRoute of internal/gatewayapi/securitypolicy.go).
 */
function failure(rule: AtRule): PolicyVerdict | undefined {
  return securityFailure(rule) ?? limitFailure(rule) ?? faultOf(rule);
}

/** Whether a BackendTrafficPolicy has a limit that is counted for all proxies together. */
export function isGlobalLimit({ spec }: EffectivePolicy): boolean {
  const { type, global } = record(spec.rateLimit);
  return type === 'Global' || (type === undefined && optionalRecord(global) !== undefined);
}

/** A global rate limit where Envoy Gateway is not told to count: 500 on every route (buildGlobalRateLimit of internal/gatewayapi/backendtrafficpolicy.go). */
function limitFailure({ traffic, limitsGlobally }: AtRule): PolicyVerdict | undefined {
  if (traffic === undefined || limitsGlobally !== false || !isGlobalLimit(traffic)) return undefined;
  return {
    is: 'refused',
    code: 'direct_response',
    status: 500,
    reason: { kind: 'rate-limit-not-configured', policy: refOf(traffic) },
    by: decision(traffic, 'rateLimit.global'),
  };
}

function faultOf({ faults: [fault] }: AtRule): PolicyVerdict | undefined {
  if (fault === undefined) return undefined;
  const { policy, field, what, fix } = fault;
  const reason: Reason = { kind: 'policy-not-usable', policy: refOf(policy), problem: 'invalid', detail: what, cure: fix }; // prettier-ignore
  return { is: 'refused', code: 'direct_response', status: 500, reason, by: decision(policy, field) };
}

function securityFailure({ security, broken }: AtRule): PolicyVerdict | undefined {
  const worst = broken.find(({ part }) => part !== 'extAuth') ?? broken[0];
  if (security === undefined || worst === undefined) return undefined;
  if (worst.part === 'extAuth' && record(security.spec.extAuth).failOpen === true) return undefined;
  return {
    is: 'refused',
    code: 'direct_response',
    status: 500,
    reason: {
      kind: 'policy-not-usable',
      policy: refOf(security),
      problem: worst.is,
      detail: worst.what,
      cure: worst.fix,
    },
    by: decision(security, worst.field),
  };
}

function faultVerdict(policy: EffectivePolicy): PolicyVerdict | undefined {
  const abort = optionalRecord(record(policy.spec.faultInjection).abort);
  if (abort === undefined || number(abort.percentage ?? 100) < 100) return undefined;
  const status = number(abort.httpStatus) || 200;
  return {
    is: 'refused',
    code: 'FI',
    status,
    reason: { kind: 'fault', status: String(abort.httpStatus ?? `gRPC status ${String(abort.grpcStatus)}`), policy: true }, // prettier-ignore
    by: decision(policy, 'faultInjection.abort'),
  };
}

/** The filter answers every preflight, if the route is one that forwards. */
function corsVerdict({ security, cors, forwards, http }: Passing): PolicyVerdict | undefined {
  if (!forwards || !isPreflight(http)) return undefined;
  return {
    is: 'refused',
    code: 'direct_response',
    status: 200,
    reason: { kind: 'preflight', by: cors === undefined ? 'policy' : 'filter' },
    by: cors ?? decision(security!, 'cors'),
  };
}

/** The filter for logins, in its order (decodeHeaders of extensions/filters/http/oauth2/filter.cc of Envoy). */
function oidcVerdict({ security, http }: Passing): PolicyVerdict | undefined {
  const policy = security!;
  const oidc = record(policy.spec.oidc);
  if (oidc.passThroughAuthHeader === true && hasTokenHeader(record(policy.spec.jwt), http)) return undefined;
  const told = { is: 'refused', code: 'oidc', by: decision(policy, 'oidc') } as const;
  if (http.path.plain.is(exact(text(oidc.logoutPath) || '/logout')))
    return { ...told, status: 302, reason: { kind: 'sign-out', policy: refOf(policy) } };
  if (http.headers.get('cookie').is(PRESENT)) return unknown(policy, 'oidc', 'credentials');
  const refused = (why: SignInProblem): PolicyVerdict => ({
    ...told,
    status: 401,
    reason: { kind: 'sign-in-refused', policy: refOf(policy), why },
  });
  // Who comes back from the provider has the cookie that the redirect there has set.
  if (http.path.plain.is(exact(callbackPath(text(oidc.redirectURL)) ?? '/oauth2/callback'))) return refused('callback');
  if (records(record(oidc.denyRedirect).headers).some((header) => fitsHeader(header, http))) return refused('redirect-denied'); // prettier-ignore
  return {
    ...told,
    status: 302,
    reason: { kind: 'sign-in', policy: refOf(policy) },
    location: text(record(oidc.provider).authorizationEndpoint) || undefined,
  };
}

function fitsHeader({ name, type, value }: Json, http: HttpRequest): boolean {
  const wanted = text(value);
  const matcher =
    type === 'Prefix' ? prefix(wanted) : type === 'Suffix' ? suffix(wanted) : type === 'RegularExpression' ? regex(wanted) : exact(wanted); // prettier-ignore
  return http.headers.get(text(name)).is(matcher);
}

/** Whether a header is there that a provider of tokens looks into (buildHeaderMatchers of internal/xds/translator/oidc.go). */
function hasTokenHeader(jwt: Json, http: HttpRequest): boolean {
  return records(jwt.providers).some(({ extractFrom }) => {
    const from = optionalRecord(extractFrom);
    if (from === undefined) return http.headers.get('authorization').is(prefix('Bearer '));
    return records(from.headers).some(({ name, valuePrefix }) =>
      http.headers.get(text(name)).is(valuePrefix === undefined ? PRESENT : prefix(text(valuePrefix))),
    );
  });
}

function credentialVerdict({ security, http }: Passing, kind: 'apiKeyAuth' | 'basicAuth'): PolicyVerdict {
  const policy = security!;
  if (shows(kind, record(policy.spec[kind]), http)) return unknown(policy, kind, 'credentials');
  return {
    is: 'refused',
    code: kind,
    status: 401,
    reason: { kind: 'credentials-missing', policy: refOf(policy), credential: kind },
    by: decision(policy, kind),
  };
}

function tokenVerdict(at: Passing): PolicyVerdict | undefined {
  const policy = at.security!;
  const token = judgeToken(tokenRulesOf(policy), at.http);
  at.token = token;
  // What a token that is not valid says counts for nothing; since 1.9 it may pass all the same.
  if (record(policy.spec.jwt).failOpen === true) {
    if (token.is === 'invalid') at.token = { is: 'none' };
    return token.is === 'unknown' && policy.spec.authorization !== undefined ? token : undefined;
  }
  if (token.is === 'unknown') return token;
  if (token.is === 'invalid') return { ...token, is: 'refused', code: 'jwt_authn' };
  if (token.is !== 'none' || record(policy.spec.jwt).optional === true) return undefined;
  return {
    is: 'refused',
    code: 'jwt',
    status: 401,
    reason: { kind: 'token-missing', policy: refOf(policy) },
    by: decision(policy, 'jwt'),
  };
}

function foreignVerdict({ extension }: Passing): PolicyVerdict | undefined {
  if (extension === undefined) return undefined;
  const { policy, field } = extension;
  return {
    is: 'unknown',
    why: gap({ kind: 'own-code', policy: refOf(policy), field }),
    by: decision(policy, field),
  };
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

/** What Envoy Gateway's own filters make of a rule: an answer by itself, or another Host and path. */
export interface OwnFilters {
  readonly answer: { readonly status: number; readonly reason: Reason } | undefined;
  /** The Host; undefined leaves it, null is what only the backend tells. */
  readonly authority: Asked | null | undefined;
  readonly path: AskedPath | undefined;
}

/** @param given the HTTPRouteFilters of a rule */
export function applyOwnFilters(given: readonly (Json | null)[], http: HttpRequest): OwnFilters {
  let answer: OwnFilters['answer'];
  let authority: OwnFilters['authority'];
  let path: OwnFilters['path'];
  for (const filter of given) {
    // What cannot be found is told before.
    if (filter === null) continue;
    const direct = optionalRecord(filter.directResponse);
    if (direct !== undefined) {
      const status = number(direct.statusCode) || 200;
      answer ??= { status, reason: { kind: 'direct-response', status, filter: true, byEnvoyGateway: true } };
    }
    const rewrite = record(filter.urlRewrite);
    const hostname = record(rewrite.hostname);
    if (hostname.type === 'Header') {
      const named = http.headers.get(text(hostname.header));
      if (named.is(PRESENT))
        authority = named.changed((value) => value, 'a header that becomes the Host of the request');
    }
    if (hostname.type === 'Backend') authority = null;
    const ofPath = record(hostname.pathRegex);
    if (hostname.type === 'PathRegex')
      authority = byExpression(http.path.plain, text(ofPath.pattern), text(ofPath.substitution));
    const pattern = record(record(rewrite.path).replaceRegexMatch);
    if (text(pattern.pattern) !== '')
      path = http.path.withPlain(
        byExpression(http.path.plain, text(pattern.pattern), text(pattern.substitution)),
        `expression ${JSON.stringify([pattern.pattern, pattern.substitution])}`,
      );
  }
  return { answer, authority, path };
}
