import { ANY_ADDRESS } from '../model/addresses';
import { GATEWAY_API } from '../model/gateway-api';
import { overlaps } from '../model/hostnames';
import { isHttp } from '../model/protocols';
import {
  isPassthrough,
  sniHostsOf,
  takeHosts,
  terminatesHttps,
  type MergedGateway,
  type Server,
  type ServerGroup,
} from '../model/merged-gateway';
import type { Decision } from './types';
import { isSubsetOf } from '../model/hostnames';
import type { L4Match, L4Rule, VirtualService } from '../model/virtual-services';
import { filterChain, overlappingChains, type FilterChain, type Listener } from './envoy';
import { routeNameOf } from '../model/merged-gateway';
import { targetOfRule, targetOfService, type ProxyView } from './tcp-routes';

/** Application protocols by which Istio's own mutual TLS is known. */
const MESH_ALPN = ['istio', 'istio-peer-exchange', 'istio-http/1.0', 'istio-http/1.1', 'istio-h2'];

export function serverDecision(server: Server): Decision {
  const { kind, namespace, name, manifest, spec } = server.gateway;
  // A Gateway of the Gateway API stands behind those that istiod makes of its listeners.
  if (manifest.group === GATEWAY_API || manifest.kind === 'XListenerSet')
    return { kind: manifest.kind, namespace, name: manifest.name, field: `spec.listeners[${String(spec.listener)}]` };
  if (manifest.kind === 'Ingress') return { kind: manifest.kind, namespace: manifest.namespace, name: manifest.name, field: 'spec' }; // prettier-ignore
  return { kind, namespace, name, field: `spec.servers[${server.index}]` };
}

/** Whether a VirtualService has a host that a server of a gateway admits to its namespace. */
export function admitsHosts(server: Server, virtualService: VirtualService): boolean {
  return virtualService.hosts.some((host) =>
    server.hosts.some((entry) => {
      const slash = entry.indexOf('/');
      if (slash >= 0 && entry.slice(0, slash) !== virtualService.namespace) return false;
      return overlaps(entry.slice(slash + 1), host);
    }),
  );
}

export function l4Matches(match: L4Match, server: Server): boolean {
  return (
    (match.port === 0 || match.port === server.port) &&
    (match.gateways.length === 0 || match.gateways.includes(server.gatewayName))
  );
}

/** The TCP rule that a server forwards by: the first that fits of the first VirtualService that has one. */
export function tcpRuleAt({ mesh, proxy }: Pick<ProxyView, 'mesh' | 'proxy'>, server: Server): L4Rule | undefined {
  for (const virtualService of mesh.virtualServices.forGateway(proxy.namespace, server.gatewayName)) {
    if (!admitsHosts(server, virtualService)) continue;
    const rule = virtualService.tcp.find(
      (candidate) => candidate.matches.length === 0 || candidate.matches.some((match) => l4Matches(match, server)),
    );
    if (rule !== undefined) return rule;
  }
  return undefined;
}

function tcpChain(view: ProxyView, server: Server): readonly FilterChain[] {
  const rule = tcpRuleAt(view, server);
  if (rule === undefined) return [];
  const terminates = server.tls !== undefined && !isPassthrough(server) ? server.tls : null;
  return [
    filterChain({
      name: '',
      sniHosts: terminates === null ? [] : sniHostsOf(server),
      terminates,
      tcp: targetOfRule(view, rule, server.port),
      decidedBy: [serverDecision(server)],
    }),
  ];
}

/** A match for the SNI of TLS that passes through at a server; one that asks for a name that an earlier one has is left out as a whole. */
export interface SniMatch {
  readonly virtualService: VirtualService;
  readonly rule: L4Rule;
  readonly match: L4Match;
  /** Names that earlier matches have. */
  readonly taken: readonly string[];
}

