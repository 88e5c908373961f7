import type { DeadMatch } from '../../traffic/dead-routes';
import { deadRules, takersOf } from '../dead-rules';
import { virtualServices } from '../edge';
import { overlapsOnGateways } from '../overlaps-on-gateways';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE215',
  name: 'unreachable-rule',
  severity: 'warning',
  title: 'A rule can never be reached',
  why: 'Rules are tried in order, and earlier ones take everything that this one would, or no request is what it asks for: whatever is sent, this rule does nothing.',
  fix: 'Move the rule up, correct its conditions, or remove it.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0130/',
  reads: ['VirtualService'],
  footguns: ['V18'],
  *check(context) {
    const told = context.index(overlapsOnGateways);
    for (const { manifest, spec } of context.index(virtualServices))
      for (const kind of ['http', 'tls', 'tcp'] as const)
        for (const { field, what, isPart, matches } of deadRules(context, manifest, kind, spec[kind] ?? [])) {
          if (told.some((hit) => hit.manifest === manifest && isWithin(hit.field, field))) continue;
          // Of TCP that two VirtualServices have at one port, EDGE217 tells.
          if (kind === 'tcp' && matches.some(isTakenByOther)) continue;
          yield {
            manifest,
            field,
            what,
            ...takersOf(context, matches),
            ...(isPart ? { severity: 'info' as const } : {}),
          };
        }
  },
};

function isTakenByOther({ ref, why }: DeadMatch): boolean {
  return why.is === 'taken' && why.by.some(({ ref: by }) => by.namespace !== ref.namespace || by.name !== ref.name);
}

function isWithin(field: readonly (string | number)[], other: readonly (string | number)[]): boolean {
  const [short, long] = field.length < other.length ? [field, other] : [other, field];
  return short.every((part, at) => part === long[at]);
}
