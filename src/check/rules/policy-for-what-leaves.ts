import { namesWhatLeaves } from '../leaving';
import { judgingPolicies } from '../authorization';
import type { Rule } from '../rule';

const EFFECTS: Readonly<Record<string, string>> = {
  ALLOW: 'it lets nothing out, keeps nothing in, and allows nothing that comes in either',
  DENY: 'it keeps nothing in',
  CUSTOM: 'no authorizer is asked of what leaves',
};

export const rule: Rule = {
  id: 'EDGE524',
  name: 'policy-for-what-leaves',
  severity: 'warning',
  title: 'A policy of workloads names a host outside the mesh',
  why: 'Policies judge what a proxy receives for its workload. What a workload sends goes out through the same proxy, and no AuthorizationPolicy is asked.',
  fix: 'Lead the host through an egress gateway or a waypoint, where what leaves comes in, and put the policy there.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: ['AuthorizationPolicy', 'ServiceEntry'],
  // Routes that lead the host to a workload may lie elsewhere.
  findsAbsence: true,
  footguns: ['E11'],
  *check(context) {
    for (const policy of context.index(judgingPolicies)) {
      const effect = EFFECTS[policy.action];
      if (effect === undefined) continue;
      for (const { host, entry, field } of namesWhatLeaves(context, policy)) {
        yield {
          manifest: policy.manifest,
          field,
          what: `${host} is outside the mesh (ServiceEntry ${entry.namespace}/${entry.name}), and the policy is for what ${policy.proxies[0]?.name ?? ''}${policy.proxies.length > 1 ? ` and ${policy.proxies.length - 1} more` : ''} receive${policy.proxies.length > 1 ? '' : 's'}: ${effect}`,
        };
      }
    }
  },
};
