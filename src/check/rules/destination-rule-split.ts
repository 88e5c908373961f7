import { push } from '../../model/objects';
import type { CheckContext } from '../context';
import { type Exported, haveCommonViewer, nameOf, fullHost } from '../edge';
import { type DestinationRuleSpec, NETWORKING, specOf } from '../istio';
import type { FieldPath } from '../../model/manifest';
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
    const byHost = new Map<string, Seen>();
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      if (spec.workloadSelector) continue;
      const host = fullHost(context, spec.host ?? '', manifest.namespace);
      const key = `${manifest.namespace} ${host}`;
      let seen = byHost.get(key);
      if (!seen) byHost.set(key, (seen = { policies: new Map(), subsets: new Map() }));
      const rule: Exported = { manifest, spec };
      const clash = contradiction(context, seen, rule, spec);
      if (clash)
        yield {
          manifest,
          field: clash.field,
          what: `${nameOf(manifest)} and ${nameOf(clash.other.manifest)} both have ${clash.what} for ${host}`,
        };
      remember(seen, rule, spec);
    }
  },
};

/** Rules by how what they say is written: thousands may share a host, and only those that say something else matter. */
type Written = Map<string, Exported[]>;

interface Seen {
  readonly policies: Written;
  /** By the name of the subset. */
  readonly subsets: Map<string, Written>;
}

interface Clash {
  readonly other: Exported;
  readonly what: string;
  readonly field: FieldPath;
}

/** The first of the rules seen so far that says something else, to a proxy that sees both. */
function contradiction(
  context: CheckContext,
  seen: Seen,
  rule: Exported,
  { trafficPolicy, subsets = [] }: DestinationRuleSpec,
): Clash | undefined {
  const other = trafficPolicy && differing(context, seen.policies, trafficPolicy, rule);
  if (other) return { other, what: 'a trafficPolicy', field: ['spec', 'trafficPolicy'] };
  for (const [at, subset] of subsets.entries()) {
    const twin = differing(context, seen.subsets.get(subset.name ?? ''), subset, rule);
    if (twin)
      return { other: twin, what: `a subset ${JSON.stringify(subset.name)}`, field: ['spec', 'subsets', at, 'name'] };
  }
  return undefined;
}

function differing(
  context: CheckContext,
  written: Written | undefined,
  value: object,
  rule: Exported,
): Exported | undefined {
  const own = JSON.stringify(value);
  for (const [text, rules] of written ?? []) {
    const other = text === own ? undefined : rules.find((one) => haveCommonViewer(context, rule, one));
    if (other) return other;
  }
  return undefined;
}

function remember(seen: Seen, rule: Exported, { trafficPolicy, subsets = [] }: DestinationRuleSpec): void {
  if (trafficPolicy) push(seen.policies, JSON.stringify(trafficPolicy), rule);
  for (const subset of subsets) {
    const name = subset.name ?? '';
    const written = seen.subsets.get(name) ?? new Map<string, Exported[]>();
    seen.subsets.set(name, written);
    push(written, JSON.stringify(subset), rule);
  }
}
