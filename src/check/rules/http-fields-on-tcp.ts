import { type JudgedPort, type JudgedProxy, type JudgingPolicy, judgingPolicies } from '../authorization';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { type GatewayPolicy, gatewayPolicies, isAdmitted, portsOf, serversOf } from '../gateway-policies';
import {
  type HttpCondition,
  httpConditions,
  isWithoutHttp,
  mayMatchAtZtunnel,
  takesPort,
  untoldConditions,
} from '../http-conditions';
import type { Server } from '../istio';
import { isHttp } from '../protocol';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE315',
  name: 'http-fields-on-tcp',
  severity: 'error',
  title: 'A policy asks for fields of HTTP where no HTTP can be read',
  why: 'Hosts, methods and paths are unknown in TLS that passes through, or in TCP. An ALLOW with them never matches there, and all is refused; a DENY with them refuses all, and at ztunnel nobody.',
  fix: 'Match by port and by connection.sni, or let the gateway terminate TLS so that it can read requests.',
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation',
  reads: ['AuthorizationPolicy'],
  footguns: ['T19', 'A08'],
  *check(context) {
    for (const policy of context.index(gatewayPolicies)) yield* atGateways(context, policy);
    for (const policy of context.index(judgingPolicies)) {
      yield* atZtunnel(context, policy);
      for (const [r, rule] of (policy.spec.rules ?? []).entries()) {
        for (const condition of httpConditions(rule)) {
          yield* atProxies(context, policy, condition, r, 'waypoint');
          yield* atProxies(context, policy, condition, r, 'sidecar');
          yield* atProxies(context, policy, condition, r, 'gateway');
        }
      }
    }
  },
};

function* atGateways(context: CheckContext, policy: GatewayPolicy): Generator<Hit> {
  const { manifest, spec, action } = policy;
  for (const [r, rule] of (spec.rules ?? []).entries()) {
    for (const condition of httpConditions(rule)) {
      const reached = serversOf(policy, condition.rule);
      const blind = reached.filter(({ server }) => !readsHttp(server));
      const lost =
        blind.length === reached.length || action === 'DENY'
          ? blind
          : action === 'ALLOW'
            ? blind.filter((server) => !isAdmitted(context, server, isWithoutHttp))
            : [];
      if (lost.length === 0) continue;
      const readable = context
        .index(judgingPolicies)
        .find((one) => one.manifest === manifest)
        ?.proxies.flatMap(({ ports }) => ports.filter((port) => port.readsHttp === 'yes'));
      yield {
        manifest,
        field: ['spec', 'rules', r, ...condition.field],
        what: `the policy asks for ${condition.what}, and ${[...new Set(lost.map(({ gateway }) => nameOf(gateway.manifest)))].join(', ')} reads no HTTP on port ${portsOf(lost)}`,
        ...(readable && readable.length > 0 && action === 'DENY' ? { fix: byPort(readable) } : {}),
      };
    }
  }
}

function readsHttp({ port, tls }: Server): boolean {
  const terminates = ['SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'].includes(tls?.mode ?? '');
  return isHttp(port?.protocol) || (/^https$/i.test(port?.protocol ?? '') && terminates);
}

/** A DENY that is meant for HTTP says on which ports that is, as the proxy numbers them. */
function byPort(readable: readonly JudgedPort[]): string {
  const ports = [...new Set(readable.map(({ number }) => number))].sort((a, b) => a - b);
  return `Add the ports on which HTTP is read to the operation (ports: ${ports.map((port) => `"${port}"`).join(', ')}), and deny on the others by port or connection.sni what is to be denied there.`;
}

