import { notForRoutes, notForStreams, type PolicyRefusal } from '../../model/envoy-gateway-policies';
import { record, type Json } from '../../model/fields';
import { policyRefusalText } from '../../trace/words/policies';
import { targetsOf } from '../envoy-gateway';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Rule } from '../rule';

const REFUSALS: Readonly<Record<string, (spec: Json) => PolicyRefusal | undefined>> = {
  TCPRoute: notForStreams,
  HTTPRoute: notForRoutes,
  GRPCRoute: notForRoutes,
};

export const rule: Rule = {
  id: 'EDGE851',
  name: 'stream-policy-refused',
  severity: 'error',
  title: 'A SecurityPolicy is refused for its route, and none of it is in force',
  why: 'Envoy Gateway refuses some policies for a route as a whole: for a TCPRoute those that have more than authorization by clientCIDRs; for others those that look for an API key in several kinds of places by one entry, and those that pass tokens on without a provider that reads them from a header. What such a policy asks for is asked of nobody: the policy of the Gateway is in force, if there is one, else the route is open to everybody.',
  fix: 'Keep authorization with clientCIDRs in the policy for a TCPRoute, and ask for tokens and logins in a policy for routes of HTTP; give each kind of place an entry of its own in apiKeyAuth.extractFrom; add a provider to jwt that reads a header, or take passThroughAuthHeader off.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/restrict-ip-access/',
  reads: ['SecurityPolicy'],
  footguns: ['Y24'],
  *check(context) {
    for (const policy of context.of(ENVOY_GATEWAY, 'SecurityPolicy')) {
      const spec = record(record(policy.body).spec);
      for (const [at, { kind = '', name = '' }] of targetsOf(policy).entries()) {
        const why = Object.hasOwn(REFUSALS, kind) ? REFUSALS[kind]?.(spec) : undefined;
        if (why === undefined || !context.find('gateway.networking.k8s.io', kind, policy.namespace, name)) continue;
        yield {
          manifest: policy,
          field: spec.targetRef === undefined ? ['spec', 'targetRefs', at] : ['spec', 'targetRef'],
          what: `Envoy Gateway refuses the policy for ${kind} ${policy.namespace}/${name}: ${policyRefusalText(why)}`,
        };
      }
    }
  },
};
