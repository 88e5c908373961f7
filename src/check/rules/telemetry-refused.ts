import { telemetryIssues } from '../admission/authentication';
import { toHits } from '../admission/issue';
import { TELEMETRY } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE109',
  name: 'telemetry-refused',
  severity: 'error',
  title: 'istiod refuses a Telemetry',
  why: "istiod's admission webhook refuses the object, and the whole apply fails. Where there is no webhook, istiod makes of it what it can, and proxies may refuse that.",
  fix: 'Change the field so that istiod accepts it.',
  see: 'https://istio.io/latest/docs/reference/config/telemetry/',
  reads: ['Telemetry'],
  footguns: [],
  refuses: true,
  *check(context) {
    for (const manifest of context.of(TELEMETRY, 'Telemetry')) yield* toHits(manifest, telemetryIssues(manifest));
  },
};
