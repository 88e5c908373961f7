/** What the RBAC filters of a proxy answer, and how what they refuse may be allowed. */
import { authorizerProblem, providerOf } from '../model/authorizers';
import { text, texts } from '../model/fields';
import type { Mesh } from '../model/mesh';
import type { Config } from '../model/objects';
import { type ExternalAuthorizer, passedBy } from './external-authorizer';
import type { HttpRequest } from './http-routes';
import { gap, type Gap } from './notes';
import { refOf } from './refs';
import type { Decision } from './types';
import type { Asking, HowToAllow, Reason } from './reasons';
import { principalOf, rulesOf, unmet, whenHolds, type Rule, type Subject } from './authorization-conditions';
import { policiesByAction, type PoliciesOfAction } from './policies-by-caller';
import { decide, ruleMatches, type Access, type Action, type Truth } from './rbac';

export type Verdict =
  /** `http`: the request, as an authorizer that let it pass may have changed it. */
  | { readonly is: 'allowed'; readonly http?: HttpRequest | null }
  | { readonly is: 'denied'; readonly reason: Reason; readonly by: Decision | undefined }
  | { readonly is: 'unknown'; readonly why: Gap; readonly by: Decision | undefined };

function decision(policy: Config, field: string): Decision {
  return { kind: policy.kind, namespace: policy.namespace, name: policy.name, field };
}

function askingOf({ access, mesh }: Subject): Asking {
  const { http, port } = access;
  return {
    principal: principalOf({ access, mesh, policyNamespace: '' }) ?? null,
    port,
    http: http === null ? null : { method: `${http.method}`, authority: `${http.authority}`, path: `${http.path}` },
  };
}

/** An authorizer that speaks HTTP is not asked about what the proxy does not read (buildTCP, authz/builder/builder.go). */
function isAsked({ mesh, access }: Subject, policy: Config): boolean {
  const provider = mesh.config.authorizers?.find(({ name }) => name === providerOf(policy));
  return access.http !== null || provider?.speaks !== 'HTTP';
}

/** How what no rule allows may be allowed, and to whom. */
function adviceFor(subject: Subject, allowing: PoliciesOfAction): HowToAllow {
  const { prefixed } = allowing;
  if (prefixed !== undefined) return { is: 'take-prefix-off', policy: refOf(prefixed) };
  if (!allowing.hasRules) return { is: 'no-rules' };
  const near = nearest(subject, allowing);
  if (near !== undefined) return near;
  const byToken = butForToken(subject, allowing);
  if (byToken !== undefined) return byToken;
  const principal = principalOf(subject);
  if (principal !== undefined) return { is: 'name-principal', principal };
  return { is: subject.access.flight.from.inMesh ? 'by-mutual-tls' : 'without-source' };
}

/** A rule that takes the caller, and not what it asks for: the one of which the fewest conditions are not met. */
function nearest({ mesh, access }: Subject, allowing: PoliciesOfAction): HowToAllow | undefined {
  let found: Extract<HowToAllow, { readonly is: 'meet-conditions' }> | undefined;
  for (const policy of allowing.about(principalOf({ mesh, access, policyNamespace: '' }))) {
    const subject: Subject = { mesh, access, policyNamespace: policy.namespace };
    for (const [index, rule] of rulesOf(mesh, policy.spec).entries()) {
      const from = rule.from.map((fields) => unmet(fields, subject));
      if (from.length > 0 && from.every((fields) => fields.length > 0)) continue;
      const when = rule.when.flatMap((field, at) => (whenHolds(field, subject) === true ? [] : [{ at, key: field.name }])); // prettier-ignore
      if (when.some(({ key }) => /^(source|remote|request\.auth)\b/.test(key))) continue;
      const [to = []] = rule.to.map((fields) => unmet(fields, subject)).sort((a, b) => a.length - b.length);
      const conditions = [...to, ...when.map(({ at, key }) => `when[${at}] (${key})`)];
      if (conditions.length > 0 && (found === undefined || conditions.length < found.conditions.length))
        found = { is: 'meet-conditions', policy: refOf(policy), rule: index, conditions };
    }
  }
  return found;
}

const OF_TOKENS = /^(not)?requestPrincipals$/i;

/** A rule of which nothing but conditions on tokens is not met: who calls is no matter of it. */
function butForToken({ mesh, access }: Subject, allowing: PoliciesOfAction): HowToAllow | undefined {
  for (const policy of allowing.about(principalOf({ mesh, access, policyNamespace: '' }))) {
    const subject: Subject = { mesh, access, policyNamespace: policy.namespace };
    for (const [index, rule] of rulesOf(mesh, policy.spec).entries()) {
      const from = rule.from.map((fields) => unmet(fields, subject));
      const to = rule.to.map((fields) => unmet(fields, subject));
      const when = rule.when.filter((field) => whenHolds(field, subject) !== true);
      const isTaken = to.length === 0 || to.some((fields) => fields.length === 0);
      const isFrom = from.length === 0 || from.some((fields) => fields.every((name) => OF_TOKENS.test(name)));
      const asks = from.length > 0 && from.every((fields) => fields.length > 0);
      if (isTaken && isFrom && (asks || when.length > 0) && when.every(({ name }) => name.startsWith('request.auth.')))
        return { is: 'send-token', policy: refOf(policy), rule: index };
    }
  }
  return undefined;
}

interface PlacedRule {
  readonly action: Action;
  readonly policy: Config;
  readonly index: number;
  readonly asked: Rule['asked'];
}

