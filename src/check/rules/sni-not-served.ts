import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE303',
  name: 'sni-not-served',
  severity: 'error',
  title: 'The SNI sent to a gateway is none that it serves',
  why: 'The gateway picks its filter chain by SNI; without one that fits, it closes the connection (filter_chain_not_found).',
  fix: "Set tls.sni of the DestinationRule to a host of the Gateway's server.",
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['T04', 'T05', 'S13'],
  causedBy: ['EDGE205', 'EDGE220'],
  check: (context) => brokenPathHits(context, ['sni-not-served']),
};
