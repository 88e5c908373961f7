import { list, optionalRecord, record, strings, text, type Json } from '../model/fields';
import { expression, replaceAll } from '../model/re2';
import type { Service } from '../model/services';
import {
  authorityOf,
  sourceMatches,
  type HttpMatch,
  type HttpRule,
  type RouteDestination,
  type VirtualService,
} from '../model/virtual-services';
import { Asked, type AskedHeaders, type AskedPath } from './ask';
import type { ClientDetection } from './client-address';
import type { WeightedCluster } from './envoy';
import type { Filter } from './filters';
import { evaluate, exact, pathPrefix, prefix, PRESENT, regex, stringMatch, type Matcher } from './matcher';
import type { OwnAnswer } from './own-answer';
import type { Copy } from './types';
import type { Claims } from './claims';

/** An HTTP request as a proxy routes it. */
export interface HttpRequest {
  readonly authority: Asked;
  readonly method: Asked;
  /** With the query. */
  readonly path: AskedPath;
  readonly scheme: 'http' | 'https';
  readonly headers: AskedHeaders;
  /** The claims of a token that the proxy at hand has verified; the next one knows nothing of them. */
  readonly claims?: Claims | 'unknown';
  /** The name of the rule that verified it, where such have one. */
  readonly verifiedBy?: string;
  /** Which headers tell the proxy at hand of the client's address. */
  readonly client?: ClientDetection | undefined;
}

export interface WeightedRoute extends WeightedCluster {
  readonly destination: RouteDestination;
  readonly index: number;
}

export interface RouteCopy extends Copy {
  readonly destination: RouteDestination;
}

/** A route of Envoy's, with the rule it comes from. */
export interface Route {
  readonly name: string;
  /** Null for the default route of a service and for passthrough. */
  readonly rule: HttpRule | null;
  readonly match: HttpMatch | null;
  readonly clusters: readonly WeightedRoute[];
  /** What clients get if a cluster is missing: 500 for routes of the Gateway API, 503 otherwise. */
  readonly gatewaySemantics: boolean;
  /** Clusters that get copies of the requests. */
  readonly mirrors?: readonly RouteCopy[];
  /** Whether a prefix of paths ends where a segment does. */
  readonly bySegments?: boolean;
  /** Cookies that a request has to have besides. */
  readonly cookies?: readonly Json[];
  /** Whether it is for CONNECT, which no other route takes: such a request has no path (getRouteFromRoutes of Envoy's source/common/router/config_impl.cc). */
  readonly takesConnect?: true;
  /** What it has beside its rule, made when a request first comes to it. */
  readonly extras?: () => RouteExtras;
}

/** What a route has that no rule of istiod's says. */
export interface RouteExtras {
  /** Filters of its own, behind those of its chain. */
  readonly filters: readonly Filter[];
  /** Those that a request meets which another route has led to its tokens. */
  readonly pastTokens: () => readonly Filter[];
  /** Those of its clusters that get requests, by their names. */
  readonly clusters: readonly WeightedRoute[];
  /** What it answers by itself, whatever its rule says. */
  readonly answer: OwnAnswer | undefined;
  /** The request as it goes on, by what it was before its rule rewrote it. */
  readonly changes: (asked: HttpRequest, onward: HttpRequest, destination: RouteDestination) => HttpRequest;
}

/** A virtual host. Its routes are made when a request first asks for them: of thousands of hosts behind a port few are asked. */
export class VirtualHost {
  private made: readonly Route[] | undefined;

  public constructor(
    public readonly name: string,
    public readonly domains: readonly string[],
    private readonly make: () => readonly Route[],
    public readonly requireTls: boolean,
    /** The service whose names the domains are; undefined for hosts of VirtualServices alone. */
    public readonly service?: Service,
    /** What a request that no route takes fits none of, in words; else its name says it. */
    public readonly of?: string,
  ) {}

  public get routes(): readonly Route[] {
    this.made ??= this.make();
    return this.made;
  }
}

export function clusterName(host: string, subset: string, port: number): string {
  return `outbound|${port}|${subset}|${host}`;
}

/** The cluster of a destination: the port it names, else the only one its service has, else the listener's. */
export function destinationCluster(
  destination: RouteDestination,
  service: Service | undefined,
  listenerPort: number,
): string {
  if (destination.host === '') return 'UnknownService';
  const host = service !== undefined && service.externalName !== '' ? service.externalName : destination.host;
  const only = service?.ports.length === 1 ? service.ports[0]?.port : undefined;
  return clusterName(host, destination.subset, destination.port > 0 ? destination.port : (only ?? listenerPort));
}