/** The rules of a policy, those of a provider's as of one that denies. */
function placedRules(mesh: Mesh, policy: Config): readonly PlacedRule[] {
  return mesh.remember(policy, 'rules in their places', () => {
    const action = (text(policy.spec.action) || 'ALLOW') === 'ALLOW' ? 'ALLOW' : 'DENY';
    return rulesOf(mesh, policy.spec).map(({ asked }, index) => ({ action, policy, index, asked }));
  });
}

function* rulesOfAll(mesh: Mesh, ...lists: readonly (readonly Config[])[]): Generator<PlacedRule> {
  for (const policies of lists) for (const policy of policies) yield* placedRules(mesh, policy);
}

/** Authorizers first, then DENY, then ALLOW if there is any: what the filters of a proxy for authorization answer. */
export function authorize(mesh: Mesh, access: Access, policies: readonly Config[]): Verdict {
  const byAction = policiesByAction(mesh, policies);
  const asked = askAuthorizers(mesh, access, access.atZtunnel === true ? [] : byAction.CUSTOM.all);
  if (asked.is !== 'allowed') return asked;
  const { http = access.http } = asked;
  const verdict = byRules(mesh, { ...access, http }, byAction);
  return verdict.is === 'allowed' ? asked : verdict;
}

/** What policies of action CUSTOM come to. */
function askAuthorizers(mesh: Mesh, access: Access, asking: readonly Config[]): Verdict {
  const subject: Subject = { mesh, access, policyNamespace: '' };
  const holds = ({ policy, asked }: PlacedRule): Truth =>
    ruleMatches(asked, { mesh, access, policyNamespace: policy.namespace }, false);
  let { http } = access;
  const passed = new Set<string>();
  const whole = mesh.config.severalAuthorizers ? undefined : authorizerProblem(mesh, asking);
  for (const policy of asking) {
    const bad = mesh.config.severalAuthorizers ? authorizerProblem(mesh, [policy]) : whole;
    // What matches decides; a rule before it that may match is told of.
    const own = placedRules(mesh, policy);
    const match = own.find((rule) => holds(rule) !== false);
    if (match === undefined || (bad === undefined && !isAsked(subject, policy))) continue;
    if (bad !== undefined && own.some((rule) => holds(rule) === true))
      return {
        is: 'denied',
        reason: {
          kind: 'no-authorizer',
          policy: refOf(policy),
          asking: askingOf(subject),
          providers: bad.is === 'several' ? bad.providers : [bad.provider],
          known: (mesh.config.authorizers ?? []).map(({ name }) => name),
          problem: bad,
        },
        by: decision(policy, 'spec.provider.name'),
      };
    const by = decision(policy, `spec.rules[${match.index}]`);
    if (access.supposed === undefined || own.every((rule) => holds(rule) !== true))
      return {
        is: 'unknown',
        why: gap({ kind: 'left-to-authorizer', policy: refOf(policy), asking: askingOf(subject) }),
        by,
      };
    // All policies for one provider are one filter, which asks once.
    if (passed.has(providerOf(policy))) continue;
    passed.add(providerOf(policy));
    const answer = passedBy(authorizerOf(subject, policy), http, access.supposed);
    if (answer === undefined)
      return { is: 'denied', reason: { kind: 'refused-by-authorizer', policy: refOf(policy) }, by };
    ({ http } = answer);
  }
  return http === access.http ? { is: 'allowed' } : { is: 'allowed', http };
}

/** Whom a policy asks, and about which connection. */
function authorizerOf(subject: Subject, policy: Config): ExternalAuthorizer {
  const name = providerOf(policy);
  const known = subject.mesh.config.authorizers?.find((one) => one.name === name);
  const { principal, port } = askingOf(subject);
  return {
    called: `the external authorizer ${known === undefined ? name : `${known.service}:${String(known.settings.port ?? '')}`}`,
    about: [known?.settings ?? name, principal, port],
    // Of gRPC, an answer may set any header.
    writes: known?.speaks === 'HTTP' ? texts(known.settings.headersToUpstreamOnAllow) : ['*'],
  };
}

/** DENY first, then ALLOW if there is any. */
function byRules(mesh: Mesh, access: Access, byAction: ReturnType<typeof policiesByAction>): Verdict {
  const subject: Subject = { mesh, access, policyNamespace: '' };
  const principal = principalOf(subject);
  const holds = ({ policy, asked, action }: PlacedRule): Truth =>
    ruleMatches(asked, { mesh, access, policyNamespace: policy.namespace }, action === 'ALLOW');
  const allowing = byAction.ALLOW;
  const rules = rulesOfAll(mesh, byAction.DENY.about(principal), allowing.about(principal));
  const outcome = decide(rules, holds, allowing.all.length === 0 ? 'ALLOW' : 'DENY');
  if (outcome.is === 'open') {
    const { action, policy, index } = outcome.rule;
    return {
      is: 'unknown',
      why: gap({ kind: 'authorization-open', policy: refOf(policy), asking: askingOf(subject) }),
      by: decision(policy, action === 'DENY' ? `spec.rules[${index}]` : 'spec.rules'),
    };
  }
  if (outcome.action === 'ALLOW') return { is: 'allowed' };
  if (outcome.rule !== undefined) {
    const { policy, index } = outcome.rule;
    return {
      is: 'denied',
      reason: { kind: 'denied-by-rule', policy: refOf(policy), rule: index, asking: askingOf(subject) },
      by: decision(policy, `spec.rules[${index}]`),
    };
  }
  const [first] = allowing.all;
  return {
    is: 'denied',
    reason: {
      kind: 'allowed-by-no-rule',
      policies: allowing.names,
      asking: askingOf(subject),
      advice: adviceFor(subject, allowing),
    },
    by: first === undefined ? undefined : decision(first, 'spec.rules'),
  };
}
