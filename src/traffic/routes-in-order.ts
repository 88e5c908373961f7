/**
 * The lists of routes that proxies try in order, for every proxy that there may be: of Istio's gateways by the hosts of their ports, of
 * clients by what sets clients apart, and of Envoy Gateway's proxies.
 */
import { servedAt, type Served } from '../model/envoy-gateway-chains';
import { effectiveProxy } from '../model/envoy-gateway';
import type { ApiGateway } from '../model/gateway-api';
import { strings, record } from '../model/fields';
import { isOfInstallation } from '../model/installation';
import type { Manifest } from '../model/manifest';
import type { Mesh, Proxy } from '../model/mesh';
import { isHttpOrAuto } from '../model/protocols';
import { isWildcard } from '../model/hostnames';
import { MESH_GATEWAY, type HttpMatch, type RuleRef, type VirtualService } from '../model/virtual-services';
import { candidatesAt } from '../trace/envoy-gateway-candidates';
import { gatewayRouteConfig, type GatewayView } from '../trace/gateway-routes';
import {
  isCatchAllRoute,
  routeMatches,
  routesInOrder,
  unreadablePart,
  type Route,
  type RouteContext,
} from '../trace/http-routes';
import { anyOf, regex, type Matcher } from '../trace/matcher';
import { istioPaths } from '../trace/paths';
import type { MergedGateway } from '../model/merged-gateway';
import type { Taker } from './first-match';
import { pathForm, type PathForm } from './universe';

/** One route of a list. */
export interface Listed extends Taker {
  readonly ref: RuleRef | undefined;
  /** Which match of the rule; undefined where it has none. */
  readonly at: number | undefined;
  /** What it is made of: of one thing there are many routes, which all ask the same. */
  readonly of: object;
  /** Whether it asks for nothing. */
  readonly takesAll: boolean;
  /** Whether it asks for the name that requests are for. */
  readonly asksHost: boolean;
}

/** What a VirtualService would have after a rule that takes everything. */
export interface Rest {
  readonly by: Listed;
  readonly routes: readonly Listed[];
}

export interface RouteList {
  /** `gateway istio-system/public`, or undefined for clients in the mesh. */
  readonly place: string | undefined;
  readonly host: string;
  readonly routes: readonly Listed[];
  readonly paths: PathForm;
  /** What the Host header may be. */
  readonly authority: Matcher;
  /** What is left out, since a rule of the same VirtualService takes everything. */
  readonly rest?: Rest | undefined;
  /** Whether any asks for the scheme of the request. */
  readonly asksScheme: boolean;
}

/** A proxy of a gateway, or the one that is assumed where no manifest shows the Pods. */
export interface GatewayProxy {
  readonly proxy: Proxy;
  /** Whether manifests show its Pods, and with them all of their labels. */
  readonly isShown: boolean;
  readonly merged: MergedGateway;
}

export const listed = (route: Route): Listed => ({
  takes: (request) => routeMatches(route, request),
  isUnclear: unreadablePart(route, {}) !== undefined,
  ref: route.rule?.ref,
  at: route.match?.at,
  of: route.match ?? route.rule ?? route,
  takesAll: isCatchAllRoute(route),
  asksHost: route.match !== null && asksFor(route.match, 'authority', /^(:authority|host)$/i),
});

/** Whether a match asks for something that has a field of its own, or for the header that it is. */
function asksFor(match: HttpMatch, field: 'authority' | 'scheme', header: RegExp): boolean {
  return match[field] !== undefined || [match.headers, match.withoutHeaders].some((all) => Object.keys(all).some((name) => header.test(name))); // prettier-ignore
}

const asksScheme = (routes: readonly Route[]): boolean =>
  routes.some(({ match }) => match !== null && asksFor(match, 'scheme', /^:scheme$/i));

/** Proxies of Istio's gateways, those first that manifests show. Where none shows the Pods of a Gateway, they are where such Pods usually are. */
export function gatewayProxies(mesh: Mesh): readonly GatewayProxy[] {
  return mesh.remember(mesh, 'proxies of gateways', () => {
    const found: GatewayProxy[] = [];
    const known = new Set<string>();
    const add = (proxy: Proxy, isShown: boolean): void => {
      const key = JSON.stringify([proxy.namespace, Object.entries(proxy.labels).sort(), proxy.addresses]);
      if (known.has(key)) return;
      known.add(key);
      found.push({ proxy, merged: mesh.mergedGateway(proxy), isShown });
    };
    for (const { namespace, labels, addresses, manifest } of mesh.workloads.gateways)
      add({ type: 'gateway', namespace, labels, addresses }, manifest !== undefined);
    const served = new Set(found.flatMap(({ merged }) => [...serversOf(merged)].map(({ gatewayName }) => gatewayName)));
    for (const { namespace, name, spec } of mesh.gateways)
      if (!served.has(`${namespace}/${name}`) && !found.some(({ merged }) => rejects(merged, `${namespace}/${name}`)))
        add({ type: 'gateway', namespace: mesh.config.rootNamespace, labels: strings(record(spec.selector)), addresses: [] }, false); // prettier-ignore
    return found;
  });
}

