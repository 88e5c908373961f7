import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE002',
  name: 'schema-violation',
  severity: 'error',
  title: 'An object does not fit the schema of its kind',
  why: 'An API server refuses the object, or silently drops the field.',
  fix: 'Write the field as the schema of the kind has it.',
  see: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation',
  reads: [],
  footguns: ['G07', 'G16'],
  *check({ admitted }) {
    for (const { manifest, violations } of admitted)
      for (const violation of violations) yield { manifest, ...violation };
  },
};
