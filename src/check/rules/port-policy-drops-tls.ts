import { NETWORKING, type TrafficPolicy, specOf } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE306',
  name: 'port-policy-drops-tls',
  severity: 'warning',
  title: 'Settings of a port leave out the TLS of the policy around them',
  why: 'Settings of a port replace the whole policy for that port: what they do not repeat, TLS included, is as if it were not written, and the port is called in plain text.',
  fix: 'Repeat tls in the settings of the port, or remove the settings.',
  see: 'https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy',
  reads: ['DestinationRule'],
  footguns: ['T07'],
  needsProof: true,
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const { trafficPolicy, subsets = [] } = specOf('DestinationRule', manifest);
      yield* ports(trafficPolicy, trafficPolicy, ['spec', 'trafficPolicy']);
      for (const [at, subset] of subsets.entries())
        yield* ports(subset.trafficPolicy, trafficPolicy, ['spec', 'subsets', at, 'trafficPolicy']);

      function* ports(
        policy: TrafficPolicy | undefined,
        parent: TrafficPolicy | undefined,
        field: (string | number)[],
      ) {
        const tls = policy?.tls ?? parent?.tls;
        if (!tls || !tls.mode || tls.mode === 'DISABLE') return;
        for (const [at, port] of (policy?.portLevelSettings ?? []).entries()) {
          if (port.tls) continue;
          yield {
            manifest,
            field: [...field, 'portLevelSettings', at],
            what: `the settings of port ${port.port?.number} have no tls, and the policy around them has ${tls.mode}`,
          };
        }
      }
    }
  },
};
