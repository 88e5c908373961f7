import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE401',
  name: 'destination-not-declared',
  severity: 'error',
  title: 'No client can reach a host that is declared for it',
  why: 'Every client that manifests show is stopped by its own sidecar: the host is not exported to it, not imported by its Sidecar, or declared with another port or protocol.',
  fix: 'Export the ServiceEntry to the client, import it in the Sidecar, and declare the port with the protocol that is spoken.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['X07', 'X08', 'X15', 'S13'],
  causedBy: ['EDGE111', 'EDGE112', 'EDGE115', 'EDGE406'],
  check: (context) => brokenPathHits(context, ['not-declared']),
};
