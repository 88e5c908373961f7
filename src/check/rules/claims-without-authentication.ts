import { gatewaysByName, selects, virtualServices } from '../edge';
import { type HttpMatch, SECURITY } from '../istio';
import type { PolicyTarget } from '../istio';
import type { CheckContext } from '../context';
import type { Rule } from '../rule';

const CLAIMS = /^@request\.auth\.claims/;

export const rule: Rule = {
  id: 'EDGE216',
  name: 'claims-without-authentication',
  severity: 'error',
  title: 'A rule goes by claims of a token that nobody has checked',
  why: 'A gateway knows the claims of a token only from a RequestAuthentication on its pods. Without one the match is never met.',
  fix: "Write a RequestAuthentication that selects the gateway's pods, in their namespace.",
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0149/',
  reads: ['VirtualService'],
  footguns: [],
  *check(context) {
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
