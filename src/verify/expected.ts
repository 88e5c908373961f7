/** What istiod would send a proxy by the manifests, in the words of a config dump: listeners, routes and clusters as `trace` makes them. */
import { number, optionalRecord, record, text, type Json } from '../model/fields';
import { PREFIX_MARK } from '../model/gateway-api-rules';
import { authorityOf } from '../model/virtual-services';
import type { Mesh, Proxy } from '../model/mesh';
import { proxySettings } from '../model/proxy-config';
import type { EgressListener } from '../model/sidecar-scope';
import type { Workload } from '../model/workloads';
import { findCluster, isMissing, type Cluster } from '../trace/clusters';
import type { FilterChain, Listener } from '../trace/envoy';
import { gatewayListeners } from '../trace/gateway-listeners';
import { gatewayRouteConfig } from '../trace/gateway-routes';
import { AskedPath } from '../trace/ask';
import { rewrittenPath, type Route, type VirtualHost, type WeightedRoute } from '../trace/http-routes';
import { copyWords, hostWords, redirectWords, rewriteWords, samplesOf } from './rewrites';
import { type SidecarView, sidecarListeners, virtualOutbound } from '../trace/sidecar-listeners';
import { sidecarRouteConfig, type RouteConfig } from '../trace/sidecar-routes';
import type { RunningProxy } from './config-dump';
import { MESH_TLS, tlsWords, type ChainShape, type ListenerShape, type RouteShape } from './shape';

export interface ExpectedCluster {
  readonly type: string;
  /** How it speaks upstream. */
  readonly tls: string;
  /** With its endpoints. */
  readonly whole: Cluster;
}

export interface Expected {
  /** Every port for which there is a listener of something that manifests show. */
  readonly ports: readonly number[];
  /** Listeners for a port, by address. */
  readonly listeners: (port: number) => ReadonlyMap<string, ListenerShape>;
  /** The same, as connections are followed through them. */
  readonly envoyListeners: (port: number) => ReadonlyMap<string, Listener>;
  /** Where a sidecar sends what no listener, or no host of a listener, is for. */
  readonly catchAll: string;
  readonly routes: (name: string) => RouteConfig;
  readonly cluster: (name: string) => ExpectedCluster | undefined;
  /** Whether any manifest knows the host of a cluster. */
  readonly knows: (host: string) => boolean;
}

export function expectedOf(whole: Mesh, running: RunningProxy): Expected {
  const mesh = whole.servedTo({ namespace: running.namespace, labels: running.labels, isRunning: true });
  const self: Proxy = {
    type: running.type === 'gateway' ? 'gateway' : 'sidecar',
    namespace: running.namespace,
    labels: running.labels,
    addresses: [running.address],
  };
  const scope = mesh.scopeOf(self);
  const owner = workloadOf(mesh, running);
  const capturesDns = owner === undefined ? false : proxySettings(mesh, owner).answersDns;
  const view: SidecarView = { mesh, scope, proxy: self, addresses: self.addresses, capturesDns };
  const merged = self.type === 'gateway' ? mesh.mergedGateway(self) : undefined;
  const envoyListeners = (port: number): ReadonlyMap<string, Listener> =>
    merged === undefined ? sidecarListeners(view, port) : gatewayListeners(view, merged, port);
  const candidates =
    merged === undefined ? scope.listeners.flatMap(portsOf) : merged.groups.map(({ port }) => port.number);
  return {
    ports: [...new Set(candidates)].filter((port) => envoyListeners(port).size > 0),
    listeners: (port) =>
      new Map([...envoyListeners(port)].map(([address, listener]) => [address, listenerShape(listener)])),
    envoyListeners,
    catchAll: virtualOutbound(view).chains[0]?.tcp?.clusters[0]?.cluster ?? '',
    routes: (name) => (merged === undefined ? sidecarRouteConfig(view, name) : gatewayRouteConfig(view, merged, name)),
    cluster: (name) => {
      const found = findCluster(view, self.type === 'gateway', name);
      return isMissing(found) ? undefined : clusterShape(found);
    },
    knows: (host) => scope.service(host) !== undefined || mesh.services.named(host).size > 0,
  };
}

function portsOf({ port, services }: EgressListener): readonly number[] {
  if (port !== undefined) return [port.number];
  return services.filter(({ assumed }) => !assumed).flatMap((service) => service.ports.map((one) => one.port));
}

export function clusterShape(cluster: Cluster): ExpectedCluster {
  const { tls, type, service } = cluster;
  return {
    whole: cluster,
    type: service.resolution === 'DYNAMIC_DNS' ? 'by name' : type,
    tls:
      tls === null ? 'plain text' : tlsWords(tls.mode === 'SIMPLE' ? 'TLS' : tls.mode === 'MUTUAL' ? 'mutual TLS' : MESH_TLS, tls.sni ?? '', tls.automatic), // prettier-ignore
  };
}

