import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { coveredRules } from '../envoy-gateway';
import { isSubsetOf, overlaps } from '../../model/hostnames';
import { type OidcPolicy, oidcPolicies } from '../oidc';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE821',
  name: 'oidc-cookies-shared',
  severity: 'error',
  title: 'Two logins keep their sessions in one cookie',
  why: 'Each proxy takes only what it wrote itself. A login at one overwrites the session of the other, and a browser that uses both is sent to the provider again and again.',
  fix: 'Give each policy cookieNames of its own, or leave them out: then they are unique.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/oidc/',
  reads: ['SecurityPolicy'],
  footguns: ['Y11'],
  *check(context) {
    const policies = context.index(oidcPolicies);
    for (const [index, policy] of policies.entries()) {
      for (const other of policies.slice(0, index)) {
        const name = sharedName(policy, other);
        if (name === undefined || loginOf(policy) === loginOf(other)) continue;
        const where = sharedScope(context, policy, other);
        if (where === undefined) continue;
        yield {
          manifest: policy.manifest,
          field: ['spec', 'oidc', 'cookieNames', name.field],
          what: `${nameOf(policy.manifest)} and ${nameOf(other.manifest)} are logins of ${clientOf(policy)} and ${clientOf(other)}, and both keep them in cookie ${JSON.stringify(name.value)} at ${where}`,
        };
        break;
      }
    }
  },
};

/** One login may well be shared: several routes, one client of one provider. */
function loginOf({ manifest, oidc: { provider, clientID, clientIDRef } }: OidcPolicy): string {
  return JSON.stringify([provider?.issuer?.replace(/\/$/, ''), clientID ?? [manifest.namespace, clientIDRef?.name]]);
}

function clientOf({ oidc: { provider, clientID, clientIDRef } }: OidcPolicy): string {
  return `${JSON.stringify(clientID ?? clientIDRef?.name ?? '')} at ${provider?.issuer ?? 'an unknown provider'}`;
}

/** Names that are left out end in a part that is unique to the policy. */
function sharedName(a: OidcPolicy, b: OidcPolicy): { field: string; value: string } | undefined {
  const theirs = Object.values(b.oidc.cookieNames ?? {});
  const found = Object.entries(a.oidc.cookieNames ?? {}).find(([, value]) => theirs.includes(value));
  return found ? { field: found[0], value: found[1] } : undefined;
}

/** A name under which a browser sends the cookies of both. */
function sharedScope(context: CheckContext, a: OidcPolicy, b: OidcPolicy): string | undefined {
  for (const one of scopesOf(context, a)) {
    for (const other of scopesOf(context, b)) {
      if (one === other || overlaps(one, other)) return one.length >= other.length ? one : other;
      if (one.startsWith('*.') && isSubsetOf(other, one)) return other;
    }
  }
  return undefined;
}

/** Hosts that get the cookies: those of the domain, else those of the routes themselves. */
function scopesOf(context: CheckContext, { manifest, oidc: { cookieDomain } }: OidcPolicy): readonly string[] {
  if (cookieDomain) return [cookieDomain.replace(/^\./, ''), `*.${cookieDomain.replace(/^\./, '')}`];
  const routes = new Set(coveredRules(context, manifest).map(({ route }) => route));
  return [
    ...new Set(
      context.mesh.gatewayApi.attachments
        .filter(({ route }) => routes.has(route))
        .flatMap(({ route, listener }) => (route.hostnames.length > 0 ? route.hostnames : [listener.hostname]))
        .concat([...routes].flatMap(({ hostnames }) => hostnames)),
    ),
  ];
}
