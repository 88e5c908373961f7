import { canonicalCidr, contains, prefixLength } from '../model/addresses';
import { isSubsetOf } from '../model/hostnames';
import type { ServerTls } from '../model/merged-gateway';
import { push } from '../model/objects';
import type { Gap } from './notes';
import type { Reason } from './reasons';
import type { Decision, RouteRef } from './types';

/** A connection as a proxy sees it arrive. */
export interface Connection {
  /** Null where neither manifests nor request tell: such an address matches no range and no listener of its own. */
  readonly address: string | null;
  readonly port: number;
  /** What is spoken once TLS, if any, is taken off. */
  readonly application: 'http' | 'http2' | 'tcp';
  /** `tls` of an application or of a client outside; `istio` between proxies. */
  readonly tls: 'none' | 'tls' | 'istio';
  readonly sni: string | null;
}

export interface WeightedCluster {
  readonly cluster: string;
  readonly weight: number;
  /** How the proxy names it, where that does not tell it from others of the route. */
  readonly name?: string;
}

/** Where a TCP proxy filter sends. */
export interface TcpTarget {
  readonly clusters: readonly WeightedCluster[];
  readonly route: RouteRef | null;
  /** `host:port` asked of an HTTP CONNECT proxy. */
  readonly tunnel: string | null;
  readonly decidedBy: readonly Decision[];
}

export interface FilterChain {
  readonly name: string;
  readonly sniHosts: readonly string[];
  readonly cidrs: readonly string[];
  readonly applicationProtocols: readonly string[];
  readonly transport: '' | 'tls' | 'raw_buffer';
  /** Name of the route configuration of an HTTP connection manager; null for a TCP proxy. */
  readonly routeConfig: string | null;
  readonly tcp: TcpTarget | null;
  /** TLS that the chain takes off. */
  readonly terminates: ServerTls | null;
  readonly decidedBy: readonly Decision[];
  /** What decides, before anything is read, and nobody knows of. */
  readonly openBefore?: { readonly why: Gap; readonly by: Decision | undefined };
  /** What asks for a certificate, where that is another object than the listener's. */
  readonly demandedBy?: Decision | undefined;
  /** Why it closes whatever it takes. */
  readonly unusable?: { readonly code: string; readonly reason: Reason; readonly by: Decision };
}

export interface Listener {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly chains: readonly FilterChain[];
  readonly defaultChain: FilterChain | null;
  readonly tlsInspector: boolean;
  readonly httpInspector: boolean;
  /** Why Envoy refuses the listener; the proxy goes on without it. */
  readonly refused: string | null;
}

const EMPTY = {
  sniHosts: [],
  cidrs: [],
  applicationProtocols: [],
  transport: '',
  routeConfig: null,
  tcp: null,
  terminates: null,
  decidedBy: [],
} as const;

export function filterChain(parts: Partial<FilterChain> & { readonly name: string }): FilterChain {
  return { ...EMPTY, ...parts };
}

/** A chain without conditions becomes the listener's default. */
export function matchesAll(chain: FilterChain): boolean {
  return (
    (chain.sniHosts.length === 0 || chain.sniHosts.includes('*')) &&
    chain.applicationProtocols.length === 0 &&
    chain.transport === '' &&
    chain.cidrs.length === 0
  );
}

/** The best rank wins; where no chain matches, those without the condition remain. */
function narrow(
  chains: readonly FilterChain[],
  isSet: (chain: FilterChain) => boolean,
  rank: (chain: FilterChain) => number,
): readonly FilterChain[] {
  if (!chains.some(isSet)) return chains;
  let best = 0;
  let kept: FilterChain[] = [];
  for (const chain of chains) {
    const own = isSet(chain) ? rank(chain) : 0;
    if (own <= 0 || own < best) continue;
    if (own > best) kept = [];
    best = own;
    kept.push(chain);
  }
  return kept.length > 0 ? kept : chains.filter((chain) => !isSet(chain));
}

