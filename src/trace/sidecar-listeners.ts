import { ANY_ADDRESS, canonicalCidr, isAddress } from '../model/addresses';
import { autoAddress } from '../model/auto-addresses';
import { number, record, text } from '../model/fields';
import { OverlapIndex } from '../model/hostnames';
import { isHttp, isTcp, isTls, type Protocol } from '../model/protocols';
import type { Port, Service } from '../model/services';
import type { EgressListener } from '../model/sidecar-scope';
import { MESH_GATEWAY, sourceMatches, type L4Match, type VirtualService } from '../model/virtual-services';
import { PASSTHROUGH } from './catch-all';
import { alternativeHosts } from './domains';
import { filterChain, matchesAll, overlappingChains, type FilterChain, type Listener, type TcpTarget } from './envoy';
import { clusterName } from './http-routes';
import { targetOfRule, targetOfService, type ProxyView } from './tcp-routes';

/** Ports that Envoy itself listens on: no HTTP listener for them on the wildcard address. */
const RESERVED_PORTS = new Set([15001, 15006, 15021, 15090]);

const PLAIN_HTTP = ['http/1.1', 'h2c'];

interface Entry {
  readonly bind: string;
  chains: FilterChain[];
  protocol: Protocol;
  readonly locked: boolean;
}

export interface SidecarView extends ProxyView {
  readonly addresses: readonly string[];
  /** Whether it answers the DNS queries of its workload, with addresses of Istio's own where hosts have none. */
  readonly capturesDns?: boolean;
}

/** A service as the proxy sees its address. */
function seenBy(view: SidecarView, service: Service): Service {
  const address = view.capturesDns === true ? autoAddress(service, !view.mesh.config.allocatesAddresses) : undefined;
  return address === undefined ? service : { ...service, address };
}

/** Where traffic goes that no service claims: out as it is, nowhere, or to the Sidecar's egress proxy. */
export function catchAll(view: ProxyView): TcpTarget {
  const { outbound, sidecar } = view.scope;
  if (outbound.mode === 'REGISTRY_ONLY') {
    return { clusters: [{ cluster: 'BlackHoleCluster', weight: 0 }], route: null, tunnel: null, decidedBy: [] };
  }
  if (outbound.egressProxy !== undefined) {
    const proxy = outbound.egressProxy;
    const cluster = clusterName(text(proxy.host), text(proxy.subset), number(record(proxy.port).number));
    const by =
      sidecar === undefined
        ? []
        : [
            {
              kind: sidecar.kind,
              namespace: sidecar.namespace,
              name: sidecar.name,
              field: 'spec.outboundTrafficPolicy.egressProxy',
            },
          ];
    return { clusters: [{ cluster, weight: 0 }], route: null, tunnel: null, decidedBy: by };
  }
  return { clusters: [{ cluster: PASSTHROUGH, weight: 0 }], route: null, tunnel: null, decidedBy: [] };
}

/** VirtualServices of a listener whose hosts overlap with a service's, in their order. */
function routesForHost(view: ProxyView, listener: EgressListener, host: string): readonly VirtualService[] {
  const index = view.mesh.remember(listener, 'routes by host', () => {
    const byHost = new OverlapIndex<number>();
    listener.virtualServices.forEach(({ hosts, tls, tcp }, order) => {
      if (tls.length > 0 || tcp.length > 0) for (const own of hosts) byHost.add(own, order);
    });
    return byHost;
  });
  return [...index.overlapping(host)]
    .sort((a, b) => a - b)
    .map((order) => listener.virtualServices[order] as VirtualService);
}

function staticMatch(match: L4Match, view: ProxyView, port: number): boolean {
  return (
    (match.gateways.length === 0 || match.gateways.includes(MESH_GATEWAY)) &&
    sourceMatches(match, view.proxy) &&
    (match.port === 0 || match.port === port)
  );
}

interface ListenPort {
  readonly port: number;
  readonly protocol: Protocol;
}

function decidedByService(service: Service): FilterChain['decidedBy'] {
  const { kind, namespace, name } = service.config;
  return [{ kind, namespace, name, field: 'spec.ports' }];
}

