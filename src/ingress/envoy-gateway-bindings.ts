import type * as envoyGateway from '../../imports/gateway.envoyproxy.io';

/** The types of Envoy Gateway's objects, for signatures. */
export type { envoyGateway };

/**
 * The typed bindings of Envoy Gateway's objects. Loaded when an object of theirs is rendered: they are 38,000 lines, which an app without
 * Envoy Gateway should not pay for.
 *
 * @internal
 */
export function envoyGatewayBindings(): typeof envoyGateway {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require('../../imports/gateway.envoyproxy.io') as typeof envoyGateway;
}

/** `apiVersion` of all of Envoy Gateway's kinds, known without loading the bindings. */
export const ENVOY_GATEWAY_API = 'gateway.envoyproxy.io/v1alpha1';
