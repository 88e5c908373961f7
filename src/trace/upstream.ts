import { ANY_ADDRESS } from '../model/addresses';
import type { Proxy } from '../model/mesh';
import type { Workload } from '../model/workloads';
import type { Cluster, MissingCluster, UpstreamTls } from './clusters';
import type { Onward } from './hop';
import type { HttpRequest } from './http-routes';
import { ruleOf, type HeldBySource } from './held-by-source';
import type { NoEndpoints } from './reasons';
import { refOf } from './refs';
import type { Decision, ProxyRef, Refused } from './types';
import type { Flight, TlsLayer } from './walk';
import { hostWithoutPort } from './envoy';

/** TLS sessions of the connection that a cluster opens: what comes in unread stays inside. */
export function layersTo(
  tls: UpstreamTls | null,
  inner: readonly TlsLayer[],
  http: HttpRequest | null,
  takesMutualTls: boolean,
): readonly TlsLayer[] {
  if (tls === null || (tls.automatic && !takesMutualTls)) return inner;
  const fromHost = http === null ? null : hostWithoutPort(http.authority.name);
  return [
    ...inner,
    {
      kind: tls.mode,
      sni: tls.sni ?? fromHost,
      certificate: tls.mode === 'SIMPLE' ? '' : tls.mode === 'ISTIO_MUTUAL' ? 'istio' : tls.credentialName || 'file',
      ...(tls.by?.kind === 'BackendTLSPolicy' ? { policy: refOf(tls.by) } : {}),
    },
  ];
}

/** What a proxy opens a connection to, once it has the cluster: `port` is dialled, and `namedPort` is what it is called. */
export type Opening = Pick<Flight, 'from' | 'host' | 'address' | 'port' | 'namedPort' | 'layers'>;

/** The connection that a proxy opens, with what goes on in it. */
export function opened(flight: Flight, { incoming, http }: Pick<Onward, 'incoming' | 'http'>, to: Opening): Flight {
  return { ...flight, ...to, http: http ?? flight.http, sentBy: incoming.proxy };
}

/** Refusal for a cluster that does not exist: 503 NC for HTTP, a closed connection otherwise. */
export function missingRefusal(
  missing: MissingCluster,
  proxy: ProxyRef,
  isHttp: boolean,
  gatewayApi: boolean,
): Refused {
  return {
    code: 'NC',
    status: isHttp ? (gatewayApi ? 500 : 503) : null,
    proxy,
    by: missing.by ?? null,
    reason: { kind: 'no-cluster', cluster: missing.name, cause: missing.cause },
  };
}

export function unhealthyRefusal(cluster: Cluster, proxy: ProxyRef, isHttp: boolean, held?: HeldBySource): Refused {
  const { service, subset } = cluster;
  const { kind, namespace, name } = service.config;
  const owner = { kind, namespace, name };
  const status = isHttp ? 503 : null;
  const because = (cause: NoEndpoints, by: Decision): Refused => ({
    code: 'UH',
    status,
    proxy,
    by,
    reason: { kind: 'no-endpoints', cluster: cluster.name, cause },
  });
  const isSelecting = Object.keys(service.selector).length > 0;
  if (held !== undefined && service.registry === 'External' && !isSelecting)
    return because({ is: 'held-by-source', rule: ruleOf(held), admits: held.admits, entry: owner }, held.by);
  if (service.registry === 'External' && service.resolution === 'PASSTHROUGH')
    return because(
      {
        is: 'no-original-destination',
        entry: owner,
        host: service.host,
        isAddress: service.address !== ANY_ADDRESS,
      },
      { ...owner, field: 'spec.resolution' },
    );
  const isOfEntry = service.registry === 'External';
  if (cluster.unseenIn !== undefined)
    return because(
      { is: 'not-exported-to-waypoint', service: owner, namespace: cluster.unseenIn },
      { ...owner, field: isOfEntry ? 'spec.exportTo' : 'metadata.annotations' },
    );
  if (subset !== '' && (!isOfEntry || cluster.ofAllSubsets > 0))
    return because(
      { is: 'nothing-in-subset', service: owner, subset, ofEntry: isOfEntry },
      { ...owner, field: isOfEntry ? 'spec.endpoints' : 'spec.selector' },
    );
  if (isOfEntry)
    return because(
      {
        is: 'entry-without-endpoint',
        entry: owner,
        selects: isSelecting,
        isBlock: service.address.includes('/'),
      },
      { ...owner, field: 'spec.endpoints' },
    );
  return because({ is: 'nothing-selected', service: owner }, { ...owner, field: 'spec.selector' });
}

/** A proxy's own identity as the peer of what it sends to. */
export function asPeer(proxy: Proxy, workload: Workload | undefined, serviceAccount: string): Flight['from'] {
  return {
    namespace: proxy.namespace,
    serviceAccount: workload?.serviceAccount ?? serviceAccount,
    labels: proxy.labels,
    address: proxy.addresses[0] ?? null,
    workload,
    inMesh: true,
  };
}
