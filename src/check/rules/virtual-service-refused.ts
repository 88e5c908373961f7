import { virtualServiceIssues } from '../admission/virtual-service';
import { toHits } from '../admission/issue';
import { NETWORKING } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE102',
  name: 'virtual-service-refused',
  severity: 'error',
  title: 'istiod refuses a VirtualService',
  why: "istiod's admission webhook refuses the object, and the whole apply fails. Where there is no webhook, istiod makes of it what it can, and proxies may refuse that.",
  fix: 'Change the field so that istiod accepts it.',
  see: 'https://istio.io/latest/docs/reference/config/networking/virtual-service/',
  reads: ['VirtualService'],
  footguns: ['V11', 'V14', 'V15', 'S14'],
  refuses: true,
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'VirtualService'))
      yield* toHits(manifest, virtualServiceIssues(manifest));
  },
};
