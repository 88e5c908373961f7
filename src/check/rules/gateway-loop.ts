import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE202',
  name: 'gateway-loop',
  severity: 'error',
  title: 'A request comes back to the gateway that sends it',
  why: 'A rule that applies on the gateway too sends the request to the gateway again, until Envoy gives up with 503.',
  fix: "Give the gateway's own rule a match on the gateway, and the external host as destination.",
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['V02', 'S02'],
  check: (context) => brokenPathHits(context, ['loop']),
};