export function* sniMatches(
  { mesh, proxy }: Pick<ProxyView, 'mesh' | 'proxy'>,
  server: Server,
  taken: Map<string, string>,
): Generator<SniMatch> {
  for (const virtualService of mesh.virtualServices.forGateway(proxy.namespace, server.gatewayName)) {
    if (!admitsHosts(server, virtualService)) continue;
    for (const rule of virtualService.tls)
      for (const match of rule.matches)
        if (l4Matches(match, server))
          yield { virtualService, rule, match, taken: takeHosts(match.sniHosts, server.bind, taken) };
  }
}

function tlsChains(view: ProxyView, server: Server, taken: Map<string, string>): readonly FilterChain[] {
  return [...sniMatches(view, server, taken)]
    .filter((one) => one.taken.length === 0)
    .map(({ rule, match }) =>
      filterChain({
        name: '',
        sniHosts: match.sniHosts,
        tcp: targetOfRule(view, rule, server.port),
        decidedBy: [serverDecision(server)],
      }),
    );
}

/** East-west traffic: the SNI names the cluster, one chain for each service that the hosts admit. */
function autoPassthroughChains(view: ProxyView, server: Server): readonly FilterChain[] {
  const hosts = sniHostsOf(server);
  const chains: FilterChain[] = [];
  for (const service of view.scope.services()) {
    if (service.meshExternal || !hosts.some((host) => isSubsetOf(service.host, host))) continue;
    const subsets = [
      '',
      ...(view.scope.destinationRule(service.host, view.proxy.labels)?.subsets.map((subset) => subset.name) ?? []),
    ];
    for (const port of service.ports) {
      if (port.protocol === 'UDP') continue;
      for (const subset of subsets) {
        const cluster = `outbound_.${port.port}_.${subset}_.${service.host}`;
        const target = targetOfService(view, service.host, port.port);
        chains.push(
          filterChain({
            name: '',
            sniHosts: [cluster],
            applicationProtocols: MESH_ALPN,
            tcp: { ...target, tunnel: null, clusters: [{ cluster, weight: 0 }] },
            decidedBy: [serverDecision(server)],
          }),
        );
      }
    }
  }
  return chains;
}

function chainsOf(view: ProxyView, group: ServerGroup, taken: Map<string, string>): readonly FilterChain[] {
  if (isHttp(group.port.protocol)) {
    const first = group.servers[0];
    return [
      filterChain({
        name: '',
        routeConfig: group.routeName,
        decidedBy: first === undefined ? [] : [serverDecision(first)],
      }),
    ];
  }
  return group.servers.flatMap((server): readonly FilterChain[] => {
    if (terminatesHttps(server)) {
      return [
        filterChain({
          name: '',
          sniHosts: sniHostsOf(server),
          routeConfig: routeNameOf(server, group.port.number),
          terminates: server.tls ?? null,
          decidedBy: [serverDecision(server)],
        }),
      ];
    }
    if (server.tls?.mode === 'AUTO_PASSTHROUGH') return autoPassthroughChains(view, server);
    return isPassthrough(server) ? tlsChains(view, server, taken) : tcpChain(view, server);
  });
}

/** Listeners of a gateway by bind address for the port that it really listens on; one without chains is not made. */
export function gatewayListeners(view: ProxyView, merged: MergedGateway, port: number): ReadonlyMap<string, Listener> {
  const chains = new Map<string, FilterChain[]>();
  const taken = new Map<string, string>();
  for (const group of merged.groups) {
    if (group.port.number !== port) continue;
    const bind = group.port.bind || ANY_ADDRESS;
    chains.set(bind, [...(chains.get(bind) ?? []), ...chainsOf(view, group, taken)]);
  }
  const listeners = new Map<string, Listener>();
  for (const [bind, own] of chains) {
    if (own.length === 0) continue;
    listeners.set(bind, {
      name: `${bind}_${port}`,
      address: bind,
      port,
      chains: own,
      defaultChain: null,
      tlsInspector: own.some((chain) => chain.sniHosts.length > 0 || chain.terminates !== null),
      httpInspector: false,
      refused: overlappingChains(own),
    });
  }
  return listeners;
}