function onlyPort(service: Service, listenPort: number): number {
  return service.ports.length === 1 ? (service.ports[0]?.port ?? listenPort) : listenPort;
}

function tlsChains(
  view: ProxyView,
  service: Service,
  bind: string,
  ranges: readonly string[],
  port: ListenPort,
  routes: readonly VirtualService[],
): readonly FilterChain[] {
  let cidrs = ranges;
  const handled = new Set<string>();
  const chains: FilterChain[] = [];
  for (const route of routes) {
    for (const rule of route.tls) {
      for (const match of rule.matches) {
        if (!staticMatch(match, view, port.port)) continue;
        if (match.destinationSubnets.length > 0 && port.port > 0) cidrs = match.destinationSubnets;
        const key = `${match.sniHosts.join(',')}|${match.destinationSubnets.join(',')}`;
        if (handled.has(key)) continue;
        handled.add(key);
        chains.push(
          filterChain({ name: '', sniHosts: match.sniHosts, cidrs, tcp: targetOfRule(view, rule, port.port) }),
        );
      }
    }
  }
  if (chains.length > 0) return chains;
  const address = service.address.includes('/') ? '' : service.address;
  const bySni = cidrs.length > 0 || address === '' || (address === ANY_ADDRESS && bind === ANY_ADDRESS);
  const names = [
    service.host,
    ...service.aliases.flatMap((alias) => [
      alias,
      ...alternativeHosts(alias, view.proxy.namespace, view.mesh.config.clusterDomain),
    ]),
  ];
  return [
    filterChain({
      name: '',
      sniHosts: bySni ? names : [],
      cidrs,
      tcp: targetOfService(view, service.host, onlyPort(service, port.port)),
      decidedBy: decidedByService(service),
    }),
  ];
}

function tcpChains(
  view: ProxyView,
  service: Service,
  ranges: readonly string[],
  port: ListenPort,
  routes: readonly VirtualService[],
): readonly FilterChain[] {
  const chains: FilterChain[] = [];
  let isComplete = false;
  for (const route of routes) {
    for (const rule of route.tcp) {
      const make = (cidrs: readonly string[]): FilterChain =>
        filterChain({ name: '', cidrs, tcp: targetOfRule(view, rule, port.port) });
      if (rule.matches.length === 0) return [...chains, make(ranges)];
      const subnets: string[] = [];
      for (const match of rule.matches) {
        if (!staticMatch(match, view, port.port)) continue;
        if (match.destinationSubnets.length === 0 || port.port === 0) return [...chains, make(ranges)];
        subnets.push(...match.destinationSubnets);
      }
      if (subnets.length === 0) continue;
      chains.push(make(subnets));
      if ([...subnets].sort().join() === [...ranges].sort().join()) isComplete = true;
    }
  }
  if (isComplete) return chains;
  return [
    ...chains,
    filterChain({
      name: '',
      cidrs: ranges,
      tcp: targetOfService(view, service.host, onlyPort(service, port.port)),
      decidedBy: decidedByService(service),
    }),
  ];
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a.filter((name) => name !== '*'));
  const right = new Set(b.filter((name) => name !== '*'));
  return left.size === right.size && [...left].every((name) => right.has(name));
}

function rangeKey(cidrs: readonly string[]): string {
  return [...new Set(cidrs.filter((cidr) => !cidr.startsWith('0.0.0.0')).map(canonicalCidr))].sort().join();
}

function conflicts(a: FilterChain, b: FilterChain): boolean {
  return (
    a.transport === b.transport &&
    a.applicationProtocols.join() === b.applicationProtocols.join() &&
    sameNames(a.sniHosts, b.sniHosts) &&
    rangeKey(a.cidrs) === rangeKey(b.cidrs)
  );
}

/** Many chains meet in one listener: compared by a key, not pair by pair. */
function chainKey(chain: FilterChain): string {
  return [
    chain.transport,
    chain.applicationProtocols.join(),
    [...new Set(chain.sniHosts.filter((name) => name !== '*'))].sort().join(),
    rangeKey(chain.cidrs),
  ].join('|');
}

