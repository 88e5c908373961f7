/** Where a connection enters a proxy: the sidecar of its client, a gateway, or none. */
import { ANY_ADDRESS } from '../model/addresses';
import { GATEWAY_API } from '../model/gateway-api';
import { gap, noteOfInstalled, remark } from './notes';
import { noL4Route } from './unattached';
import { unrouted } from './unrouted';
import type { Mesh, Proxy } from '../model/mesh';
import { proxySettings } from '../model/proxy-config';
import type { ProxyScope } from '../model/sidecar-scope';
import { hasTunnels } from '../model/tunnels';
import { type Workload, shownName } from '../model/workloads';
import { findCluster } from './clusters';
import { through } from './connection';
import { type FilterChain, type Listener, hostWithoutPort, matchFilterChain, overlappingChains } from './envoy';
import { workloadFilters } from './filters';
import { gatewayListeners, serverDecision } from './gateway-listeners';
import { gatewayRouteConfig } from './gateway-routes';
import { hopOf, brokenStatus, protocolOf } from './hop';
import { istioPlane } from './istio-plane';
import { type SidecarView, sidecarListeners, virtualOutbound } from './sidecar-listeners';
import { atProxyPort } from './proxy-ports';
import { sidecarRouteConfig } from './sidecar-routes';
import type { Reason } from './reasons';
import { refused, step, unknown, type Step } from './step';
import type { Decision, ProxyKind, ProxyRef, Refused, WireProtocol } from './types';
import { type Flight, type Walk, connectionOf, decisions, noMatch, outermost, ownerOf, wire } from './walk';

/** A client's connection as its sidecar treats it. */
export function throughSidecar(walk: Walk, flight: Flight, workload: Workload | undefined, proxy: ProxyRef): Step {
  const { mesh } = walk;
  const self: Proxy = {
    type: 'sidecar',
    namespace: flight.from.namespace,
    labels: flight.from.labels,
    addresses: workload?.addresses ?? [],
  };
  const { answersDns } = proxySettings(mesh, ownerOf(flight.from));
  const viewOf = (scope: ProxyScope): SidecarView => ({ mesh, scope, proxy: self, addresses: self.addresses, capturesDns: answersDns }); // prettier-ignore
  const view = viewOf((answersDns ? undefined : layerFor(viewOf, self, flight, mesh)) ?? mesh.scopeOf(self));
  const { scope } = view;
  const listeners = listenersOf(view, flight.port);
  const listener = pickListener(walk, listeners, flight.address, proxy) ?? virtualOutbound(view);
  const chain = matchFilterChain(listener, connectionOf(flight));
  return through(walk, {
    flight,
    proxy,
    plane: istioPlane(walk, { view, self, workload, flight, cluster: (name) => findCluster(view, false, name) }),
    listener,
    chain,
    filters: [],
    routeConfig: (name) =>
      mesh.remember(scope, `routes ${name} ${self.namespace} ${JSON.stringify(self.labels)}`, () =>
        sidecarRouteConfig(view, name),
      ),
  });
}

function listenersOf(view: SidecarView, port: number): ReadonlyMap<string, Listener> {
  const { mesh, scope, proxy, addresses, capturesDns } = view;
  const isCommon = !scope.base.dependsOnProxy && !hasTunnels(mesh);
  const own = scope.base.hasHeadless ? addresses.join() : '';
  const whose = isCommon
    ? `${scope.outbound.mode} ${own} ${capturesDns}`
    : `${proxy.namespace} ${JSON.stringify(proxy.labels)} ${addresses.join()} ${capturesDns}`;
  return mesh.remember(isCommon ? scope.base : scope, `listeners ${port} ${whose}`, () => sidecarListeners(view, port));
}

/**
 * The part of the sidecar's scope that decides the request, if that is a part. A host of the namespace's own is not asked for by an
 * address, which may be another's; and both parts must make a listener that Envoy takes, since it is one listener.
 */
