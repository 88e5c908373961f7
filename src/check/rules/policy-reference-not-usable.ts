import { brokenReferences } from '../../model/envoy-gateway-references';
import { parseField } from '../../model/field-path';
import { record } from '../../model/fields';
import { referenceFaultWords } from '../../trace/words/rule-problems';
import { asSentence } from '../../trace/words/words';
import { coveredRules } from '../envoy-gateway';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE850',
  name: 'policy-reference-not-usable',
  severity: 'error',
  title: 'A SecurityPolicy names an authorizer, keys, a login or a Secret that Envoy Gateway cannot use',
  why: 'Envoy Gateway answers 500 on every route that the policy is for, rather than let requests pass unasked. Where only the authorizer is amiss and failOpen is set, it lets everybody pass.',
  fix: 'Correct the reference, or write a ReferenceGrant in the namespace of what it names.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/ext-auth/',
  reads: ['SecurityPolicy'],
  footguns: ['Y25'],
  *check(context) {
    for (const policy of context.of(ENVOY_GATEWAY, 'SecurityPolicy')) {
      const broken = brokenReferences(policy, context.mesh);
      if (broken.length === 0 || coveredRules(context, policy).length === 0) continue;
      const { extAuth } = record(record(policy.body).spec);
      const opens = record(extAuth).failOpen === true && broken.every(({ part }) => part === 'extAuth');
      for (const { field, fault } of broken) {
        const { what, fix } = referenceFaultWords(fault);
        yield {
          manifest: policy,
          field: parseField(`spec.${field}`),
          what: opens ? `${what}; failOpen is set, so everybody passes unasked` : what,
          fix: asSentence(fix),
        };
      }
    }
  },
};
