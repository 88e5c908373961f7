/** HTTP at one proxy: virtual host, route, and what the route does. */
import { noConnect, pastFilters, type Filter } from './filters';
import { hostWithoutPort } from './envoy';
import { type AtListener, type Incoming, hopOf, brokenStatus, ruleDecision, withVirtualHost } from './hop';
import {
  type HttpRequest,
  type Route,
  type VirtualHost,
  copiesOf,
  toldCopies,
  rewritten,
  firstRoute,
} from './http-routes';
import { exact } from './matcher';
import { gap, remark } from './notes';
import { abortShare, ownAnswer, replyOf } from './own-answer';
import { locationOf } from './redirect';
import type { RouteConfig } from './sidecar-routes';
import { refused, replied, unknown, type Step } from './step';
import type { Hop } from './types';
import { type Walk, decisions, outermost } from './walk';

export function throughRoutes(
  walk: Walk,
  at: AtListener,
  incoming: Incoming,
  rules: RouteConfig,
  received: HttpRequest,
): Step {
  const { proxy, plane, flight } = at;
  const host = hostWithoutPort(received.authority.name);
  let http = received;
  const virtualHost = rules.match(host);
  if (at.filters.length > 0) {
    const named = withVirtualHost(incoming, virtualHost?.name ?? null);
    const isTls = flight.layers.length > 0;
    const sni = outermost(flight.layers)?.sni ?? null;
    const before = { walk, incoming: named, flight, sni, terminated: true };
    const past = pastFilters(before, at.filters, http, (asked) => picked(walk, virtualHost, isTls, asked ?? http));
    if (past.held !== undefined) return past.held;
    // A token that is taken makes the proxy choose its route anew.
    http = past.http ?? http;
  }
  const isConnect = http.method.is(exact('CONNECT'));
  const routes = isConnect
    ? virtualHost?.routes.filter(({ takesConnect }) => takesConnect === true)
    : virtualHost?.routes;
  // No route of Istio's takes CONNECT, those for hosts that nobody registered included.
  if (isConnect && (routes === undefined || routes.length === 0)) {
    const status = flight.tunnelled === undefined ? 404 : brokenStatus(flight);
    const hop = hopOf(withVirtualHost(incoming, virtualHost?.name ?? null));
    return refused(hop, noConnect(proxy, http.authority.name, status));
  }
  if (virtualHost === undefined || routes === undefined) return plane.noHost(incoming, rules, http);
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
  const first = firstRoute(routes, http);
  if (first?.isOpen === true) {
    return unknown(hopOf(named), gap({ kind: 'condition-for-proxy-only', byEnvoyGateway: plane.byEnvoyGateway }));
  }
  if (first === undefined) return plane.noRoute(named, virtualHost, http);
  return throughRoute({ walk, at, incoming: named, virtualHost }, first.route, http);
}

/** A request at a virtual host that has taken it. */
interface AtHost {
  readonly walk: Walk;
  readonly at: AtListener;
  readonly incoming: Incoming;
  readonly virtualHost: VirtualHost;
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

/** Where a route of the Gateway API says what istiod makes a field of a VirtualService of. */
function fieldOf(kind: string, field: string): string {
  if (kind !== 'HTTPRoute' && kind !== 'GRPCRoute') return field;
  return field === 'directResponse' ? 'backendRefs' : 'filters';
}

function throughRoute(
  host: AtHost,
  route: Route,
  received: HttpRequest,
  filters: readonly Filter[] = route.extras?.().filters ?? [],
): Step {
  const { walk, incoming, at } = host;
  const { flight } = at;
  const ref = route.rule?.ref ?? null;
  const sni = outermost(flight.layers)?.sni ?? null;
  const past = pastFilters({ walk, incoming, flight, sni, terminated: true }, filters, received, () => ({ route: ref })); // prettier-ignore
  if (past.held !== undefined) return past.held;
  const http = past.http ?? received;
  return past.left === undefined ? byRoute(host, route, http) : chosenAnew(host, route, http, past.left);
}

/** A route chosen anew for what a token has written into headers; of another route only the filters are left that come after tokens. */
function chosenAnew(host: AtHost, route: Route, http: HttpRequest, left: readonly Filter[]): Step {
  const { at, incoming, virtualHost } = host;
  const { plane } = at;
  const first = firstRoute(virtualHost.routes, http);
  if (first?.isOpen === true)
    return unknown(hopOf(incoming), gap({ kind: 'condition-for-proxy-only', byEnvoyGateway: plane.byEnvoyGateway }));
  if (first === undefined) return plane.noRoute(incoming, virtualHost, http);
  return throughRoute(host, first.route, http, first.route === route ? left : (first.route.extras?.().pastTokens() ?? [])); // prettier-ignore
}

/** What a route does with a request that its filters let pass. */
function byRoute({ walk, at, incoming }: AtHost, route: Route, http: HttpRequest): Step {
  const { proxy, plane, flight } = at;
  const ref = route.rule?.ref ?? null;
  const extras = route.extras?.();
  const answer = ownAnswer(route, http, flight.namedPort, plane.byEnvoyGateway);
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
  const clusters = extras?.clusters ?? route.clusters;
  const chosen = walk.choose(clusters, copiesOf(route));
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
  const alternatives = plane.sharesOf({ ...route, clusters }, chosen);
  const onward = rewritten(http, route, chosen.destination);
  // Envoy drops copies for clusters that are not there.
  const copies = route.mirrors && toldCopies(route.mirrors).filter(({ cluster }) => plane.mayHave(cluster));
  return plane.send(
    {
      incoming: { ...incoming, decidedBy: decisions(ruleDecision(ref), ...incoming.decidedBy) },
      route: ref,
      alternatives,
      ...(alternatives.length > 0 ? { weight: chosen.weight } : {}),
      inner: [],
      http: extras?.changes(http, onward, chosen.destination) ?? onward,
      gatewayApi: route.gatewaySemantics,
      tunnel: null,
      ...(copies === undefined ? {} : { copies }),
    },
    chosen,
    route,
  );
}
