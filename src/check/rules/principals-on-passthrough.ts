import { nameOf } from '../edge';
import { gatewayPolicies, isAdmitted, portsOf, serversOf } from '../gateway-policies';
import type { AuthorizationRule, AuthorizationSource, Server } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE314',
  name: 'principals-on-passthrough',
  severity: 'error',
  title: 'A policy asks for identities where none can be known',
  why: 'A gateway that passes TLS through sees no client certificate of the mesh: no request has a principal, a namespace or a service account, so an ALLOW never matches, and all is refused.',
  fix: 'Let the server terminate ISTIO_MUTUAL and route tcp, or enforce the policy at the client, by Sidecar and exportTo.',
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source',
  reads: ['AuthorizationPolicy'],
  footguns: ['T18'],
  *check(context) {
    for (const policy of context.index(gatewayPolicies)) {
      const { manifest, spec, action } = policy;
      if (action === 'CUSTOM' || action === 'AUDIT') continue;
      for (const [r, rule] of (spec.rules ?? []).entries()) {
        const reached = serversOf(policy, rule);
        const blind = reached.filter(({ server }) => isPassthrough(server));
        const lost =
          blind.length === reached.length || action !== 'ALLOW'
            ? blind
            : blind.filter((server) => !isAdmitted(context, server, isWithoutIdentity));
        if (lost.length === 0 || (action !== 'ALLOW' && blind.length < reached.length)) continue;
        for (const [f, { source = {} }] of (rule.from ?? []).entries()) {
          const field = identityOf(source);
          if (!field) continue;
          yield {
            manifest,
            field: ['spec', 'rules', r, 'from', f, 'source', field],
            what: `the policy asks for ${field} ${(source[field] ?? []).join(', ')}, and ${[...new Set(lost.map(({ gateway }) => nameOf(gateway.manifest)))].join(', ')} passes TLS through on port ${portsOf(lost)}`,
          };
        }
      }
    }
  },
};

const IDENTITIES = [
  'principals',
  'namespaces',
  'serviceAccounts',
  'notPrincipals',
  'notNamespaces',
  'notServiceAccounts',
] as const;

function identityOf(source: AuthorizationSource): (typeof IDENTITIES)[number] | undefined {
  return IDENTITIES.find((name) => (source[name] ?? []).length > 0);
}

/** A rule that may match a client of whom nothing is known. */
function isWithoutIdentity({ from = [] }: AuthorizationRule): boolean {
  return from.length === 0 || from.some(({ source = {} }) => identityOf(source) === undefined);
}

function isPassthrough({ port, tls }: Server): boolean {
  return (
    /^(tls|https)$/i.test(port?.protocol ?? '') &&
    (tls?.mode === undefined || tls.mode === 'PASSTHROUGH' || tls.mode === 'AUTO_PASSTHROUGH')
  );
}
