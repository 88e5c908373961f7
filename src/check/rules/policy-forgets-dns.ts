import { allowedTo, allowsPort, egressPolicies } from '../network-policies';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE504',
  name: 'policy-forgets-dns',
  severity: 'error',
  title: 'An egress policy lets pods out, but not to DNS',
  why: 'Nothing can be found by name: every call times out, however much the policy allows.',
  fix: 'Allow UDP and TCP port 53 to kube-system (and the port that the DNS pods listen on, if it is another).',
  see: 'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
  reads: ['NetworkPolicy'],
  footguns: ['E05'],
  *check(context) {
    for (const policy of context.index(egressPolicies)) {
      const allowed = allowedTo(context, policy);
      // A policy that allows nothing is the floor on which others stand.
      if (
        !allowed ||
        policy.rules.length === 0 ||
        allowed.some(
          (rule) =>
            allowsPort(rule, 53, 'UDP') ||
            allowsPort(rule, 53, 'TCP') ||
            allowsPort(rule, 5353, 'UDP') ||
            allowsPort(rule, 8053, 'UDP'),
        )
      )
        continue;
      yield { manifest: policy.manifest, field: ['spec', 'egress'], what: 'no policy for these pods allows port 53' };
    }
  },
};
