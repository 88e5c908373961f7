import { SECURITY, specOf } from '../istio';
import type { Rule } from '../rule';
import { nearestName } from '../../model/near-names';

export const rule: Rule = {
  id: 'EDGE518',
  name: 'policy-names-unknown-namespace',
  severity: 'error',
  title: 'A policy names a namespace that is not there',
  why: 'Nobody calls from a namespace that does not exist: an ALLOW lets nobody in, and what was to be kept out is not.',
  fix: 'Write the name of the namespace of the callers.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0101/',
  reads: ['AuthorizationPolicy'],
  findsAbsence: true,
  footguns: [],
  *check(context) {
    const shown = context.of('', 'Namespace').map(({ name }) => name);
    if (shown.length < 2) return;
    const known = new Set([...shown, ...context.manifests.map(({ namespace }) => namespace)]);
    for (const manifest of context.of(SECURITY, 'AuthorizationPolicy')) {
      for (const [r, { from = [] }] of (specOf('AuthorizationPolicy', manifest).rules ?? []).entries()) {
        for (const [f, { source = {} }] of from.entries()) {
          for (const field of ['namespaces', 'notNamespaces', 'principals'] as const) {
            for (const [n, value] of (source[field] ?? []).entries()) {
              const name = field === 'principals' ? (/\/ns\/([^/*]+)\/sa\//.exec(value)?.[1] ?? '*') : value;
              if (name.includes('*') || known.has(name)) continue;
              const near = nearestName(name, shown);
              yield {
                manifest,
                field: ['spec', 'rules', r, 'from', f, 'source', field, n],
                severity: near ? 'error' : 'info',
                what: `no manifest has namespace ${JSON.stringify(name)}${near ? `; there is ${near}` : ''}`,
                ...(near ? { fix: `Did you mean ${near}?` } : {}),
              };
            }
          }
        }
      }
    }
  },
};
