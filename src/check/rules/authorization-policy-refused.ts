import { authorizationPolicyIssues } from '../admission/authorization-policy';
import { toHits } from '../admission/issue';
import { SECURITY } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE106',
  name: 'authorization-policy-refused',
  severity: 'error',
  title: 'istiod refuses an AuthorizationPolicy',
  why: "istiod's admission webhook refuses the object, and the whole apply fails. Where there is no webhook, istiod makes of it what it can, and proxies may refuse that.",
  fix: 'Change the field so that istiod accepts it.',
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/',
  reads: ['AuthorizationPolicy'],
  footguns: [],
  refuses: true,
  *check(context) {
    for (const manifest of context.of(SECURITY, 'AuthorizationPolicy'))
      yield* toHits(manifest, authorizationPolicyIssues(manifest, context.mesh.config.istio));
  },
};
