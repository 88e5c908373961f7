import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE214',
  name: 'no-endpoint',
  severity: 'error',
  title: 'A cluster has no endpoint that the proxy could dial',
  why: 'A gateway cannot go where the client dialled, since the client dialled the gateway; and a selector that selects nothing leads nowhere: 503.',
  fix: 'Give the ServiceEntry resolution DNS, or endpoints; correct the selector.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['S02'],
  namesCause: true,
  check: (context) => brokenPathHits(context, ['no-endpoint']),
};