function serverNames(chain: FilterChain): readonly string[] {
  return chain.sniHosts.includes('*') ? [] : chain.sniHosts;
}

function ranges(chain: FilterChain): readonly string[] {
  return chain.cidrs.filter((cidr) => !cidr.startsWith('0.0.0.0'));
}

function sniRank(names: readonly string[], sni: string | null): number {
  if (sni === null) return 0;
  let best = 0;
  for (const name of names) {
    if (name === sni) return Number.MAX_SAFE_INTEGER;
    if (isSubsetOf(sni, name)) best = Math.max(best, name.length);
  }
  return best;
}

function addressRank(cidrs: readonly string[], address: string | null): number {
  if (address === null) return 0;
  return Math.max(0, ...cidrs.filter((cidr) => contains(cidr, address)).map(prefixLength));
}

/** ALPN as the inspectors of the listener would find it. */
function alpn(listener: Listener, connection: Connection): string {
  if (connection.tls === 'none') {
    if (!listener.httpInspector) return '';
    return connection.application === 'http' ? 'http/1.1' : connection.application === 'http2' ? 'h2c' : '';
  }
  if (!listener.tlsInspector) return '';
  if (connection.tls === 'istio')
    return connection.application === 'http'
      ? 'istio-http/1.1'
      : connection.application === 'http2'
        ? 'istio-h2'
        : 'istio';
  return connection.application === 'http' ? 'http/1.1' : connection.application === 'http2' ? 'h2' : '';
}

interface ChainsByName {
  /** Chains for some addresses only. The others are found by name. */
  readonly ranged: readonly FilterChain[];
  /** Chains that name the SNI itself, which no wildcard outranks. */
  readonly exact: ReadonlyMap<string, readonly FilterChain[]>;
  /** Chains with a wildcard, by what follows its star. */
  readonly wild: ReadonlyMap<string, readonly FilterChain[]>;
  /** Chains without any name, for an SNI that none has. */
  readonly unnamed: readonly FilterChain[];
}

const chainIndexes = new WeakMap<Listener, ChainsByName>();

/** A listener has a chain for each host behind its port: thousands of them, found by name rather than one by one. */
function chainsByName(listener: Listener): ChainsByName {
  const known = chainIndexes.get(listener);
  if (known !== undefined) return known;
  const exact = new Map<string, FilterChain[]>();
  const wild = new Map<string, FilterChain[]>();
  const unnamed: FilterChain[] = [];
  const ranged = listener.chains.filter((chain) => ranges(chain).length > 0);
  for (const chain of listener.chains) {
    if (ranges(chain).length > 0) continue;
    const names = serverNames(chain);
    for (const name of new Set(names)) {
      if (name.startsWith('*')) push(wild, name.slice(1), chain);
      else push(exact, name, chain);
    }
    if (names.length === 0) unnamed.push(chain);
  }
  const made = { ranged, exact, wild, unnamed };
  chainIndexes.set(listener, made);
  return made;
}

/** Chains for an SNI: those that name it, else those of the longest wildcard that takes it, else those without a name. */
function chainsFor({ exact, wild, unnamed }: ChainsByName, sni: string | null): readonly FilterChain[] {
  if (sni === null) return unnamed;
  const named = exact.get(sni);
  if (named !== undefined) return named;
  if (wild.size > 0) {
    for (let at = 0; at < sni.length; at += 1) {
      const found = wild.get(sni.slice(at));
      if (found !== undefined) return found;
    }
  }
  return unnamed;
}

/**
 * Envoy's choice of a filter chain: by destination range, then SNI, transport, application protocol, each step keeping only
 * the best matches and never coming back for others.
 */
