import { brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE302',
  name: 'plain-text-to-tls-port',
  severity: 'error',
  title: 'Plain HTTP is sent to a TLS port',
  why: 'The server expects a TLS handshake, gets a request in plain text, and answers 400 or closes the connection.',
  fix: 'Originate TLS with a DestinationRule for that host and port, mode SIMPLE or MUTUAL.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: ['ServiceEntry', 'VirtualService'],
  footguns: ['T03', 'T09'],
  check: (context) => brokenPathHits(context, ['plaintext-to-tls']),
};
