import { gatewaysByName, selects, virtualServices } from '../edge';
import { record, records } from '../../model/fields';
import type { FieldPath } from '../../model/manifest';
import { type JudgingPolicy, judgingPolicies, targetRefsOf } from '../authorization';
import { type AuthorizationRule, type HttpMatch, NETWORKING, type PolicyTarget, SECURITY } from '../istio';
import type { CheckContext } from '../context';
import { mayMeet } from '../policy-targets';
import type { Hit, Rule } from '../rule';

const CLAIMS = /^@request\.auth\.claims/;

export const rule: Rule = {
  id: 'EDGE216',
  name: 'claims-without-authentication',
  severity: 'error',
  title: 'A rule goes by claims of a token that nobody has checked',
  why: 'A proxy knows the claims of a token only from a RequestAuthentication for it. Without one there is no token for it: no match on claims is met, and every condition on what a token is not.',
  fix: "Write a RequestAuthentication that selects the gateway's pods, in their namespace.",
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0149/',
  reads: ['VirtualService', 'AuthorizationPolicy'],
  footguns: [],
  *check(context) {
    yield* inPolicies(context);
    const gateways = context.index(gatewaysByName);
    for (const { manifest, spec, gateways: names } of context.index(virtualServices)) {
      const bound = names.flatMap((name) => gateways.get(name) ?? []);
      const open = bound.filter(({ spec: { selector = {} } }) => !isAuthenticated(context, selector));
      if (open.length === 0) continue;
      for (const [r, { match = [] }] of (spec.http ?? []).entries()) {
        for (const [m, { headers, withoutHeaders }] of (match as readonly HttpMatch[]).entries()) {
          const claim = Object.keys({ ...headers, ...withoutHeaders }).find((name) => CLAIMS.test(name));
          if (claim === undefined) continue;
          yield {
            manifest,
            field: ['spec', 'http', r, 'match', m, headers?.[claim] ? 'headers' : 'withoutHeaders', claim],
            what: `the match asks for ${claim}, and no RequestAuthentication is for the pods of Gateway ${open.map(({ manifest: gateway }) => `${gateway.namespace}/${gateway.name}`).join(', ')}`,
            // One may be elsewhere, where manifests show neither the pods nor any of its kind.
            ...(context.of(SECURITY, 'RequestAuthentication').length === 0 ? { severity: 'warning' as const } : {}),
          };
        }
      }
    }
  },
};

function isAuthenticated(context: CheckContext, selector: Readonly<Record<string, string>>): boolean {
  const { mesh } = context;
  const pods = mesh.workloads.all.filter(({ labels }) => selects(selector, labels));
  return context.of(SECURITY, 'RequestAuthentication').some((manifest) => {
    const { spec = {} } = manifest.body as { spec?: PolicyTarget };
    const labels = spec.selector?.matchLabels ?? {};
    const isRoot = manifest.namespace === mesh.config.rootNamespace;
    return pods.length > 0
      ? pods.some((pod) => (isRoot || pod.namespace === manifest.namespace) && selects(labels, pod.labels))
      : selects(labels, selector) || Object.keys(labels).length === 0;
  });
}

/** Conditions on tokens in AuthorizationPolicies of proxies that read none. */
function* inPolicies(context: CheckContext): Generator<Hit> {
  const reading = context
    .of(SECURITY, 'RequestAuthentication')
    .map((manifest) => ({ manifest, spec: record(record(manifest.body).spec) }))
    .filter(({ spec }) => records(spec.jwtRules).length > 0)
    .map(({ manifest, spec }) => ({ manifest, spec: spec as PolicyTarget }));
  // Filters of one's own may write what a token is read into.
  if (context.of(NETWORKING, 'EnvoyFilter').some(({ body }) => JSON.stringify(body).includes('jwt_authn'))) return;
  for (const policy of context.index(judgingPolicies)) {
    if (!isRead(context, policy) || reading.some((one) => mayMeet(context, one, policy))) continue;
    const asked = (policy.spec.rules ?? []).flatMap((rule, r) =>
      [...conditionsOnTokens(rule)].slice(0, 1).map((condition) => ({ rule, r, condition })),
    );
    const [first, ...more] = asked;
    if (first === undefined) continue;
    const { rule, r, condition } = first;
    yield {
      manifest: policy.manifest,
      field: ['spec', 'rules', r, ...condition.field],
      what: `the rule asks for ${condition.asked}, and no RequestAuthentication is for the proxies of the policy: ${outcome(policy, rule, condition)}${more.length > 0 ? ` (and ${more.length} more of its rules)` : ''}`,
      fix: `Write a RequestAuthentication ${targetRefsOf(policy.spec).length > 0 ? 'with the same targetRefs' : 'for the same workloads'}, in namespace ${policy.manifest.namespace}.`,
      ...(context.of(SECURITY, 'RequestAuthentication').length === 0 ? { severity: 'warning' as const } : {}),
    };
  }
}

/** Whether a proxy that reads HTTP may have the policy: of others, and of those that are not there, other rules tell. */
function isRead({ mesh }: CheckContext, { action, manifest: { namespace }, proxies, spec }: JudgingPolicy): boolean {
  if (action === 'AUDIT') return false;
  if (proxies.length > 0) return proxies.some(({ kind }) => kind !== 'ztunnel');
  return targetRefsOf(spec).length === 0 && mesh.workloads.inNamespace(namespace).length === 0;
}

interface TokenCondition {
  readonly field: FieldPath;
  /** What is asked for, in the words of the policy. */
  readonly asked: string;
  /** Whether all that it asks is what the token is not. */
  readonly isNegative: boolean;
}

function* conditionsOnTokens({ from = [], when = [] }: AuthorizationRule): Generator<TokenCondition> {
  for (const [f, { source = {} }] of from.entries())
    for (const name of ['requestPrincipals', 'notRequestPrincipals'] as const) {
      const [value] = source[name] ?? [];
      if (value === undefined) continue;
      yield {
        field: ['from', f, 'source', name],
        asked: `${name} ${JSON.stringify(value)}`,
        isNegative: name === 'notRequestPrincipals',
      };
    }
  for (const [w, { key = '', values = [] }] of when.entries())
    if (key.startsWith('request.auth.'))
      yield { field: ['when', w, 'key'], asked: key, isNegative: values.length === 0 };
}

/** What becomes of requests by the rule, or of one of several sources of it. */
function outcome(
  { action }: JudgingPolicy,
  { from = [] }: AuthorizationRule,
  { isNegative, field: [where] }: TokenCondition,
): string {
  if (where === 'from' && from.length > 1) return isNegative ? 'everybody is such a source' : 'nobody is such a source';
  if (action === 'DENY') return isNegative ? 'it denies whatever else the rule is for' : 'it denies nothing';
  if (action === 'CUSTOM')
    return isNegative ? 'the authorizer is asked whatever token there is' : 'the authorizer is never asked';
  return isNegative ? 'it lets in whoever has no token that is good' : 'it lets nobody in';
}
