import { notForStreams } from '../../model/envoy-gateway-policies';
import { record } from '../../model/fields';
import { targetsOf } from '../envoy-gateway';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE851',
  name: 'stream-policy-refused',
  severity: 'error',
  title: 'A SecurityPolicy for a TCPRoute has more than authorization, and none of it is in force',
  why: 'For connections Envoy Gateway carries out authorization by clientCIDRs and nothing else. A policy for a TCPRoute that has more is refused as a whole: the port stays open to everybody.',
  fix: 'Keep authorization with clientCIDRs in the policy for the TCPRoute, and ask for tokens and logins in a policy for routes of HTTP.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/restrict-ip-access/',
  reads: ['SecurityPolicy'],
  footguns: ['Y24'],
  *check(context) {
    for (const policy of context.of(ENVOY_GATEWAY, 'SecurityPolicy')) {
      const spec = record(record(policy.body).spec);
      const why = notForStreams(spec);
      if (why === undefined) continue;
      for (const [at, { kind, name = '' }] of targetsOf(policy).entries()) {
        if (kind !== 'TCPRoute') continue;
        if (!context.find('gateway.networking.k8s.io', 'TCPRoute', policy.namespace, name)) continue;
        yield {
          manifest: policy,
          field: spec.targetRef === undefined ? ['spec', 'targetRefs', at] : ['spec', 'targetRef'],
          what: `Envoy Gateway refuses the policy for TCPRoute ${policy.namespace}/${name}: ${why}`,
        };
      }
    }
  },
};
