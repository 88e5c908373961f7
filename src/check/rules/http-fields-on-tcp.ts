import { gatewaysByName, nameOf, selects } from '../edge';
import { SECURITY, type Server, specOf } from '../istio';
import { isHttp } from '../protocol';
import { podTemplates } from '../workloads';
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
    const gateways = [...context.index(gatewaysByName).values()];
    for (const manifest of context.of(SECURITY, 'AuthorizationPolicy')) {
      const spec = specOf('AuthorizationPolicy', manifest);
      const labels = spec.selector?.matchLabels;
      if (!labels || Object.keys(labels).length === 0) continue;
      const pods = context
        .index(podTemplates)
        .filter((pod) => pod.namespace === manifest.namespace && selects(labels, pod.labels));
      const onPods = gateways.filter(
        ({ spec: { selector = {} } }) =>
          Object.keys(selector).length > 0 &&
          (selects(selector, labels) || pods.some((pod) => selects(selector, pod.labels))),
      );
      const servers = onPods.flatMap(({ spec: { servers = [] } }) => servers);
      for (const [r, { to = [] }] of (spec.rules ?? []).entries()) {
        for (const [t, { operation = {} }] of to.entries()) {
          const field = (['hosts', 'methods', 'paths', 'notHosts', 'notMethods', 'notPaths'] as const).find(
            (name) => (operation[name] ?? []).length > 0,
          );
          if (!field) continue;
          const ports = operation.ports ?? [];
          const reached = servers.filter(({ port }) => ports.length === 0 || ports.includes(String(port?.number)));
          if (reached.length === 0 || reached.some(readsHttp)) continue;
          yield {
            manifest,
            field: ['spec', 'rules', r, 'to', t, 'operation', field],
            what: `the policy asks for ${field} ${(operation[field] ?? []).join(', ')}, and ${onPods.map((gateway) => nameOf(gateway.manifest)).join(', ')} reads no HTTP on port ${[...new Set(reached.map(({ port }) => port?.number))].join(', ')}`,
          };
        }
      }
    }
  },
};

function readsHttp({ port, tls }: Server): boolean {
  const terminates = ['SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'].includes(tls?.mode ?? '');
  return isHttp(port?.protocol) || (/^https$/i.test(port?.protocol ?? '') && terminates);
}