function rejects({ rejected }: MergedGateway, gateway: string): boolean {
  return rejected.some(({ server }) => server.gatewayName === gateway);
}

export function serversOf({ groups }: MergedGateway): readonly MergedGateway['groups'][number]['servers'][number][] {
  return groups.flatMap(({ servers }) => servers);
}

/** A gateway by its name, as readers know it: those that istiod makes of listeners of the Gateway API are named after these. */
export function placeOf(name: string): string {
  const [own = '', listener] = name.split('-istio-autogenerated-k8s-gateway-');
  return listener === undefined ? `gateway ${own}` : `listener ${listener} of Gateway ${own}`;
}

/** The routes of Istio's gateways, by host of each port. */
export function* gatewayLists(mesh: Mesh): Generator<RouteList> {
  const paths = pathForm([istioPaths(mesh.config)]);
  for (const { proxy, merged } of gatewayProxies(mesh)) {
    // Where a route leads to has no say in whether it is reached.
    const view = { mesh, proxy, scope: NOTHING_SEEN };
    for (const [name, servers] of merged.serversByRoute) {
      const place = [...new Set(servers.map(({ gatewayName }) => placeOf(gatewayName)))].join(' and ');
      for (const { domains, routes } of gatewayRouteConfig(view, merged, name).hosts()) {
        const [host = '*'] = domains;
        yield { place, host, routes: routes.map(listed), paths, authority: authorities([host]), asksScheme: asksScheme(routes) }; // prettier-ignore
      }
    }
  }
}

const NOTHING_SEEN: GatewayView['scope'] = { service: () => undefined };

/** Whoever sends: of namespaces that nothing names. */
const ELSEWHERE = '';

/**
 * The routes of a VirtualService for clients that it tells apart, at the proxies of a gateway that is not known or at those of clients.
 * A client that has the labels of a match, and no others, meets the fewest of the rules before it.
 */
export function* ownLists(mesh: Mesh, service: VirtualService, gateway: string): Generator<RouteList> {
  const paths = pathForm([istioPaths(mesh.config)]);
  const authority = gateway === MESH_GATEWAY ? namesInMesh(mesh, service.hosts) : authorities(service.hosts);
  const place = gateway === MESH_GATEWAY ? undefined : placeOf(gateway);
  for (const context of contextsOf(mesh, service, gateway)) {
    const { routes, rest, isAsking } = inOrder(service, context);
    yield { place, host: service.hosts[0] ?? '*', routes, rest, paths, authority, asksScheme: isAsking };
  }
}

interface InOrder {
  readonly routes: readonly Listed[];
  readonly rest: Rest | undefined;
  readonly isAsking: boolean;
}

function inOrder(service: VirtualService, context: RouteContext): InOrder {
  const all = [...routesInOrder(service, context)];
  const last = all.findIndex(isCatchAllRoute);
  const by = all[last];
  const rest = by === undefined ? [] : all.slice(last + 1);
  const routes = by === undefined ? all : all.slice(0, last + 1);
  return {
    routes: routes.map(listed),
    rest: by === undefined || rest.length === 0 ? undefined : { by: listed(by), routes: rest.map(listed) },
    isAsking: asksScheme(routes),
  };
}

/** What VirtualServices leave out at the ports of a gateway's proxies. */
export function* restsAtGateways(mesh: Mesh): Generator<Rest & { readonly place: string; readonly host: string }> {
  for (const { proxy, merged } of gatewayProxies(mesh))
    for (const [gateway, ports] of portsByGateway(merged))
      for (const service of mesh.virtualServices.forGateway(proxy.namespace, gateway)) {
        if (service.http.length < 2 && (service.http[0]?.matches.length ?? 0) < 2) continue;
        for (const port of ports) {
          const { rest } = inOrder(service, { port, gateway, proxy, lookup: () => undefined });
          if (rest !== undefined) yield { ...rest, place: placeOf(gateway), host: service.hosts[0] ?? '*' };
        }
      }
}

function portsByGateway(merged: MergedGateway): ReadonlyMap<string, ReadonlySet<number>> {
  const ports = new Map<string, Set<number>>();
  for (const { gatewayName, port } of serversOf(merged))
    ports.set(gatewayName, (ports.get(gatewayName) ?? new Set()).add(port));
  return ports;
}

