import { type VirtualServiceView, MESH, haveCommonViewer, nameOf, push, ruleMatches, virtualServices } from '../edge';
import { type AnyMatch, type RuleKind, covers, isCatchAll, matchesOf } from '../matches';
import { compareAge, config } from '../../model/objects';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE209',
  name: 'hosts-overlap-on-gateway',
  severity: 'warning',
  title: 'Two VirtualServices on a gateway match the same requests of one host',
  why: 'Istio joins them in the order of their age: the rule of the older one takes the requests, and the other is never reached. In a cluster that is made anew, that may be the other one.',
  fix: 'Write the rules into one VirtualService, where their order can be seen.',
  see: 'https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services',
  reads: ['VirtualService'],
  footguns: ['V09', 'V20'],
  *check(context) {
    const byHost = new Map<string, VirtualServiceView[]>();
    for (const service of context.index(virtualServices)) {
      for (const gateway of service.gateways) {
        if (gateway !== MESH) for (const host of new Set(service.hosts)) push(byHost, `${gateway} ${host}`, service);
      }
    }
    for (const [key, services] of byHost) {
      const [gateway = '', host = ''] = key.split(' ');
      for (const [index, service] of services.entries()) {
        for (const other of services.slice(0, index)) {
          if (!haveCommonViewer(service, other)) continue;
          const [a, b] = [config(service.manifest), config(other.manifest)];
          const [older, younger] = compareAge(a, b) < 0 ? [service, other] : [other, service];
          // Manifests that were never in a cluster have no age: there it is the one or the other.
          const isAgeKnown = a.created !== 0 && b.created !== 0;
          const clash = conflict(older, younger, gateway);
          const otherwise = clash || isAgeKnown ? undefined : conflict(younger, older, gateway);
          const [first, second] = clash ? [older, younger] : [younger, older];
          const field = clash ?? otherwise;
          if (field)
            yield {
              manifest: second.manifest,
              field,
              what: `${nameOf(second.manifest)} and ${nameOf(first.manifest)} match the same requests for ${host} on gateway ${gateway}${isAgeKnown ? '' : ': which of them takes those hangs on which is made first'}`,
            };
        }
      }
    }
  },
};

/** The field of the first rule that an older VirtualService leaves nothing of. */
function conflict(
  older: VirtualServiceView,
  younger: VirtualServiceView,
  gateway: string,
): (string | number)[] | undefined {
  const rulesOf = (view: VirtualServiceView): readonly GatewayRule[] =>
    ruleMatches(view)
      .filter(({ gateways }) => gateways.includes(gateway))
      .map(({ kind, rule: at, match, field }) => ({
        kind,
        match: { ...matchesOf(view, kind, at)[match ?? 0], gateways: [gateway] },
        field: [...field],
      }));
  const theirs = rulesOf(older);
  return rulesOf(younger).find(({ kind, match }) =>
    theirs.some(
      (rule) =>
        rule.kind === kind &&
        covers(rule.match, match, older, younger) &&
        // A rule for every path comes after those for some, whichever VirtualService is older.
        (kind !== 'http' || !isCatchAll(rule.match) || isCatchAll(match)),
    ),
  )?.field;
}

interface GatewayRule {
  readonly kind: RuleKind;
  readonly match: AnyMatch;
  readonly field: (string | number)[];
}
