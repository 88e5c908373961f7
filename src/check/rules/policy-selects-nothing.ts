import { SECURITY, specOf } from '../istio';
import { missed } from '../selectors';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE515',
  name: 'policy-selects-nothing',
  severity: 'error',
  title: 'An AuthorizationPolicy selects no pods',
  why: 'A policy that selects nothing protects nothing: whoever it was to keep out gets in.',
  fix: 'Write labels that pods of its namespace have.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0127/',
  reads: ['AuthorizationPolicy'],
  findsAbsence: true,
  footguns: ['E10'],
  *check(context) {
    for (const manifest of context.of(SECURITY, 'AuthorizationPolicy')) {
      const miss = missed(context, manifest, specOf('AuthorizationPolicy', manifest).selector?.matchLabels);
      if (miss)
        yield {
          manifest,
          field: ['spec', 'selector', 'matchLabels'],
          severity: miss.near ? 'error' : 'warning',
          what: miss.what,
        };
    }
  },
};