/** What a waypoint, a sidecar or a gateway of the Gateway API lets through: it reads HTTP on the ports of a Service, entry or listener that are declared so. */
function* atProxies(
  context: CheckContext,
  { manifest, spec, action, proxies }: JudgingPolicy,
  condition: HttpCondition,
  r: number,
  kind: 'waypoint' | 'sidecar' | 'gateway',
): Generator<Hit> {
  if (action !== 'DENY' && action !== 'ALLOW') return;
  const lost = proxies
    .filter((proxy) => proxy.kind === kind)
    .flatMap((proxy) => {
      const judged = kind === 'gateway' ? proxy.ports.filter(({ isListener }) => isListener === true) : proxy.ports;
      const reached = judged.filter(({ number }) => takesPort(condition.rule, number));
      const blind = reached.filter((port) => port.readsHttp === 'no');
      // Beside ports that it can read, an ALLOW may be for those alone.
      if (action === 'ALLOW' && kind !== 'gateway' && blind.length < reached.length) return [];
      const cut = action === 'DENY' ? blind : blind.filter((port) => !isOpened(context, proxy, port));
      return cut.map((port) => ({ proxy, port }));
    });
  const [first] = lost;
  if (first === undefined) return;
  const ports = [...new Set(lost.map(({ port }) => port.number))].sort((a, b) => a - b).join(', ');
  const owners = [...new Set(lost.map(({ port }) => port.of))];
  const more = owners.length > 3 ? ` and ${owners.length - 3} more` : '';
  // What is for a whole namespace or mesh may have left a server of TCP out of mind, or mean to close it.
  const isWide = kind === 'sidecar' && spec.selector === undefined && action === 'ALLOW';
  const readable = proxies.flatMap((proxy) => proxy.ports.filter((port) => port.readsHttp === 'yes'));
  yield {
    manifest,
    field: ['spec', 'rules', r, ...condition.field],
    what: `the policy asks for ${condition.what}, and the ${kind} of ${owners.slice(0, 3).join(', ')}${more} reads no HTTP on port ${ports}: ${action === 'DENY' ? 'whatever is sent there is denied' : 'nothing that is sent there is allowed'}`,
    fix:
      action === 'DENY' && readable.length > 0
        ? byPort(readable)
        : kind === 'sidecar'
          ? 'Select the workloads that speak HTTP, and write a policy for the others that goes by port and by who calls.'
          : 'Match by port and by who calls, or declare the port HTTP if HTTP is what is sent there.',
    ...(isWide ? { severity: 'warning' as const } : {}),
  };
}

/** Whether a rule of some ALLOW policy lets connections in at a port, without reading HTTP. */
function isOpened(context: CheckContext, proxy: JudgedProxy, { number }: JudgedPort): boolean {
  return context
    .index(judgingPolicies)
    .some(
      ({ action, proxies, spec }) =>
        action === 'ALLOW' &&
        proxies.includes(proxy) &&
        (spec.rules ?? []).some((rule) => isWithoutHttp(rule) && takesPort(rule, number)),
    );
}

/** Policies for pods that only ztunnel guards, which knows who connects to which port, and no more. */
function* atZtunnel(context: CheckContext, { manifest, spec, proxies, action }: JudgingPolicy): Generator<Hit> {
  if (proxies.length === 0) return;
  if (proxies.some(({ kind }) => kind !== 'ztunnel')) return;
  const named = proxies.map(({ name }) => name).slice(0, 3);
  for (const [r, rule] of (spec.rules ?? []).entries()) {
    const read = httpConditions(rule);
    for (const condition of read.length > 0 ? read : untoldConditions(rule).slice(0, 1))
      yield {
        manifest,
        field: ['spec', 'rules', r, ...condition.field],
        what: `the policy asks for ${condition.what}, and ${named.join(', ')} has no proxy but ztunnel, which ${read.length > 0 ? 'reads no HTTP' : 'is not told of that'}: ${action !== 'DENY' ? 'the rule never matches' : mayMatchAtZtunnel(condition.rule) ? 'it denies whatever the rest of the rule matches' : 'it passes over the rule, and denies nobody by it'}`,
        // Gateways that no manifest shows may read it.
        ...(manifest.namespace === context.mesh.config.rootNamespace
          ? { severity: 'warning' as const, fix: 'Bind the Services to waypoints (istio.io/use-waypoint), and give the policy targetRefs to GatewayClass istio-waypoint, for all of them.' } // prettier-ignore
          : { fix: 'Give the policy targetRefs to the Service, and bind that to a waypoint (istio.io/use-waypoint).' }),
      };
  }
}
