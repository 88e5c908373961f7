import { serviceEntries } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE512',
  name: 'udp-port',
  severity: 'warning',
  title: 'A UDP port is declared, which no sidecar handles',
  why: 'Sidecars capture TCP only: UDP leaves by itself, whatever the ServiceEntry says, and no gateway sees it.',
  fix: 'Remove the port, and hold UDP with a NetworkPolicy.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/',
  reads: ['ServiceEntry'],
  footguns: ['E14'],
  *check(context) {
    for (const { manifest, spec } of context.index(serviceEntries)) {
      for (const [at, { number, protocol }] of (spec.ports ?? []).entries()) {
        if (protocol?.toLowerCase() === 'udp')
          yield {
            manifest,
            field: ['spec', 'ports', at, 'protocol'],
            what: `port ${number} of ${(spec.hosts ?? []).join(', ')} is UDP`,
          };
      }
    }
  },
};
