/**
 * Rules of authorization in SecurityPolicies of Envoy Gateway, as conditions on parts of a request and of who sends it: Envoy's filter asks them one by
 * one, and what never decides is found by comparing them.
 */
import { optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { anyOf, exact, pathPrefix, type Matcher } from './matcher';
import type { OpenCondition } from './notes';
import type { Action } from './rbac';

/** What no manifest decides. */
type Open = Extract<OpenCondition, 'CEL' | 'path with query' | 'client location'>;

export type RuleCondition =
  | { readonly on: 'method'; readonly matcher: Matcher }
  | { readonly on: 'path'; readonly matcher: Matcher; readonly holds: boolean }
  | { readonly on: 'header'; readonly name: string; readonly matcher: Matcher }
  /** `principal`: its provider, claims and scopes, as they are written. */
  | { readonly on: 'token'; readonly principal: Json }
  /** The address that headers tell of, or that of the connection. */
  | { readonly on: 'client' | 'connection'; readonly ranges: readonly string[] }
  | { readonly on: 'open'; readonly what: Open };

export interface SecurityRule {
  readonly index: number;
  readonly action: Action;
  /** All of them have to hold. */
  readonly conditions: readonly RuleCondition[];
}

/** The rules of a policy; the first that fits decides. */
export function securityRules(mesh: Mesh, spec: Json): readonly SecurityRule[] {
  return mesh.remember(spec, 'rules of a security policy', () =>
    records(record(spec.authorization).rules).map((rule, index) => ({
      index,
      action: text(rule.action) === 'Allow' ? 'ALLOW' : 'DENY',
      conditions: [
        ...operation(record(rule.operation)),
        ...principal(record(rule.principal)),
        ...(text(rule.cel) === '' ? [] : [{ on: 'open', what: 'CEL' } as const]),
      ],
    })),
  );
}

/** What is asked for (buildMethodPredicate and buildPathPredicate of internal/xds/translator/authorization.go). */
function* operation({ methods, path }: Json): Generator<RuleCondition> {
  const named = texts(methods);
  if (named.length > 0) yield { on: 'method', matcher: anyOf(...named.map((one) => exact(one))) };
  const match = optionalRecord(path);
  if (match === undefined) return;
  const [type, value] = [text(match.type), text(match.value)];
  // An expression is for the path with its query.
  if (type === 'RegularExpression') yield { on: 'open', what: 'path with query' };
  else yield { on: 'path', matcher: type === 'Exact' ? exact(value) : pathPrefix(value), holds: match.invert !== true };
}

/** Who asks. */
function* principal({ headers, jwt, clientIPGeoLocations, clientCIDRs, sourceCIDRs }: Json): Generator<RuleCondition> {
  for (const { name, values } of records(headers))
    yield { on: 'header', name: text(name), matcher: anyOf(...texts(values).map((value) => exact(value))) };
  const token = optionalRecord(jwt);
  if (token !== undefined) yield { on: 'token', principal: token };
  if (clientIPGeoLocations !== undefined) yield { on: 'open', what: 'client location' };
  if (texts(clientCIDRs).length > 0) yield { on: 'client', ranges: texts(clientCIDRs) };
  if (texts(sourceCIDRs).length > 0) yield { on: 'connection', ranges: texts(sourceCIDRs) };
}
