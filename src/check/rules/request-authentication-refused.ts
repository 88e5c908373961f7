import { requestAuthenticationIssues } from '../admission/authentication';
import { toHits } from '../admission/issue';
import { SECURITY } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE108',
  name: 'request-authentication-refused',
  severity: 'error',
  title: 'istiod refuses a RequestAuthentication',
  why: "The API server, by its CRD's rules, or istiod's admission webhook refuses the object, and the whole apply fails.",
  fix: 'Change the field so that istiod accepts it.',
  see: 'https://istio.io/latest/docs/reference/config/security/request_authentication/',
  reads: ['RequestAuthentication'],
  footguns: [],
  refuses: true,
  *check(context) {
    for (const manifest of context.of(SECURITY, 'RequestAuthentication'))
      yield* toHits(manifest, requestAuthenticationIssues(manifest));
  },
};
