import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE305',
  name: 'tls-modes-differ',
  severity: 'error',
  title: 'Sender and receiver disagree about TLS',
  why: 'One side speaks TLS of a kind that the other does not expect, and the connection fails.',
  fix: "Let the DestinationRule's tls.mode fit the server: ISTIO_MUTUAL to ISTIO_MUTUAL, none to HTTP.",
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['T06', 'T07', 'I06', 'M01'],
  causedBy: ['EDGE307', 'EDGE411', 'EDGE824', 'EDGE833'],
  check: (context) => brokenPathHits(context, ['tls-mode']),
};
