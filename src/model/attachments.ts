/** Which listeners a route is attached to, and why not to others: said once, for trace, which follows it, and for check. */
import { number, records, text, type Json } from './fields';
import type { ApiGateway, ApiListener, ApiRoute } from './gateway-api';
import { isSubsetOf, overlaps } from './hostnames';
import type { ListenerProblem } from './listener-problems';
import type { SetProblem } from './listener-sets';
import type { UnservedKind } from './release-behavior';

/** A route at a listener, with the hostnames that both have. */
export interface Attachment {
  readonly route: ApiRoute;
  readonly gateway: ApiGateway;
  readonly listener: ApiListener;
}

/** Why a listener does not take a route. */
export type Against = { readonly listener: ApiListener } & AgainstRoute;

export type AgainstRoute =
  | { readonly is: 'port'; readonly wanted: number }
  | { readonly is: 'section'; readonly wanted: string }
  | { readonly is: 'kind'; readonly kind: string }
  | { readonly is: 'namespace'; readonly namespace: string }
  | { readonly is: 'hostname'; readonly hostnames: readonly string[] }
  /** Envoy Gateway takes one rule of a TCPRoute. */
  | { readonly is: 'rules' }
  /** It is not programmed itself. */
  | { readonly is: 'listener'; readonly problem: ListenerProblem }
  /** Another route has it. */
  | { readonly is: 'taken' };

/** A reference of a route to a parent that does not take it. */
export interface Unattached {
  readonly route: ApiRoute;
  /** `namespace/name` of the Gateway, and itself where there is one. */
  readonly gateway: string;
  readonly parent: ApiGateway | undefined;
  readonly why:
    | { readonly is: 'no-such-parent'; readonly kind: string }
    | SetProblem
    | UnservedKind
    | { readonly is: 'no-listener' };
  /** Of each listener; none where the parent is not there, or takes no listeners of the set. */
  readonly against: readonly Against[];
  readonly field: string;
  /** Which of the route's parentRefs it is. */
  readonly index: number;
}

/** Whether a reference speaks of a listener, whose kind and namespaces let a route in. */
export function lets(route: ApiRoute, parent: Json, listener: ApiListener): boolean {
  return letsNot(route, parent, listener) === undefined;
}

function letsNot(route: ApiRoute, parent: Json, listener: ApiListener): Against | undefined {
  const section = text(parent.sectionName);
  const port = number(parent.port);
  if (port !== 0 && port !== listener.port) return { is: 'port', listener, wanted: port };
  if (section !== '' && section !== listener.name) return { is: 'section', listener, wanted: section };
  if (!listener.kinds.includes(route.kind)) return { is: 'kind', listener, kind: route.kind };
  const { namespace } = route.config;
  return listener.admits(namespace) ? undefined : { is: 'namespace', listener, namespace };
}

/** @param others how many routes have the listener, this one among them */
export function reasonAgainst(
  route: ApiRoute,
  parent: Json,
  gateway: ApiGateway,
  listener: ApiListener,
  others: number,
): Against | undefined {
  const { hostname, problem } = listener;
  const not = letsNot(route, parent, listener);
  if (not !== undefined) return not;
  const isFor = ({ takesBroaderHosts }: ApiGateway, host: string): boolean =>
    takesBroaderHosts || !host.startsWith('*') ? overlaps(host, hostname) : intersection(host, hostname, false) !== undefined; // prettier-ignore
  if (hostname !== '*' && route.hostnames.length > 0 && !route.hostnames.some((host) => isFor(gateway, host)))
    return { is: 'hostname', listener, hostnames: route.hostnames };
  if (problem !== undefined) return { is: 'listener', listener, problem };
  if (gateway.controller !== 'envoy-gateway' || route.kind !== 'TCPRoute') return undefined;
  // processTCPRouteParentRefs of internal/gatewayapi/route.go
  if (records(route.config.spec.rules).length !== 1) return { is: 'rules', listener };
  return others > 1 ? { is: 'taken', listener } : undefined;
}

/** The narrower of two hostnames, if one is within the other; `broader`: also where the route's wildcard is broader than the listener's. */
function intersection(host: string, listener: string, broader: boolean): string | undefined {
  if (isSubsetOf(host, listener)) return host;
  const isNarrower = isSubsetOf(listener, host) && (broader || !listener.startsWith('*'));
  return isNarrower ? listener : undefined;
}

/** Hostnames under which a route answers at a listener: the narrower of each pair, leaving out what a sibling listener claims. */
export function hostnamesAt({ route, gateway, listener }: Attachment): readonly string[] {
  // computeHosts of Envoy Gateway (internal/gatewayapi/helpers.go)
  const isEnvoyGateway = gateway.controller === 'envoy-gateway';
  if (isEnvoyGateway && route.hostnames.length === 0) return [listener.hostname];
  const own = route.hostnames.length === 0 ? [listener.hostname] : route.hostnames;
  const siblings = gateway.listeners.filter(
    (other) =>
      other !== listener &&
      other.port === listener.port &&
      (isEnvoyGateway ? other.hostname !== '*' && other.lostHostname !== true : other.protocol === listener.protocol),
  );
  const found = new Set<string>();
  for (const host of own) {
    const narrower = intersection(host, listener.hostname, gateway.takesBroaderHosts);
    if (narrower !== undefined && !siblings.some((other) => other.hostname === narrower)) found.add(narrower);
  }
  return [...found];
}

/**
 * Hosts of a TLSRoute as Istio takes them to a listener: all of them, also those that a narrower listener claims; `narrows`: only as far
 * as the listener's own goes (TLSRouteCollection of pilot/pkg/config/kube/gateway/route_collections.go).
 */
export function tlsHostsInIstio({ route, listener }: Attachment, narrows: boolean): readonly string[] {
  const own = listener.hostname;
  if (own === '*' || !narrows) return route.hostnames.length === 0 ? ['*'] : route.hostnames;
  return [...new Set(route.hostnames.flatMap((host) => intersection(host, own, true) ?? []))];
}

/** Hosts of a route of HTTP as Istio takes them to a listener, which narrows them itself: those that a narrower listener claims are left to it. */
export function hostsInIstio({ route, gateway, listener }: Attachment): readonly string[] {
  const hosts = route.hostnames.length === 0 ? ['*'] : route.hostnames;
  const own = listener.hostname;
  if (own !== '*' && !own.startsWith('*')) return hosts;
  const others = gateway.listeners
    .filter((one) => one !== listener && one.port === listener.port && one.protocol === listener.protocol)
    .map((one) => one.hostname)
    .filter((hostname) => hostname !== own && hostname !== '*' && (own === '*' || own.length <= hostname.length));
  return hosts.filter(
    (host) => (own === '*' || overlaps(host, own)) && !others.some((other) => isSubsetOf(host, other)),
  );
}
