import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE505',
  name: 'blocked-by-network-policy',
  severity: 'error',
  title: 'NetworkPolicies stop a request that the mesh lets through',
  why: 'The mesh routes the request, and a NetworkPolicy on the way drops its packets: it times out.',
  fix: 'Allow the traffic in the policies of both namespaces, by the port of the pod.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['E07', 'E08', 'E05'],
  causedBy: ['EDGE111', 'EDGE201', 'EDGE406', 'EDGE503', 'EDGE504', 'EDGE506', 'EDGE507', 'EDGE508'],
  isByPolicy: true,
  check: (context) => brokenPathHits(context, ['policy']),
};