class ListenerMap {
  public readonly entries = new Map<string, Entry>();
  private readonly keys = new WeakMap<Entry, Set<string>>();

  public constructor(private readonly view: SidecarView) {}

  /** Later listeners leave alone what the ones with a port of their own have made. */
  public lock(): void {
    for (const [bind, entry] of this.entries) this.entries.set(bind, { ...entry, locked: true });
  }

  private merge(entry: Entry, incoming: readonly FilterChain[]): void {
    const keys = this.keys.get(entry) ?? new Set(entry.chains.map(chainKey));
    this.keys.set(entry, keys);
    for (const chain of incoming) {
      const key = chainKey(chain);
      if (keys.has(key) && entry.chains.some((existing) => conflicts(existing, chain))) continue;
      keys.add(key);
      entry.chains.push(chain);
    }
  }

  public add(egress: EgressListener, service: Service, port: ListenPort, givenBind: string | undefined): void {
    if (service.resolution === 'ALIAS' || port.protocol === 'UDP') return;
    const http = isHttp(port.protocol);
    let bind = givenBind ?? '';
    let ranges: readonly string[] = [];
    if (bind === '') {
      if (http) bind = ANY_ADDRESS;
      else if (service.address.includes('/')) {
        bind = ANY_ADDRESS;
        ranges = [service.address, ...service.extraAddresses];
      } else bind = service.address;
    }
    const current = this.entries.get(bind);
    if (current?.locked === true) return;
    const routes = http ? [] : routesForHost(this.view, egress, service.host);
    const tcp = (): readonly FilterChain[] =>
      isTls(port.protocol)
        ? tlsChains(this.view, service, bind, ranges, port, routes)
        : tcpChains(this.view, service, ranges, port, routes);
    const sniffed: Partial<FilterChain> = { applicationProtocols: PLAIN_HTTP, transport: 'raw_buffer' };
    const routeConfig =
      port.protocol === 'AUTO' && bind !== ANY_ADDRESS ? `${service.host}:${port.port}` : String(port.port);

    if (port.protocol === 'HTTP_PROXY') {
      if (current === undefined)
        this.entries.set(bind, {
          bind,
          chains: [filterChain({ name: '', routeConfig })],
          protocol: port.protocol,
          locked: false,
        });
      return;
    }
    if (current !== undefined && !mayShare(port.protocol, current.protocol, http)) return;
    if (http) {
      if (current !== undefined && !isTcp(current.protocol)) return;
      const chain = filterChain({ name: '', routeConfig, ...(bind === ANY_ADDRESS ? sniffed : {}) });
      if (current === undefined) {
        this.entries.set(bind, {
          bind,
          chains: [chain],
          protocol: bind === ANY_ADDRESS ? 'AUTO' : port.protocol,
          locked: false,
        });
      } else {
        this.merge(current, [chain]);
        current.protocol = 'AUTO';
      }
      return;
    }
    if (port.protocol === 'AUTO') {
      if (current !== undefined && !isHttp(current.protocol) && !isTcp(current.protocol)) return;
      const chains = [...tcp(), filterChain({ name: '', routeConfig, ...sniffed })];
      if (current === undefined || isHttp(current.protocol))
        this.entries.set(bind, { bind, chains, protocol: 'AUTO', locked: false });
      else {
        this.merge(current, chains);
        current.protocol = 'AUTO';
      }
      return;
    }
    const chains = tcp();
    if (current === undefined) {
      this.entries.set(bind, { bind, chains: [...chains], protocol: port.protocol, locked: false });
      return;
    }
    this.merge(current, chains);
    if (isHttp(current.protocol)) current.protocol = 'AUTO';
  }
}

/** MongoDB and MySQL let their server speak first: they share a port with nothing else. */
function mayShare(incoming: Protocol, existing: Protocol, incomingIsHttp: boolean): boolean {
  if (incomingIsHttp && !isTcp(existing)) return true;
  const alone: readonly Protocol[] = ['Mongo', 'MySQL'];
  return incoming === existing || !(alone.includes(incoming) || alone.includes(existing));
}

