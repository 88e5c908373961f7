import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE006',
  name: 'unused-suppression',
  severity: 'warning',
  title: 'A suppression hides nothing',
  why: 'What it was written for has been mended or has moved, and it would hide the next fault of that kind.',
  fix: 'Remove the suppression.',
  see: 'https://github.com/cdk8s-mesh-edge/cdk8s-mesh-edge/blob/main/docs/rules/EDGE006.md',
  reads: [],
  footguns: [],
  // Known only once all other rules have run: the engine reports it.
  check: () => [],
};
