import { NETWORKING, specOf } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE407',
  name: 'sidecar-port-hides-rest',
  severity: 'warning',
  title: 'A Sidecar has egress listeners for ports, and none for the rest',
  why: 'Once a port is given, only that port has its hosts: everything on any other port is unknown to the sidecar.',
  fix: 'Write one egress listener without a port, or add one at the end.',
  see: 'https://istio.io/latest/docs/reference/config/networking/sidecar/#IstioEgressListener',
  reads: ['Sidecar'],
  footguns: ['X09'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'Sidecar')) {
      const { egress = [] } = specOf('Sidecar', manifest);
      if (egress.length === 0 || egress.some(({ port }) => !port)) continue;
      yield {
        manifest,
        field: ['spec', 'egress'],
        what: `the egress listeners are for port ${egress.map(({ port }) => port?.number).join(', ')} only`,
      };
    }
  },
};
