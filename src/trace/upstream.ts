import { ANY_ADDRESS } from '../model/addresses';
import type { Proxy } from '../model/mesh';
import type { Workload } from '../model/workloads';
import { isMissing, type Cluster, type MissingCluster } from './clusters';
import type { HttpRequest } from './http-routes';
import type { HeldBySource } from './held-by-source';
import type { Decision, ProxyRef, Refusal } from './types';
import type { Flight, TlsLayer } from './walk';
import { hostWithoutPort } from './envoy';

/** TLS sessions of the connection that a cluster opens: what comes in unread stays inside. */
export function layersTo(
  cluster: Cluster,
  inner: readonly TlsLayer[],
  http: HttpRequest | null,
  takesMutualTls: boolean,
): readonly TlsLayer[] {
  const { tls } = cluster;
  if (tls === null || (tls.automatic && !takesMutualTls)) return inner;
  const fromHost = http === null ? null : hostWithoutPort(http.authority.name);
  return [
    ...inner,
    {
      kind: tls.mode,
      sni: tls.sni ?? fromHost,
      certificate: tls.mode === 'SIMPLE' ? '' : tls.mode === 'ISTIO_MUTUAL' ? 'istio' : tls.credentialName || 'file',
    },
  ];
}

/** Refusal for a cluster that does not exist: 503 NC for HTTP, a closed connection otherwise. */
export function missingRefusal(
  missing: MissingCluster,
  proxy: ProxyRef,
  isHttp: boolean,
  gatewayApi: boolean,
): Refusal {
  return {
    code: 'NC',
    status: isHttp ? (gatewayApi ? 500 : 503) : null,
    proxy,
    what: `the proxy has no cluster ${missing.name}: ${missing.why}`,
    fix: missing.fix,
    by: missing.by ?? null,
  };
}

export function unhealthyRefusal(cluster: Cluster, proxy: ProxyRef, isHttp: boolean, held?: HeldBySource): Refusal {
  const { service } = cluster;
  const { kind, namespace, name } = service.config;
  if (held !== undefined && service.registry === 'External')
    return {
      code: 'UH',
      status: isHttp ? 503 : null,
      proxy,
      what: `cluster ${cluster.name} has no endpoint: ${held.by.kind} ${held.by.namespace}/${held.by.name} leads clients with ${held.admits} alone, and this one has not`,
      fix: `give the client that if it is meant to get through, or add it to the match of ${held.by.kind} ${held.by.namespace}/${held.by.name}; endpoints in ${kind} ${namespace}/${name} would let everyone through who sees it`,
      by: held.by,
    };
  const lacksLabels = cluster.subset !== '' && (service.registry !== 'External' || cluster.ofAllSubsets > 0);
  const isEntryWithoutAddress = service.registry === 'External' && service.resolution === 'PASSTHROUGH';
  const why = isEntryWithoutAddress
    ? `a gateway cannot use resolution NONE of ${kind} ${namespace}/${name}: it has no original destination to go to`
    : lacksLabels
      ? `no endpoint of ${kind} ${namespace}/${name} has the labels of subset "${cluster.subset}"`
      : service.registry === 'External'
        ? Object.keys(service.selector).length > 0
          ? `the workloadSelector of ${kind} ${namespace}/${name} selects nothing in namespace ${namespace}`
          : `${kind} ${namespace}/${name} has no endpoint with an IP`
        : `nothing that runs is selected by ${kind} ${namespace}/${name}`;
  return {
    code: 'UH',
    status: isHttp ? 503 : null,
    proxy,
    what: `cluster ${cluster.name} has no endpoint: ${why}`,
    fix: isEntryWithoutAddress
      ? service.address !== ANY_ADDRESS
        ? `set resolution STATIC, with the address that the gateway is to dial as endpoint: what ${service.host} claims is an address`
        : 'set resolution DNS, with one real host as endpoint if the host is a wildcard, or let sidecars go direct'
      : lacksLabels && service.registry === 'External'
        ? `correct the labels of subset "${cluster.subset}" in its DestinationRule, or those of the endpoints`
        : service.registry === 'External'
          ? entryFix(cluster)
          : 'correct the selector or the labels of the Pods',
    by: {
      kind,
      namespace,
      name,
      field: isEntryWithoutAddress
        ? 'spec.resolution'
        : service.registry === 'External'
          ? 'spec.endpoints'
          : 'spec.selector',
    },
  };
}

/** How an entry without endpoints gets some: what is meant differs by how the entry says where its host is. */
function entryFix({ service }: Cluster): string {
  if (Object.keys(service.selector).length > 0)
    return `correct the workloadSelector, or the labels of Pods and WorkloadEntries in namespace ${service.namespace}: it selects none there`;
  return service.address.includes('/')
    ? 'add endpoints with IPs: a block of addresses cannot be resolved by DNS'
    : 'add endpoints with IPs, or set resolution DNS';
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

export type Found = { readonly cluster: Cluster } | { readonly missing: MissingCluster };

export function asFound(result: Cluster | MissingCluster): Found {
  return isMissing(result) ? { missing: result } : { cluster: result };
}

export function clusterDecisions(cluster: Cluster): readonly Decision[] {
  return cluster.decidedBy;
}
