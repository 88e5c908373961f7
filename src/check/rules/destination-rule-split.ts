import { type Exported, haveCommonViewer, nameOf, push } from '../edge';
import { toFqdn } from '../hosts';
import { type DestinationRuleSpec, NETWORKING, specOf } from '../istio';
import type { Manifest } from '../../model/manifest';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE410',
  name: 'destination-rule-split',
  severity: 'warning',
  title: 'Several DestinationRules for one host contradict each other',
  why: 'Istio joins rules for one host in one namespace: subsets are collected, but of two traffic policies the older one counts, and of two subsets with one name the older too.',
  fix: 'Write one DestinationRule for the host, or give them different subsets and no policy at the top.',
  see: 'https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services',
  reads: ['DestinationRule'],
  footguns: ['X14', 'T14'],
  *check(context) {
    const byHost = new Map<string, { manifest: Manifest; spec: DestinationRuleSpec }[]>();
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      if (!spec.workloadSelector)
        push(byHost, `${manifest.namespace} ${toFqdn(spec.host ?? '', manifest.namespace)}`, { manifest, spec });
    }
    for (const [key, rules] of byHost) {
      for (const [index, rule] of rules.entries()) {
        for (const other of rules.slice(0, index)) {
          if (!haveCommonViewer(rule as Exported, other as Exported)) continue;
          const clash = contradiction(rule.spec, other.spec);
          if (clash)
            yield {
              manifest: rule.manifest,
              field: clash.field,
              what: `${nameOf(rule.manifest)} and ${nameOf(other.manifest)} both have ${clash.what} for ${key.split(' ')[1]}`,
            };
        }
      }
    }
  },
};

function contradiction(
  a: DestinationRuleSpec,
  b: DestinationRuleSpec,
): { what: string; field: (string | number)[] } | undefined {
  if (a.trafficPolicy && b.trafficPolicy && JSON.stringify(a.trafficPolicy) !== JSON.stringify(b.trafficPolicy))
    return { what: 'a trafficPolicy', field: ['spec', 'trafficPolicy'] };
  for (const [at, subset] of (a.subsets ?? []).entries()) {
    const twin = (b.subsets ?? []).find(({ name }) => name === subset.name);
    if (twin && JSON.stringify(twin) !== JSON.stringify(subset))
      return { what: `a subset ${JSON.stringify(subset.name)}`, field: ['spec', 'subsets', at, 'name'] };
  }
  return undefined;
}
