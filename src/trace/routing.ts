/** HTTP at one proxy: virtual host, route, and what the route does. */
import { isSubsetOf } from '../model/hostnames';
import { MESH_GATEWAY, type Unmerged } from '../model/virtual-services';
import { noConnect, pastFilters } from './filters';
import { isMissing } from './clusters';
import { hostWithoutPort } from './envoy';
import { unknownDestination } from './explain';
import { type AtListener, type Incoming, hopOf, brokenStatus, ruleDecision } from './hop';
import {
  type HttpRequest,
  type Route,
  type VirtualHost,
  copiesOf,
  toldCopies,
  rewritten,
  firstRoute,
} from './http-routes';
import { exact, PRESENT, stringMatch } from './matcher';
import { gap, remark } from './notes';
import { abortShare, ownAnswer, replyOf } from './own-answer';
import { send } from './send';
import { type SidecarView, virtualOutbound } from './sidecar-listeners';
import { locationOf } from './redirect';
import { unrouted } from './unrouted';
import type { RouteConfig } from './sidecar-routes';
import { refused, replied, unknown, type Step } from './step';
import type { Copy, Hop, ProxyRef, Refused } from './types';
import { type Walk, decisions, outermost } from './walk';

export function throughRoutes(
  walk: Walk,
  at: AtListener,
  incoming: Incoming,
  rules: RouteConfig,
  received: HttpRequest,
): Step {
  const { proxy, view, self, flight } = at;
  const isGateway = self.type === 'gateway';
  const host = hostWithoutPort(received.authority.name);
  let http = received;
  const virtualHost = rules.match(host, received.authority.name.toLowerCase());
  if (at.filters !== undefined) {
    const named = withVirtualHost(incoming, virtualHost?.name ?? null);
    const isTls = flight.layers.length > 0;
    const sni = outermost(flight.layers)?.sni ?? null;
    const before = { mesh: walk.mesh, incoming: named, flight, sni, terminated: true };
    const past = pastFilters(before, at.filters, http, (asked) => picked(walk, virtualHost, isTls, asked ?? http));
    if (past.held !== undefined) return past.held;
    // A token that is taken makes the proxy choose its route anew.
    http = past.http ?? http;
  }
  // No route of Istio's takes CONNECT, those for hosts that nobody registered included.
  if (http.method.is(exact('CONNECT'))) {
    const status = flight.tunnelled === undefined ? 404 : brokenStatus(flight);
    const hop = hopOf(withVirtualHost(incoming, virtualHost?.name ?? null));
    return refused(hop, noConnect(proxy, http.authority.name, status));
  }
  if (virtualHost === undefined)
    // A route configuration of one sniffed service has no virtual host for others.
    return isGateway || rules.name.includes(':')
      ? noRoute(walk, incoming, proxy, rules, http, view)
      : toCatchAll(walk, at, incoming, http);
  const named = withVirtualHost(incoming, virtualHost.name);
  if (virtualHost.requireTls && flight.layers.length === 0) {
    return replied(hopOf(named), {
      code: 'redirect',
      status: 301,
      location: locationOf({ scheme: 'https' }, NO_ROUTE, http, flight.namedPort),
      proxy,
      by: named.decidedBy[0] ?? null,
      reason: { kind: 'redirect-to-https' },
    });
  }
  const first = firstRoute(virtualHost.routes, http);
  if (first?.isOpen === true) {
    return unknown(hopOf(named), gap({ kind: 'condition-for-proxy-only', byEnvoyGateway: false }));
  }
  if (first === undefined) return noMatchingRoute(walk, named, proxy, virtualHost, http);
  return throughRoute(walk, at, named, first.route, http);
}

/** The redirect of a virtual host to HTTPS knows no route. */
const NO_ROUTE: Route = { name: '', rule: null, match: null, clusters: [], gatewaySemantics: false };

/** What the router would do with a request that an earlier filter answers. */
function picked(
  walk: Walk,
  virtualHost: VirtualHost | undefined,
  isTls: boolean,
  http: HttpRequest,
): Pick<Hop, 'route' | 'cluster' | 'alternatives'> {
  const nothing = { route: null, cluster: null, alternatives: [] };
  if (virtualHost === undefined || (virtualHost.requireTls && !isTls)) return nothing;
  const first = firstRoute(virtualHost.routes, http);
  if (first === undefined || first.isOpen) return nothing;
  const { route } = first;
  const ref = route.rule?.ref ?? null;
  const forwards = route.rule?.redirect === undefined && route.rule?.directResponse === undefined;
  const chosen = forwards ? walk.choose(route.clusters) : undefined;
  if (chosen === undefined) return { ...nothing, route: ref };
  const others = route.clusters.filter((item) => item !== chosen);
  return {
    route: ref,
    cluster: chosen.cluster,
    alternatives: others.map(({ cluster, weight }) => ({ cluster, weight })),
  };
}

function withVirtualHost(incoming: Incoming, name: string | null): Incoming {
  return { ...incoming, envoy: { ...incoming.envoy, virtualHost: name } };
}

