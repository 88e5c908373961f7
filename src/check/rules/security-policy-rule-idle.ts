import { idleRules } from '../../traffic/idle-rules';
import { regionText } from '../../traffic/explore';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE353',
  name: 'security-policy-rule-idle',
  severity: 'warning',
  title: 'A rule of a SecurityPolicy never decides',
  why: 'The first rule of an authorization that fits a request decides about it, whatever comes after. Here earlier rules have every request that this one is for, or nothing can be what it asks for: what it allows or denies is not done.',
  fix: 'Move the rule before those that are broader, correct its conditions, or remove it.',
  see: 'https://gateway.envoyproxy.io/docs/api/extension_types/#authorization',
  reads: ['SecurityPolicy'],
  footguns: [],
  *check(context) {
    for (const { policy, rule: r, by, because } of idleRules(context.mesh)) {
      const { manifest } = policy;
      const takers = by.map((one) => `authorization.rules[${one}]`).join(' and ');
      const why =
        by.length > 0
          ? `${takers} ${by.length === 1 ? 'fits' : 'fit'} every request that it is for`
          : `no request is what it asks for (${regionText(because)})`;
      yield {
        manifest,
        field: ['spec', 'authorization', 'rules', r],
        what: `authorization.rules[${r}] never decides: ${why}`,
      };
    }
  },
};
