import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE213',
  name: 'subset-missing',
  severity: 'error',
  title: 'A route leads to a subset that the proxy does not have',
  why: "A subset exists for a proxy only if a DestinationRule that the proxy's namespace sees defines it: 503.",
  fix: "Define the subset in a DestinationRule in the client's namespace, the namespace of the service, or the root namespace, exported to the client.",
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['V13', 'X01', 'X02'],
  check: (context) => brokenPathHits(context, ['no-subset']),
};
