/** Authorization by SecurityPolicies of Envoy Gateway: of requests, and of connections. */
import { contains } from '../model/addresses';
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import { claimsFit } from './envoy-gateway-tokens';
import { decision, refOf, unknown } from './envoy-gateway-verdict';
import type { Held } from './filters';
import type { HttpRequest } from './http-routes';
import { anyOf, exact, pathPrefix } from './matcher';
import type { OpenCondition } from './notes';

/** A request, or a connection that none is read from, with the address that it comes from where that is known. */
type Asking = Partial<HttpRequest> & { readonly source?: string | null };

const EVERYBODY = new Set(['0.0.0.0/0', '::/0']);

/** Whether a path is that of an operation (buildPathPredicate of internal/xds/translator/authorization.go); undefined where it cannot be told. */
function isPath(match: Json, { path }: Asking): boolean | undefined {
  const value = text(match.value);
  const type = text(match.type) || 'PathPrefix';
  // An expression is for the path with its query.
  if (path === undefined || type === 'RegularExpression') return undefined;
  return path.plain.is(type === 'Exact' ? exact(value) : pathPrefix(value)) !== (match.invert === true);
}

/** Whether an authorization rule is about a request; undefined where the manifests cannot tell. */
function isAbout(rule: Json, http: Asking): boolean | undefined {
  const { methods, path } = record(rule.operation);
  const named = texts(methods);
  if (named.length > 0 && http.method?.is(anyOf(...named.map((method) => exact(method)))) === false) return false;
  const match = optionalRecord(path);
  const answers = [match === undefined ? true : isPath(match, http), isPrincipal(record(rule.principal), http)];
  if (answers.includes(false)) return false;
  return answers.includes(undefined) || text(rule.cel) !== '' ? undefined : true;
}

/** Whether a principal of an authorization rule is who calls; undefined where the manifests cannot tell. */
function isPrincipal(principal: Json, http: Asking): boolean | undefined {
  const named = records(principal.headers).every(({ name, values }) => {
    return http.headers?.get(text(name)).is(anyOf(...texts(values).map((value) => exact(value))));
  });
  if (!named) return false;
  const jwt = optionalRecord(principal.jwt);
  if (jwt !== undefined && !claimsFit(jwt, http)) return false;
  if (principal.clientIPGeoLocations !== undefined) return undefined;
  const ranges = [texts(principal.clientCIDRs), texts(principal.sourceCIDRs)].filter((list) => list.length > 0);
  if (ranges.every((list) => list.some((range) => EVERYBODY.has(range)))) return true;
  const { source } = http;
  return source == null ? undefined : ranges.every((list) => list.some((range) => contains(range, source)));
}

function whatIsOpen({ cel, operation, principal }: Json): OpenCondition {
  if (text(cel) !== '') return 'CEL';
  if (optionalRecord(record(operation).path)?.type === 'RegularExpression') return 'path with query';
  return record(principal).clientIPGeoLocations === undefined ? 'client address' : 'client location';
}

/** The first rule that fits decides. */
export function authorizationVerdict(policy: EffectivePolicy, http: Asking): Held | undefined {
  const authorization = record(policy.spec.authorization);
  let action = text(authorization.defaultAction) || 'Deny';
  let field = 'authorization.defaultAction';
  const open: Json[] = [];
  for (const [index, rule] of records(authorization.rules).entries()) {
    const fits = isAbout(rule, http);
    if (fits === false) continue;
    if (fits === undefined) {
      open.push(rule);
      continue;
    }
    action = text(rule.action);
    field = `authorization.rules[${index}]`;
    break;
  }
  const other = open.find((rule) => text(rule.action) !== action);
  if (other !== undefined) return unknown(policy, 'authorization', whatIsOpen(other));
  if (action === 'Allow') return undefined;
  return {
    is: 'refused',
    code: 'RBAC',
    status: 403,
    reason: { kind: 'denied-by-security-policy', policy: refOf(policy) },
    by: decision(policy, field),
  };
}

/** Whether an authorization of connections lets one pass: only the client's address counts, and a rule without any is not to be told. */
export function streamVerdict(policy: EffectivePolicy, source: string | null): Held | undefined {
  const rules = records(record(policy.spec.authorization).rules);
  if (rules.some(({ principal }) => texts(record(principal).clientCIDRs).length === 0))
    return unknown(policy, 'authorization', 'rule without clientCIDRs');
  const verdict = authorizationVerdict(policy, { source });
  return verdict?.is === 'refused' ? { ...verdict, status: null } : verdict;
}
