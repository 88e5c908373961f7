/** What a policy of Envoy Gateway says to a request. */
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
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
  | { readonly is: 'unknown'; readonly what: string; readonly by: Decision };

export function decision({ manifest }: EffectivePolicy, field: string): Decision {
  const { kind, namespace, name } = manifest;
  return { kind, namespace, name, field: `spec.${field}` };
}

export function refOf({ manifest: { kind, namespace, name } }: EffectivePolicy): ObjectRef {
  return { kind, namespace, name };
}

export function unknown(policy: EffectivePolicy, field: string, on: string): PolicyVerdict {
  const { namespace, name } = policy.manifest;
  return {
    is: 'unknown',
    what: `whether SecurityPolicy ${namespace}/${name} lets the request pass hangs on ${on} (${field})`,
    by: decision(policy, field),
  };
}
