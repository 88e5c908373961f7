/** What istiod's proxies have for themselves: how they read requests, reach clusters, and why there is no chain, host or route for what comes. */
import { PASSTHROUGH, RESOLVED_BY_HOST } from './catch-all';
import { isSubsetOf } from '../model/hostnames';
import { MESH_GATEWAY, type Unmerged } from '../model/virtual-services';
import { isMissing } from './clusters';
import { hostWithoutPort, type FilterChain, type TcpTarget, type WeightedCluster } from './envoy';
import { unknownDestination } from './explain';
import { pathRead } from './filters';
import { hopOf, withVirtualHost, type Absent, type AtProxy, type ControlPlane, type Incoming } from './hop';
import type { HttpRequest, Route, VirtualHost } from './http-routes';
import { PRESENT, stringMatch } from './matcher';
import { remark } from './notes';
import { send } from './send';
import { UNKNOWN_HOSTS, virtualOutbound, type SidecarView } from './sidecar-listeners';
import type { RouteConfig } from './sidecar-routes';
import { refused, type Step } from './step';
import type { Alternative, ProxyRef, Refused } from './types';
import { noHostname } from './unattached';
import { unrouted } from './unrouted';
import type { Walk } from './walk';
import { withheldKey } from './withheld-keys';

export function istioPlane(walk: Walk, at: AtProxy): ControlPlane {
  const isGateway = at.self.type === 'gateway';
  return {
    byEnvoyGateway: false,
    reads: (incoming, http) => pathRead(walk.mesh, incoming, http),
    send: (onward, { cluster }) => send(walk, { at, ...onward }, cluster),
    sharesOf: (by, chosen) => sharesOf(walk, by, chosen),
    keyWithheld: (chain) => keyOfChain(walk, at, chain),
    noTls: (_chain, mode) => ({ kind: 'tls-expected', listener: null, mode }),
    mayHave: (name) => {
      const cluster = at.cluster(name);
      return !isMissing(cluster) || cluster.mayExist;
    },
    isDeadEnd: (name) => {
      const cluster = at.cluster(name);
      if (isMissing(cluster)) return !cluster.mayExist;
      return cluster.type !== 'ORIGINAL_DST' && cluster.endpoints.length === 0 && cluster.endpointsKnown;
    },
    noChain: ({ name, chains }, outer) => ({
      reason: {
        kind: 'no-filter-chain',
        listener: name,
        isTls: outer !== undefined,
        sni: outer?.sni ?? null,
        served: [...new Set(chains.flatMap((one) => one.sniHosts))],
        atGateway: isGateway,
      },
      by: chains[0]?.decidedBy[0] ?? null,
    }),
    // A route configuration of one sniffed service has no virtual host for others.
    noHost: (incoming, rules, http) =>
      isGateway || rules.name.includes(':')
        ? noHost(walk, incoming, rules, http)
        : toCatchAll(walk, at, incoming, http),
    noRoute: (incoming, host, http) => noRoute(walk, incoming, host, http),
  };
}

/** The Secret of a server of Istio's Gateway; those that a Gateway of the Gateway API names come by its ReferenceGrants. */
function keyOfChain(walk: Walk, { workload }: AtProxy, { terminates, decidedBy }: FilterChain): Absent | undefined {
  const [by] = decidedBy;
  if (terminates === null || by?.kind !== 'Gateway' || !by.field.startsWith('spec.servers') || workload === undefined)
    return undefined;
  const { namespace, serviceAccount } = workload;
  const withheld = withheldKey(walk, { namespace, serviceAccount, workload }, terminates.credentialName);
  return withheld && { by: { ...by, field: `${by.field}.tls` }, reason: { kind: 'key-withheld', ...withheld } };
}

/** Each destination of a rule is a cluster of its own. */
function sharesOf(walk: Walk, by: Route | TcpTarget, chosen: WeightedCluster): readonly Alternative[] {
  const clusters: readonly WeightedCluster[] = by.clusters;
  const others = clusters.filter((item) => item !== chosen).map(({ cluster, weight }) => ({ cluster, weight }));
  const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
  if (others.length > 0)
    walk.note(remark({ kind: 'weighted', weight: chosen.weight, total, others: others.map(({ cluster }) => cluster) }));
  return others;
}

/** A request for a host that a gateway, or the routes of one sniffed service, has nothing for. */
function noHost(walk: Walk, incoming: Incoming, rules: RouteConfig, http: HttpRequest): Step {
  const { proxy } = incoming;
  const hop = hopOf(incoming);
  if (rules.onlyFor !== undefined)
    return refused(hop, { code: 'NR', status: 404, proxy, by: null, reason: { kind: 'foreign-host', authority: `${http.authority}`, host: rules.onlyFor } }); // prettier-ignore
  const handedOver = notHandedOver(walk, proxy, http);
  if (handedOver !== undefined) return refused(hop, { code: 'NR', status: 404, proxy, ...handedOver });
  const host = hostWithoutPort(http.authority.name);
  const routes = walk.mesh.virtualServices.forHost(host);
  const bound = routes.map(({ namespace, name, gateways }) => ({ route: `${namespace}/${name}`, gateways }));
  return refused(hop, {
    code: 'NR',
    status: 404,
    proxy,
    by: incoming.decidedBy[0] ?? null,
    reason: noHostname(walk.mesh, incoming.decidedBy, host) ?? {
      kind: 'no-virtual-host',
      routes: rules.name,
      host,
      namespace: proxy.namespace,
      bound,
    },
  });
}

