import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE001',
  name: 'unreadable-document',
  severity: 'error',
  title: 'A document cannot be read',
  why: 'An API server would refuse it, and what it was meant to say is left out of the judgement.',
  fix: 'Correct the document at the line given.',
  see: 'https://kubernetes.io/docs/concepts/overview/working-with-objects/',
  reads: [],
  footguns: [],
  *check({ loaded }) {
    for (const { source, what, why, fix } of loaded.problems) yield { source, field: [], what, why, fix };
  },
};
