/**
 * What a running Envoy says of itself (`/config_dump`, or `istioctl proxy-config all -o json`), in the words in which this project says what istiod would send it: which
 * connections a listener takes where, which requests a route takes where. Only what decides about requests is read.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump.proto
 */
import { replaceAll } from '../model/re2';
import { readYaml } from '../model/yaml-values';
import { number, optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import {
  MESH_TLS,
  tlsWords,
  type ChainShape,
  type ListenerShape,
  type RouteShape,
  type ClusterShape,
  type VirtualHostShape,
} from './shape';
import { copyWords, hostWords, redirectWords, rewriteWords, samplesOf } from './rewrites';

export interface RunningProxy {
  readonly type: 'sidecar' | 'gateway' | 'waypoint';
  readonly namespace: string;
  readonly pod: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly listeners: readonly ListenerShape[];
  /** By name. */
  readonly routes: ReadonlyMap<string, readonly VirtualHostShape[]>;
  readonly clusters: ReadonlyMap<string, ClusterShape>;
  /** Updates that Envoy refused, and why. */
  readonly refused: readonly { readonly part: 'listener' | 'route' | 'cluster'; readonly of: string; readonly why: string }[]; // prettier-ignore
}

/** Why a file is no dump of an Istio proxy; what is wrong, where, and how to get one. */
export class NoConfigDump extends Error {}

export function readConfigDump(source: string, file: string): RunningProxy {
  let body: unknown;
  try {
    // `istioctl proxy-config all -o yaml` has the same in YAML.
    body = /^configs:/m.test(source) ? readYaml(source, 'kubectl')[0] : JSON.parse(source);
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
  const listeners = parts('ListenersConfigDump').flatMap((one) => records(one.dynamic_listeners));
  const routes = parts('RoutesConfigDump').flatMap((one) => records(one.dynamic_route_configs));
  const clusters = parts('ClustersConfigDump').flatMap((one) => records(one.dynamic_active_clusters));
  return runningProxy(
    {
      type,
      address,
      pod: name.slice(0, dot),
      namespace: name.slice(dot + 1),
      labels: Object.fromEntries(
        Object.entries(record(record(node.metadata).LABELS)).map(([key, value]) => [key, text(value)]),
      ),
    },
    {
      listeners: listeners.map((one) => record(record(one.active_state).listener)),
      routes: routes.map((one) => record(one.route_config)),
      clusters: clusters.map((one) => record(one.cluster)),
    },
    [
      ...listeners.flatMap((one) => refusal('listener', text(one.name), one)),
      ...routes.flatMap((one) => refusal('route', text(record(one.route_config).name), one)),
      ...[...clusters, ...parts('ClustersConfigDump').flatMap((one) => records(one.dynamic_warming_clusters))].flatMap(
        (one) => refusal('cluster', text(record(one.cluster).name), one),
      ),
    ],
  );
}

/** Envoy keeps beside what it has why it did not take the last update of it. */
function refusal(part: 'listener' | 'route' | 'cluster', of: string, one: Json): RunningProxy['refused'] {
  const failed = optionalRecord(one.error_state);
  if (failed === undefined) return [];
  const sent = record(failed.failed_configuration);
  const name = of || text(sent.name) || text(record(sent.route_config).name);
  return [{ part, of: name, why: text(failed.details) || 'it does not say why' }];
}

/** What a control plane sends a proxy, as JSON with the names of Envoy's own fields. */
export interface SentConfig {
  readonly listeners: readonly Json[];
  readonly routes: readonly Json[];
  readonly clusters: readonly Json[];
}

type Node = Pick<RunningProxy, 'type' | 'namespace' | 'pod' | 'address' | 'labels'>;

/** A proxy by what it was sent. */
export function runningProxy(
  node: Node,
  { listeners, routes, clusters }: SentConfig,
  refused: RunningProxy['refused'] = [],
): RunningProxy {
  return {
    ...node,
    refused,
    listeners: listeners.map(listenerOf).filter(({ port }) => port > 0),
    routes: new Map(routes.map((config) => [text(config.name), virtualHostsOf(config)])),
    clusters: new Map(clusters.map((cluster) => [text(cluster.name), clusterOf(cluster)])),
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
  // A single one takes everything, whatever its weight.
  if (weighted.length === 1) return weighted.map((one) => text(one.name));
  if (weighted.length === 0) return text(action.cluster) === '' ? [] : [text(action.cluster)];
  return weighted.map((one) => `${text(one.name)} (${number(one.weight)})`);
}

function clusterOf(cluster: Json): ClusterShape {
  const type = text(cluster.type) || (optionalRecord(cluster.cluster_type) === undefined ? 'STATIC' : 'by name');
  const matched = socketOf(cluster);
  const tls = innermost(record(record(record(matched ?? cluster).transport_socket).typed_config));
  return { type, tls: upstreamTls(tls, isAutomatic(cluster)) };
}

/** Where endpoints may be behind tunnels, TLS is in a list of sockets: the mesh's, or what a DestinationRule says (applyHBONETransportSocketMatches of cluster_tls.go). */
function socketOf(cluster: Json): Json | undefined {
  const sockets = records(cluster.transport_socket_matches);
  return sockets.find(({ name }) => name === MESH_SOCKET) ?? sockets.find(({ name }) => name === 'user');
}

const MESH_SOCKET = 'tlsMode-istio';

/** Whether endpoints get the mesh's mutual TLS only if they take it. */
export function isAutomatic(cluster: Json): boolean {
  return records(cluster.transport_socket_matches).some(
    ({ name, match }) => name === MESH_SOCKET && match !== undefined,
  );
}

/** What a socket of a tunnel, or one that sends a PROXY header, is wrapped around. */
function innermost(socket: Json): Json {
  const inner = optionalRecord(record(socket.transport_socket).typed_config);
  return inner === undefined ? socket : innermost(inner);
}

/** The certificate of the workload itself is named `default`. */
function upstreamTls(tls: Json, automatic: boolean): string {
  if (!text(tls['@type']).endsWith('UpstreamTlsContext')) return 'plain text';
  const common = record(tls.common_tls_context);
  const [secret] = records(common.tls_certificate_sds_secret_configs);
  const isFile = records(common.tls_certificates).length > 0;
  const mode = secret?.name === 'default' ? MESH_TLS : secret === undefined && !isFile ? 'TLS' : 'mutual TLS';
  return tlsWords(mode, text(tls.sni), automatic);
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

const STATUS: Readonly<Record<string, number>> = { MOVED_PERMANENTLY: 301, FOUND: 302, SEE_OTHER: 303, TEMPORARY_REDIRECT: 307, PERMANENT_REDIRECT: 308 }; // prettier-ignore

function redirectOf(redirect: Json): string {
  return redirectWords({
    status: STATUS[text(redirect.response_code)] ?? 301,
    scheme: redirect.https_redirect === true ? 'https' : text(redirect.scheme_redirect),
    host: text(redirect.host_redirect),
    path: text(redirect.path_redirect) || undefined,
  });
}

function copyOf(policy: Json): { readonly cluster: string; readonly percent: number } {
  const { numerator, denominator } = record(record(policy.runtime_fraction).default_value);
  const of = { HUNDRED: 1, TEN_THOUSAND: 100, MILLION: 10_000 }[text(denominator) || 'HUNDRED'] ?? 1;
  return { cluster: text(policy.cluster), percent: numerator === undefined && policy.runtime_fraction === undefined ? 100 : number(numerator) / of }; // prettier-ignore
}

function pathOf({ path, prefix, path_separated_prefix: below }: Json): Parameters<typeof samplesOf>[0] {
  if (typeof path === 'string') return { exact: path };
  if (typeof below === 'string') return { below };
  return typeof prefix === 'string' ? { prefix } : {};
}

/** What Envoy's router makes of a path (finalizePathHeader, source/common/router/config_impl.cc). */
function rewrittenBy(action: Json, match: Json, path: string): string {
  const pattern = record(action.regex_rewrite);
  const regex = text(record(pattern.pattern).regex);
  if (regex !== '') return replaceAll(regex, path, text(pattern.substitution)) ?? path;
  if (typeof action.prefix_rewrite !== 'string' || action.prefix_rewrite === '') return path;
  const { exact, prefix, below } = pathOf(match);
  return action.prefix_rewrite + path.slice((exact ?? below ?? prefix ?? path).length);
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

/** What a route does, in words. */
export function actionOf(route: Json): string {
  const { redirect, direct_response: direct } = route;
  const match = record(route.match);
  if (redirect !== undefined) return redirectOf(record(redirect));
  if (direct !== undefined) return `answers ${number(record(direct).status)}`;
  const action = record(route.route);
  const to = weightsOf(action).join(', ');
  if (to === '') return JSON.stringify(Object.keys(route));
  const only = records(record(action.weighted_clusters).clusters);
  const host = text(action.host_rewrite_literal) || (only.length === 1 ? text(only[0]?.host_rewrite_literal) : '');
  return `to ${to}${hostWords(host)}${rewriteWords(samplesOf(pathOf(match)), (path) => rewrittenBy(action, match, path))}${copyWords(records(action.request_mirror_policies).map(copyOf))}`;
}
