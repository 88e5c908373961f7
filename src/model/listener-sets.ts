/** Sets of listeners that others add to a Gateway: XListenerSets, where the Gateway's controller is told to read them. */
import { gatewayApiKind } from './envoy-gateway-settings';
import { record, records, text, type Json } from './fields';
import type { ApiGateway, ApiListener, GatewayApiInput } from './gateway-api';
import { selects } from './selectors';
import type { Manifest } from './manifest';
import { envoyGatewayBehavior } from './release-behavior';

const SETS = [
  ['gateway.networking.x-k8s.io', 'XListenerSet'],
  ['gateway.networking.k8s.io', 'ListenerSet'],
] as const;

export interface ListenerSet {
  readonly manifest: Manifest;
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  readonly listeners: readonly Json[];
}

/** All sets, in the order in which their listeners come after those of the Gateway. */
export function listenerSets(input: GatewayApiInput): readonly ListenerSet[] {
  return SETS.flatMap(([group, kind]) => input.of(group, kind)).map((manifest) => {
    const spec = record(record(manifest.body).spec);
    const parent = record(spec.parentRef);
    return {
      manifest,
      gateway: `${text(parent.namespace) || manifest.namespace}/${text(parent.name)}`,
      listeners: records(spec.listeners),
    };
  });
}

/** Why a Gateway has no listeners of a set; undefined if it has them. */
export function whyNotTaken(set: ListenerSet, gateway: ApiGateway, input: GatewayApiInput): string | undefined {
  const { kind, namespace } = set.manifest;
  const notRead = gateway.controller === 'envoy-gateway' ? unreadByEnvoyGateway(kind, input) : undefined;
  if (notRead !== undefined) return notRead;
  if (gateway.controller === 'istio') {
    const { XListenerSet, ListenerSet } = input.kindsRead;
    if (kind === 'XListenerSet' && !XListenerSet)
      return ListenerSet
        ? `Istio ${input.releases.istio.release} reads ListenerSets of gateway.networking.k8s.io/v1 in place of XListenerSets`
        : 'istiod reads XListenerSets only with PILOT_ENABLE_ALPHA_GATEWAY_API=true in its environment';
    if (kind === 'ListenerSet' && !ListenerSet) return 'istiod reads ListenerSets from Istio 1.30 on';
  }
  const { from, selector } = record(record(gateway.config.spec.allowedListeners).namespaces);
  const own = gateway.config.namespace === namespace;
  const labels = { 'kubernetes.io/metadata.name': namespace, ...input.namespaces.get(namespace)?.labels };
  const isAllowed =
    from === 'All' || (from === 'Same' && own) || (from === 'Selector' && selects(record(selector), labels));
  return isAllowed ? undefined : `allowedListeners of the Gateway does not admit ${kind}s of namespace ${namespace}`;
}

function unreadByEnvoyGateway(kind: string, input: GatewayApiInput): string | undefined {
  const { release, from } = input.releases.envoyGateway;
  const { readsListenerSets } = envoyGatewayBehavior(release);
  if (kind === 'ListenerSet') return readsListenerSets ? undefined : 'Envoy Gateway reads ListenerSets from 1.8 on';
  // Where nobody says which Envoy Gateway it is, it is one that goes with the XListenerSets that are there.
  if (readsListenerSets && from !== 'default')
    return `Envoy Gateway ${release} reads ListenerSets of gateway.networking.k8s.io/v1 in place of XListenerSets`;
  return gatewayApiKind(input, kind) === true
    ? undefined
    : `Envoy Gateway reads ${kind}s only with gatewayAPI.enabled: [${kind}] in its configuration`;
}

/** Whether a listener is of the set, or of the Gateway itself for none. */
export function isOf(listener: ApiListener, set: Manifest | undefined): boolean {
  return listener.set === set;
}
