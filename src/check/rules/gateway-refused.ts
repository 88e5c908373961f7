import { gatewayIssues } from '../admission/gateway';
import { toHits } from '../admission/issue';
import { NETWORKING } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE104',
  name: 'gateway-refused',
  severity: 'error',
  title: 'istiod refuses a Gateway',
  why: "istiod's admission webhook refuses the object, and the whole apply fails. Where there is no webhook, istiod makes of it what it can, and proxies may refuse that.",
  fix: 'Change the field so that istiod accepts it.',
  see: 'https://istio.io/latest/docs/reference/config/networking/gateway/',
  reads: ['Gateway'],
  footguns: ['T15', 'T16', 'T17', 'W04', 'I05'],
  refuses: true,
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'Gateway')) yield* toHits(manifest, gatewayIssues(manifest));
  },
};