function layerFor(
  viewOf: (scope: ProxyScope) => SidecarView,
  self: Proxy,
  flight: Flight,
  mesh: Mesh,
): ProxyScope | undefined {
  if (flight.tunnelled !== undefined) return undefined;
  const asked = [flight.host, outermost(flight.layers)?.sni, flight.http?.authority.name].filter(
    (name) => name != null,
  );
  const names = asked.map((name) => hostWithoutPort(name).toLowerCase().replace(/\.$/, ''));
  const layer = mesh.layerOf(self, names, flight.port);
  if (layer === undefined || (layer.isOwn && flight.address !== null)) return undefined;
  const other = layer.other && listenersOf(viewOf(layer.other), flight.port).get(ANY_ADDRESS);
  return other?.refused == null ? layer.scope : undefined;
}

/** The listener of the address itself, else of every address; one that Envoy refuses is not there. */
function pickListener(
  walk: Walk,
  listeners: ReadonlyMap<string, Listener>,
  address: string | null,
  proxy: ProxyRef,
): Listener | undefined {
  for (const bind of address === null ? ['0.0.0.0'] : [address, '0.0.0.0']) {
    const listener = listeners.get(bind);
    if (listener === undefined) continue;
    if (listener.refused === null) return listener;
    const { namespace, workload } = proxy;
    walk.note(
      remark({ kind: 'listener-refused', namespace, workload, listener: listener.name, chains: listener.refused }),
    );
  }
  return undefined;
}

export function gatewayKind(workload: Workload, fromOutside: boolean): ProxyKind {
  const name = `${workload.labels.istio ?? ''} ${workload.labels.app ?? ''} ${workload.name}`;
  if (/egress/.test(name)) return 'egress-gateway';
  if (/ingress/.test(name)) return 'ingress-gateway';
  return fromOutside ? 'ingress-gateway' : 'egress-gateway';
}

/** How the proxy of a gateway's Pod is named. */
export function gatewayProxy(flight: Flight, workload: Workload): ProxyRef {
  const kind = gatewayKind(workload, flight.sentBy === null);
  return { kind, namespace: workload.namespace, workload: shownName(workload) };
}

/** A connection at a gateway's Pod. */
export function throughGateway(walk: Walk, flight: Flight, workload: Workload): Step {
  const { mesh } = walk;
  const self: Proxy = {
    type: 'gateway',
    namespace: workload.namespace,
    labels: workload.labels,
    addresses: workload.addresses,
  };
  const proxy = gatewayProxy(flight, workload);
  const own = atProxyPort(flight, proxy);
  if (own !== undefined) return own;
  const settings = proxySettings(mesh, workload);
  if (settings.proxyProtocol)
    return unknown(
      undefined,
      gap({ kind: 'proxy-protocol-at-gateway', namespace: proxy.namespace, workload: proxy.workload }),
    );
  const installed = mesh.installedGateways.get(`${workload.namespace}/${workload.name}`);
  if (installed !== undefined) walk.note(noteOfInstalled(installed));
  const scope = mesh.scopeOf(self);
  const merged = mesh.mergedGateway(self);
  const view: SidecarView = { mesh, scope, proxy: self, addresses: self.addresses };
  const listeners = mesh.remember(merged, `listeners ${flight.port}`, () =>
    gatewayListeners(view, merged, flight.port),
  );
  const listener = pickListener(walk, listeners, flight.address, proxy);
  const refusedByEnvoy = [...listeners.values()].find(({ refused: matched }) => matched !== null);
  if (listener === undefined) return noListener(mesh, flight, proxy, merged, refusedByEnvoy);
  const chain = matchFilterChain(listener, connectionOf(flight));
  return through(walk, {
    flight,
    proxy,
    plane: istioPlane(walk, { view, self, workload, flight, cluster: (name) => findCluster(view, true, name) }),
    listener,
    chain,
    filters: workloadFilters(mesh, self, settings.trustedProxies),
    routeConfig: (name) => mesh.remember(merged, `routes ${name}`, () => gatewayRouteConfig(view, merged, name)),
  });
}

