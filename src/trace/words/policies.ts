/** Why Envoy Gateway refuses a SecurityPolicy for a route, and what it can make nothing of. */
import type { PolicyRefusal } from '../../model/envoy-gateway-policies';
import type { Unwritten } from '../../model/envoy-gateway-unwritten';
import { named } from './words';

export function policyRefusalText(refusal: PolicyRefusal): string {
  switch (refusal.is) {
    case 'more-than-authorization':
      return `it has ${refusal.part}, and only authorization is carried out for TCP`;
    case 'tokens-or-headers':
      return `authorization.rules[${refusal.rule}] names tokens or headers, which a TCP connection has none of`;
    case 'several-places':
      return `apiKeyAuth.extractFrom[${refusal.entry}] names several of headers, params and cookies, and each entry may name one`;
    case 'no-provider-of-headers':
      return `oidc.passThroughAuthHeader needs a provider under jwt that reads tokens from a header, and there is ${refusal.hasProviders ? 'none' : 'no jwt'}`;
  }
}

/** Authorization of which Envoy Gateway can make nothing for connections. */
export function notWrittenText({ policy, rule, route }: Unwritten): string {
  return `rule ${rule} of ${named(policy)} has no clientCIDRs, and Envoy Gateway can make nothing of it for the connections of ${named(route)}: it writes nothing any more for the proxies of that Gateway, and they keep what they had`;
}