function isReserved(bind: string | undefined, port: ListenPort): boolean {
  if (bind !== undefined && bind !== '') return bind === ANY_ADDRESS && RESERVED_PORTS.has(port.port);
  return isHttp(port.protocol) && RESERVED_PORTS.has(port.port);
}

function addForAll(
  map: ListenerMap,
  view: SidecarView,
  egress: EgressListener,
  service: Service,
  port: Port,
  bind: string | undefined,
): void {
  if (isReserved(bind, port)) return;
  const perEndpoint =
    bind === undefined &&
    service.resolution === 'PASSTHROUGH' &&
    service.address === ANY_ADDRESS &&
    (isTcp(port.protocol) || port.protocol === 'AUTO');
  if (!perEndpoint) {
    map.add(egress, service, port, bind);
    return;
  }
  const { endpoints } = view.mesh.endpoints.of(service, port, {});
  if (service.registry === 'External' && endpoints.length === 0 && Object.keys(service.selector).length === 0) {
    map.add(egress, service, port, bind);
    return;
  }
  for (const { address, workload } of endpoints) {
    // An endpoint by name is nobody's to dial (isValidInstance in buildSidecarOutboundListeners); Pods have addresses, shown or not.
    if (!isAddress(address) && workload === undefined) continue;
    if (address !== view.addresses[0]) map.add(egress, service, port, address);
  }
}

function toListener(view: ProxyView, entry: Entry, port: number): Listener {
  const chains = entry.chains.filter((chain) => !matchesAll(chain));
  const all = entry.chains.filter(matchesAll);
  const last = all[all.length - 1];
  const fallback = filterChain({ name: 'PassthroughFilterChain', tcp: catchAll(view) });
  return {
    refused: overlappingChains(chains),
    name: `${entry.bind}_${port}`,
    address: entry.bind,
    port,
    chains: last !== undefined && chains.length === 0 ? [last] : chains,
    defaultChain: last === undefined ? fallback : chains.length === 0 ? null : last,
    tlsInspector: entry.chains.some((chain) => chain.sniHosts.length > 0),
    httpInspector: entry.chains.some((chain) => chain.applicationProtocols.length > 0),
  };
}

/** All listeners of a sidecar for one destination port, by address. */
export function sidecarListeners(view: SidecarView, port: number): ReadonlyMap<string, Listener> {
  const map = new ListenerMap(view);
  for (const egress of view.scope.listeners) {
    const bind = egress.bind !== '' ? egress.bind : egress.captureMode === 'NONE' ? '127.0.0.1' : undefined;
    if (egress.port !== undefined) {
      if (egress.port.number !== port) continue;
      const listenPort: ListenPort = { port, protocol: egress.port.protocol };
      if (isReserved(bind, listenPort)) continue;
      for (const service of egress.services) map.add(egress, seenBy(view, service), listenPort, bind);
    } else {
      map.lock();
      for (const [service, servicePort] of egress.servicesByPort.get(port) ?? [])
        addForAll(map, view, egress, seenBy(view, service), servicePort, bind);
    }
  }
  return new Map([...map.entries.values()].map((entry) => [entry.bind, toListener(view, entry, port)]));
}

/** The route configuration of HTTP that no other listener takes, where names are resolved: it has no host but what is asked for. */
export const UNKNOWN_HOSTS = 'allow_any_dynamic_dns';

/** The listener for traffic that none other takes: everything redirected by iptables ends up here. */
export function virtualOutbound(view: ProxyView): Listener {
  const resolves = view.scope.outbound.mode === 'ALLOW_ANY_DYNAMIC_DNS';
  const http = filterChain({ name: UNKNOWN_HOSTS, applicationProtocols: PLAIN_HTTP, routeConfig: UNKNOWN_HOSTS });
  return {
    name: 'virtualOutbound',
    address: ANY_ADDRESS,
    port: 15001,
    chains: [filterChain({ name: 'virtualOutbound-catchall-tcp', tcp: catchAll(view) }), ...(resolves ? [http] : [])],
    defaultChain: null,
    tlsInspector: false,
    httpInspector: resolves,
    refused: null,
  };
}
