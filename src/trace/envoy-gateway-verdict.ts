/** What a policy of Envoy Gateway says to a request. */
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { gap, type Gap, type OpenCondition } from './notes';
import type { Reason } from './reasons';
import type { Decision, ObjectRef } from './types';

export type PolicyVerdict =
  | {
      readonly is: 'refused';
      readonly code: string;
      readonly status: number;
      readonly reason: Reason;
      readonly location?: string | undefined;
      readonly by: Decision;
    }
  | { readonly is: 'unknown'; readonly why: Gap; readonly by: Decision };

export function decision({ manifest }: EffectivePolicy, field: string): Decision {
  const { kind, namespace, name } = manifest;
  return { kind, namespace, name, field: `spec.${field}` };
}

export function refOf({ manifest: { kind, namespace, name } }: EffectivePolicy): ObjectRef {
  return { kind, namespace, name };
}

export function unknown(policy: EffectivePolicy, field: string, on: OpenCondition): PolicyVerdict {
  return {
    is: 'unknown',
    why: gap({ kind: 'security-policy-open', policy: refOf(policy), field, on }),
    by: decision(policy, field),
  };
}