/** Destinations with a share of the traffic: a single one whatever its weight, else those with a weight. */
export function weighted(
  route: readonly RouteDestination[],
  cluster: (destination: RouteDestination) => string,
): readonly WeightedRoute[] {
  const all = route.map((destination, index): WeightedRoute => ({
    cluster: cluster(destination),
    weight: destination.weight,
    destination,
    index,
  }));
  return all.length === 1 ? all : all.filter((item) => item.weight > 0);
}

/** The one of the greatest weight, which a trace follows. */
export function heaviest<T extends WeightedCluster>(clusters: readonly T[]): T | undefined {
  return clusters.reduce<T | undefined>(
    (best, item) => (best === undefined || item.weight > best.weight ? item : best),
    undefined,
  );
}

/** Who gets copies, as something that may be followed. */
export function copiesOf({ mirrors = [] }: Route): readonly WeightedRoute[] {
  return mirrors
    .filter(({ percent }) => percent > 0)
    .map(({ cluster, destination }) => ({ cluster, weight: 0, destination, index: -1 }));
}

/** The same as a hop tells of it. */
export function toldCopies(mirrors: readonly RouteCopy[]): readonly Copy[] {
  return mirrors.map(({ cluster, percent }) => ({ cluster, percent }));
}

export interface RouteContext {
  readonly port: number;
  readonly gateway: string;
  readonly proxy: { readonly labels: Readonly<Record<string, string>>; readonly namespace: string };
  readonly lookup: (host: string) => Service | undefined;
}

/** A `gateways` list in a match stands alone: with it, source labels and namespace are not asked for. */
function appliesTo(match: HttpMatch, context: RouteContext): boolean {
  if (match.port !== 0 && match.port !== context.port) return false;
  return match.gateways.length > 0 ? match.gateways.includes(context.gateway) : sourceMatches(match, context.proxy);
}

function isCatchAll(match: HttpMatch | null): boolean {
  if (match === null) return true;
  const path = match.uri === undefined ? '/' : pathKind(match.uri);
  const isAll = match.uri === undefined || path === '/' || path === '.*';
  return (
    isAll &&
    [match.headers, match.withoutHeaders, match.queryParams].every((map) => Object.keys(map).length === 0) &&
    match.method === undefined &&
    match.authority === undefined &&
    match.scheme === undefined
  );
}

function pathKind(uri: Json): string {
  if (typeof uri.exact === 'string') return `=${uri.exact}`;
  if (typeof uri.prefix === 'string') return uri.prefix;
  return typeof uri.regex === 'string' ? uri.regex : '/';
}

export function isCatchAllRoute({ match, cookies = [] }: Route): boolean {
  return cookies.length === 0 && isCatchAll(match);
}

/** Whether a VirtualService makes any route for a proxy and port. */
export function hasRoutes(service: VirtualService, context: RouteContext): boolean {
  return service.http.some(({ matches }) => matches.length === 0 || matches.some((match) => appliesTo(match, context)));
}

/** The routes that a VirtualService makes for a proxy and port; nothing after a rule that takes everything. */
export function routesOf(service: VirtualService, context: RouteContext): readonly Route[] {
  const routes: Route[] = [];
  for (const route of routesInOrder(service, context)) {
    routes.push(route);
    if (isCatchAllRoute(route)) break;
  }
  return routes;
}

/** All that its rules would make, with those that are left out since a rule before them takes everything. */
export function* routesInOrder(service: VirtualService, context: RouteContext): Generator<Route> {
  const gatewaySemantics = service.semantics === 'gateway-api';
  for (const rule of service.http) {
    const clusters = weighted(rule.route, (destination) =>
      destinationCluster(destination, context.lookup(destination.host), context.port),
    );
    const bySegments = service.semantics !== 'istio';
    const mirrors = rule.mirrors.map(({ destination, percent }) => ({
      cluster: destinationCluster(destination, context.lookup(destination.host), context.port),
      percent,
      destination,
    }));
    const make = (match: HttpMatch | null): Route => ({ name: rule.name, rule, match, clusters, gatewaySemantics, bySegments, mirrors }); // prettier-ignore
    if (rule.matches.length === 0) yield make(null);
    for (const match of rule.matches) if (appliesTo(match, context)) yield make(match);
  }
}

/** Whether a text that no client chooses fits a `StringMatch`. */
export function stringMatches(match: Json, value: string): boolean {
  const matcher = stringMatch(match);
  return matcher === undefined || evaluate(matcher, value);
}

function fits(match: Json, asked: Asked): boolean {
  const matcher = stringMatch(match);
  return matcher === undefined || asked.is(matcher);
}

