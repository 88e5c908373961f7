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

/** Why a Gateway has no listeners of a set. */
export type SetProblem =
  /** `release` reads sets of the standard channel in place of these. */
  | { readonly is: 'set-replaced'; readonly by: 'Istio' | 'Envoy Gateway'; readonly release: string }
  | { readonly is: 'set-unread'; readonly by: 'Istio' | 'Envoy Gateway'; readonly since: string }
  | { readonly is: 'set-not-switched-on'; readonly by: 'Istio' | 'Envoy Gateway'; readonly kind: string }
  | { readonly is: 'set-not-admitted'; readonly kind: string; readonly namespace: string };

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
export function whyNotTaken(set: ListenerSet, gateway: ApiGateway, input: GatewayApiInput): SetProblem | undefined {
  const { kind, namespace } = set.manifest;
  const notRead = gateway.controller === 'envoy-gateway' ? unreadByEnvoyGateway(kind, input) : undefined;
  if (notRead !== undefined) return notRead;
  if (gateway.controller === 'istio') {
    const { XListenerSet, ListenerSet } = input.kindsRead;
    if (kind === 'XListenerSet' && !XListenerSet)
      return ListenerSet
        ? { is: 'set-replaced', by: 'Istio', release: input.releases.istio.release }
        : { is: 'set-not-switched-on', by: 'Istio', kind };
    if (kind === 'ListenerSet' && !ListenerSet) return { is: 'set-unread', by: 'Istio', since: '1.30' };
  }
  const { from, selector } = record(record(gateway.config.spec.allowedListeners).namespaces);
  const own = gateway.config.namespace === namespace;
  const labels = { 'kubernetes.io/metadata.name': namespace, ...input.namespaces.get(namespace)?.labels };
  const isAllowed =
    from === 'All' || (from === 'Same' && own) || (from === 'Selector' && selects(record(selector), labels));
  return isAllowed ? undefined : { is: 'set-not-admitted', kind, namespace };
}

function unreadByEnvoyGateway(kind: string, input: GatewayApiInput): SetProblem | undefined {
  const { release, from } = input.releases.envoyGateway;
  const { readsListenerSets } = envoyGatewayBehavior(input.releases.envoyGateway);
  if (kind === 'ListenerSet')
    return readsListenerSets ? undefined : { is: 'set-unread', by: 'Envoy Gateway', since: '1.8' };
  // Where nobody says which Envoy Gateway it is, it is one that goes with the XListenerSets that are there.
  if (readsListenerSets && from !== 'default') return { is: 'set-replaced', by: 'Envoy Gateway', release };
  return gatewayApiKind(input, kind) === true ? undefined : { is: 'set-not-switched-on', by: 'Envoy Gateway', kind };
}

/** Whether a listener is of the set, or of the Gateway itself for none. */
export function isOf(listener: ApiListener, set: Manifest | undefined): boolean {
  return listener.set === set;
}
