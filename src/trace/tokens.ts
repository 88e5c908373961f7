/** RequestAuthentication: what becomes of a token that a request carries. */
import { list, record, records, strings, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { config, type Config } from '../model/objects';
import { attaches } from './authorization';
import type { HttpRequest } from './http-routes';
import { normalized, readToken, type Token, verifyToken } from './token-verification';
import type { Decision } from './types';

export type TokenVerdict =
  | { readonly is: 'none' }
  | {
      readonly is: 'invalid';
      readonly status: 401 | 403;
      readonly what: string;
      readonly fix: string;
      readonly by: Decision;
    }
  | { readonly is: 'unknown'; readonly what: string; readonly by: Decision }
  /** With the request as it goes on: with claims, and without the token unless a rule forwards it. */
  | { readonly is: 'valid'; readonly http: HttpRequest; readonly by: Decision };

export interface TokenRule {
  readonly policy: Config;
  readonly index: number;
  readonly body: Json;
}

/** Where a token was found, and the request without it. */
interface Carried {
  readonly rule: TokenRule;
  readonly token: Token | undefined;
  readonly stripped: HttpRequest;
}

export function rulesOf(policies: readonly Config[]): readonly TokenRule[] {
  return policies.flatMap((policy) =>
    records(policy.spec.jwtRules).map((body, index): TokenRule => ({ policy, index, body })),
  );
}

/** The rules for tokens of a proxy: those of its namespace and of the mesh's. */
export function tokenRules(
  mesh: Mesh,
  proxy: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): readonly TokenRule[] {
  return rulesOf(
    mesh
      .of('security.istio.io', 'RequestAuthentication')
      .map(config)
      .filter(({ namespace }) => namespace === proxy.namespace || namespace === mesh.config.rootNamespace)
      .filter((policy) => attaches(policy, proxy.namespace, proxy.labels)),
  );
}

/** Where a rule looks for its token; Istio looks in `Authorization: Bearer` and the parameter `access_token` if it is not told. */
function find(rule: TokenRule, http: HttpRequest): Carried | undefined {
  const headers = records(rule.body.fromHeaders);
  const parameters = list(rule.body.fromParams).map(String);
  const cookies = list(rule.body.fromCookies).map(String);
  const isDefault = headers.length + parameters.length + cookies.length === 0;
  const [path = '', query = ''] = http.path.split('?', 2);
  const sent = new URLSearchParams(query);
  for (const { name, prefix } of isDefault ? [{ name: 'authorization', prefix: 'Bearer ' }] : headers) {
    const header = text(name).toLowerCase();
    const value = http.headers[header];
    if (value?.startsWith(text(prefix)) !== true) continue;
    const { [header]: _, ...others } = http.headers;
    return { rule, token: readToken(value.slice(text(prefix).length)), stripped: { ...http, headers: others } };
  }
  for (const name of isDefault ? ['access_token'] : parameters) {
    const value = sent.get(name);
    if (value === null) continue;
    const left = query.split('&').filter((pair) => pair.split('=')[0] !== name);
    const stripped = { ...http, path: left.length > 0 ? `${path}?${left.join('&')}` : path };
    return { rule, token: readToken(value), stripped };
  }
  const pairs = strings(Object.fromEntries((http.headers.cookie ?? '').split(/; */).map((pair) => pair.split('=', 2))));
  const cookie = cookies.map((name) => pairs[name]).find((value) => value !== undefined);
  return cookie === undefined ? undefined : { rule, token: readToken(cookie), stripped: http };
}

/** The request with what a rule has of its token written into headers. */
function goesOn({ rule: { body }, stripped }: Carried, http: HttpRequest, { claims, payload }: Token): HttpRequest {
  const from = body.forwardOriginalToken === true ? http : stripped;
  const headers = { ...from.headers };
  const whole = text(body.outputPayloadToHeader);
  if (whole !== '') headers[whole.toLowerCase()] = payload;
  for (const { header, claim } of records(body.outputClaimToHeaders)) {
    let value: unknown = claims;
    for (const name of text(claim).split('.')) value = record(value)[name];
    if (['string', 'number', 'boolean'].includes(typeof value)) headers[text(header).toLowerCase()] = String(value);
  }
  return { ...from, headers, claims: normalized(claims, texts(body.spaceDelimitedClaims)) };
}

/**
 * What the filter for tokens, which comes before authorization, does: a request without a token passes it, and of several rules
 * one has to take the token.
 */
export function judgeToken(rules: readonly TokenRule[], http: HttpRequest): TokenVerdict {
  // Envoy's filter lets a browser's question before a request of another origin pass.
  const { origin, 'access-control-request-method': asked } = http.headers;
  if (http.method === 'OPTIONS' && origin !== undefined && asked !== undefined) return { is: 'none' };
  const carried = rules.flatMap((rule) => find(rule, http) ?? []);
  const [first] = carried;
  if (first === undefined) return { is: 'none' };
  const now = Date.now() / 1000;
  const judged = carried.map((one) => {
    const { body } = one.rule;
    // Keys that are fetched from an address are in no manifest.
    const keys = text(body.jwksUri) === '' && text(body.jwks) !== '' ? text(body.jwks) : undefined;
    const trust = { issuer: text(body.issuer), audiences: texts(body.audiences), keys };
    return { ...one, verdict: one.token === undefined ? undefined : verifyToken(one.token, trust, now) };
  });
  const taken = judged.find(({ verdict }) => verdict?.is === 'valid');
  if (taken?.token !== undefined)
    return { is: 'valid', http: goesOn(taken, http, taken.token), by: decision(taken.rule) };
  const open = judged.find(({ verdict }) => verdict?.is === 'unknown');
  if (open !== undefined)
    return {
      is: 'unknown',
      what: `whether ${named(open.rule)} takes the token hangs on its signature, and no manifest shows the keys of its issuer`,
      by: decision(open.rule),
    };
  for (const { rule, verdict } of judged) {
    if (verdict?.is !== 'invalid') continue;
    const { status, why } = verdict;
    const what = `${named(rule)} refuses the token: ${why}`;
    return { is: 'invalid', status, what, fix: 'send a token that its issuer made for this', by: decision(rule) };
  }
  const refused = { is: 'invalid', status: 401, by: decision(first.rule) } as const;
  const unread = judged.find(({ token }) => token === undefined);
  if (unread !== undefined)
    return {
      ...refused,
      what: `${named(unread.rule)} refuses the token, which is no JSON Web Token`,
      fix: 'send a token of the issuer, or none',
      by: decision(unread.rule),
    };
  return {
    ...refused,
    what: `${named(first.rule)} refuses the token: its issuer "${text(first.token?.claims.iss)}" is not one of ${rules.map((rule) => `"${text(rule.body.issuer)}"`).join(', ')}`,
    fix: 'send a token of that issuer, or add a rule for this one',
  };
}

function named({ policy }: TokenRule): string {
  return `RequestAuthentication ${policy.namespace}/${policy.name}`;
}

function decision({ policy: { kind, namespace, name }, index }: TokenRule): Decision {
  return { kind, namespace, name, field: `spec.jwtRules[${index}]` };
}
