import { serviceEntryIssues } from '../admission/service-entry';
import { toHits } from '../admission/issue';
import { NETWORKING } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE101',
  name: 'service-entry-refused',
  severity: 'error',
  title: 'istiod refuses a ServiceEntry',
  why: "istiod's admission webhook refuses the object, and the whole apply fails. Where there is no webhook, istiod makes of it what it can, and proxies may refuse that.",
  fix: 'Change the field so that istiod accepts it.',
  see: 'https://istio.io/latest/docs/reference/config/networking/service-entry/',
  reads: ['ServiceEntry'],
  footguns: ['S01', 'S03', 'S09', 'S11', 'S17', 'S18'],
  refuses: true,
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'ServiceEntry'))
      yield* toHits(manifest, serviceEntryIssues(manifest, context.mesh.config.istio));
  },
};
