import { Problem, quote } from '../core/problem';
import type { PolicyTarget } from './policy-target';

/**
 * How a policy about a route is joined with that of the gateway, the ListenerSet or the listener that the route is attached to.
 *
 * @see https://gateway.envoyproxy.io/docs/api/extension_types/#mergetype
 */
export enum PolicyMerge {
  /** Field by field, and lists with keys by their keys, as Kubernetes merges its own objects. */
  STRATEGIC = 'StrategicMerge',
  /** Field by field; a list takes the place of the other (RFC 7386). */
  JSON = 'JSONMerge',
}

/** @internal */
export function mergeProblems(mergeType: PolicyMerge | undefined, target: PolicyTarget): Problem[] {
  if (mergeType === undefined || !target._isGateway) return [];
  return [
    {
      what: `mergeType of a policy about ${target.kind} ${quote(target.name)}`,
      why: 'policies of routes are merged into those of gateways, and not the other way about: the API server refuses it',
      fix: 'say it in the policy of the route',
    },
  ];
}
