/** What Envoy Gateway's own policies and filters do to a request before it is forwarded. */
import { canonical } from '../model/canonical';
import { filterOrder, type FilterName } from '../model/envoy-gateway-filters';
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { callbackPath, type BrokenReference, type ReferenceFault } from '../model/envoy-gateway-references';
import type { Mesh } from '../model/mesh';
import type { PolicyFault } from '../model/policy-problems';
import { number, optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import { authorizationVerdict } from './envoy-gateway-authorization';
import { csrfVerdict } from './envoy-gateway-csrf';
import { tokenRulesOf } from './envoy-gateway-tokens';
import { decision, refOf, unknown } from './envoy-gateway-verdict';
import { Asked, type Supposed } from './ask';
import { type ExternalAuthorizer, passedBy } from './external-authorizer';
import { accessOf, tokenFilter, type Filter, type Filtered, type FilterVerdict, type Held, type TokenCheck } from './filters'; // prettier-ignore
import { byExpression, type HttpRequest } from './http-routes';
import { exact, prefix, PRESENT, regex, suffix } from './matcher';
import { gap } from './notes';
import { isPreflight, type OwnAnswer } from './own-answer';
import type { Reason, SignInProblem } from './reasons';
import type { Decision } from './types';

/** The policies and filters of a rule. */
export interface AtRule {
  readonly find: Mesh['find'];
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
}

/** A filter that holds what it gives a verdict on. */
function holding(verdict: (http: HttpRequest, at: Filtered) => Held | undefined): Filter {
  return (at, http) => (http === null ? undefined : verdict(http, at)) ?? { is: 'passed', http };
}

const FILTERS: Readonly<Partial<Record<FilterName, (rule: AtRule) => Filter>>> = {
  fault: ({ traffic }) => holding(() => traffic && faultVerdict(traffic)),
  cors: (rule) => holding((http) => corsVerdict(rule, http)),
  csrf: ({ security }) => holding((http) => csrfVerdict(security!, http)),
  ext_authz:
    ({ security }) =>
    (at, http) =>
      authorizerVerdict(security!, at, http),
  api_key_auth: ({ security }) =>
    holding((http, { walk }) => credentialVerdict(security!, http, 'apiKeyAuth', walk.supposed)),
  basic_auth: ({ security }) =>
    holding((http, { walk }) => credentialVerdict(security!, http, 'basicAuth', walk.supposed)),
  oauth2: ({ security }) => holding((http, { walk }) => oidcVerdict(security!, http, walk.supposed)),
  jwt_authn: ({ security, find }) => tokenFilter(() => tokenCheck(security!, find)),
  lua: (rule) => holding(() => foreignVerdict(rule)),
  ext_proc: (rule) => holding(() => foreignVerdict(rule)),
  wasm: (rule) => holding(() => foreignVerdict(rule)),
  dynamic_modules: (rule) => holding(() => foreignVerdict(rule)),
  rbac: ({ security }) => holding((http, at) => authorizationVerdict(at.walk.mesh, security!, accessOf(at, http))),
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

/**
 * The filters of a rule, in the order in which a request meets them; what makes all requests fail comes last.
 *
 * @param past only those that come after this one
 */
export function filtersOfRule(rule: AtRule, past?: FilterName): readonly Filter[] {
  const { security, traffic, extension, broken, proxy } = rule;
  const present = new Set<FilterName>();
  const isCarriedOut = limitFailure(rule) === undefined && !rule.faults.some(({ policy }) => policy === traffic);
  if (isCarriedOut && optionalRecord(traffic?.spec.faultInjection) !== undefined) present.add('fault');
  if (rule.cors !== undefined) present.add('cors');
  for (const [part, filter] of Object.entries(PARTS))
    if (optionalRecord(security?.spec[part]) !== undefined && !broken.some((one) => one.part === part))
      present.add(filter);
  if (extension !== undefined) present.add(FOREIGN[extension.field] ?? 'wasm');
  const fails = failure(rule);
  const own = { ...rule, forwards: rule.forwards && fails === undefined };
  if (past !== undefined) present.add(past);
  const order = filterOrder(proxy, present);
  return [
    ...order.slice(past === undefined ? 0 : order.indexOf(past) + 1).flatMap((name) => FILTERS[name]?.(own) ?? []),
    ...(isCarriedOut ? [holding((_, { walk }) => (walk.mesh.config.envoyGateway.takesLimitsOfNone ? limitOfNone(traffic) : undefined))] : []), // prettier-ignore
    ...(fails === undefined ? [] : [holding(() => fails)]),
  ];
}

/**
 * What a SecurityPolicy that Envoy Gateway cannot carry out makes of all requests: it answers 500, unless only the authorizer is amiss
 * and may be done without (translateSecurityPolicyForRoute of internal/gatewayapi/securitypolicy.go).
 */
function failure(rule: AtRule): Held | undefined {
  return securityFailure(rule) ?? limitFailure(rule) ?? faultOf(rule);
}

/** Whether a BackendTrafficPolicy has a limit that is counted for all proxies together. */
export function isGlobalLimit({ spec }: EffectivePolicy): boolean {
  const { type, global } = record(spec.rateLimit);
  return type === 'Global' || (type === undefined && optionalRecord(global) !== undefined);
}

/** A global limit of no request at all, which older releases refuse; of some clients alone, whether it is for a request the service for limits decides. */
function limitOfNone(traffic: EffectivePolicy | undefined): Held | undefined {
  if (traffic === undefined || !isGlobalLimit(traffic)) return undefined;
  const none = records(record(record(traffic.spec.rateLimit).global).rules).filter(
    ({ limit, shadowMode }) => record(limit).requests === 0 && shadowMode !== true,
  );
  if (none.length === 0) return undefined;
  if (none.some(({ clientSelectors }) => records(clientSelectors).length === 0))
    return { is: 'refused', code: 'request_rate_limited', status: 429, reason: { kind: 'rate-limit-of-none', policy: refOf(traffic) }, by: decision(traffic, 'rateLimit.global') }; // prettier-ignore
  return unknown(traffic, 'rateLimit.global', 'limit of none');
}

/** A global rate limit where Envoy Gateway is not told to count: 500 on every route (buildGlobalRateLimit of internal/gatewayapi/backendtrafficpolicy.go). */
function limitFailure({ traffic, limitsGlobally }: AtRule): Held | undefined {
  if (traffic === undefined || limitsGlobally !== false || !isGlobalLimit(traffic)) return undefined;
  return {
    is: 'refused',
    code: 'direct_response',
    status: 500,
    reason: { kind: 'rate-limit-not-configured', policy: refOf(traffic) },
    by: decision(traffic, 'rateLimit.global'),
  };
}

function faultOf({ faults: [fault] }: AtRule): Held | undefined {
  if (fault === undefined) return undefined;
  const { policy, field, problem } = fault;
  const reason: Reason = { kind: 'policy-not-usable', policy: refOf(policy), problem: 'invalid', fault: problem };
  return { is: 'refused', code: 'direct_response', status: 500, reason, by: decision(policy, field) };
}

/** What sort of fault it is. */
const SORTS: Readonly<Record<ReferenceFault['is'], 'missing' | 'no-port' | 'not-granted' | 'elsewhere' | 'invalid'>> = {
  'backends-not-enabled': 'missing',
  missing: 'missing',
  'external-name': 'missing',
  resolver: 'missing',
  'no-port': 'no-port',
  'not-granted': 'not-granted',
  'keys-missing': 'missing',
  'secret-not-usable': 'invalid',
  'no-callback-path': 'invalid',
  'provider-not-taken': 'invalid',
  'secret-elsewhere': 'elsewhere',
};

function securityFailure({ security, broken }: AtRule): Held | undefined {
  const worst = broken.find(({ part }) => part !== 'extAuth') ?? broken[0];
  if (security === undefined || worst === undefined) return undefined;
  if (worst.part === 'extAuth' && record(security.spec.extAuth).failOpen === true) return undefined;
  return {
    is: 'refused',
    code: 'direct_response',
    status: 500,
    reason: { kind: 'policy-not-usable', policy: refOf(security), problem: SORTS[worst.fault.is], fault: worst.fault },
    by: decision(security, worst.field),
  };
}

function faultVerdict(policy: EffectivePolicy): Held | undefined {
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
function corsVerdict({ security, cors, forwards }: AtRule, http: HttpRequest): Held | undefined {
  if (!forwards || !isPreflight(http)) return undefined;
  return {
    is: 'refused',
    code: 'direct_response',
    status: 200,
    reason: { kind: 'preflight', by: cors === undefined ? 'policy' : 'filter' },
    by: cors ?? decision(security!, 'cors'),
  };
}

/** Whether the authorizer of a policy lets a request pass. */
function authorizerVerdict(
  policy: EffectivePolicy,
  { walk: { supposed } }: Filtered,
  http: HttpRequest | null,
): FilterVerdict {
  if (http === null) return { is: 'passed', http };
  const settings = record(policy.spec.extAuth);
  // What it writes may lead to another route.
  if (supposed === undefined || settings.recomputeRoute === true) return unknown(policy, 'extAuth', 'external authorization'); // prettier-ignore
  const { namespace } = policy.manifest;
  const own = record(settings.http ?? settings.grpc);
  const backends = [
    ...records(own.backendRefs),
    ...[optionalRecord(own.backendRef)].filter((one) => one !== undefined),
  ];
  const names = backends.map((one) => `${text(one.namespace) || namespace}/${text(one.name)}`);
  const authorizer: ExternalAuthorizer = {
    called: `the external authorizer ${names.join(', ')}`,
    about: [namespace, settings],
    // Of gRPC, an answer may set any header.
    writes: settings.grpc === undefined ? texts(own.headersToBackend) : ['*'],
  };
  const passed = passedBy(authorizer, http, supposed);
  if (passed !== undefined) return { is: 'passed', ...passed };
  const reason: Reason = { kind: 'refused-by-authorizer', policy: refOf(policy) };
  return { is: 'refused', code: 'ext_authz', status: 403, reason, by: decision(policy, 'extAuth') };
}

/** The filter for logins, in its order (decodeHeaders of extensions/filters/http/oauth2/filter.cc of Envoy). */
function oidcVerdict(policy: EffectivePolicy, http: HttpRequest, supposed: Supposed | undefined): Held | undefined {
  const oidc = record(policy.spec.oidc);
  if (oidc.passThroughAuthHeader === true && hasTokenHeader(record(policy.spec.jwt), http)) return undefined;
  const told = { is: 'refused', code: 'oidc', by: decision(policy, 'oidc') } as const;
  if (http.path.plain.is(exact(text(oidc.logoutPath) || '/logout')))
    return { ...told, status: 302, reason: { kind: 'sign-out', policy: refOf(policy) } };
  const refused = (why: SignInProblem): Held => ({
    ...told,
    status: 401,
    reason: { kind: 'sign-in-refused', policy: refOf(policy), why },
  });
  const begun: Held = { ...told, status: 302, reason: { kind: 'sign-in', policy: refOf(policy) } };
  const isBack = http.path.plain.is(exact(callbackPath(text(oidc.redirectURL)) ?? '/oauth2/callback'));
  if (http.headers.get('cookie').is(PRESENT)) {
    // A session may be written into the request, or asked about once more as a token.
    const isOpen = supposed === undefined || oidc.forwardAccessToken === true || policy.spec.jwt !== undefined;
    if (isOpen) return unknown(policy, 'oidc', 'credentials');
    const isTaken = supposed.isSo(`oidc of namespace ${policy.manifest.namespace} takes the session`, canonical(oidc));
    if (isTaken) return isBack ? begun : undefined;
  }
  // Who comes back from the provider has the cookie that the redirect there has set.
  if (isBack) return refused('callback');
  if (records(record(oidc.denyRedirect).headers).some((header) => fitsHeader(header, http))) return refused('redirect-denied'); // prettier-ignore
  return { ...begun, location: text(record(oidc.provider).authorizationEndpoint) || undefined };
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

function credentialVerdict(
  policy: EffectivePolicy,
  http: HttpRequest,
  kind: 'apiKeyAuth' | 'basicAuth',
  supposed: Supposed | undefined,
): Held | undefined {
  const settings = record(policy.spec[kind]);
  if (shows(kind, settings, http)) {
    // What it writes into the request, or takes out of it, may be asked about later.
    if (supposed === undefined || WRITES.some((field) => settings[field] !== undefined)) return unknown(policy, kind, 'credentials'); // prettier-ignore
    if (supposed.isSo(`${kind} of namespace ${policy.manifest.namespace} takes what is shown`, canonical(settings)))
      return undefined;
  }
  return {
    is: 'refused',
    code: kind,
    status: 401,
    reason: { kind: 'credentials-missing', policy: refOf(policy), credential: kind },
    by: decision(policy, kind),
  };
}

const WRITES = ['forwardUsernameHeader', 'forwardClientIDHeader', 'sanitize'];

function tokenCheck(policy: EffectivePolicy, find: AtRule['find']): TokenCheck {
  const { optional, failOpen } = record(policy.spec.jwt);
  const missing = { reason: { kind: 'token-missing', policy: refOf(policy) }, by: decision(policy, 'jwt') } as const;
  return {
    rules: tokenRulesOf(policy, find),
    ...(optional === true ? {} : { missing }),
    // Since 1.9.
    passesInvalid: failOpen === true,
    isIdle: policy.spec.authorization === undefined,
  };
}

function foreignVerdict({ extension }: AtRule): Held | undefined {
  if (extension === undefined) return undefined;
  const { policy, field } = extension;
  return {
    is: 'unknown',
    why: gap({ kind: 'own-code', policy: refOf(policy), field }),
    by: decision(policy, field),
  };
}

function shows(kind: string, settings: Json, http: HttpRequest): boolean {
  // Envoy takes no other spelling.
  if (kind !== 'apiKeyAuth') return http.headers.get('authorization').is(prefix('Basic '));
  return records(settings.extractFrom).some(
    (from) =>
      texts(from.headers).some((name) => http.headers.get(name).is(PRESENT)) ||
      texts(from.params).some((name) => http.path.parameter(name).is(PRESENT)) ||
      (texts(from.cookies).length > 0 && http.headers.get('cookie').is(PRESENT)),
  );
}

/** What a rule's HTTPRouteFilter answers in place of its backends. */
export function answerOf(given: readonly (Json | null)[]): OwnAnswer | undefined {
  const [direct] = given.flatMap((filter) =>
    [optionalRecord(filter?.directResponse)].filter((one) => one !== undefined),
  );
  if (direct === undefined) return undefined;
  const status = number(direct.statusCode) || 200;
  const reason = {
    kind: 'direct-response',
    status,
    filter: true,
    byEnvoyGateway: true,
    withoutBackend: false,
  } as const;
  return { code: 'direct_response', status, reason, field: 'filters' };
}

/**
 * The request as it goes on by a rule's HTTPRouteFilters, which rewrite what it was when it came.
 *
 * @param backend the name of the endpoint that it goes to; undefined for one that has an address alone
 */
export function rewrittenBy(
  given: readonly (Json | null)[],
  asked: HttpRequest,
  onward: HttpRequest,
  backend: string | undefined,
): HttpRequest {
  let { authority, path } = onward;
  for (const filter of given) {
    const rewrite = record(filter?.urlRewrite);
    const hostname = record(rewrite.hostname);
    if (hostname.type === 'Header') {
      const named = asked.headers.get(text(hostname.header));
      if (named.is(PRESENT))
        authority = named.changed((value) => value, 'a header that becomes the Host of the request');
    }
    // Which it becomes only the backend tells.
    if (hostname.type === 'Backend' && backend !== undefined) authority = Asked.fixed(backend);
    const ofPath = record(hostname.pathRegex);
    if (hostname.type === 'PathRegex')
      authority = byExpression(asked.path.plain, text(ofPath.pattern), text(ofPath.substitution));
    const pattern = record(record(rewrite.path).replaceRegexMatch);
    if (text(pattern.pattern) !== '')
      path = asked.path.withPlain(
        byExpression(asked.path.plain, text(pattern.pattern), text(pattern.substitution)),
        `expression ${JSON.stringify([pattern.pattern, pattern.substitution])}`,
      );
  }
  return { ...onward, authority, path };
}
