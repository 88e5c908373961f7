import { labelsMatch, record, records } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { targetRefsOf } from '../authorization';
import type { CheckContext } from '../context';
import { virtualServices } from '../edge';
import { type AuthorizationPolicySpec, type AuthorizationRule, type PolicyTarget, SECURITY, specOf } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE520',
  name: 'token-not-required',
  severity: 'warning',
  title: 'Tokens are checked, and nothing asks for one',
  why: 'A RequestAuthentication refuses tokens that are not valid. A request without any token passes it, unless an AuthorizationPolicy asks for one.',
  fix: 'Write an AuthorizationPolicy for the same workloads and their ports of HTTP: action DENY, from a source with notRequestPrincipals ["*"].',
  see: 'https://istio.io/latest/docs/tasks/security/authentication/authn-policy/#require-a-valid-token',
  reads: ['RequestAuthentication'],
  footguns: ['I08'],
  *check(context) {
    const asking = context
      .of(SECURITY, 'AuthorizationPolicy')
      .map((manifest) => ({ manifest, spec: specOf('AuthorizationPolicy', manifest) }))
      .filter(({ spec }) => asksForToken(spec));
    const isRouted = routesByClaims(context);
    for (const manifest of context.of(SECURITY, 'RequestAuthentication')) {
      const spec = record(record(manifest.body).spec);
      const rules = records(spec.jwtRules);
      if (rules.length === 0 || isRouted) continue;
      const target = spec as PolicyTarget;
      if (asking.some((policy) => mayMeet(context, { manifest, spec: target }, policy))) continue;
      const issuers = [...new Set(rules.map(({ issuer }) => String(issuer)))].join(', ');
      yield {
        manifest,
        field: ['spec', 'jwtRules'],
        what: `tokens of ${issuers} are checked at ${coverage(context, manifest, target)}, and no AuthorizationPolicy there asks for one: a request without a token is let through`,
      };
    }
  },
};

function asksForToken({ action, rules = [] }: AuthorizationPolicySpec): boolean {
  return action === 'CUSTOM' || (action !== 'AUDIT' && rules.some(namesToken));
}

function namesToken({ from = [], when = [] }: AuthorizationRule): boolean {
  return (
    from.some(
      ({ source = {} }) =>
        (source.requestPrincipals ?? []).length > 0 || (source.notRequestPrincipals ?? []).length > 0,
    ) ||
    when.some(({ key = '' }) => key.startsWith('request.auth.') || /^request\.headers\[authorization\]$/i.test(key))
  );
}

/** A gateway may choose routes by claims, and have none for whoever has no token. */
function routesByClaims(context: CheckContext): boolean {
  return context
    .index(virtualServices)
    .some(({ spec }) =>
      (spec.http ?? []).some(({ match = [] }) =>
        match.some(({ headers = {} }) => Object.keys(headers).some((name) => name.startsWith('@request.auth'))),
      ),
    );
}

interface Placed {
  readonly manifest: Manifest;
  readonly spec: PolicyTarget;
}

/** Whether there may be a proxy that reads both. */
function mayMeet(context: CheckContext, a: Placed, b: Placed): boolean {
  const { rootNamespace } = context.mesh.config;
  const [own, other] = [a.manifest.namespace, b.manifest.namespace];
  if (own !== other && own !== rootNamespace && other !== rootNamespace) return false;
  const [refs, others] = [targetRefsOf(a.spec), targetRefsOf(b.spec)];
  // A waypoint reads what targets it and what targets a Service behind it.
  if (refs.length > 0 && others.length > 0) {
    const isAlike = refs.some(({ kind, name }) => others.some((one) => one.kind === kind && one.name === name));
    return isAlike || refs.some(({ kind }) => others.some((one) => one.kind !== kind));
  }
  if (refs.length > 0 || others.length > 0) return true;
  const [labels, wanted] = [a.spec.selector?.matchLabels ?? {}, b.spec.selector?.matchLabels ?? {}];
  const namespace = own === rootNamespace ? other : own;
  const pods = namespace === rootNamespace ? context.mesh.workloads.all : context.mesh.workloads.inNamespace(namespace);
  const chosen = pods.filter((pod) => labelsMatch(labels, pod.labels));
  if (chosen.length > 0) return chosen.some((pod) => labelsMatch(wanted, pod.labels));
  return Object.entries(labels).every(([key, value]) => wanted[key] === undefined || wanted[key] === value);
}

function coverage(context: CheckContext, { namespace }: Manifest, target: PolicyTarget): string {
  const refs = targetRefsOf(target);
  if (refs.length > 0) return refs.map(({ kind = '', name = '' }) => `${kind} ${namespace}/${name}`).join(', ');
  const labels = Object.entries(target.selector?.matchLabels ?? {});
  const where = namespace === context.mesh.config.rootNamespace ? 'the whole mesh' : `namespace ${namespace}`;
  return labels.length === 0
    ? where
    : `workloads ${labels.map(([key, value]) => `${key}=${value}`).join(',')} of ${where}`;
}
