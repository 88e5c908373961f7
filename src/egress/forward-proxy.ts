import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { isWildcard } from '../core/hostname';
import { shorten } from '../core/names';
import { Problem, quote } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { HttpEgress } from './egress-ways';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';

/** A wildcard host whose names the gateway resolves itself, on one port of its ServiceEntry. */
export interface ForwardedWildcard {
  readonly host: string;
  /** The port of the cluster that the gateway sends to. */
  readonly port: number;
  /** Where TLS that applications made goes: the port that is dialled. Not said of HTTP. */
  readonly dialled?: number;
}

/** What the filters and the clusters share: Envoy refuses two caches of one name that differ. */
const CACHE = { name: 'mesh-edge', dns_lookup_family: 'V4_PREFERRED' };

const TYPES = 'type.googleapis.com/envoy.extensions';

/** The EnvoyFilter by which a gateway resolves names itself: Istio has no field for that at gateways. */
export function forwardProxy(
  scope: Construct,
  gateway: {
    readonly name: string;
    readonly namespace: string;
    readonly selector: () => { readonly [key: string]: string };
  },
  wildcards: () => readonly ForwardedWildcard[],
): ApiObject {
  return new MeshObject(scope, 'ForwardProxy', {
    ...networking.EnvoyFilter.GVK,
    metadata: { name: shorten(`${gateway.name}-forward-proxy`), namespace: gateway.namespace },
    manifest: networking.EnvoyFilter.manifest,
    spec: () => ({
      spec: {
        // What they are placed before is Istio's own, there before any EnvoyFilter; said, lest analyzers ask.
        priority: 1,
        workloadSelector: { labels: { ...gateway.selector() } },
        configPatches: patches(wildcards()),
      },
    }),
  });
}

function patches(wildcards: readonly ForwardedWildcard[]): networking.EnvoyFilterSpecConfigPatches[] {
  const clusters = new Map(wildcards.map((wildcard) => [`${wildcard.host} ${wildcard.port}`, wildcard]));
  const tls = new Map(wildcards.filter(({ dialled }) => dialled).map((wildcard) => [wildcard.host, wildcard]));
  const readsHttp = wildcards.some(({ dialled }) => dialled === undefined);
  return [
    ...[...clusters.values()].map(clusterPatch),
    ...[...tls.values()].map(sniPatch),
    ...(readsHttp ? [httpPatch()] : []),
  ];
}

const { GATEWAY } = networking.EnvoyFilterSpecConfigPatchesMatchContext;
const { INSERT_UNDERSCORE_BEFORE: INSERT_BEFORE, MERGE } = networking.EnvoyFilterSpecConfigPatchesPatchOperation;

function clusterPatch({ host, port }: ForwardedWildcard): networking.EnvoyFilterSpecConfigPatches {
  return {
    applyTo: networking.EnvoyFilterSpecConfigPatchesApplyTo.CLUSTER,
    match: { context: GATEWAY, cluster: { service: host, portNumber: port } },
    patch: {
      operation: MERGE,
      value: {
        lb_policy: 'CLUSTER_PROVIDED',
        cluster_type: {
          name: 'envoy.clusters.dynamic_forward_proxy',
          typed_config: {
            '@type': `${TYPES}.clusters.dynamic_forward_proxy.v3.ClusterConfig`,
            dns_cache_config: CACHE,
          },
        },
      },
    },
  };
}

function sniPatch({ host, dialled }: ForwardedWildcard): networking.EnvoyFilterSpecConfigPatches {
  return {
    applyTo: networking.EnvoyFilterSpecConfigPatchesApplyTo.NETWORK_UNDERSCORE_FILTER,
    match: {
      context: GATEWAY,
      listener: { filterChain: { sni: host, filter: { name: 'envoy.filters.network.tcp_proxy' } } },
    },
    patch: {
      operation: INSERT_BEFORE,
      value: {
        name: 'envoy.filters.network.sni_dynamic_forward_proxy',
        typed_config: {
          '@type': `${TYPES}.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig`,
          port_value: dialled,
          dns_cache_config: CACHE,
        },
      },
    },
  };
}

/** Requests to other clusters pass this filter untouched. */
function httpPatch(): networking.EnvoyFilterSpecConfigPatches {
  return {
    applyTo: networking.EnvoyFilterSpecConfigPatchesApplyTo.HTTP_UNDERSCORE_FILTER,
    match: {
      context: GATEWAY,
      listener: {
        filterChain: {
          filter: {
            name: 'envoy.filters.network.http_connection_manager',
            subFilter: { name: 'envoy.filters.http.router' },
          },
        },
      },
    },
    patch: {
      operation: INSERT_BEFORE,
      value: {
        name: 'envoy.filters.http.dynamic_forward_proxy',
        typed_config: {
          '@type': `${TYPES}.filters.http.dynamic_forward_proxy.v3.FilterConfig`,
          dns_cache_config: CACHE,
        },
      },
    },
  };
}

/** What Host headers of such a service may be: the gateway would dial the port that one names. */
export function hostsWithoutPort(
  service: IExternalService,
): Pick<networking.VirtualServiceSpecHttpMatch, 'authority'> | undefined {
  return service.resolution._isForwardProxy ? { authority: { regex: '[^:]+' } } : undefined;
}

/** What such a service can't be. */
export function forwardProxyProblems(hosts: readonly string[], ports: readonly ExternalPort[]): Problem[] {
  const exact = hosts.filter((host) => !isWildcard(host));
  const others = ports.filter((port) => !port.isTls && !(port.protocol === 'HTTP' && port.number === 80));
  return [
    ...exact.map((host) => ({
      what: `host ${quote(host)} with Resolution.dynamicForwardProxy()`,
      why: 'its name is known, and needs no EnvoyFilter to be resolved',
      fix: 'use Resolution.dns(), in an ExternalService of its own beside the wildcards',
    })),
    ...others.map((port) => ({
      what: `${port.protocol} port ${port.number} with Resolution.dynamicForwardProxy()`,
      why: 'the gateway learns the name from an SNI or a Host header, and the port of plain HTTP is the one that such a header leaves out',
      fix: 'declare ExternalPort.http() on port 80, and ports of TLS',
    })),
  ];
}

/** What can't be asked of a gateway for such a service. */
export function forwardProxyWayProblems(service: IExternalService, way: HttpEgress | undefined): Problem[] {
  const tls = service.ports.find((port) => port.isTls);
  const dialled = tls && (tls.targetPort ?? tls.number);
  if (!service.resolution._isForwardProxy || !way?._originates || dialled === undefined || dialled === 443) return [];
  return [
    {
      what: `TLS origination for ${service.hosts.map(quote).join(', ')}, whose TLS is on port ${dialled}`,
      why: 'a gateway that resolves names itself dials port 443 with the TLS that it makes',
      fix: 'let applications make the TLS, or name the single hosts, with Resolution.dns()',
    },
  ];
}
