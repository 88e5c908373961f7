import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE206',
  name: 'no-listener-on-gateway',
  severity: 'error',
  title: 'Nothing on the gateway takes the connection',
  why: 'The gateway has no listener on the port that the request is sent to: no server, a server that istiod leaves out, or a server without a route of its kind.',
  fix: "Add a server for the port to a Gateway that selects the gateway's pods, and a route whose kind fits the server.",
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['V05', 'V06', 'V07', 'W01', 'W02', 'T08'],
  causedBy: ['EDGE203', 'EDGE204', 'EDGE205', 'EDGE220', 'EDGE307', 'EDGE601', 'EDGE602', 'EDGE604'],
  check: (context) => brokenPathHits(context, ['no-listener']),
};
