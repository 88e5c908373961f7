/** RequestAuthentication: what becomes of a token that a request carries. */
import { list, record, records, strings, text, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { config, type Config } from '../model/objects';
import { attaches } from './authorization';
import type { HttpRequest } from './http-routes';
import type { Decision } from './types';

export type TokenVerdict =
  | { readonly is: 'none' }
  | { readonly is: 'invalid'; readonly what: string; readonly fix: string; readonly by: Decision }
  | { readonly is: 'unknown'; readonly what: string; readonly by: Decision };

interface Rule {
  readonly policy: Config;
  readonly index: number;
  readonly body: Json;
}

/** The rules for tokens of a proxy: those of its namespace and of the mesh's. */
export function tokenRules(
  mesh: Mesh,
  proxy: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): readonly Rule[] {
  return mesh
    .of('security.istio.io', 'RequestAuthentication')
    .map(config)
    .filter(({ namespace }) => namespace === proxy.namespace || namespace === mesh.config.rootNamespace)
    .filter((policy) => attaches(policy, proxy.namespace, proxy.labels))
    .flatMap((policy) => records(policy.spec.jwtRules).map((body, index): Rule => ({ policy, index, body })));
}

/** Where a rule looks for its token; Istio looks in `Authorization: Bearer` and the parameter `access_token` if it is not told. */
function tokenOf(rule: Json, http: HttpRequest): string | undefined {
  const headers = records(rule.fromHeaders);
  const parameters = list(rule.fromParams).map(String);
  const cookies = list(rule.fromCookies).map(String);
  const isDefault = headers.length + parameters.length + cookies.length === 0;
  const query = new URLSearchParams(http.path.split('?')[1] ?? '');
  for (const { name, prefix } of isDefault ? [{ name: 'authorization', prefix: 'Bearer ' }] : headers) {
    const value = http.headers[text(name).toLowerCase()];
    if (value?.startsWith(text(prefix)) === true) return value.slice(text(prefix).length);
  }
  for (const name of isDefault ? ['access_token'] : parameters) {
    const value = query.get(name);
    if (value !== null) return value;
  }
  const sent = strings(Object.fromEntries((http.headers.cookie ?? '').split(/; */).map((pair) => pair.split('=', 2))));
  return cookies.map((name) => sent[name]).find((value) => value !== undefined);
}

/** The issuer of a token; undefined if it is none. */
function issuerOf(token: string): string | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const [header, payload] = parts
      .slice(0, 2)
      .map((part) => record(JSON.parse(Buffer.from(part, 'base64url').toString())));
    return text(header?.alg) === '' ? undefined : text(payload?.iss);
  } catch {
    return undefined;
  }
}

/** What the filter for tokens, which comes before authorization, does: a request without a token passes it. */
export function judgeToken(rules: readonly Rule[], http: HttpRequest): TokenVerdict {
  const carried = rules.flatMap((rule) => {
    const token = tokenOf(rule.body, http);
    return token === undefined ? [] : [{ rule, issuer: issuerOf(token) }];
  });
  const [first] = carried;
  if (first === undefined) return { is: 'none' };
  const { kind, namespace, name } = first.rule.policy;
  const by: Decision = { kind, namespace, name, field: `spec.jwtRules[${first.rule.index}]` };
  const where = `RequestAuthentication ${namespace}/${name}`;
  if (carried.every(({ issuer }) => issuer === undefined))
    return {
      is: 'invalid',
      what: `${where} refuses the token, which is no JSON Web Token`,
      fix: 'send a token of the issuer, or none',
      by,
    };
  const isIssued = carried.some(
    ({ rule, issuer }) => text(rule.body.issuer) === '' || issuer === text(rule.body.issuer),
  );
  if (!isIssued)
    return {
      is: 'invalid',
      what: `${where} refuses the token: its issuer "${carried[0]?.issuer ?? ''}" is not one of ${rules.map((rule) => `"${text(rule.body.issuer)}"`).join(', ')}`,
      fix: 'send a token of that issuer, or add a rule for this one',
      by,
    };
  return {
    is: 'unknown',
    what: `whether ${where} takes the token hangs on its signature and its time, which no manifest shows`,
    by,
  };
}
