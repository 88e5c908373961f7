import { peerAuthenticationIssues } from '../admission/authentication';
import { toHits } from '../admission/issue';
import { SECURITY } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE107',
  name: 'peer-authentication-refused',
  severity: 'error',
  title: 'istiod refuses a PeerAuthentication',
  why: "The API server, by its CRD's rules, or istiod's admission webhook refuses the object, and the whole apply fails.",
  fix: 'Change the field so that istiod accepts it.',
  see: 'https://istio.io/latest/docs/reference/config/security/peer_authentication/',
  reads: ['PeerAuthentication'],
  footguns: ['M02'],
  refuses: true,
  *check(context) {
    for (const manifest of context.of(SECURITY, 'PeerAuthentication'))
      yield* toHits(manifest, peerAuthenticationIssues(manifest));
  },
};
