import type { Rule } from '../rule';
import { evaluateRules } from '../schema/cel';
import { byRelease } from './schema-violation';

export const rule: Rule = {
  id: 'EDGE003',
  name: 'cel-rule-violation',
  severity: 'error',
  title: 'An object breaks a CEL rule of its CRD',
  why: 'An API server refuses the object.',
  fix: 'Change the fields that the rule names so that it holds.',
  see: 'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules',
  reads: [],
  footguns: ['G05', 'G07', 'G08', 'G16', 'S09', 'S17', 'S18', 'T17'],
  refuses: true,
  *check(context) {
    for (const { manifest, original, ruled } of context.admitted) {
      for (const violation of ruled.length > 0 ? evaluateRules(ruled) : [])
        yield { manifest, ...violation, ...byRelease({ original, violation }, context) };
    }
  },
};