function noListener(
  mesh: Mesh,
  flight: Flight,
  proxy: ProxyRef,
  merged: ReturnType<Mesh['mergedGateway']>,
  refusedByEnvoy: Listener | undefined,
): Step {
  const receives = wire(protocolOf(flight), flight.namedPort, flight.layers);
  const refuse = (why: Pick<Refused, 'reason' | 'by'>): Step =>
    refused(hopOf({ proxy, receives, envoy: noMatch(), decidedBy: [] }), { code: 'UF', status: brokenStatus(flight), proxy, ...why }); // prettier-ignore
  const idle = idleListener(mesh, proxy, flight.namedPort);
  if (idle !== undefined) return refuse(idle);
  if (refusedByEnvoy !== undefined) return refuse(matchedAlike(refusedByEnvoy));
  const onPort = merged.groups.filter((group) => group.port.number === flight.port).flatMap((group) => group.servers);
  const rejection = merged.rejected.find((item) => item.port === flight.port);
  const server = onPort[0] ?? rejection?.server;
  const by = server === undefined ? null : serverDecision(server);
  const { port, namedPort } = flight;
  const section = server?.tls?.mode === 'PASSTHROUGH' ? 'tls' : 'tcp';
  const unserved =
    onPort.length > 0 && server !== undefined
      ? unrouted(mesh, {
          gateways: onPort.map(({ gatewayName }) => gatewayName),
          namespace: proxy.namespace,
          section,
          port: server.port,
          host: section === 'tls' ? (outermost(flight.layers)?.sni ?? null) : null,
        })
      : undefined;
  if (unserved !== undefined)
    return refuse({
      by: unserved.by,
      reason: { kind: 'no-rule-for-server', server: { gateway: server?.gatewayName ?? '', port, namedPort }, cause: unserved.cause }, // prettier-ignore
    });
  const sni = outermost(flight.layers)?.sni ?? null;
  const reason: Reason =
    onPort.length > 0
      ? (noL4Route(mesh, by, { sni, port: namedPort }) ?? {
          kind: 'server-without-route',
          gateway: server?.gatewayName ?? '',
          port,
          namedPort,
          section,
        })
      : rejection !== undefined
        ? { kind: 'server-left-out', gateway: rejection.server.gatewayName, port, namedPort, problem: rejection.why }
        : { kind: 'no-server-on-port', port, namedPort };
  return refuse({ by, reason });
}

/** A listener whose filter chains Envoy cannot tell apart, by the servers that they are of; the last is the one too many. */
function matchedAlike({ name, refused: matched, chains }: Listener): Pick<Refused, 'reason' | 'by'> {
  const isAlike = (chain: FilterChain): boolean =>
    chains.some((other) => other !== chain && overlappingChains([chain, other]) !== null);
  const servers = chains.filter(isAlike).flatMap(({ decidedBy }) => decidedBy);
  const named = servers.map(({ kind, namespace, name: own, field }) =>
    `${kind} ${namespace}/${own} ${field ?? ''}`.trim(),
  );
  const reason = { kind: 'chains-match-alike', listener: name, matched: matched ?? '', servers: [...new Set(named)] } as const; // prettier-ignore
  return { reason, by: servers.at(-1) ?? null };
}

/** A listener of the Gateway API on the port, which istiod leaves out. */
function idleListener(
  mesh: Mesh,
  proxy: ProxyRef,
  port: number,
): { readonly reason: Reason; readonly by: Decision } | undefined {
  const workload = mesh.workloads.find(proxy.namespace, proxy.workload ?? '');
  const gateway = mesh.gatewayApi.find(proxy.namespace, workload?.labels[`${GATEWAY_API}/gateway-name`] ?? '');
  const listener = gateway?.listeners.find((one) => one.port === port && one.problem !== undefined);
  if (gateway === undefined || listener?.problem === undefined) return undefined;
  const { namespace, name } = gateway.config;
  const own = { kind: 'Gateway', namespace, name };
  return {
    reason: { kind: 'listener-not-programmed', gateway: own, listener: listener.name, problem: listener.problem },
    by: { ...own, field: `spec.listeners[${listener.index}]` },
  };
}

/** A client whose connections no proxy of its own carries: it dials its destination itself. */
export function withoutProxy(flight: Flight, proxy: ProxyRef, by: Decision | undefined): Step {
  const protocol: WireProtocol = flight.layers.length > 0 ? 'TLS' : flight.http === null ? 'TCP' : 'HTTP';
  const receives = wire(protocol, flight.port, flight.layers);
  const hop = hopOf({ proxy, receives, envoy: noMatch(), decidedBy: decisions(by) }, { sends: receives });
  const onward = { ...flight, from: { ...flight.from, inMesh: false } };
  return step(hop, { at: 'network', flight: onward, target: undefined, isHttp: false });
}
