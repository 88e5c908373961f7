import { sidecarIssues } from '../admission/sidecar';
import { toHits } from '../admission/issue';
import { NETWORKING } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE105',
  name: 'sidecar-refused',
  severity: 'error',
  title: 'istiod refuses a Sidecar',
  why: "istiod's admission webhook refuses the object, and the whole apply fails. Where there is no webhook, istiod makes of it what it can, and proxies may refuse that.",
  fix: 'Change the field so that istiod accepts it.',
  see: 'https://istio.io/latest/docs/reference/config/networking/sidecar/',
  reads: ['Sidecar'],
  footguns: ['X09'],
  refuses: true,
  *check(context) {
    const { rootNamespace, istio } = context.mesh.config;
    for (const manifest of context.of(NETWORKING, 'Sidecar'))
      yield* toHits(manifest, sidecarIssues(manifest, rootNamespace, istio));
  },
};
