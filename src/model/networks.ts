/**
 * Networks of a mesh. A proxy dials what is on its own network, and what is on one that no gateway leads to; what is on another it reaches
 * through that one's gateways by mutual TLS, or not at all (EndpointsByNetworkFilter in Istio's pilot/pkg/xds/endpoints/ep_filters.go).
 */
import { record, records, strings, text, type Json } from './fields';
import { installationsOf } from './installation';
import type { Manifest } from './manifest';

/** Of a Pod, of an endpoint, and of what a gateway leads to. */
export const NETWORK_LABEL = 'topology.istio.io/network';

export class Networks {
  /** Networks that gateways lead to, whether they have an address yet or not. */
  private readonly behindGateways: ReadonlySet<string>;
  /** Of proxies whose Pods do not say. */
  private readonly usual: string;

  public constructor(manifests: readonly Manifest[]) {
    const installations = installationsOf(manifests);
    const configured = installations.flatMap(({ meshNetworks }) =>
      Object.entries({ ...meshNetworks, ...record(meshNetworks.networks) })
        .filter(([, network]) => records(record(network).gateways).length > 0)
        .map(([name]) => name),
    );
    const labelled = manifests
      .filter(({ kind }) => kind === 'Service' || kind === 'Gateway')
      .map(({ labels }) => labels[NETWORK_LABEL] ?? '');
    this.behindGateways = new Set([...configured, ...labelled].filter((name) => name !== ''));
    this.usual = installations.map(({ global }) => text(global.network)).find((name) => name !== '') ?? '';
  }

  /** Whether a proxy's own network may decide what it dials. */
  public get areSeveral(): boolean {
    return this.behindGateways.size > 0;
  }

  /** The network of what a ServiceEntry or WorkloadEntry gives, where a proxy with these labels does not dial it. */
  public elsewhere(network: string, labelsOfProxy: Readonly<Record<string, string>>): string | undefined {
    const own = labelsOfProxy[NETWORK_LABEL] || this.usual;
    const isElsewhere = network !== '' && own !== '' && network !== own && this.behindGateways.has(network);
    return isElsewhere ? network : undefined;
  }
}

/** As an endpoint of a ServiceEntry, or a WorkloadEntry, says it. */
export function networkOf(endpoint: Json): string {
  return text(endpoint.network) || (strings(endpoint.labels)[NETWORK_LABEL] ?? '');
}
