import { deadPolicies } from '../../traffic/dead-policies';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE352',
  name: 'allow-always-denied',
  severity: 'warning',
  title: 'A policy allows what other policies deny altogether',
  why: 'DENY comes before ALLOW, whatever the order in which policies were written. Where rules of DENY match every request that a rule of ALLOW is for, the ALLOW lets nobody in.',
  fix: 'Leave out of the DENY what is to be allowed (notPaths, notPrincipals, notNamespaces and the like), or remove the ALLOW.',
  see: 'https://istio.io/latest/docs/concepts/security/#implicit-enablement',
  reads: ['AuthorizationPolicy'],
  footguns: [],
  *check(context) {
    for (const { policy, rule: r, by } of deadPolicies(context.mesh).denied) {
      const rules = [...new Set(by.map((one) => `rules[${one.rule}] of AuthorizationPolicy ${one.policy.namespace}/${one.policy.name}`))]; // prettier-ignore
      yield {
        manifest: policy.manifest,
        field: ['spec', 'rules', r],
        what: `${rules.join(' and ')} ${rules.length === 1 ? 'denies' : 'deny'} every request that rules[${r}] allows`,
        beside: by.map((one) => one.policy.manifest),
      };
    }
  },
};
