/** Authorization by SecurityPolicies of Envoy Gateway, of requests and of connections, as rules of Envoy's RBAC filter. */
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { claimsFit } from './envoy-gateway-tokens';
import { decision, refOf, unknown } from './envoy-gateway-verdict';
import type { Held } from './filters';
import { headerFits } from './http-routes';
import { anyOf, exact, pathPrefix } from './matcher';
import type { OpenCondition } from './notes';
import { decide, inBlock, ruleMatches, some, type Access, type Action, type Block, type Rule } from './rbac';

interface Subject {
  readonly access: Access;
}

interface PolicyRule {
  readonly index: number;
  readonly action: Action;
  readonly asked: Rule<Subject>;
  /** What of it no manifest shows, if anything. */
  readonly open: OpenCondition;
}

/** The rules of a policy; the first that fits decides. */
function rulesOf(mesh: Mesh, spec: Json): readonly PolicyRule[] {
  return mesh.remember(spec, 'rules of a security policy', () =>
    records(record(spec.authorization).rules).map((rule, index) => ({
      index,
      action: text(rule.action) === 'Allow' ? 'ALLOW' : 'DENY',
      asked: [[[...operation(record(rule.operation)), ...principal(record(rule.principal)), ...expression(rule)]]],
      open: whatIsOpen(rule),
    })),
  );
}

/** What is asked for (buildMethodPredicate and buildPathPredicate of internal/xds/translator/authorization.go). */
function* operation({ methods, path }: Json): Generator<Block<Subject>[number]> {
  const named = texts(methods);
  const method = anyOf(...named.map((one) => exact(one)));
  if (named.length > 0) yield ({ access: { http } }) => http === null || http.method.is(method);
  const match = optionalRecord(path);
  if (match === undefined) return;
  const value = text(match.value);
  const matcher = text(match.type) === 'Exact' ? exact(value) : pathPrefix(value);
  // An expression is for the path with its query.
  const isOpen = text(match.type) === 'RegularExpression';
  yield ({ access: { http } }) =>
    http === null || isOpen ? 'unknown' : http.path.plain.is(matcher) !== (match.invert === true);
}

/** Who asks. */
function* principal(given: Json): Generator<Block<Subject>[number]> {
  for (const { name, values } of records(given.headers)) {
    const matcher = anyOf(...texts(values).map((value) => exact(value)));
    yield ({ access: { http } }) => http !== null && headerFits(http, text(name), matcher);
  }
  const jwt = optionalRecord(given.jwt);
  if (jwt !== undefined) yield ({ access: { http } }) => http !== null && claimsFit(jwt, http);
  if (given.clientIPGeoLocations !== undefined) yield () => 'unknown';
  for (const ranges of [texts(given.clientCIDRs), texts(given.sourceCIDRs)])
    if (ranges.length > 0)
      yield ({ access: { flight } }) => some(ranges, (range) => inBlock(range, flight.from.address));
}

function* expression({ cel }: Json): Generator<Block<Subject>[number]> {
  if (text(cel) !== '') yield () => 'unknown';
}

function whatIsOpen({ cel, operation: asked, principal: who }: Json): OpenCondition {
  if (text(cel) !== '') return 'CEL';
  if (optionalRecord(record(asked).path)?.type === 'RegularExpression') return 'path with query';
  return record(who).clientIPGeoLocations === undefined ? 'client address' : 'client location';
}

/** What the RBAC filter of a route or a TCP proxy holds; undefined lets pass. */
export function authorizationVerdict(mesh: Mesh, policy: EffectivePolicy, access: Access): Held | undefined {
  const rules = rulesOf(mesh, policy.spec);
  const otherwise = text(record(policy.spec.authorization).defaultAction) === 'Allow' ? 'ALLOW' : 'DENY';
  const outcome = decide(rules, ({ asked, action }) => ruleMatches(asked, { access }, action === 'ALLOW'), otherwise);
  if (outcome.is === 'open') return unknown(policy, 'authorization', outcome.rule.open);
  if (outcome.action === 'ALLOW') return undefined;
  const field = outcome.rule === undefined ? 'defaultAction' : `rules[${outcome.rule.index}]`;
  return {
    is: 'refused',
    code: 'RBAC',
    status: access.http === null ? null : 403,
    reason: { kind: 'denied-by-security-policy', policy: refOf(policy) },
    by: decision(policy, `authorization.${field}`),
  };
}

/** Whether an authorization of connections lets one pass: only the client's address counts, and a rule without any is not to be told. */
export function streamVerdict(mesh: Mesh, policy: EffectivePolicy, access: Access): Held | undefined {
  const rules = records(record(policy.spec.authorization).rules);
  if (rules.some(({ principal: who }) => texts(record(who).clientCIDRs).length === 0))
    return unknown(policy, 'authorization', 'rule without clientCIDRs');
  return authorizationVerdict(mesh, policy, access);
}
