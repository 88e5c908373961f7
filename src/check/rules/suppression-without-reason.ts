import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE007',
  name: 'suppression-without-reason',
  severity: 'error',
  title: 'A suppression gives no reason',
  why: 'Nobody can tell later whether it still holds; without a reason it does not count.',
  fix: 'Write the reason after the id, as in mesh-edge.io/suppress: "EDGE201: calls to this host are audited by the proxy of the data centre".',
  see: 'https://github.com/cdk8s-mesh-edge/cdk8s-mesh-edge/blob/main/docs/rules/EDGE007.md',
  reads: [],
  footguns: [],
  // Known only once all other rules have run: the engine reports it.
  check: () => [],
};