function noRoute(walk: Walk, incoming: Incoming, virtualHost: VirtualHost, http: HttpRequest): Step {
  const { proxy } = incoming;
  const hop = hopOf(incoming);
  const handedOver = notHandedOver(walk, proxy, http);
  if (handedOver !== undefined) return refused(hop, { code: 'NR', status: 404, proxy, ...handedOver });
  const rule = virtualHost.routes[0]?.rule;
  const [, blackhole] = /^blackhole:(\d+)$/.exec(virtualHost.name) ?? [];
  const gateways = incoming.decidedBy.filter(({ kind }) => kind === 'Gateway').map(({ namespace, name }) => `${namespace}/${name}`); // prettier-ignore
  const kept =
    blackhole === undefined
      ? undefined
      : unrouted(walk.mesh, {
          gateways,
          namespace: proxy.namespace,
          section: 'http',
          port: Number(blackhole),
          host: hostWithoutPort(http.authority.name),
        });
  if (kept !== undefined)
    return refused(hop, { code: 'NR', status: 404, proxy, by: kept.by, reason: { kind: 'no-rule-for-server', server: null, cause: kept.cause } }); // prettier-ignore
  return refused(hop, {
    code: 'NR',
    status: 404,
    proxy,
    // istiod's stand-in for a port on which it has nothing to serve.
    reason: virtualHost.name.startsWith('blackhole:')
      ? (noHostname(walk.mesh, incoming.decidedBy, hostWithoutPort(http.authority.name)) ?? {
          kind: 'no-rule-on-port',
          port: Number(virtualHost.name.slice('blackhole:'.length)),
        })
      : {
          kind: 'no-rule-matches',
          of: virtualHost.of ?? `route of ${virtualHost.name}`,
          method: `${http.method}`,
          path: `${http.path}`,
        },
    by:
      rule == null
        ? (incoming.decidedBy[0] ?? null)
        : { kind: rule.ref.kind, namespace: rule.ref.namespace, name: rule.ref.name, field: rule.ref.kind === 'VirtualService' ? 'spec.http' : 'spec.rules' }, // prettier-ignore
  });
}

/** A rule for the request whose delegate istiod leaves out: why there is no route for it, where there would be one. */
function notHandedOver({ mesh }: Walk, proxy: ProxyRef, http: HttpRequest): Pick<Refused, 'reason' | 'by'> | undefined {
  const host = hostWithoutPort(http.authority.name);
  const isFor = ({ matches }: Unmerged): boolean =>
    matches.length === 0 ||
    matches.some(
      ({ uri, method }) =>
        (uri === undefined || http.path.plain.is(stringMatch(uri) ?? PRESENT)) &&
        (method === undefined || http.method.is(stringMatch(method) ?? PRESENT)),
    );
  const isHere = (name: string): boolean =>
    (name === MESH_GATEWAY) === (proxy.kind === 'sidecar' || proxy.kind === 'waypoint');
  const lost = mesh.virtualServices.all
    .filter(({ hosts, gateways }) => hosts.some((own) => isSubsetOf(host, own)) && gateways.some(isHere))
    .flatMap(({ unmerged = [] }) => unmerged)
    .find(isFor);
  if (lost === undefined) return undefined;
  const { delegate, why, leaf = null } = lost;
  const { kind, namespace, name, rule } = lost.rule;
  return {
    reason: { kind: 'delegate-left-out', rule: lost.rule, delegate, why, leaf },
    by: { kind, namespace, name, field: `spec.${rule}.delegate` },
  };
}

/** HTTP for a host that no service of the port has: out as it is, or 502. */
function toCatchAll(walk: Walk, at: AtProxy, incoming: Incoming, http: HttpRequest): Step {
  const { view, flight } = at;
  const { proxy } = incoming;
  const { mode } = view.scope.outbound;
  const isBlocked = mode === 'REGISTRY_ONLY';
  const resolves = mode === 'ALLOW_ANY_DYNAMIC_DNS';
  const named = withVirtualHost(incoming, isBlocked ? 'block_all' : resolves ? UNKNOWN_HOSTS : 'allow_any');
  if (isBlocked) {
    const { cause, by = null } = unknownDestination(view, hostWithoutPort(http.authority.name), flight.port, 'HTTP');
    return refused(hopOf(named), {
      code: 'BlackHoleCluster',
      status: 502,
      proxy,
      by,
      reason: { kind: 'host-blocked', to: `${http.authority}`, readsHttp: true, cause },
    });
  }
  const name = resolves ? RESOLVED_BY_HOST : catchAllCluster(view);
  return send(
    walk,
    {
      at,
      incoming: named,
      route: null,
      alternatives: [],
      inner: [],
      http,
      gatewayApi: false,
      tunnel: null,
    },
    name,
  );
}

function catchAllCluster(view: SidecarView): string {
  return virtualOutbound(view).chains[0]?.tcp?.clusters[0]?.cluster ?? PASSTHROUGH;
}
