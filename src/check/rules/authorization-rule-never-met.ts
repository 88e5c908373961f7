import { record, records, text, texts, type Json } from '../../model/fields';
import { deadPolicies } from '../../traffic/dead-policies';
import type { PolicyClause } from '../../traffic/policy-clauses';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE351',
  name: 'authorization-rule-never-met',
  severity: 'warning',
  title: 'A rule of an AuthorizationPolicy asks for what no request can be',
  why: 'All conditions of a rule have to hold at once, those of one of its sources and of one of its operations together with every when. Where they exclude each other, the rule matches nothing: an ALLOW lets nobody in by it, and a DENY holds nobody.',
  fix: 'Take the conditions apart that exclude each other, into two rules if both are meant; or correct the value.',
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule',
  reads: ['AuthorizationPolicy'],
  footguns: [],
  *check(context) {
    for (const { policy, rule: r, part, because } of deadPolicies(context.mesh).unmet) {
      const action = policy.spec.action === 'DENY' ? 'holds nobody' : 'lets nobody in';
      const subject = part === undefined ? `rules[${r}]` : `rules[${r}].${part.list}[${part.at}]`;
      const [last] = [...because].reverse();
      yield {
        manifest: policy.manifest,
        field: ['spec', 'rules', r, ...(part === undefined ? (last?.field ?? []) : [part.list, part.at])],
        what: `no request meets ${subject} (${because.map((one) => conditionText(policy.spec, r, one)).join(' and ')}): it ${policy.spec.action === 'AUDIT' || policy.spec.action === 'CUSTOM' ? 'is never asked for' : action}`,
        ...(part === undefined ? {} : { severity: 'info' as const }),
      };
    }
  },
};

/** `notPaths /admin*`, as the policy has it. */
function conditionText(spec: Json, r: number, { field }: PolicyClause): string {
  const [list, at, ...rest] = field;
  const entry = records(records(spec.rules)[r]?.[String(list)])[Number(at)];
  const name = String(rest.at(-1));
  const block = list === 'when' ? record(entry) : record(record(entry)[String(rest[0])]);
  return `${list === 'when' ? `${text(block.key)} ` : ''}${name} ${texts(block[name]).join(', ')}`;
}
