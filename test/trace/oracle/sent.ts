/** What istiod sends a proxy, read as the data plane takes it: listeners with their chains, and routes that ask of requests what Envoy asks. */
import { number, optionalRecord, record, records, text, texts, type Json } from '../../../src/model/fields';
import {
  filterChain,
  overlappingChains,
  type FilterChain,
  type Listener,
  type WeightedCluster,
} from '../../../src/trace/envoy';
import { headerFits, type HttpRequest } from '../../../src/trace/http-routes';
import {
  anyOf,
  evaluate,
  exact,
  pathPrefix,
  prefix,
  PRESENT,
  regex,
  suffix,
  type Matcher,
} from '../../../src/trace/matcher';
import { actionOf, type SentConfig } from '../../../src/verify/config-dump';

export interface SentRoute {
  readonly takes: (http: HttpRequest) => boolean;
  readonly action: string;
}

export interface SentHost {
  readonly requireTls: boolean;
  readonly routes: readonly SentRoute[];
}

export interface SentRoutes {
  readonly domains: readonly string[];
  readonly match: (authority: string) => SentHost | undefined;
}

export interface Sent {
  /** By port, then by address. */
  readonly listeners: ReadonlyMap<number, ReadonlyMap<string, Listener>>;
  /** Where goes what no listener is for. */
  readonly catchAll: string;
  readonly routes: ReadonlyMap<string, SentRoutes>;
}

export function readSent({ listeners, routes }: SentConfig): Sent {
  const byPort = new Map<number, Map<string, Listener>>();
  let catchAll = '';
  for (const one of listeners.map(listenerOf)) {
    if (one.name === 'virtualOutbound') catchAll = [...one.chains, one.defaultChain].map((chain) => chain?.tcp?.clusters[0]?.cluster ?? '').filter((cluster) => cluster !== '').at(-1) ?? ''; // prettier-ignore
    if (one.port === 0 || one.name === 'virtualOutbound' || one.name === 'virtualInbound') continue;
    const own = byPort.get(one.port) ?? new Map<string, Listener>();
    byPort.set(one.port, own.set(one.address, one));
  }
  return { listeners: byPort, catchAll, routes: firstOf(routes) };
}

/** The oracle makes one that two listeners ask for a second time, of what the first has used up; a running istiod makes it once. */
function firstOf(routes: readonly Json[]): ReadonlyMap<string, SentRoutes> {
  const found = new Map<string, SentRoutes>();
  for (const one of routes) if (!found.has(text(one.name))) found.set(text(one.name), routesOf(one));
  return found;
}

function listenerOf(listener: Json): Listener {
  const address = record(record(listener.address).socket_address);
  const fallback = optionalRecord(listener.default_filter_chain);
  const chains = records(listener.filter_chains).map(chainOf);
  const filters = records(listener.listener_filters).map(({ name }) => text(name));
  return {
    name: text(listener.name),
    address: text(address.address),
    port: number(address.port_value),
    chains,
    defaultChain: fallback === undefined ? null : chainOf(fallback),
    tlsInspector: filters.some((name) => name.includes('tls_inspector')),
    httpInspector: filters.some((name) => name.includes('http_inspector')),
    // Envoy takes no such listener, whoever sends it.
    refused: overlappingChains(chains),
  };
}

export function chainOf(chain: Json): FilterChain {
  const match = record(chain.filter_chain_match);
  const filters = records(chain.filters).map((filter) => record(filter.typed_config));
  const http = filters.find((one) => text(one['@type']).endsWith('HttpConnectionManager'));
  const tcp = filters.find((one) => text(one['@type']).endsWith('TcpProxy'));
  const tls = record(record(chain.transport_socket).typed_config);
  const transport = text(match.transport_protocol);
  return filterChain({
    name: text(chain.name),
    sniHosts: texts(match.server_names),
    cidrs: records(match.prefix_ranges).map((one) => `${text(one.address_prefix)}/${number(one.prefix_len)}`),
    applicationProtocols: texts(match.application_protocols),
    transport: transport === 'tls' || transport === 'raw_buffer' ? transport : '',
    routeConfig:
      http === undefined ? null : text(record(http.rds).route_config_name) || text(record(http.route_config).name),
    tcp:
      tcp === undefined
        ? null
        : {
            clusters: clustersOf(tcp),
            route: null,
            tunnel: text(record(tcp.tunneling_config).hostname) || null,
            decidedBy: [],
          },
    terminates: Object.keys(tls).length === 0 ? null : { mode: tls.require_client_certificate === true ? 'MUTUAL' : 'SIMPLE', httpsRedirect: false, credentialName: '' }, // prettier-ignore
  });
}

