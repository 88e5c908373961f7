/** Authorization by SecurityPolicies of Envoy Gateway, of requests and of connections, as rules of Envoy's RBAC filter. */
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { record, text } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { claimsFit } from './envoy-gateway-tokens';
import { decision, refOf, unknown } from './envoy-gateway-verdict';
import type { Held } from './filters';
import { headerFits } from './http-routes';
import type { OpenCondition } from './notes';
import {
  decide,
  isClientFromBlock,
  isFromBlock,
  ruleMatches,
  some,
  type Access,
  type Condition,
  type Rule,
} from './rbac';
import { securityRules, type RuleCondition, type SecurityRule } from './security-policy-rules';

interface Subject {
  readonly access: Access;
}

function holds(condition: RuleCondition, access: Access): Condition {
  const { http } = access;
  switch (condition.on) {
    case 'method':
      return http === null || http.method.is(condition.matcher);
    case 'path':
      return http === null ? 'unknown' : http.path.plain.is(condition.matcher) === condition.holds;
    case 'header':
      return http !== null && headerFits(http, condition.name, condition.matcher);
    case 'token':
      return http !== null && claimsFit(condition.principal, http);
    case 'client':
      return some(condition.ranges, (range) => isClientFromBlock(range, access));
    case 'connection':
      return some(condition.ranges, (range) => isFromBlock(range, access));
    case 'open':
      return 'unknown';
  }
}

interface Asked extends SecurityRule {
  readonly asked: Rule<Subject>;
}

function asked(mesh: Mesh, policy: EffectivePolicy): readonly Asked[] {
  return mesh.remember(policy.spec, 'rules of a security policy, as they are asked', () =>
    securityRules(mesh, policy.spec).map(withQuestions),
  );
}

function withQuestions(rule: SecurityRule): Asked {
  const questions = rule.conditions.map(
    (one) =>
      ({ access }: Subject) =>
        holds(one, access),
  );
  return { ...rule, asked: [[questions]] };
}

/** What of a rule no manifest shows. */
function openOf({ conditions }: SecurityRule): OpenCondition {
  const open = conditions.flatMap((one) => (one.on === 'open' ? [one.what] : []));
  return open.includes('CEL') ? 'CEL' : (open[0] ?? 'client address');
}

/** What the RBAC filter of a route holds; undefined lets pass. */
export function authorizationVerdict(mesh: Mesh, policy: EffectivePolicy, access: Access): Held | undefined {
  return verdictOf(asked(mesh, policy), policy, access);
}

function verdictOf(rules: readonly Asked[], policy: EffectivePolicy, access: Access): Held | undefined {
  const otherwise = text(record(policy.spec.authorization).defaultAction) === 'Allow' ? 'ALLOW' : 'DENY';
  const outcome = decide(rules, (rule) => ruleMatches(rule.asked, { access }, rule.action === 'ALLOW'), otherwise); // prettier-ignore
  if (outcome.is === 'open') return unknown(policy, 'authorization', openOf(outcome.rule));
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

/** Whether an authorization of connections lets one pass: of each rule the client's address counts alone (buildTCPPrincipalPredicate). */
export function streamVerdict(mesh: Mesh, policy: EffectivePolicy, access: Access): Held | undefined {
  const byClient = mesh.remember(policy.spec, 'rules of a security policy, for connections', () =>
    securityRules(mesh, policy.spec).map((rule) =>
      withQuestions({ ...rule, conditions: rule.conditions.filter(({ on }) => on === 'client') }),
    ),
  );
  return verdictOf(byClient, policy, access);
}
