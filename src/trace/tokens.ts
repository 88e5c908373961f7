/** RequestAuthentication: what becomes of a token that a request carries. */
import { records, text, texts } from '../model/fields';
import type { Config } from '../model/objects';
import type { HttpRequest } from './http-routes';
import { Claims } from './claims';
import { anyOf, exact, prefix as startsWith, PRESENT } from './matcher';
import {
  plainAudience,
  readToken,
  type Token,
  type Trust,
  trustsNobody,
  type Verification,
  verifyToken,
} from './token-verification';
import { gap, type Gap } from './notes';
import type { Reason, TokenProblem } from './reasons';
import { refOf } from './refs';
import type { Decision } from './types';

export type TokenVerdict =
  | { readonly is: 'none' }
  | {
      readonly is: 'invalid';
      readonly status: 401 | 403;
      readonly reason: Reason;
      readonly by: Decision;
    }
  | { readonly is: 'unknown'; readonly why: Gap; readonly by: Decision }
  /** With the request as it goes on: with claims, and without the token unless a rule forwards it. */
  | { readonly is: 'valid'; readonly http: HttpRequest; readonly rule: TokenRule; readonly by: Decision };

/** Where a token may be, in the order in which Envoy looks. */
export interface Places {
  readonly headers: readonly { readonly name: string; readonly prefix: string }[];
  readonly parameters: readonly string[];
  readonly cookies: readonly string[];
}

/** One issuer's tokens: where they are, what they are trusted for, and what is made of them. */
export interface TokenRule {
  /** The policy that has it, as messages name it. */
  readonly policy: string;
  readonly by: Decision;
  /** The name of the rule, where such have one. */
  readonly name: string;
  readonly places: Places;
  readonly trust: Trust;
  readonly isForwarded: boolean;
  readonly payloadHeader: string;
  readonly claimHeaders: readonly { readonly header: string; readonly claim: string }[];
  readonly spaceDelimited: readonly string[];
  /** Whether the proxy chooses its route anew with what a token of the rule has written into headers. */
  readonly choosesAnew?: boolean;
  /** Whether a request without such a token is refused, whatever other rules say. */
  readonly isRequired: boolean;
}

/** Where a token was found, and the request without it. */
interface Carried {
  readonly rule: TokenRule;
  /** What it says, where the request is said to carry one that its issuer signed; else as it stands, or why it is none. */
  readonly token: Claims | Token | string;
  readonly stripped: HttpRequest;
}

export function tokenRules(policies: readonly Config[]): readonly TokenRule[] {
  return policies.flatMap(({ kind, namespace, name, spec }) =>
    records(spec.jwtRules).map((body, index): TokenRule => ({
      policy: `${kind} ${namespace}/${name}`,
      by: { kind, namespace, name, field: `spec.jwtRules[${index}]` },
      name: '',
      places: {
        headers: records(body.fromHeaders).map((one) => ({ name: text(one.name), prefix: text(one.prefix) })),
        parameters: texts(body.fromParams),
        cookies: texts(body.fromCookies),
      },
      trust: {
        issuer: text(body.issuer),
        audiences: texts(body.audiences),
        // Keys that are fetched from an address are in no manifest.
        keys: text(body.jwksUri) === '' && text(body.jwks) !== '' ? text(body.jwks) : undefined,
      },
      isForwarded: body.forwardOriginalToken === true,
      payloadHeader: text(body.outputPayloadToHeader),
      claimHeaders: records(body.outputClaimToHeaders).map(({ header, claim }) => ({
        header: text(header),
        claim: text(claim),
      })),
      spaceDelimited: ['permission', 'scope', ...texts(body.spaceDelimitedClaims)],
      // Since 1.32; an older release drops the field (security/v1beta1/request_authentication.proto of istio.io/api).
      isRequired: body.presence === 'REQUIRED',
    })),
  );
}

/** The token that a rule finds; Envoy looks in `Authorization: Bearer` and the parameter `access_token` if it is not told. */
function find(rule: TokenRule, http: HttpRequest): Carried | undefined {
  const { headers, parameters, cookies } = rule.places;
  const isDefault = headers.length + parameters.length + cookies.length === 0;
  for (const { name, prefix } of isDefault ? [{ name: 'authorization', prefix: 'Bearer ' }] : headers) {
    const said = http.headers.token(name, prefix);
    const stripped = { ...http, headers: http.headers.without(name) };
    if (said !== undefined) return { rule, token: Claims.said(said), stripped };
    const header = http.headers.get(name);
    if (!header.is(startsWith(prefix))) continue;
    // Of all that begins so, whatever is no token that its issuer signed is refused: of those that are, it is said above.
    const value = header.toString();
    return { rule, token: readToken(value.slice(prefix.length)), stripped };
  }
  for (const name of isDefault ? ['access_token'] : parameters) {
    const stripped = { ...http, path: http.path.withoutParameter(name) };
    const said = http.path.token(name);
    if (said !== undefined) return { rule, token: Claims.said(said), stripped };
    const parameter = http.path.parameter(name);
    if (!parameter.is(PRESENT)) continue;
    return { rule, token: readToken(parameter.toString()), stripped };
  }
  for (const name of cookies) {
    const said = http.headers.cookieToken(name);
    if (said !== undefined) return { rule, token: Claims.said(said), stripped: http };
    const cookie = http.headers.cookie(name);
    if (cookie.is(PRESENT)) return { rule, token: readToken(cookie.toString()), stripped: http };
  }
  return undefined;
}

