import { record, records } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { targetRefsOf } from '../authorization';
import type { CheckContext } from '../context';
import { virtualServices } from '../edge';
import { type AuthorizationPolicySpec, type AuthorizationRule, type PolicyTarget, SECURITY, specOf } from '../istio';
import { mayMeet } from '../policy-targets';
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

function coverage(context: CheckContext, { namespace }: Manifest, target: PolicyTarget): string {
  const refs = targetRefsOf(target);
  if (refs.length > 0) return refs.map(({ kind = '', name = '' }) => `${kind} ${namespace}/${name}`).join(', ');
  const labels = Object.entries(target.selector?.matchLabels ?? {});
  const where = namespace === context.mesh.config.rootNamespace ? 'the whole mesh' : `namespace ${namespace}`;
  return labels.length === 0
    ? where
    : `workloads ${labels.map(([key, value]) => `${key}=${value}`).join(',')} of ${where}`;
}