function isPresence(match: Json | undefined): boolean {
  return (
    match === undefined ||
    match.regex === '*' ||
    !['exact', 'prefix', 'regex'].some((kind) => typeof match[kind] === 'string')
  );
}

/** What a match says of the path without its query; undefined if it says nothing. */
export function pathMatcher({ uri, ignoreUriCase }: HttpMatch, bySegments: boolean): Matcher | undefined {
  if (uri === undefined) return undefined;
  if (typeof uri.exact === 'string') return exact(uri.exact, ignoreUriCase);
  if (typeof uri.prefix === 'string')
    return bySegments && uri.prefix !== '/' ? pathPrefix(uri.prefix, ignoreUriCase) : prefix(uri.prefix, ignoreUriCase);
  // ignoreUriCase is for exact and prefix only.
  return typeof uri.regex === 'string' ? regex(uri.regex) : undefined;
}

/** Whether a header fits, pseudo-headers by their names among them. */
export function headerFits(request: HttpRequest, name: string, matcher: Matcher, whenAbsent = false): boolean {
  const lower = name.toLowerCase();
  if (lower === ':authority' || lower === 'host') return request.authority.is(matcher);
  if (lower === ':method') return request.method.is(matcher);
  if (lower === ':path') return request.path.wholeIs(matcher);
  if (lower === ':scheme') return evaluate(matcher, request.scheme);
  return request.headers.get(lower).is(matcher, whenAbsent);
}

/** The claim that a condition on a header is about: `@request.auth.claims.a.b` or `@request.auth.claims[a][b]`. */
function claimOf(name: string): readonly string[] | undefined {
  const [, dotted, bracketed] = /^@request\.auth\.claims(?:\.(.+)|\[(.+)\])$/i.exec(name) ?? [];
  return dotted?.split('.') ?? bracketed?.split('][');
}

function claimMatches(claim: readonly string[], condition: unknown, { claims }: HttpRequest): boolean {
  if (claims === undefined || claims === 'unknown') return false;
  return claims.has(claim, stringMatch(record(condition)) ?? PRESENT);
}

function headersMatch(match: HttpMatch, request: HttpRequest): boolean {
  for (const [name, condition] of Object.entries(match.headers)) {
    const claim = claimOf(name);
    if (claim !== undefined) {
      if (!claimMatches(claim, condition, request)) return false;
      continue;
    }
    const wanted = optionalRecord(condition);
    const matcher = isPresence(wanted) ? PRESENT : stringMatch(record(wanted));
    if (!headerFits(request, name, matcher ?? PRESENT)) return false;
  }
  for (const [name, condition] of Object.entries(match.withoutHeaders)) {
    const claim = claimOf(name);
    if (claim !== undefined) {
      if (claimMatches(claim, condition, request)) return false;
      continue;
    }
    const wanted = optionalRecord(condition);
    const matcher = (isPresence(wanted) ? undefined : stringMatch(record(wanted))) ?? PRESENT;
    // A header that is not there counts as an empty one, unless its presence is asked for.
    const whenAbsent = matcher.is !== 'present' && evaluate(matcher, '');
    if (headerFits(request, name, matcher, whenAbsent)) return false;
  }
  return true;
}

function queryMatches(match: HttpMatch, path: AskedPath): boolean {
  return Object.entries(match.queryParams).every(([name, condition]) => {
    const wanted = optionalRecord(condition);
    const matcher = isPresence(wanted) ? PRESENT : (stringMatch(record(wanted)) ?? PRESENT);
    return path.parameter(name).is(matcher);
  });
}

/** Whether a route takes a request: path, query, headers, cookies, method, authority and scheme must all fit. */
export function routeMatches(route: Route, request: HttpRequest): boolean {
  const { match, cookies = [] } = route;
  if (match === null) return hasCookies(cookies, request);
  const path = pathMatcher(match, route.bySegments ?? route.gatewaySemantics);
  return (
    (match.scheme === undefined || stringMatches(match.scheme, request.scheme)) &&
    (path === undefined || request.path.plain.is(path)) &&
    (match.method === undefined || fits(match.method, request.method)) &&
    (match.authority === undefined || fits(match.authority, request.authority)) &&
    headersMatch(match, request) &&
    queryMatches(match, request.path) &&
    hasCookies(cookies, request)
  );
}

function hasCookies(cookies: readonly Json[], { headers }: HttpRequest): boolean {
  return cookies.every(({ name, type, value }) =>
    headers.cookie(text(name)).is(type === 'RegularExpression' ? regex(text(value)) : exact(text(value))),
  );
}

