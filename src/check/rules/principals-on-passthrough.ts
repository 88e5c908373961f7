import { gatewaysByName, nameOf, selects } from '../edge';
import { SECURITY, specOf } from '../istio';
import { podTemplates } from '../workloads';
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
    const gateways = [...context.index(gatewaysByName).values()];
    for (const manifest of context.of(SECURITY, 'AuthorizationPolicy')) {
      const spec = specOf('AuthorizationPolicy', manifest);
      const labels = spec.selector?.matchLabels;
      if (!labels || Object.keys(labels).length === 0 || (spec.action ?? 'ALLOW') === 'CUSTOM') continue;
      const pods = context
        .index(podTemplates)
        .filter((pod) => pod.namespace === manifest.namespace && selects(labels, pod.labels));
      const onPods = gateways.filter(
        ({ spec: { selector = {} } }) =>
          Object.keys(selector).length > 0 &&
          (selects(selector, labels) || pods.some((pod) => selects(selector, pod.labels))),
      );
      const servers = onPods.flatMap(({ spec: { servers = [] } }) => servers);
      for (const [r, { from = [], to = [] }] of (spec.rules ?? []).entries()) {
        const ports = new Set(to.flatMap(({ operation }) => operation?.ports ?? []));
        const reached = servers.filter(({ port }) => ports.size === 0 || ports.has(String(port?.number)));
        if (reached.length === 0 || reached.some(({ tls, port }) => !isPassthrough(tls?.mode, port?.protocol)))
          continue;
        for (const [f, { source = {} }] of from.entries()) {
          const field = (
            [
              'principals',
              'namespaces',
              'serviceAccounts',
              'notPrincipals',
              'notNamespaces',
              'notServiceAccounts',
            ] as const
          ).find((name) => (source[name] ?? []).length > 0);
          if (!field) continue;
          yield {
            manifest,
            field: ['spec', 'rules', r, 'from', f, 'source', field],
            what: `the policy asks for ${field} ${(source[field] ?? []).join(', ')}, and ${onPods.map((gateway) => nameOf(gateway.manifest)).join(', ')} passes TLS through on port ${[...new Set(reached.map(({ port }) => port?.number))].join(', ')}`,
          };
        }
      }
    }
  },
};

function isPassthrough(mode: string | undefined, protocol: string | undefined): boolean {
  return (
    /^(tls|https)$/i.test(protocol ?? '') &&
    (mode === undefined || mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH')
  );
}
