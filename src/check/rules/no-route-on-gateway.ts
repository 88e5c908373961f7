import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE207',
  name: 'no-route-on-gateway',
  severity: 'error',
  title: 'The gateway has no route for the host',
  why: 'The request reaches the gateway, and no VirtualService gives it a route there: 404.',
  fix: "Bind the VirtualService to this Gateway, admit its host on the server, and match the gateway's port.",
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['V03', 'V04', 'V07', 'X04', 'X05'],
  causedBy: [
    'EDGE203',
    'EDGE204',
    'EDGE205',
    'EDGE220',
    'EDGE307',
    'EDGE601',
    'EDGE602',
    'EDGE604',
    'EDGE708',
    'EDGE801',
    'EDGE841',
  ],
  check: (context) => brokenPathHits(context, ['no-route']),
};
