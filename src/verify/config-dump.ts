/**
 * What a running Envoy says of itself (`/config_dump`, or `istioctl proxy-config all -o json`), in the words in which this project says what istiod would send it: which
 * connections a listener takes where, which requests a route takes where. Only what decides about requests is read.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump.proto
 */
import { list, number, optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import type { ChainShape, ListenerShape, RouteShape, VirtualHostShape } from './shape';

export interface RunningProxy {
  readonly type: 'sidecar' | 'gateway' | 'waypoint';
  readonly namespace: string;
  readonly pod: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly listeners: readonly ListenerShape[];
  /** By name. */
  readonly routes: ReadonlyMap<string, readonly VirtualHostShape[]>;
  readonly clusters: ReadonlyMap<string, Json>;
}

/** Why a file is no dump of an Istio proxy; what is wrong, where, and how to get one. */
export class NoConfigDump extends Error {}

export function readConfigDump(source: string, file: string): RunningProxy {
  let body: unknown;
  try {
    body = JSON.parse(source);
  } catch (error) {
    throw new NoConfigDump(`${file} is no JSON (${error instanceof Error ? error.message : String(error)}). ${HOW}`);
  }
  const configs = records(record(body).configs);
  if (configs.length === 0) throw new NoConfigDump(`${file} has no "configs": it is no config dump of Envoy. ${HOW}`);
  const parts = (type: string): readonly Json[] => configs.filter((one) => text(one['@type']).endsWith(`.${type}`));
  const node = record(record(parts('BootstrapConfigDump')[0]?.bootstrap).node);
  const [kind = '', address = '', name = ''] = text(node.id).split('~');
  const type = PROXY_TYPES[kind];
  if (type === undefined)
    throw new NoConfigDump(`${file} is of node ${JSON.stringify(text(node.id))}, which is no proxy of Istio. ${HOW}`);
  const dot = name.lastIndexOf('.');
  return {
    type,
    address,
    pod: name.slice(0, dot),
    namespace: name.slice(dot + 1),
    labels: Object.fromEntries(
      Object.entries(record(record(node.metadata).LABELS)).map(([key, value]) => [key, text(value)]),
    ),
    listeners: parts('ListenersConfigDump')
      .flatMap((one) => records(one.dynamic_listeners))
      .map((one) => listenerOf(record(record(one.active_state).listener)))
      .filter(({ port }) => port > 0),
    routes: new Map(
      parts('RoutesConfigDump')
        .flatMap((one) => records(one.dynamic_route_configs))
        .map(({ route_config: config }) => [text(record(config).name), virtualHostsOf(record(config))]),
    ),
    clusters: new Map(
      parts('ClustersConfigDump')
        .flatMap((one) => records(one.dynamic_active_clusters))
        .map(({ cluster }) => [text(record(cluster).name), record(cluster)]),
    ),
  };
}

const HOW =
  'Get one by `kubectl exec POD -c istio-proxy -- pilot-agent request GET config_dump`, or `istioctl proxy-config all POD -o json`';
const PROXY_TYPES: Readonly<Record<string, RunningProxy['type']>> = Object.assign(
  Object.create(null) as object,
  {
    sidecar: 'sidecar',
    router: 'gateway',
    waypoint: 'waypoint',
  } as const,
);

function listenerOf(listener: Json): ListenerShape {
  const address = record(record(listener.address).socket_address);
  const fallback = optionalRecord(listener.default_filter_chain);
  return {
    name: text(listener.name),
    address: text(address.address),
    port: number(address.port_value),
    chains: records(listener.filter_chains).map(chainOf),
    defaultChain: fallback === undefined ? undefined : chainOf(fallback),
  };
}

function chainOf(chain: Json): ChainShape {
  const match = record(chain.filter_chain_match);
  const tls = record(record(chain.transport_socket).typed_config);
  const filters = records(chain.filters).map((filter) => record(filter.typed_config));
  const http = filters.find((one) => text(one['@type']).endsWith('HttpConnectionManager'));
  const tcp = filters.find((one) => text(one['@type']).endsWith('TcpProxy'));
  return {
    sniHosts: texts(match.server_names),
    cidrs: records(match.prefix_ranges).map((one) => `${text(one.address_prefix)}/${number(one.prefix_len)}`),
    applicationProtocols: texts(match.application_protocols),
    transport: text(match.transport_protocol),
    terminates: Object.keys(tls).length > 0,
    routeConfig:
      http === undefined ? undefined : text(record(http.rds).route_config_name) || text(record(http.route_config).name),
    clusters: tcp === undefined ? [] : weightsOf(tcp),
    tunnel: text(record(tcp?.tunneling_config).hostname),
  };
}

/** Clusters with their shares; a single one has them all. */
function weightsOf(action: Json): readonly string[] {
  const weighted = records(record(action.weighted_clusters).clusters);
  if (weighted.length === 0) return text(action.cluster) === '' ? [] : [text(action.cluster)];
  return weighted.map((one) => `${text(one.name)} (${number(one.weight)})`);
}

function virtualHostsOf(config: Json): readonly VirtualHostShape[] {
  return records(config.virtual_hosts).map((host) => ({
    domains: texts(host.domains),
    requiresTls: text(host.require_tls) !== '' && text(host.require_tls) !== 'NONE',
    routes: records(host.routes).map(routeOf),
  }));
}

function routeOf(route: Json): RouteShape {
  return { match: matchOf(record(route.match)), action: actionOf(route) };
}

function matchOf(match: Json): string {
  const fold = match.case_sensitive === false ? ' (any case)' : '';
  const path =
    typeof match.path === 'string'
      ? `path = ${match.path}${fold}`
      : typeof match.path_separated_prefix === 'string'
        ? `path below ${match.path_separated_prefix}${fold}`
        : match.safe_regex !== undefined
          ? `path ~ ${text(record(match.safe_regex).regex)}${fold}`
          : match.connect_matcher !== undefined
            ? 'CONNECT'
            : `path ^ ${text(match.prefix)}${fold}`;
  const headers = records(match.headers).map(headerOf);
  const queries = records(match.query_parameters).map((one) => `query ${stringOf(one, text(one.name))}`);
  return [path, ...[...headers, ...queries].sort()].join('; ');
}

function headerOf(header: Json): string {
  const not = header.invert_match === true ? 'not ' : '';
  return `${not}header ${stringOf(header, text(header.name).toLowerCase())}`;
}

function stringOf(matcher: Json, name: string): string {
  if (matcher.present_match !== undefined) return `${name} is there`;
  const match = record(matcher.string_match);
  const fold = match.ignore_case === true ? ' (any case)' : '';
  if (typeof match.exact === 'string') return `${name} = ${match.exact}${fold}`;
  if (typeof match.prefix === 'string') return `${name} ^ ${match.prefix}${fold}`;
  if (typeof match.suffix === 'string') return `${name} $ ${match.suffix}${fold}`;
  if (match.safe_regex !== undefined) return `${name} ~ ${text(record(match.safe_regex).regex)}`;
  return `${name} ? ${JSON.stringify(matcher)}`;
}

function actionOf(route: Json): string {
  const { redirect, direct_response: direct } = route;
  if (redirect !== undefined) return 'redirect';
  if (direct !== undefined) return `answers ${number(record(direct).status)}`;
  const to = list(weightsOf(record(route.route))).join(', ');
  return to === '' ? JSON.stringify(Object.keys(route)) : `to ${to}`;
}
