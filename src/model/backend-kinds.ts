/** Which kinds of backends a controller takes, and which it may take by an extension that is not followed here. */
import { settingsOf } from './envoy-gateway-settings';
import { record, records, text } from './fields';
import type { GatewayApiInput } from './gateway-api';

/** `extension`: by an extension of the controller, if it is installed with one. */
export type BackendTaken = 'taken' | 'not taken' | 'extension';

const INFERENCE = /^inference\.networking\.(?:x-)?k8s\.io$/;

const TAKEN = {
  istio: ['/Service', 'networking.istio.io/Hostname'],
  'envoy-gateway': ['/Service', 'gateway.envoyproxy.io/Backend', 'multicluster.x-k8s.io/ServiceImport'],
};

/**
 * What istiod makes of a backend of some kind (buildDestination of pilot/pkg/config/kube/gateway/conversion.go), or Envoy Gateway
 * (validateBackendRef of internal/gatewayapi/validate.go, and isCustomBackendResource of route.go).
 */
export function backendTaken(
  group: string,
  kind: string,
  controller: 'istio' | 'envoy-gateway',
  input: GatewayApiInput,
): BackendTaken {
  if (TAKEN[controller].includes(`${group}/${kind}`)) return 'taken';
  const isPool = INFERENCE.test(group) && kind === 'InferencePool';
  if (controller === 'istio') return isPool && input.kindsRead.InferencePool ? 'extension' : 'not taken';
  const settings = settingsOf(input);
  if (settings.length === 0) return isPool ? 'extension' : 'not taken';
  const own = settings.flatMap(({ body }) => records(record(body.extensionManager).backendResources));
  return own.some((one) => text(one.group) === group && text(one.kind) === kind) ? 'extension' : 'not taken';
}
