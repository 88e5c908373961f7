import { destinationRuleIssues } from '../admission/destination-rule';
import { toHits } from '../admission/issue';
import { NETWORKING } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE103',
  name: 'destination-rule-refused',
  severity: 'error',
  title: 'istiod refuses a DestinationRule',
  why: "istiod's admission webhook refuses the object, and the whole apply fails. Where there is no webhook, istiod makes of it what it can, and proxies may refuse that.",
  fix: 'Change the field so that istiod accepts it.',
  see: 'https://istio.io/latest/docs/reference/config/networking/destination-rule/',
  reads: ['DestinationRule'],
  footguns: ['T17', 'T20', 'X13'],
  refuses: true,
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'DestinationRule'))
      yield* toHits(manifest, destinationRuleIssues(manifest));
  },
};
