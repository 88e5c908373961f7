import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE211',
  name: 'destination-missing',
  severity: 'error',
  title: 'A route leads to a destination that does not exist there',
  why: 'The proxy has no cluster for the destination: a port that is not declared, a host that is not visible, or none at all: 503.',
  fix: "Send to a declared port of a host that this proxy's namespace sees.",
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  findsAbsence: true,
  footguns: ['V12', 'X03', 'X07', 'X12'],
  causedBy: ['EDGE113', 'EDGE602', 'EDGE801', 'EDGE803', 'EDGE804', 'EDGE805'],
  check: (context) => brokenPathHits(context, ['no-destination']),
};