/** The first route that takes a request, in the order in which Envoy asks; `isOpen` if it, or one before it, has a condition that only the proxy can evaluate. */
export function firstRoute<R extends Route>(
  routes: readonly R[],
  http: HttpRequest,
): { readonly route: R; readonly isOpen: boolean } | undefined {
  for (const route of routes) {
    if (unreadablePart(route, http) !== undefined) return { route, isOpen: true };
    if (routeMatches(route, http)) return { route, isOpen: false };
  }
  return undefined;
}

/** Whether a route has a condition that this reading cannot evaluate. */
export function unreadablePart(route: Route, { claims }: Pick<HttpRequest, 'claims'>): string | undefined {
  const { match } = route;
  if (match === null) return undefined;
  const patterns: readonly (readonly [string, unknown])[] = [
    ['uri', match.uri],
    ['method', match.method],
    ['authority', match.authority],
    ...Object.entries(match.headers).map(([name, value]): readonly [string, unknown] => [`headers.${name}`, value]),
    ...Object.entries(match.withoutHeaders).map(([name, value]): readonly [string, unknown] => [
      `withoutHeaders.${name}`,
      value,
    ]),
    ...Object.entries(match.queryParams).map(([name, value]): readonly [string, unknown] => [
      `queryParams.${name}`,
      value,
    ]),
  ];
  for (const [name, value] of patterns) {
    if (claims === 'unknown' && name.includes('@request.auth.claims')) return name;
    const pattern = text(record(value).regex);
    if (pattern !== '' && pattern !== '*' && expression(pattern) === undefined) return name;
  }
  return undefined;
}

/** The request as the next proxy receives it: authority and path rewritten, headers set, added and removed. */
export function rewritten(request: HttpRequest, route: Route, destination: RouteDestination | undefined): HttpRequest {
  const { rule } = route;
  const { claims: _claims, verifiedBy: _rule, ...onward } = request;
  if (rule === null) return onward;
  const written = text(rule.rewrite?.authority) || authorityOf(rule.headers) || (destination?.authority ?? '');
  const authority = written === '' ? request.authority : Asked.fixed(written);
  let { headers } = request;
  // Envoy removes before it adds, and a destination's own operations come before those of its route.
  const all = [record(destination?.headers.request), record(rule.headers.request)];
  for (const { remove } of all)
    for (const name of list(remove)) if (typeof name === 'string') headers = headers.without(name);
  for (const { add, set } of all)
    for (const [name, value] of [...Object.entries(strings(add)), ...Object.entries(strings(set))])
      if (!/^(:.*|host)$/i.test(name)) headers = headers.with(name, value);
  return { ...onward, authority, headers, path: rewrittenPath(request.path, route, rule.rewrite) };
}

/** The path that a rewrite of a route makes. */
export function rewrittenPath(path: AskedPath, route: Route, rewrite: Json | undefined): AskedPath {
  return rewrite === undefined
    ? path
    : path.withPlain(rewrittenPlain(path.plain, route, rewrite), howRewritten(route, rewrite));
}

function howRewritten(route: Route, rewrite: Json): string {
  const { match, rewrite: replacement } = record(rewrite.uriRegexRewrite);
  if (match !== undefined) return `expression ${JSON.stringify([match, replacement])}`;
  return `${JSON.stringify(route.match?.uri ?? null)} ${route.gatewaySemantics} ${text(rewrite.uri)}`;
}

function rewrittenPlain(plain: Asked, route: Route, rewrite: Json): Asked {
  const pattern = optionalRecord(rewrite.uriRegexRewrite);
  if (pattern !== undefined) return byExpression(plain, text(pattern.match), text(pattern.rewrite));
  const uri = text(rewrite.uri);
  if (uri === '') return plain;
  const match = route.match?.uri;
  if (typeof match?.exact === 'string' || typeof match?.regex === 'string') return Asked.fixed(uri);
  const own = typeof match?.prefix === 'string' ? match.prefix : '/';
  if (!route.gatewaySemantics || own === '/') return plain.rewritten(own.length, uri);
  const [dropped, put] = [own.replace(/\/$/, ''), uri.replace(/\/$/, '')];
  // Of the prefix itself nothing may be left.
  if (put === '' && plain.is(exact(dropped, route.match?.ignoreUriCase))) return Asked.fixed('/');
  return plain.rewritten(dropped.length, put);
}

/** Every match in a path replaced. */
export function byExpression(plain: Asked, pattern: string, replacement: string): Asked {
  if (expression(pattern) === undefined) return plain;
  return plain.changed(
    (path) => replaceAll(pattern, path, replacement) ?? path,
    `what a rewrite by the regular expression ${pattern} makes of a path`,
  );
}