function contextsOf(mesh: Mesh, service: VirtualService, gateway: string): readonly RouteContext[] {
  const matches = service.http.flatMap((rule) => rule.matches);
  const ports = (gateway === MESH_GATEWAY ? portsOf(mesh, service) : undefined) ?? [0];
  const contexts = new Map<string, RouteContext>();
  const add = (port: number, one: Pick<HttpMatch, 'sourceLabels' | 'sourceNamespace'>): void => {
    const proxy = { labels: one.sourceLabels, namespace: one.sourceNamespace || ELSEWHERE };
    const key = JSON.stringify([port, proxy]);
    if (!contexts.has(key)) contexts.set(key, { port, gateway, proxy, lookup: () => undefined });
  };
  for (const one of [{ sourceLabels: {}, sourceNamespace: '' }, ...matches]) for (const port of ports) add(port, one);
  for (const one of matches) if (one.port !== 0 && !ports.includes(one.port)) add(one.port, one);
  return [...contexts.values()];
}

/** The ports on which clients are routed by a VirtualService, where its hosts are all declared by what manifests show. */
function portsOf(mesh: Mesh, { hosts, semantics }: VirtualService): readonly number[] | undefined {
  if (semantics !== 'istio' || hosts.some(isWildcard)) return undefined;
  const declared = hosts.map((host) => [...mesh.services.named(host).values()]);
  const all = declared.flat();
  if (declared.some((own) => own.length === 0) || all.some(({ namespace, resolution }) => resolution === 'ALIAS' || mesh.isOpen(namespace))) return undefined; // prettier-ignore
  // A client that uses its sidecar as an HTTP proxy is routed whatever port it asks for.
  if (hasForwardProxies(mesh)) return undefined;
  const ports = all.flatMap((one) => one.ports).filter(({ protocol }) => isHttpOrAuto(protocol));
  return ports.length === 0 ? [80] : [...new Set(ports.map(({ port }) => port))];
}

function hasForwardProxies(mesh: Mesh): boolean {
  const isSaid = ({ body }: Manifest): boolean => /HTTP_PROXY|proxyHttpPort/.test(JSON.stringify(body));
  return mesh.remember(
    mesh,
    'forward proxies',
    () =>
    mesh.manifests.some((one) => (one.kind === 'Sidecar' || isOfInstallation(one)) && isSaid(one)), // prettier-ignore
  );
}

/** Names with or without a port, in any case. */
export function authorities(hosts: readonly string[]): Matcher {
  return anyOf(
    ...hosts.map((host) => {
      if (host === '*') return regex('[!-~]*');
      const name = host.startsWith('*') ? `[!-~]+${quoted(host.slice(1))}` : quoted(host);
      return regex(`(?i:${name})(?::[0-9]+)?`);
    }),
  );
}

/** The same with the short names that clients of a namespace use, and with addresses. */
function namesInMesh(mesh: Mesh, hosts: readonly string[]): Matcher {
  const isElse = (host: string): boolean =>
    [...mesh.services.named(host).values()].some(({ aliases, address, extraAddresses }) => aliases.length > 0 || address !== '' || extraAddresses.length > 0); // prettier-ignore
  if (hosts.some((host) => host.startsWith('*') || isElse(host))) return regex('[!-~]*');
  const shorter = hosts.flatMap((host) => host.split('.').map((_label, at, labels) => labels.slice(0, at + 1).join('.'))); // prettier-ignore
  return anyOf(authorities([...new Set(shorter)]), regex('\\[?[0-9a-fA-F:.]+\\]?(?::[0-9]+)?'));
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The routes of Envoy Gateway's proxies, by the hostnames of each port. */
export function* envoyGatewayLists(mesh: Mesh): Generator<RouteList> {
  // How paths are treated is for each listener's policy to say: whatever a client may write is taken for possible.
  const paths: PathForm = 'NONE';
  for (const gateway of mesh.gatewayApi.gateways) {
    if (gateway.controller !== 'envoy-gateway') continue;
    const proxy = effectiveProxy(gateway, mesh.gatewayApi.input);
    const place = `Gateway ${gateway.config.namespace}/${gateway.config.name}`;
    for (const listeners of sharedListeners(mesh, gateway)) {
      for (const [host, candidates] of candidatesAt({ mesh, gateway, proxy }, listeners).entries) {
        const routes = candidates().map((route) => listed(route));
        yield { place, host, routes, paths, authority: authorities([host]), asksScheme: false };
      }
    }
  }
}

/** Listeners of a port whose routes are joined: those of plain HTTP; each that terminates TLS by itself. */
function sharedListeners(mesh: Mesh, gateway: ApiGateway): readonly (readonly Served[])[] {
  return [...new Set(gateway.listeners.map(({ port }) => port))].flatMap((port) => {
    const served = servedAt(mesh.gatewayApi, gateway, port);
    const plain = served.filter(({ listener }) => listener.protocol === 'HTTP');
    return [plain, ...served.filter(({ listener }) => listener.protocol === 'HTTPS').map((one) => [one])].filter(
      (listeners) => listeners.length > 0,
    );
  });
}