export function matchFilterChain(listener: Listener, connection: Connection): FilterChain | null {
  const sni = connection.tls !== 'none' && listener.tlsInspector ? connection.sni : null;
  const byName = chainsByName(listener);
  const inRange = narrow(
    byName.ranged,
    () => true,
    (chain) => addressRank(ranges(chain), connection.address),
  );
  let chains =
    inRange.length === 0
      ? chainsFor(byName, sni)
      : narrow(
          inRange,
          (chain) => serverNames(chain).length > 0,
          (chain) => sniRank(serverNames(chain), sni),
        );
  const transport = connection.tls !== 'none' && listener.tlsInspector ? 'tls' : 'raw_buffer';
  chains = narrow(
    chains,
    (chain) => chain.transport !== '',
    (chain) => Number(chain.transport === transport),
  );
  const protocol = alpn(listener, connection);
  chains = narrow(
    chains,
    (chain) => chain.applicationProtocols.length > 0,
    (chain) => Number(chain.applicationProtocols.includes(protocol)),
  );
  return chains[0] ?? listener.defaultChain;
}

/**
 * Two chains that would match the same connection: Envoy takes no listener that has such. Chains overlap if they agree in
 * transport and application protocols and share both a range and a server name.
 */
export function overlappingChains(chains: readonly FilterChain[]): string | null {
  const seen = new Set<string>();
  for (const chain of chains) {
    const names = serverNames(chain);
    const own = ranges(chain).map(canonicalCidr);
    const protocols = chain.applicationProtocols.length === 0 ? [''] : chain.applicationProtocols;
    const keys = new Set<string>();
    for (const name of names.length === 0 ? [''] : names) {
      for (const range of own.length === 0 ? [''] : own) {
        for (const protocol of protocols) keys.add(`${range}|${name.toLowerCase()}|${chain.transport}|${protocol}`);
      }
    }
    for (const key of keys) {
      if (seen.has(key)) {
        const [range, name] = key.split('|');
        return (
          [name === '' ? '' : `SNI ${name ?? ''}`, range === '' ? '' : `range ${range ?? ''}`]
            .filter((part) => part !== '')
            .join(' in ') || 'everything'
        );
      }
      seen.add(key);
    }
  }
  return null;
}

/** Names of a route configuration's virtual hosts, matched as Envoy matches a Host header: exact, longest wildcard, then `*`. */
export class DomainIndex<V> {
  private readonly exact = new Map<string, V>();
  private readonly suffixes = new Map<string, V>();
  private any: V | undefined;
  private lengths: number[] | undefined;

  public add(domain: string, value: V): void {
    if (domain === '*') this.any ??= value;
    else if (domain.startsWith('*')) {
      if (!this.suffixes.has(domain.slice(1))) this.suffixes.set(domain.slice(1), value);
    } else if (!this.exact.has(domain)) this.exact.set(domain, value);
  }

  /** Every domain with what it has. */
  public get entries(): readonly (readonly [string, V])[] {
    const suffixes = [...this.suffixes].map(([suffix, value]): readonly [string, V] => [`*${suffix}`, value]);
    return [...this.exact, ...suffixes, ...(this.any === undefined ? [] : [['*', this.any] as const])];
  }

  public match(host: string): V | undefined {
    return this.exact.get(host) ?? this.matchWildcard(host);
  }

  public matchExact(host: string): V | undefined {
    return this.exact.get(host);
  }

  public matchWildcard(host: string): V | undefined {
    this.lengths ??= [...new Set([...this.suffixes.keys()].map((suffix) => suffix.length))].sort((a, b) => b - a);
    for (const length of this.lengths) {
      if (length >= host.length) continue;
      const wild = this.suffixes.get(host.slice(host.length - length));
      if (wild !== undefined) return wild;
    }
    return this.any;
  }
}

/** A Host header without its port, in lower case. */
export function hostWithoutPort(authority: string): string {
  const lower = authority.toLowerCase();
  if (lower.startsWith('[')) return lower.slice(0, lower.indexOf(']') + 1);
  const colon = lower.lastIndexOf(':');
  return colon >= 0 && lower.indexOf(':') === colon && /^\d+$/.test(lower.slice(colon + 1))
    ? lower.slice(0, colon)
    : lower;
}
