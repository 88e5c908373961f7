/** What a waypoint does with connections to its services: by what istiod sends it, read as Envoy takes it, and by the manifests. */
import { contains, prefixLength } from '../../../src/model/addresses';
import { number, optionalRecord, record, records, text, type Json } from '../../../src/model/fields';
import type { Mesh } from '../../../src/model/mesh';
import { isHttp, isTls } from '../../../src/model/protocols';
import type { Service } from '../../../src/model/services';
import { serviceBindingOf, type Binding } from '../../../src/model/waypoints';
import { isMissing } from '../../../src/trace/clusters';
import type { FilterChain } from '../../../src/trace/envoy';
import { isTold } from '../../../src/trace/hbone';
import type { RouteConfig } from '../../../src/trace/sidecar-routes';
import {
  servedAt,
  waypointChain,
  waypointCluster,
  waypointRoutes,
  type WaypointPort,
} from '../../../src/trace/waypoint-config';
import { clusterShape, type ExpectedCluster } from '../../../src/verify/expected';
import type { RunningProxy, SentConfig } from '../../../src/verify/config-dump';
import { chainOf, routesOf, type SentRoutes } from './sent';

/** A connection as it comes out of the tunnel. */
export interface Arriving {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly http: boolean;
}

/** What takes a connection, or why nothing does. */
export type Taken = FilterChain | 'no chain' | 'no HTTP';

export interface Arrival {
  readonly of: Arriving;
  readonly manifests: Taken;
  readonly istiod: Taken;
  /** Of chains that are read as HTTP. */
  readonly routes: { readonly manifests: RouteConfig; readonly istiod: SentRoutes } | undefined;
}

/** A port that no Service declares. */
const OTHER_PORT = 9876;

export class Waypoint {
  private readonly binding: Binding;
  private readonly chains: ReadonlyMap<
    string,
    { readonly chain: FilterChain; readonly routes: SentRoutes | undefined }
  >;
  private readonly ranges: readonly { readonly cidr: string; readonly then: Json }[];

  public constructor(
    private readonly mesh: Mesh,
    { namespace, labels }: Pick<RunningProxy, 'namespace' | 'labels'>,
    { listeners }: SentConfig,
  ) {
    const name = labels['gateway.networking.k8s.io/gateway-name'] ?? '';
    const by = { kind: 'Gateway', namespace, name };
    this.binding = { namespace, name, by, gateway: mesh.gatewayApi.find(namespace, name), problem: undefined };
    const internal = listeners.find((one) => one.name === 'main_internal') ?? {};
    this.chains = new Map(records(internal.filter_chains).map((one) => [text(one.name), { chain: chainOf(one), routes: routesIn(one) }])); // prettier-ignore
    const matcher = record(record(internal.filter_chain_matcher).matcher_tree);
    this.ranges = records(record(record(matcher.custom_match).typed_config).range_matchers)
      .flatMap((one) =>
        records(one.ranges).map((range) => ({
          cidr: `${text(range.address_prefix)}/${number(range.prefix_len)}`,
          then: record(one.on_match),
        })),
      )
      .sort((a, b) => prefixLength(b.cidr) - prefixLength(a.cidr));
  }

  /** Every kind of connection to each service that either has it serve. */
  public arrivals(): readonly Arrival[] {
    const known = this.services;
    const unknown = this.hosts.filter((host) => !known.some((service) => service.host === host));
    return [
      ...known.flatMap((service) => this.at(service)),
      ...unknown.map((host): Arrival => ({ of: { host, address: '', port: 0, http: false }, manifests: 'no chain', istiod: this.named(host), routes: undefined })), // prettier-ignore
    ];
  }

  public cluster(name: string): ExpectedCluster | undefined {
    const found = waypointCluster({ mesh: this.mesh, binding: this.binding }, name);
    return isMissing(found) ? undefined : clusterShape(found);
  }

  private get services(): readonly Service[] {
    return this.mesh.services.all.filter((service) => {
      if (!isTold(this.mesh, service) || this.isDoubled(service.host)) return false;
      const own = serviceBindingOf(this.mesh, service);
      return own?.problem === undefined && own?.namespace === this.binding.namespace && own.name === this.binding.name;
    });
  }