/** Headers that only a token may write: what a client sends under their names is taken off before any token is looked at (sanitizeHeaders of Envoy's extractor). */
export function withoutWritten(rules: readonly TokenRule[], http: HttpRequest): HttpRequest {
  const names = rules.flatMap(({ payloadHeader, claimHeaders }) => [
    ...(payloadHeader === '' ? [] : [payloadHeader]),
    ...claimHeaders.map(({ header }) => header),
  ]);
  return names.length === 0 ? http : { ...http, headers: names.reduce((kept, name) => kept.without(name), http.headers) }; // prettier-ignore
}

/** The request with what a rule has of its token written into headers. @param asked the rules up to it, which Envoy has asked */
function goesOn({ rule, stripped, token }: Carried, http: HttpRequest, asked: readonly TokenRule[]): HttpRequest {
  const from = withoutWritten(asked, rule.isForwarded ? http : stripped);
  if (typeof token === 'string') return from;
  const claims = token instanceof Claims ? token : Claims.read(token.claims);
  let { headers } = from;
  if (rule.payloadHeader !== '')
    headers = headers.with(rule.payloadHeader, claims.payload('payload' in token ? String(token.payload) : ''));
  for (const { header, claim } of rule.claimHeaders) {
    const own = claims.written(claim.split('.'));
    if (own !== undefined) headers = headers.with(header, own);
  }
  return { ...from, headers, claims: claims.normalized(rule.spaceDelimited), verifiedBy: rule.name };
}

/** Of a token that its issuer signed and that is within its time: whether it is this issuer's, and meant for whom it is sent to. */
function verifySaid(claims: Claims, trust: Trust): Verification {
  if (trust.issuer !== '' && !claims.has(['iss'], exact(trust.issuer))) return { is: 'issuer' };
  const wanted = trust.audiences.map(plainAudience);
  const forms = wanted.flatMap((one) => ['', 'http://', 'https://'].flatMap((before) => [`${before}${one}`, `${before}${one}/`])); // prettier-ignore
  if (wanted.length > 0 && !claims.has(['aud'], anyOf(...forms.map((one) => exact(one)))))
    return { is: 'invalid', status: 403, problem: { is: 'audience', audiences: null, wanted } };
  return trustsNobody(trust) ? { is: 'invalid', status: 401, problem: { is: 'no-keys' } } : { is: 'valid' };
}

/**
 * What the filter for tokens, which comes before authorization, does: a request without a token passes it unless a rule requires one,
 * and of several rules one has to take the token.
 */
export function judgeToken(rules: readonly TokenRule[], http: HttpRequest): TokenVerdict {
  for (const rule of rules.filter(({ isRequired }) => isRequired)) {
    const own = judgeOptional([rule], http);
    if (own.is === 'none') return missing(rule);
    if (own.is !== 'valid') return own;
  }
  return judgeOptional(rules, http);
}

function missing({ by, trust }: TokenRule): TokenVerdict {
  const { kind, namespace, name, field } = by;
  const reason: Reason = { kind: 'token-required', policy: { kind, namespace, name }, issuer: trust.issuer };
  return { is: 'invalid', status: 401, reason, by: { ...by, field: `${field}.presence` } };
}

function judgeOptional(rules: readonly TokenRule[], http: HttpRequest): TokenVerdict {
  const carried = rules.flatMap((rule) => find(rule, http) ?? []);
  const [first] = carried;
  if (first === undefined) return { is: 'none' };
  const now = Date.now() / 1000;
  const judged = carried.map((one) => ({
    ...one,
    verdict:
      typeof one.token === 'string'
        ? undefined
        : one.token instanceof Claims
          ? verifySaid(one.token, one.rule.trust)
          : verifyToken(one.token, one.rule.trust, now),
  }));
  const taken = judged.find(({ verdict }) => verdict?.is === 'valid');
  if (taken !== undefined && typeof taken.token !== 'string')
    return { is: 'valid', http: goesOn(taken, http, rules.slice(0, rules.indexOf(taken.rule) + 1)), rule: taken.rule, by: taken.rule.by }; // prettier-ignore
  const open = judged.find(({ verdict }) => verdict?.is === 'unknown');
  if (open !== undefined)
    return {
      is: 'unknown',
      why: gap({ kind: 'token-signature', policy: refOf(open.rule.by) }),
      by: open.rule.by,
    };
  for (const { rule, verdict } of judged) {
    if (verdict?.is !== 'invalid') continue;
    return { is: 'invalid', status: verdict.status, reason: refusing(rule, verdict.problem), by: rule.by };
  }
  const unread = judged.find(({ token }) => typeof token === 'string');
  if (unread !== undefined)
    return {
      is: 'invalid',
      status: 401,
      reason: refusing(unread.rule, { is: 'malformed', detail: String(unread.token) }),
      by: unread.rule.by,
    };
  const issuer = typeof first.token === 'string' || first.token instanceof Claims ? '' : text(first.token.claims.iss);
  const trusted = rules.map((rule) => rule.trust.issuer);
  return { is: 'invalid', status: 401, reason: refusing(first.rule, { is: 'issuer', issuer, trusted }), by: first.rule.by }; // prettier-ignore
}

function refusing({ by: { kind, namespace, name } }: TokenRule, problem: TokenProblem): Reason {
  return { kind: 'token-refused', policy: { kind, namespace, name }, problem };
}
