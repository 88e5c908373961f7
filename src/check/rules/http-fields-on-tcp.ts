import type { CheckContext } from '../context';
import { nameOf, selects } from '../edge';
import { gatewayPolicies, isAdmitted, portsOf, serversOf } from '../gateway-policies';
import { type AuthorizationOperation, type AuthorizationRule, SECURITY, type Server, specOf } from '../istio';
import { isHttp } from '../protocol';
import type { Hit, Rule } from '../rule';
import { ledEntries } from '../waypoints';

export const rule: Rule = {
  id: 'EDGE315',
  name: 'http-fields-on-tcp',
  severity: 'error',
  title: 'A policy asks for fields of HTTP where no HTTP can be read',
  why: 'Hosts, methods and paths are unknown in TLS that passes through, or in TCP. An ALLOW with them never matches there, and all is refused; a DENY with them refuses all.',
  fix: 'Match by port and by connection.sni, or let the gateway terminate TLS so that it can read requests.',
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation',
  reads: ['AuthorizationPolicy'],
  footguns: ['T19', 'A08'],
  *check(context) {
    yield* atWaypoints(context);
    yield* atZtunnel(context);
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

/** Policies for what a waypoint passes on: it reads HTTP on the ports of a service that are declared so. */
function* atWaypoints(context: CheckContext): Generator<Hit> {
  const led = context.index(ledEntries);
  if (led.length === 0) return;
  for (const manifest of context.of(SECURITY, 'AuthorizationPolicy')) {
    const { rules = [], action = 'ALLOW', targetRefs = [] } = specOf('AuthorizationPolicy', manifest);
    const targets = led.filter((one) =>
      targetRefs.some(
        ({ kind, name }) =>
          (kind === 'ServiceEntry' && one.manifest.namespace === manifest.namespace && one.manifest.name === name) ||
          (kind === 'Gateway' && one.binding.namespace === manifest.namespace && one.binding.name === name),
      ),
    );
    if (targets.length === 0) continue;
    for (const [r, rule] of rules.entries()) {
      for (const [t, { operation = {} }] of (rule.to ?? []).entries()) {
        const field = httpFieldOf(operation);
        if (!field) continue;
        const ports = targets.flatMap(({ manifest: entry }) =>
          (specOf('ServiceEntry', entry).ports ?? []).filter(
            ({ number }) => (operation.ports ?? []).length === 0 || operation.ports?.includes(`${number}`),
          ),
        );
        const blind = ports.filter(({ protocol }) => !isHttp(protocol));
        // Beside ports that it can read, an ALLOW may be for those alone.
        if (blind.length === 0 || (action === 'ALLOW' && blind.length < ports.length)) continue;
        yield {
          manifest,
          field: ['spec', 'rules', r, 'to', t, 'operation', field],
          what: `the policy asks for ${field} ${(operation[field] ?? []).join(', ')}, and the waypoint of ${targets.map(({ manifest: entry }) => nameOf(entry)).join(', ')} reads no HTTP on port ${blind.map(({ number }) => number).join(', ')}`,
        };
      }
    }
  }
}

/** Policies for pods that only ztunnel guards, which knows who connects to which port, and no more. */
function* atZtunnel(context: CheckContext): Generator<Hit> {
  for (const manifest of context.of(SECURITY, 'AuthorizationPolicy')) {
    const { rules = [], selector, targetRef, targetRefs = [] } = specOf('AuthorizationPolicy', manifest);
    if (targetRef || targetRefs.length > 0 || manifest.namespace === context.mesh.config.rootNamespace) continue;
    const pods = context.mesh.workloads
      .inNamespace(manifest.namespace)
      .filter((pod) => pod.manifest !== undefined && selects(selector?.matchLabels, pod.labels));
    if (pods.length === 0 || pods.some(({ membership }) => membership !== 'ztunnel')) continue;
    for (const [r, rule] of rules.entries()) {
      for (const [t, { operation = {} }] of (rule.to ?? []).entries()) {
        const field = httpFieldOf(operation);
        if (!field) continue;
        yield {
          manifest,
          field: ['spec', 'rules', r, 'to', t, 'operation', field],
          what: `the policy asks for ${field} ${(operation[field] ?? []).join(', ')}, and ${pods
            .map((pod) => `${pod.namespace}/${pod.name}`)
            .slice(0, 3)
            .join(', ')} has no proxy but ztunnel, which reads no HTTP`,
          fix: 'Give the policy targetRefs to the Service, and lead that through a waypoint.',
        };
      }
    }
  }
}
