/**
 * What the proxies do that Envoy Gateway's translator has described: its own intermediate form (internal/ir/xds.go), read as internal/xds/translator
 * turns it into Envoy's configuration. It shares nothing with what `trace` knows of Envoy Gateway.
 */

interface Match {
  readonly name?: string;
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly safeRegex?: string;
  readonly invert?: boolean;
}

interface Setting {
  readonly name?: string;
  readonly weight?: number;
  readonly priority?: number;
  readonly addressType?: string;
  readonly filters?: unknown;
  readonly preferLocal?: unknown;
  readonly invalid?: boolean;
  readonly isDynamicResolver?: boolean;
  readonly isCustomBackend?: boolean;
  readonly endpoints?: readonly { readonly host?: string; readonly port?: number; readonly path?: string }[];
  readonly tls?: { readonly sni?: string };
}

interface Destination {
  readonly name?: string;
  readonly settings?: readonly Setting[];
  readonly backendClusterRefs?: readonly { readonly name: string; readonly weight?: number }[];
}

interface Principal {
  readonly clientCIDRs?: readonly { readonly cidr: string }[];
  readonly jwt?: unknown;
  readonly headers?: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly clientIPGeoLocations?: unknown;
}

export interface Authorization {
  readonly defaultAction: string;
  readonly rules?: readonly {
    readonly action: string;
    readonly principal: Principal;
    readonly operation?: { readonly methods?: readonly string[]; readonly path?: unknown };
    readonly cel?: string;
  }[];
}

interface Security {
  readonly cors?: unknown;
  readonly csrf?: unknown;
  readonly jwt?: { readonly allowMissing?: boolean; readonly allowMissingOrFailed?: boolean };
  readonly oidc?: unknown;
  readonly apiKeyAuth?: unknown;
  readonly basicAuth?: unknown;
  readonly extAuth?: unknown;
  readonly authorization?: Authorization;
}

interface HttpRoute {
  readonly name: string;
  readonly hostname: string;
  readonly pathMatch?: Match;
  readonly headerMatches?: readonly Match[];
  readonly queryParamMatches?: readonly Match[];
  readonly cookieMatches?: readonly Match[];
  readonly directResponse?: { readonly statusCode?: number };
  readonly redirect?: { readonly statusCode?: number };
  readonly urlRewrite?: {
    readonly host?: { readonly name?: string; readonly header?: string; readonly backend?: boolean };
    readonly path?: { readonly fullReplace?: string; readonly prefixMatchReplace?: string; readonly regexMatchReplace?: unknown }; // prettier-ignore
  };
  readonly destination?: Destination;
  readonly security?: Security;
  readonly cors?: unknown;
  readonly traffic?: {
    readonly loadBalancer?: { readonly preferLocal?: unknown };
    readonly faultInjection?: { readonly abort?: { readonly httpStatus?: number; readonly percentage?: number } };
    readonly httpUpgrade?: readonly { readonly type?: string; readonly connect?: unknown }[];
  };
  readonly envoyExtensions?: Readonly<Record<string, readonly unknown[] | undefined>>;
}

interface Core {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly externalPort?: number;
}

interface ProxyProtocol {
  readonly optional?: boolean;
}

interface HttpListener extends Core {
  readonly hostnames: readonly string[];
  readonly tls?: { readonly requireClientCertificate?: boolean } | null;
  readonly routes?: readonly HttpRoute[];
  readonly enableProxyProtocol?: boolean;
  readonly proxyProtocol?: ProxyProtocol;
  readonly healthCheck?: { readonly path?: string };
}

interface TcpRoute {
  readonly name: string;
  readonly tls?: { readonly inspector?: { readonly snis?: readonly string[] }; readonly terminate?: unknown };
  readonly destination?: Destination;
  readonly authorization?: Authorization;
}

interface TcpListener extends Core {
  readonly tls?: unknown;
  readonly routes?: readonly TcpRoute[];
  readonly enableProxyProtocol?: boolean;
  readonly proxyProtocol?: ProxyProtocol;
}