  /** Hosts of the services whose chains it has been sent. */
  private get hosts(): readonly string[] {
    const all = [...this.chains.keys()].flatMap((name) => name.split('|')[3] ?? []);
    return [...new Set(all)].filter((host) => !this.isDoubled(host));
  }

  /** Which of several objects istiod takes a host from is left to chance. */
  private isDoubled(host: string): boolean {
    return new Set(this.mesh.services.declaring(host).map(({ config }) => config.manifest)).size > 1;
  }

  private named(host: string): Taken {
    return [...this.chains].find(([name]) => name.endsWith(`|${host}`))?.[1].chain ?? 'no chain';
  }

  private at(service: Service): readonly Arrival[] {
    const { host } = service;
    const address = service.address.split('/')[0] ?? '';
    return [...service.ports.filter(({ protocol }) => protocol !== 'UDP').map(({ port }) => port), OTHER_PORT].flatMap(
      (port) =>
        [true, false].map((http): Arrival => {
          const of = { host, address, port, http };
          const at = { mesh: this.mesh, binding: this.binding };
          const served = servedAt({ ...at, service }, port);
          const declared = served?.ports.find((one) => one.port === port);
          const own = served && declared && { ...at, service: served, port: declared };
          const manifests = own === undefined ? 'no chain' : expected(own, http);
          const name = this.matched(of);
          const sent = name === undefined ? undefined : this.chains.get(name);
          const istiod = sent === undefined ? 'no chain' : isRead(sent.chain) && !http ? 'no HTTP' : sent.chain;
          const theirs = sent?.routes;
          const routes = own !== undefined && theirs !== undefined && isChain(manifests) && manifests.routeConfig !== null ? { manifests: waypointRoutes(own, manifests.routeConfig), istiod: theirs } : undefined; // prettier-ignore
          return { of, manifests, istiod, routes };
        }),
    );
  }

  /** The name of the chain that a connection gets. */
  private matched({ host, address, port, http }: Arriving): string | undefined {
    // Addresses that istiod allots are in no manifest: whoever dials one has the service's own chains.
    if (address === '0.0.0.0' || address === '') {
      const own = (kind: string): string | undefined => [`inbound-vip|${port}|${kind}|${host}`].find((name) => this.chains.has(name)); // prettier-ignore
      return http ? (own('http') ?? own('tcp')) : (own('tcp') ?? own('http'));
    }
    for (const { cidr, then } of this.ranges) {
      if (!contains(cidr, address)) continue;
      const found = followed(then, [String(port), http ? "'http/1.1'" : '']);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

const isChain = (taken: Taken): taken is FilterChain => typeof taken !== 'string';
const isRead = ({ routeConfig }: FilterChain): boolean => routeConfig !== null;

/** As `throughWaypoint` has it, without the tunnel. */
function expected(own: WaypointPort, http: boolean): Taken {
  const { service, port } = own;
  if (service.resolution === 'DYNAMIC_DNS' && isTls(port.protocol)) return 'no chain';
  const takesHttp = isHttp(port.protocol);
  if (takesHttp && !http) return 'no HTTP';
  const { chain } = waypointChain(own, http && (takesHttp || port.protocol === 'AUTO'));
  return { ...chain, terminates: null };
}

/** Envoy's matcher API, of exact matches: the name of the chain at its end. */
function followed(step: Json, inputs: readonly string[]): string | undefined {
  if (step.action !== undefined) return text(record(record(step.action).typed_config).value) || text(record(step.action).name); // prettier-ignore
  const matcher = record(step.matcher);
  const map = record(record(record(matcher.matcher_tree).exact_match_map).map);
  const [input = '', ...rest] = inputs;
  const next = optionalRecord(map[input]) ?? optionalRecord(matcher.on_no_match);
  return next === undefined ? undefined : followed(next, rest);
}

function routesIn(chain: Json): SentRoutes | undefined {
  const http = records(chain.filters).map((filter) => record(filter.typed_config)).find((one) => text(one['@type']).endsWith('HttpConnectionManager')); // prettier-ignore
  return http === undefined ? undefined : routesOf(record(http.route_config));
}