/** The workload of the manifests that the proxy stands beside. */
export function workloadOf(mesh: Mesh, { namespace, pod, labels }: RunningProxy): Workload | undefined {
  const known = mesh.workloads.all.filter((one) => one.namespace === namespace);
  return (
    known.find(({ name }) => name === pod) ??
    known.find((one) => Object.entries(one.labels).every(([key, value]) => labels[key] === value))
  );
}

function listenerShape(listener: Listener): ListenerShape {
  const { name, address, port, chains, defaultChain } = listener;
  return {
    name,
    address,
    port,
    chains: chains.map(chainShape),
    defaultChain: defaultChain === null ? undefined : chainShape(defaultChain),
  };
}

function chainShape(chain: FilterChain): ChainShape {
  return {
    sniHosts: chain.sniHosts,
    cidrs: chain.cidrs,
    applicationProtocols: chain.applicationProtocols,
    transport: chain.transport,
    terminates: chain.terminates !== null,
    routeConfig: chain.routeConfig ?? undefined,
    clusters: shares(chain.tcp?.clusters ?? []),
    tunnel: chain.tcp?.tunnel ?? '',
  };
}

function shares(clusters: readonly { readonly cluster: string; readonly weight: number }[]): readonly string[] {
  if (clusters.length === 1) return clusters.map(({ cluster }) => cluster);
  return clusters.map(({ cluster, weight }) => `${cluster} (${weight})`);
}

export function routeShapes(host: VirtualHost): readonly RouteShape[] {
  return host.routes.map((route) => ({ match: matchOf(route), action: actionOf(route) }));
}

function matchOf({ match, bySegments, gatewaySemantics }: Route): string {
  if (match === null) return 'path ^ /';
  const fold = match.ignoreUriCase ? ' (any case)' : '';
  const parts = [
    ...Object.entries(match.headers).map(([name, value]) => `header ${stringOf(name.toLowerCase(), value)}`),
    ...Object.entries(match.withoutHeaders).map(([name, value]) => `not header ${stringOf(name.toLowerCase(), value)}`),
    ...Object.entries(match.queryParams).map(([name, value]) => `query ${stringOf(name, value)}`),
    ...(match.method === undefined ? [] : [`header ${stringOf(':method', match.method)}`]),
    ...(match.authority === undefined ? [] : [`header ${stringOf(':authority', match.authority)}`]),
    ...(match.scheme === undefined ? [] : [`header ${stringOf(':scheme', match.scheme)}`]),
  ];
  return [`path ${pathOf(match.uri, (bySegments ?? gatewaySemantics) === true)}${fold}`, ...parts.sort()].join('; ');
}

function pathOf(uri: Json | undefined, bySegments: boolean): string {
  if (typeof uri?.exact === 'string') return `= ${uri.exact}`;
  if (typeof uri?.regex === 'string') return `~ ${uri.regex}`;
  const prefix = typeof uri?.prefix === 'string' ? uri.prefix : '/';
  return bySegments && prefix !== '/' ? `below ${prefix.replace(/\/$/, '')}` : `^ ${prefix}`;
}

function stringOf(name: string, value: unknown): string {
  const match = optionalRecord(value) ?? {};
  if (typeof match.exact === 'string') return `${name} = ${match.exact}`;
  if (typeof match.prefix === 'string') return `${name} ^ ${match.prefix}`;
  if (typeof match.regex === 'string') return `${name} ~ ${match.regex}`;
  return `${name} is there`;
}

/** What a route does, in words. */
export function actionOf(route: Route): string {
  const { rule, clusters } = route;
  if (rule?.redirect !== undefined) return redirectOf(rule.redirect);
  if (rule?.directResponse !== undefined) return `answers ${text(String(record(rule.directResponse).status))}`;
  const some: readonly WeightedRoute[] = clusters;
  if (some.length === 0) return 'nothing';
  const own = text(rule?.rewrite?.authority) || (rule === null ? '' : authorityOf(rule.headers));
  const host = own || (some.length === 1 ? (some[0]?.destination.authority ?? '') : '');
  const rewrite = (path: string): string => rewrittenPath(AskedPath.of(path), route, rule?.rewrite).toString();
  return `to ${shares(some).join(', ')}${hostWords(host)}${rewriteWords(samplesOf(samplePaths(route)), rewrite)}${copyWords(route.mirrors ?? [])}`;
}

function redirectOf(redirect: Json): string {
  const uri = text(redirect.uri);
  return redirectWords({
    status: number(redirect.redirectCode) || 301,
    scheme: text(redirect.scheme),
    host: text(redirect.authority),
    path: uri === '' || uri.startsWith(PREFIX_MARK) ? undefined : uri,
  });
}

function samplePaths({ match, bySegments, gatewaySemantics }: Route): Parameters<typeof samplesOf>[0] {
  const { exact, prefix, regex } = match?.uri ?? {};
  if (typeof exact === 'string') return { exact };
  if (typeof regex === 'string') return {};
  const own = typeof prefix === 'string' ? prefix : '/';
  return (bySegments ?? gatewaySemantics) && own !== '/' ? { below: own.replace(/\/$/, '') } : { prefix: own };
}
