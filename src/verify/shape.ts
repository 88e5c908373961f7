/** What decides about requests in a proxy's configuration, in words that two configurations can be compared by. */
import { canonicalCidr } from '../model/addresses';

export interface ChainShape {
  readonly sniHosts: readonly string[];
  readonly cidrs: readonly string[];
  readonly applicationProtocols: readonly string[];
  readonly transport: string;
  readonly terminates: boolean;
  readonly routeConfig: string | undefined;
  readonly clusters: readonly string[];
  readonly tunnel: string;
}

export interface ListenerShape {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly chains: readonly ChainShape[];
  readonly defaultChain: ChainShape | undefined;
}

export interface RouteShape {
  readonly match: string;
  readonly action: string;
}

export interface ClusterShape {
  readonly type: string;
  /** How it speaks to its endpoints. */
  readonly tls: string;
}

export interface VirtualHostShape {
  readonly domains: readonly string[];
  readonly requiresTls: boolean;
  readonly routes: readonly RouteShape[];
}

/** One chain in words: when it takes a connection. */
export function condition(chain: ChainShape): string {
  const cidrs = chain.cidrs
    .filter((cidr) => !/^0\.0\.0\.0(\/|$)/.test(cidr))
    .map(canonicalCidr)
    .sort();
  // Where any name will do, the others count for nothing (getFilterChainMatch of Istio's listener.go).
  const names = chain.sniHosts.includes('*') ? [] : [...chain.sniHosts].sort();
  const parts = [
    ...(names.length === 0 ? [] : [`SNI ${names.join(', ')}`]),
    ...(cidrs.length === 0 ? [] : [`address ${cidrs.join(', ')}`]),
    ...(chain.applicationProtocols.length === 0 ? [] : [`ALPN ${[...chain.applicationProtocols].sort().join(', ')}`]),
  ];
  return parts.length === 0 ? 'everything' : parts.join('; ');
}

/** One chain in words: what it does with a connection. */
export function outcome(chain: ChainShape): string {
  const tls = chain.terminates ? 'terminates TLS, ' : '';
  if (chain.routeConfig !== undefined) return `${tls}HTTP by routes ${chain.routeConfig}`;
  const tunnel = chain.tunnel === '' ? '' : ` by CONNECT ${chain.tunnel}`;
  return `${tls}TCP to ${chain.clusters.join(', ')}${tunnel}`;
}

export const MESH_TLS = 'mutual TLS of the mesh';

/** How a cluster speaks to its endpoints; `automatic` where that is up to each endpoint. */
export function tlsWords(mode: string, sni: string, automatic: boolean): string {
  return `${mode}${sni === '' ? '' : ` as ${sni}`}${automatic ? ' where the endpoint takes it' : ''}`;
}
