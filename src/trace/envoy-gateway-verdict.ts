/** What a policy of Envoy Gateway says to a request. */
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import type { Held } from './filters';
import { gap, type OpenCondition } from './notes';
import type { Decision, ObjectRef } from './types';

export function decision({ manifest }: EffectivePolicy, field: string): Decision {
  const { kind, namespace, name } = manifest;
  return { kind, namespace, name, field: `spec.${field}` };
}

export function refOf({ manifest: { kind, namespace, name } }: EffectivePolicy): ObjectRef {
  return { kind, namespace, name };
}

export function unknown(policy: EffectivePolicy, field: string, on: OpenCondition): Held {
  return {
    is: 'unknown',
    why: gap({ kind: 'security-policy-open', policy: refOf(policy), field, on }),
    by: decision(policy, field),
  };
}
