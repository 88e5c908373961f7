import { nameOf } from '../edge';
import { gatewayPolicies, isAdmitted, portsOf, serversOf } from '../gateway-policies';
import type { AuthorizationOperation, AuthorizationRule, Server } from '../istio';
import { isHttp } from '../protocol';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE315',
  name: 'http-fields-on-tcp',
  severity: 'error',
  title: 'A policy asks for fields of HTTP where no HTTP can be read',
  why: 'Hosts, methods and paths are unknown in TLS that passes through, or in TCP. An ALLOW with them never matches there, and all is refused; a DENY with them refuses all.',
  fix: 'Match by port and by connection.sni, or let the gateway terminate TLS so that it can read requests.',
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation',
  reads: ['AuthorizationPolicy'],
  footguns: ['T19'],
  *check(context) {
    for (const policy of context.index(gatewayPolicies)) {
      const { manifest, spec, action } = policy;
      for (const [r, rule] of (spec.rules ?? []).entries()) {
        for (const [t, { operation = {} }] of (rule.to ?? []).entries()) {
          const field = httpFieldOf(operation);
          if (!field) continue;
          const reached = serversOf(policy, { to: [{ operation }] });
          const blind = reached.filter(({ server }) => !readsHttp(server));
          const lost =
            blind.length === reached.length || action === 'DENY'
              ? blind
              : action === 'ALLOW'
                ? blind.filter((server) => !isAdmitted(context, server, isWithoutHttp))
                : [];
          if (lost.length === 0) continue;
          yield {
            manifest,
            field: ['spec', 'rules', r, 'to', t, 'operation', field],
            what: `the policy asks for ${field} ${(operation[field] ?? []).join(', ')}, and ${[...new Set(lost.map(({ gateway }) => nameOf(gateway.manifest)))].join(', ')} reads no HTTP on port ${portsOf(lost)}`,
          };
        }
      }
    }
  },
};

const FIELDS = ['hosts', 'methods', 'paths', 'notHosts', 'notMethods', 'notPaths'] as const;

function httpFieldOf(operation: AuthorizationOperation): (typeof FIELDS)[number] | undefined {
  return FIELDS.find((name) => (operation[name] ?? []).length > 0);
}

/** A rule that may match a connection of which only its ends are known. */
function isWithoutHttp({ to = [], when = [] }: AuthorizationRule): boolean {
  return (
    (to.length === 0 || to.some(({ operation = {} }) => httpFieldOf(operation) === undefined)) &&
    !when.some(({ key = '' }) => key.startsWith('request.'))
  );
}

function readsHttp({ port, tls }: Server): boolean {
  const terminates = ['SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'].includes(tls?.mode ?? '');
  return isHttp(port?.protocol) || (/^https$/i.test(port?.protocol ?? '') && terminates);
}