export interface Ir {
  readonly http?: readonly HttpListener[];
  readonly tcp?: readonly TcpListener[];
  readonly backendClusters?: readonly { readonly name: string; readonly setting?: Setting }[];
  readonly envoyPatchPolicies?: readonly unknown[];
}

export interface Ask {
  readonly scheme: 'http' | 'https' | 'tls' | 'tcp';
  /** Of the Gateway, as clients have it. */
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type Expected =
  /** Nothing takes the connection, or what takes it closes it. */
  | { readonly is: 'closed'; readonly why: string }
  | { readonly is: 'answered'; readonly status: number; readonly by: string }
  | {
      readonly is: 'forwarded';
      /** `httproute/ns/name/rule/0`. */
      readonly rule: string;
      readonly to: readonly Backend[];
      /** What its cluster may be called; empty where that is not read. */
      readonly clusters: readonly string[];
      /** Statuses that a share of the requests gets in their place. */
      readonly else: readonly number[];
      readonly host?: string;
      readonly path?: string;
    }
  /** It hangs on what is no part of the world. */
  | { readonly is: 'open'; readonly what: string };

export interface Backend {
  readonly endpoints: readonly string[];
  readonly sni: string | null;
}

const closed = (why: string): Expected => ({ is: 'closed', why });
const answered = (status: number, by: string): Expected => ({ is: 'answered', status, by });
const open = (what: string): Expected => ({ is: 'open', what });

const within = (name: string, wanted: string, pattern = wanted.toLowerCase()): boolean =>
  pattern === '*' || name === pattern || (pattern.startsWith('*') && name.endsWith(pattern.slice(1)) && name.length >= pattern.length); // prettier-ignore

interface Chain {
  readonly names: readonly string[];
  readonly http?: HttpListener;
  readonly tcp?: readonly [TcpListener, TcpRoute | undefined];
}

/** The filter chains of one listener of Envoy's, besides the one that all listeners of plain HTTP share. */
function chains(http: readonly HttpListener[], tcp: readonly TcpListener[], oneEmpty: boolean): readonly Chain[] {
  const plainNames = (names: readonly string[]): readonly string[] => (names.includes('*') ? [] : names);
  const empty = tcp.filter(({ routes = [] }) => routes.length === 0);
  return [
    ...http.filter(({ tls }) => tls != null).map((one): Chain => ({ names: plainNames(one.hostnames), http: one })),
    ...tcp.flatMap(
      (one) =>
      (one.routes ?? []).map((route): Chain => ({ names: plainNames(route.tls?.inspector?.snis ?? []), tcp: [one, route] })), // prettier-ignore
    ),
    ...(oneEmpty ? empty.slice(0, 1) : empty).map((one): Chain => ({ names: [], tcp: [one, undefined] })),
  ];
}

function chainFor(all: readonly Chain[], sni: string): Chain | undefined {
  const fit = ({ names }: Chain): number =>
    names.length === 0 ? 0 : Math.max(-1, ...names.map((name) => (name === sni ? 1e6 : within(sni, name) ? name.length : -1))); // prettier-ignore
  return all.filter((one) => fit(one) >= 0).sort((a, b) => fit(b) - fit(a))[0];
}

const twice = (names: readonly string[]): string | undefined => names.find((name, at) => names.indexOf(name) !== at);

/** What the proxies do with a request. @param oneEmpty whether listeners without routes share one filter chain (since 1.8) */
export function expected(ir: Ir | undefined, ask: Ask, oneEmpty: boolean): Expected {
  const all = [...(ir?.http ?? []), ...(ir?.tcp ?? [])];
  const port = all.find((one) => (one.externalPort ?? one.port) === ask.port)?.port;
  if (ir === undefined || port === undefined) return closed('no listener on the port');
  if ((ir.envoyPatchPolicies ?? []).length > 0) return open('EnvoyPatchPolicy');
  const http = (ir.http ?? []).filter((one) => one.port === port);
  const tcp = (ir.tcp ?? []).filter((one) => one.port === port);
  const found = chains(http, tcp, oneEmpty);
  const clash = twice(found.flatMap(({ names }) => (names.length === 0 ? ['(all)'] : names)));
  if (clash !== undefined) return closed(`Envoy refuses the listener: ${clash} twice`);
  const waits = [...http, ...tcp].some(
    ({ enableProxyProtocol, proxyProtocol }) => enableProxyProtocol === true || (proxyProtocol !== undefined && proxyProtocol.optional !== true), // prettier-ignore
  );
  const plain = http.filter(({ tls }) => tls == null);
  const isTls = ask.scheme === 'https' || ask.scheme === 'tls';
  const chain = chainFor(found, isTls ? ask.host : '');
  if (chain === undefined && (isTls || plain.length === 0)) return closed('no filter chain');
  if (chain?.http !== undefined && !isTls) return closed('TLS is expected');
  if (waits) return open('PROXY protocol');
  if (chain?.tcp !== undefined) return throughTcp(ir, ...chain.tcp);
  if (ask.scheme === 'tcp' || ask.scheme === 'tls') return closed('no HTTP');
  return throughHttp(ir, chain?.http === undefined ? plain : [chain.http], ask);
}

function throughTcp(ir: Ir, { name }: TcpListener, route: TcpRoute | undefined): Expected {
  if (route === undefined) return closed(`listener ${name} has no route`);
  const held = route.authorization && authorized(route.authorization, undefined);
  if (held !== undefined) return held.is === 'answered' ? closed(held.by) : held;
  const { to } = backends(ir, route.destination);
  // One cluster, whatever its backends are (processTCPListenerXdsTranslation).
  const clusters = [route.destination?.name ?? ''].filter((name) => name !== '');
  return to.length === 0 ? closed('no backend') : { is: 'forwarded', rule: route.name, to, clusters, else: [] };
}

function throughHttp(ir: Ir, listeners: readonly HttpListener[], ask: Ask): Expected {
  const health = listeners.find(({ healthCheck }) => healthCheck?.path !== undefined && healthCheck.path === ask.path);
  if (health !== undefined) return answered(200, 'health check');
  const hosts = listeners.flatMap(({ routes = [] }) => [...new Set(routes.map(({ hostname }) => hostname))]);
  const clash = twice(hosts);
  if (clash !== undefined) return answered(404, `Envoy refuses the routes: ${clash} twice`);
  const host = hosts
    .filter((one) => within(ask.host, one))
    .sort((a, b) => Number(b === ask.host) - Number(a === ask.host) || b.length - a.length)[0];
  if (host === undefined) return answered(404, 'no virtual host');
  const routes = listeners.flatMap((one) => one.routes ?? []).filter(({ hostname }) => hostname === host);
  const route = routes.find((one) => takes(one, ask));
  return route === undefined ? answered(404, 'no route') : throughRoute(ir, route, ask);
}

function isMatch({ exact, prefix, suffix, safeRegex, invert }: Match, value: string | undefined): boolean {
  const fits =
    value !== undefined &&
    (exact === undefined || value === exact) &&
    (prefix === undefined || value.startsWith(prefix)) &&
    (suffix === undefined || value.endsWith(suffix)) &&
    (safeRegex === undefined ||
      new RegExp(`^(?:${safeRegex.replace('(?i)', '')})$`, safeRegex.includes('(?i)') ? 'i' : '').test(value));
  return fits !== (invert === true);
}

function isPath({ prefix, ...rest }: Match, path: string): boolean {
  if (prefix === undefined) return isMatch(rest, path);
  const bare = prefix.replace(/\/$/, '');
  return bare === '' || path === bare || path.startsWith(`${bare}/`);
}

function takes(route: HttpRoute, { path, method, host, headers }: Ask): boolean {
  const [plain = '', query = ''] = path.split('?');
  if ((route.traffic?.httpUpgrade ?? []).some(({ connect, type }) => connect !== undefined || type === 'CONNECT'))
    return method === 'CONNECT';
  const named = (name: string | undefined): string | undefined =>
    ({ ':method': method, ':authority': host, ':path': path })[name ?? ''] ?? headers[(name ?? '').toLowerCase()];
  const given = new URLSearchParams(query);
  const cookies = new Map((headers.cookie ?? '').split('; ').map((one) => one.split('=') as [string, string]));
  return (
    (route.pathMatch === undefined || isPath(route.pathMatch, plain)) &&
    (route.headerMatches ?? []).every((one) => isMatch(one, named(one.name))) &&
    (route.queryParamMatches ?? []).every((one) => isMatch(one, given.get(one.name ?? '') ?? undefined)) &&
    (route.cookieMatches ?? []).every((one) => isMatch(one, cookies.get(one.name ?? '')))
  );
}

interface Shares {
  readonly to: readonly Backend[];
  readonly invalid: number;
  readonly empty: number;
}

/** Whether each backend has a cluster of its own (HTTPRoute.NeedsClusterPerSetting of internal/ir/xds.go). */
function isPerSetting({ destination, traffic }: HttpRoute): boolean {
  const settings = destination?.settings ?? [];
  const types = new Set(settings.flatMap(({ addressType }) => addressType ?? []));
  const isLacking = ({ weight, invalid, endpoints = [], isDynamicResolver, isCustomBackend }: Setting): boolean =>
    weight !== undefined && weight > 0 && (invalid === true || (endpoints.length === 0 && isDynamicResolver !== true && isCustomBackend !== true)); // prettier-ignore
  return (
    traffic?.loadBalancer?.preferLocal !== undefined ||
    settings.some(isLacking) ||
    types.size > 1 ||
    types.has('Mixed') ||
    settings.some(({ filters }) => filters !== undefined) ||
    (settings.length > 1 && settings.some(({ preferLocal }) => preferLocal !== undefined))
  );
}

function clustersOf(route: HttpRoute): readonly string[] {
  const { name, settings = [], backendClusterRefs = [] } = route.destination ?? {};
  if (settings.length === 0 || backendClusterRefs.length > 0) return [];
  return (isPerSetting(route) ? settings.map((one) => one.name) : [name]).flatMap((one) => one ?? []);
}

function backends(ir: Ir, destination: Destination | undefined, perSetting = false): Shares {
  const to: Backend[] = [];
  let [invalid, empty] = [0, 0];
  const add = (setting: Setting, weight: number | undefined): void => {
    if (weight === 0) return;
    const { endpoints = [], tls } = setting;
    if (setting.invalid === true) invalid += weight ?? 1;
    else if (endpoints.length === 0 && setting.isDynamicResolver !== true && setting.isCustomBackend !== true)
      empty += weight ?? 1;
    else
      to.push({ endpoints: endpoints.map(({ host = '', port, path }) => path ?? `${host}:${port}`), sni: tls === undefined ? null : (tls.sni ?? '') }); // prettier-ignore
  };
  const settings = destination?.settings ?? [];
  const waits = settings.some(({ priority, weight }) => (priority ?? 0) === 0 && weight !== 0) && !perSetting;
  for (const setting of settings) if (!waits || (setting.priority ?? 0) === 0) add(setting, setting.weight);
  for (const { name, weight } of destination?.backendClusterRefs ?? []) {
    const setting = ir.backendClusters?.find((one) => one.name === name)?.setting;
    if (setting !== undefined) add(setting, weight);
  }
  return { to, invalid, empty };
}

function throughRoute(ir: Ir, route: HttpRoute, ask: Ask): Expected {
  const held = filtered(route, ask);
  if (held !== undefined) return held;
  const { directResponse, redirect, destination, urlRewrite } = route;
  if (directResponse !== undefined) return answered(directResponse.statusCode ?? 200, 'direct response');
  if (redirect !== undefined) return answered(redirect.statusCode ?? 302, 'redirect');
  const { to, invalid, empty } = backends(ir, destination, isPerSetting(route));
  const status = empty > 0 ? 503 : 500;
  if (to.length === 0) return answered(status, empty > 0 ? 'no endpoints' : 'no backend');
  const { host, path } = urlRewrite ?? {};
  return {
    is: 'forwarded',
    rule: route.name.replace(/\/match\/.*$/, ''),
    to,
    clusters: clustersOf(route),
    else: invalid + empty > 0 ? [status] : [],
    ...(host?.name === undefined ? {} : { host: host.name }),
    ...(path === undefined ? {} : rewritten(path, route, ask)),
  };
}

function rewritten(
  { fullReplace, prefixMatchReplace }: NonNullable<NonNullable<HttpRoute['urlRewrite']>['path']>,
  { pathMatch }: HttpRoute,
  { path }: Ask,
): { readonly path?: string } {
  if (fullReplace !== undefined) return { path: fullReplace };
  if (prefixMatchReplace === undefined || pathMatch?.prefix === undefined) return {};
  const [plain = ''] = path.split('?');
  if (prefixMatchReplace === '' || prefixMatchReplace === '/')
    return { path: `/${plain.slice(pathMatch.prefix.length).replace(/^\/*/, '')}` };
  // Envoy puts the one in the other's place, as it stands.
  const matched = pathMatch.prefix === '/' ? 1 : pathMatch.prefix.replace(/\/$/, '').length;
  return { path: `${prefixMatchReplace}${plain.slice(matched)}` };
}

/** What the filters before the router make of a request without credentials. */
function filtered(
  { security = {}, cors, traffic, envoyExtensions = {}, ...route }: HttpRoute,
  ask: Ask,
): Expected | undefined {
  // prettier-ignore
  const { abort } = traffic?.faultInjection ?? {};
  if (abort !== undefined && (abort.percentage ?? 100) >= 100) return answered(abort.httpStatus ?? 200, 'fault');
  const forwards = route.directResponse === undefined && route.redirect === undefined;
  const asksFirst = ask.method === 'OPTIONS' && ask.headers['access-control-request-method'] !== undefined;
  if (asksFirst && forwards && (cors ?? security.cors) !== undefined) return answered(200, 'preflight');
  if (security.extAuth !== undefined) return open('extAuth');
  if (security.apiKeyAuth !== undefined) return answered(401, 'apiKeyAuth');
  if (security.basicAuth !== undefined) return answered(401, 'basicAuth');
  if (security.oidc !== undefined) return answered(302, 'oidc');
  const { jwt, authorization } = security;
  if (jwt !== undefined && jwt.allowMissing !== true && jwt.allowMissingOrFailed !== true) return answered(401, 'jwt');
  if (Object.values(envoyExtensions).some((some) => (some ?? []).length > 0)) return open('code of its own');
  return authorization && authorized(authorization, ask);
}

/** Of a request without a token, whose address nobody knows. */
function authorized({ defaultAction, rules = [] }: Authorization, ask: Ask | undefined): Expected | undefined {
  const maybe = new Set<string>();
  let action = defaultAction;
  for (const { principal, operation, cel, action: then } of rules) {
    if (principal.jwt !== undefined) continue;
    if ((principal.headers ?? []).some(({ name, values }) => !values.includes(ask?.headers[name.toLowerCase()] ?? '')))
      continue;
    if (operation?.methods !== undefined && ask !== undefined && !operation.methods.includes(ask.method)) continue;
    const cidrs = principal.clientCIDRs ?? [];
    const everybody = cidrs.length === 0 || cidrs.some(({ cidr }) => cidr === '0.0.0.0/0');
    if (
      everybody &&
      operation?.path === undefined &&
      cel === undefined &&
      principal.clientIPGeoLocations === undefined
    ) {
      // prettier-ignore
      action = then;
      break;
    }
    maybe.add(then);
  }
  if ([...maybe].some((one) => one !== action)) return open('authorization');
  return action === 'Allow' ? undefined : answered(403, 'authorization');
}
