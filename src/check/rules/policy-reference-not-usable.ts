import { brokenReferences } from '../../model/envoy-gateway-references';
import { refusedPasswords } from '../../model/envoy-gateway-passwords';
import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { envoyRefusalWords } from '../../trace/words/problems';
import { parseField } from '../../model/field-path';
import { record } from '../../model/fields';
import { referenceFaultWords } from '../../trace/words/rule-problems';
import { asSentence } from '../../trace/words/words';
import { coveredRules } from '../envoy-gateway';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Hit, Rule } from '../rule';

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
      yield* forEnvoy(context, policy);
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

/** Users that Envoy Gateway takes, and Envoy does not. */
function* forEnvoy(context: CheckContext, policy: Manifest): Generator<Hit> {
  const { namespace, body, kind, name } = policy;
  const refused = refusedPasswords(record(record(body).spec), namespace, context.mesh);
  if (refused === undefined || coveredRules(context, policy).length === 0) return;
  const { what, fix } = envoyRefusalWords({ is: 'passwords', policy: { kind, namespace, name }, ...refused });
  yield {
    manifest: policy,
    field: ['spec', 'basicAuth', 'users'],
    what,
    why: 'Envoy Gateway takes the Secret, and hands it to Envoy as it is. Envoy then takes neither this nor any later change of the listener, and keeps what it had; new proxies have nothing on the port.',
    fix: asSentence(fix),
  };
}
