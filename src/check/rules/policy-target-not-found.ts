import { ENVOY_GATEWAY, GATEWAY_API, type Reference } from '../gateway-api';
import type { Rule } from '../rule';

const POLICIES = [[ENVOY_GATEWAY, 'SecurityPolicy'], [ENVOY_GATEWAY, 'BackendTrafficPolicy'], [ENVOY_GATEWAY, 'ClientTrafficPolicy'], [ENVOY_GATEWAY, 'EnvoyExtensionPolicy'], [GATEWAY_API, 'BackendTLSPolicy']] as const; // prettier-ignore

export const rule: Rule = {
  id: 'EDGE807',
  name: 'policy-target-not-found',
  severity: 'error',
  title: 'A policy is not in the namespace of what it targets',
  why: 'A policy of Gateway API or Envoy Gateway targets objects of its own namespace only: it has no effect, and the route stays open.',
  fix: 'Put the policy into the namespace of its target.',
  see: 'https://gateway-api.sigs.k8s.io/reference/policy-attachment/',
  reads: POLICIES.map(([, kind]) => kind),
  footguns: ['Y18'],
  *check(context) {
    for (const [group, kind] of POLICIES) {
      for (const manifest of context.of(group, kind)) {
        const { spec = {} } = manifest.body as { spec?: { targetRef?: Reference; targetRefs?: readonly Reference[] } };
        const refs = [
          ...(spec.targetRef ? [{ ref: spec.targetRef, field: ['spec', 'targetRef'] }] : []),
          ...(spec.targetRefs ?? []).map((ref, at) => ({ ref, field: ['spec', 'targetRefs', at] })),
        ];
        for (const { ref, field } of refs) {
          const targets = context.of(ref.group ?? '', ref.kind ?? '').filter(({ name }) => name === ref.name);
          if (targets.length === 0 || targets.some(({ namespace }) => namespace === manifest.namespace)) continue;
          yield {
            manifest,
            field: [...field, 'name'],
            what: `${ref.kind} ${ref.name} is in ${targets.map(({ namespace }) => namespace).join(', ')}, and the policy in ${manifest.namespace}`,
          };
        }
      }
    }
  },
};
