import { virtualServices } from '../edge';
import type { HttpMatch } from '../istio';
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
    for (const { manifest, spec } of context.index(virtualServices)) {
      for (const kind of ['http', 'tls', 'tcp'] as const) {
        let catchAll: number | undefined;
        const seen = new Map<string, number>();
        for (const [at, route] of (spec[kind] ?? []).entries()) {
          const matches = route.match ?? [];
          const field = ['spec', kind, at];
          if (catchAll !== undefined) {
            yield {
              manifest,
              field,
              what: `${kind}[${at}] comes after ${kind}[${catchAll}], which has no match and takes every request`,
            };
            continue;
          }
          const copies = matches.map((match) => seen.get(JSON.stringify({ ...match, name: undefined })));
          if (matches.length > 0 && copies.every((copy) => copy !== undefined)) {
            yield { manifest, field, what: `every match of ${kind}[${at}] is one of ${kind}[${copies[0]}] already` };
          }
          for (const match of matches) {
            const key = JSON.stringify({ ...match, name: undefined });
            if (!seen.has(key)) seen.set(key, at);
          }
          if (matches.length === 0 || (kind === 'http' && matches.some((match) => takesAll(match)))) catchAll = at;
        }
      }
    }
  },
};

/** A match on every path, with nothing else to narrow it. */
function takesAll(match: HttpMatch): boolean {
  const { uri, name, ...others } = match;
  void name;
  return Object.keys(others).length === 0 && (uri === undefined || uri.prefix === '/');
}
