import { virtualServices } from '../edge';
import { type AnyMatch, covers, matchesOf } from '../matches';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE215',
  name: 'unreachable-rule',
  severity: 'warning',
  title: 'A rule can never be reached',
  why: 'Rules are tried in order, and an earlier one takes everything that this one would.',
  fix: 'Move the rule up, or remove it.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0130/',
  reads: ['VirtualService'],
  footguns: ['V18'],
  *check(context) {
    for (const service of context.index(virtualServices)) {
      const { manifest, spec } = service;
      for (const kind of ['http', 'tls', 'tcp'] as const) {
        const before: { at: number; match: AnyMatch }[] = [];
        for (const [at, route] of (spec[kind] ?? []).entries()) {
          const matches = matchesOf(service, kind, at);
          const takenBy = matches.map((match) => before.find((earlier) => covers(earlier.match, match, service)));
          const [first] = takenBy;
          if (first && takenBy.every((taken) => taken !== undefined)) {
            const earlier = spec[kind]?.[first.at]?.match ?? [];
            yield {
              manifest,
              field: ['spec', kind, at],
              what:
                earlier.length === 0
                  ? `${kind}[${at}] comes after ${kind}[${first.at}], which has no match and takes every request`
                  : `every match of ${kind}[${at}] is taken by ${[...new Set(takenBy.map((taken) => `${kind}[${taken?.at}]`))].join(' and ')} already`,
            };
          } else if (first === undefined || takenBy.some((taken) => taken !== undefined)) {
            for (const [m, taken] of takenBy.entries()) {
              if (taken && (route.match ?? []).length > 1)
                yield {
                  manifest,
                  field: ['spec', kind, at, 'match', m],
                  severity: 'info' as const,
                  what: `${kind}[${at}].match[${m}] is taken by ${kind}[${taken.at}] already`,
                };
            }
          }
          for (const match of matches) before.push({ at, match });
        }
      }
    }
  },
};