function noRoute(
  walk: Walk,
  incoming: Incoming,
  proxy: ProxyRef,
  rules: RouteConfig,
  http: HttpRequest,
  view: SidecarView,
): Step {
  const hop = hopOf(incoming);
  if (rules.onlyFor !== undefined)
    return refused(hop, { code: 'NR', status: 404, proxy, by: null, reason: { kind: 'foreign-host', authority: `${http.authority}`, host: rules.onlyFor } }); // prettier-ignore
  const handedOver = notHandedOver(walk, proxy, http);
  if (handedOver !== undefined) return refused(hop, { code: 'NR', status: 404, proxy, ...handedOver });
  const host = hostWithoutPort(http.authority.name);
  const routes = view.mesh.virtualServices.forHost(host);
  const bound = routes.map(({ namespace, name, gateways }) => ({ route: `${namespace}/${name}`, gateways }));
  return refused(hop, {
    code: 'NR',
    status: 404,
    proxy,
    by: incoming.decidedBy[0] ?? null,
    reason: { kind: 'no-virtual-host', routes: rules.name, host, namespace: proxy.namespace, bound },
  });
}

function noMatchingRoute(
  walk: Walk,
  incoming: Incoming,
  proxy: ProxyRef,
  virtualHost: VirtualHost,
  http: HttpRequest,
): Step {
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
      ? { kind: 'no-rule-on-port', port: Number(virtualHost.name.slice('blackhole:'.length)) }
      : {
          kind: 'no-rule-matches',
          of: virtualHost.of ?? `route of ${virtualHost.name}`,
          method: `${http.method}`,
          path: `${http.path}`,
        },
    by:
      rule == null
        ? (incoming.decidedBy[0] ?? null)
        : { kind: rule.ref.kind, namespace: rule.ref.namespace, name: rule.ref.name, field: 'spec.http' },
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
function toCatchAll(walk: Walk, at: AtListener, incoming: Incoming, http: HttpRequest): Step {
  const { view, proxy, flight } = at;
  const isBlocked = view.scope.outbound.mode === 'REGISTRY_ONLY';
  const named = withVirtualHost(incoming, isBlocked ? 'block_all' : 'allow_any');
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
  const name = catchAllCluster(view);
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
  return virtualOutbound(view).chains[0]?.tcp?.clusters[0]?.cluster ?? 'PassthroughCluster';
}

/** Copies for clusters that are there: Envoy drops the others. */
function shown({ cluster: find }: AtListener, copies: readonly Copy[]): readonly Copy[] {
  return copies.filter(({ cluster }) => {
    const found = find(cluster);
    return !isMissing(found) || found.mayExist;
  });
}

/** Where a route of the Gateway API says what istiod makes a field of a VirtualService of. */
function fieldOf(kind: string, field: string): string {
  if (kind !== 'HTTPRoute' && kind !== 'GRPCRoute') return field;
  return field === 'directResponse' ? 'backendRefs' : 'filters';
}

function throughRoute(walk: Walk, at: AtListener, incoming: Incoming, route: Route, http: HttpRequest): Step {
  const { proxy, flight } = at;
  const ref = route.rule?.ref ?? null;
  const answer = ownAnswer(route, http, flight.namedPort);
  if (answer !== undefined) {
    const by =
      ref === null
        ? null
        : {
            kind: ref.kind,
            namespace: ref.namespace,
            name: ref.name,
            field: `spec.${ref.rule}.${fieldOf(ref.kind, answer.field)}`,
          };
    const hop = hopOf(incoming, {
      route: ref,
      // A filter before the router answers when the router's cluster is known already.
      cluster:
        route.rule?.redirect === undefined && answer.field !== 'directResponse'
          ? (walk.choose(route.clusters)?.cluster ?? null)
          : null,
      decidedBy: decisions(by ?? undefined, ...incoming.decidedBy),
    });
    return replied(hop, { ...replyOf(answer), proxy, by });
  }
  const share = abortShare(route);
  if (share > 0 && ref !== null) walk.note(remark({ kind: 'aborts-share', rule: ref, percent: share }));
  const chosen = walk.choose(route.clusters, copiesOf(route));
  if (chosen === undefined) {
    const hop = hopOf(incoming, { route: ref, decidedBy: decisions(ruleDecision(ref), ...incoming.decidedBy) });
    return refused(hop, {
      code: 'NC',
      status: route.gatewaySemantics ? 500 : 503,
      proxy,
      by: ruleDecision(ref) ?? null,
      reason: { kind: 'no-destination', readsHttp: true },
    });
  }
  const alternatives = route.clusters
    .filter((item) => item !== chosen)
    .map(({ cluster, weight }) => ({ cluster, weight }));
  if (alternatives.length > 0)
    walk.note(
      remark({
        kind: 'weighted',
        weight: chosen.weight,
        total: route.clusters.reduce((sum, item) => sum + item.weight, 0),
        others: alternatives.map((item) => item.cluster),
      }),
    );
  return send(
    walk,
    {
      at,
      incoming: { ...incoming, decidedBy: decisions(ruleDecision(ref), ...incoming.decidedBy) },
      route: ref,
      alternatives,
      ...(alternatives.length > 0 ? { weight: chosen.weight } : {}),
      inner: [],
      http: rewritten(http, route, chosen.destination),
      gatewayApi: route.gatewaySemantics,
      tunnel: null,
      ...(route.mirrors === undefined ? {} : { copies: shown(at, toldCopies(route.mirrors)) }),
    },
    chosen.cluster,
  );
}