function clustersOf(tcp: Json): readonly WeightedCluster[] {
  const weighted = records(record(tcp.weighted_clusters).clusters);
  if (weighted.length > 0) return weighted.map((one) => ({ cluster: text(one.name), weight: number(one.weight) }));
  return text(tcp.cluster) === '' ? [] : [{ cluster: text(tcp.cluster), weight: 1 }];
}

export function routesOf(config: Json): SentRoutes {
  const hosts = new Map<string, SentHost>();
  for (const host of records(config.virtual_hosts)) {
    const requireTls = text(host.require_tls) !== '' && text(host.require_tls) !== 'NONE';
    const own = { requireTls, routes: records(host.routes).map(routeOf) };
    for (const domain of texts(host.domains)) hosts.set(domain.toLowerCase(), own);
  }
  const ignoresPort = config.ignore_port_in_host_matching === true;
  const wild = [...hosts.keys()]
    .filter((domain) => domain.startsWith('*') && domain !== '*')
    .sort((a, b) => b.length - a.length);
  return {
    domains: [...hosts.keys()],
    // findVirtualHost of Envoy's source/common/router/config_impl.cc
    match: (authority) => {
      const lower = authority.toLowerCase();
      const name = ignoresPort ? lower.replace(/:\d+$/, '') : lower;
      const found = wild.find((domain) => name.length > domain.length - 1 && name.endsWith(domain.slice(1)));
      return hosts.get(name) ?? (found === undefined ? hosts.get('*') : hosts.get(found));
    },
  };
}

function routeOf(route: Json): SentRoute {
  const conditions = conditionsOf(record(route.match));
  return { takes: (http) => conditions.every((one) => one(http)), action: actionOf(route) };
}

type Condition = (http: HttpRequest) => boolean;

const KNOWN = new Set(['prefix', 'path', 'path_separated_prefix', 'safe_regex', 'connect_matcher', 'case_sensitive', 'headers', 'query_parameters']); // prettier-ignore

function conditionsOf(match: Json): readonly Condition[] {
  const unread = Object.keys(match).filter((key) => !KNOWN.has(key));
  if (unread.length > 0) throw new Error(`a condition of a route is not read: ${unread.join(', ')}`);
  return [pathOf(match), ...records(match.headers).map(headerOf), ...records(match.query_parameters).map(parameterOf)];
}

function pathOf(match: Json): Condition {
  const folds = match.case_sensitive === false;
  const on =
    (matcher: Matcher): Condition =>
    (http) =>
      http.path.plain.is(matcher);
  if (match.connect_matcher !== undefined) return () => false;
  if (typeof match.path === 'string') return on(exact(match.path, folds));
  if (typeof match.path_separated_prefix === 'string') return on(pathPrefix(match.path_separated_prefix, folds));
  if (match.safe_regex !== undefined) return on(regex(text(record(match.safe_regex).regex)));
  return on(prefix(text(match.prefix), folds));
}

/** Undefined where the presence alone is asked. */
function matcherOf(one: Json): Matcher | undefined {
  if (one.present_match !== undefined) return undefined;
  const match = record(one.string_match);
  const folds = match.ignore_case === true;
  if (typeof match.exact === 'string') return exact(match.exact, folds);
  if (typeof match.prefix === 'string') return prefix(match.prefix, folds);
  if (typeof match.suffix === 'string') return suffix(match.suffix, folds);
  if (match.safe_regex !== undefined) return regex(text(record(match.safe_regex).regex));
  throw new Error(`a condition on a text is not read: ${JSON.stringify(one)}`);
}

/** HeaderDataBaseImpl::matchesHeaders of Envoy's source/common/http/header_utility.h */
function headerOf(header: Json): Condition {
  const name = text(header.name);
  const inverts = header.invert_match === true;
  const matcher = matcherOf(header);
  if (matcher === undefined) {
    const wanted = (header.present_match !== false) !== inverts;
    return (http) => headerFits(http, name, PRESENT) === wanted;
  }
  const whenAbsent = header.treat_missing_header_as_empty === true && evaluate(matcher, '');
  return (http) => headerFits(http, name, anyOf(matcher), whenAbsent) !== inverts;
}

function parameterOf(parameter: Json): Condition {
  const matcher = matcherOf(parameter) ?? PRESENT;
  return ({ path }) => path.parameter(text(parameter.name)).is(matcher);
}
