import { backendTaken } from './backend-kinds';
import { number, optionalRecord, record, records, text, texts, type Json } from './fields';
import { isGranted } from './reference-grants';
import { type ApiRoute, type GatewayApiInput } from './gateway-api';
import {
  authorityOf,
  type HttpMatch,
  type HttpRule,
  type L4Rule,
  type RouteDestination,
  type RuleRef,
} from './virtual-services';

/** `granted`: backends of other namespaces need no ReferenceGrant. */
export interface BackendOptions {
  readonly granted?: boolean;
  /** Whether Envoy Gateway reads the rules: its Backends are backends then, which as destinations are named by `backendHost`. */
  readonly byEnvoyGateway?: boolean;
}

/** A Backend of Envoy Gateway as the host of a destination. */
export function backendHost(namespace: string, name: string): string {
  return `Backend ${namespace}/${name}`;
}

const MULTICLUSTER = 'multicluster.x-k8s.io';

/** A ServiceImport as the host of a destination, where Envoy Gateway reads it. */
export function importHost(namespace: string, name: string): string {
  return `ServiceImport ${namespace}/${name}`;
}

/** The group of what the Gateway API tries out. */
export const EXPERIMENTS = 'gateway.networking.x-k8s.io';

/** An XBackend as the host of a destination, where istiod reads it: it gives it a name that hangs on what the API server numbers. */
export function xBackendHost(namespace: string, name: string): string {
  return `XBackend ${namespace}/${name}`;
}

/** A backend that an extension of the controller makes something of, as the host of a destination. */
function extensionHost(kind: string, namespace: string, name: string): string {
  return `extension ${kind} ${namespace}/${name}`;
}

/** A backend of a route as a destination; one that may not be named, or is none, has no host. */
function backend(
  reference: Json,
  route: ApiRoute,
  input: GatewayApiInput,
  domain: string,
  options: BackendOptions,
): RouteDestination {
  const kind = text(reference.kind) || 'Service';
  const namespace = text(reference.namespace) || route.config.namespace;
  const name = text(reference.name);
  const weight = reference.weight === undefined ? 1 : number(reference.weight);
  const headers = filtersOf(reference, false).headers;
  const parts = { subset: '', port: number(reference.port), weight, authority: authorityOf(headers), headers };
  const group = text(reference.group);
  if (options.byEnvoyGateway === true && hasForeignFilter(reference, route, input)) return { ...parts, host: '' };
  if (group === 'networking.istio.io' && kind === 'Hostname')
    return { ...parts, host: text(reference.namespace) === '' ? name : '' };
  const hostOf =
    group === 'gateway.envoyproxy.io' && kind === 'Backend'
      ? backendHost
      : group === MULTICLUSTER && kind === 'ServiceImport'
        ? importHost
        : undefined;
  if (options.byEnvoyGateway === true && hostOf !== undefined) {
    const from = { kind: route.kind, namespace: route.config.namespace };
    return { ...parts, host: isGranted(input, from, { group, kind, namespace, name }) ? hostOf(namespace, name) : '' };
  }
  const controller = options.byEnvoyGateway === true ? 'envoy-gateway' : 'istio';
  if (backendTaken(group, kind, controller, input) === 'extension')
    return { ...parts, host: extensionHost(kind, namespace, name) };
  if (group === EXPERIMENTS && kind === 'XBackend' && options.byEnvoyGateway !== true && input.kindsRead.XBackend)
    return { ...parts, host: xBackendHost(namespace, name) };
  if (group !== '' || kind !== 'Service' || name.includes('.')) return { ...parts, host: '' };
  const allowed =
    options.granted === true ||
    isGranted(
      input,
      { kind: route.kind, namespace: route.config.namespace },
      { group: '', kind: 'Service', namespace, name },
      options.byEnvoyGateway !== true && !input.istio.readsAllOfGrant,
    );
  return { ...parts, host: allowed ? `${name}.${namespace}.svc.${domain}` : '' };
}

/** What the filters of a backend may be in Envoy Gateway; any other refuses the backend (validateBackendRefFilters of internal/gatewayapi/validate.go). */
function hasForeignFilter(reference: Json, { kind }: ApiRoute, { envoyGateway }: GatewayApiInput): boolean {
  const can = ['RequestHeaderModifier', 'ResponseHeaderModifier', ...(kind === 'HTTPRoute' ? ['ExtensionRef', 'URLRewrite'] : [])]; // prettier-ignore
  return records(reference.filters).some(
    ({ type, urlRewrite }) =>
      !can.includes(text(type)) || (envoyGateway.refusesPathsOfBackends && record(urlRewrite).path !== undefined),
  );
}

function destinations(
  rule: Json,
  route: ApiRoute,
  input: GatewayApiInput,
  domain: string,
  options: BackendOptions,
): readonly RouteDestination[] {
  const all = records(rule.backendRefs).map((reference) => backend(reference, route, input, domain, options));
  return all.filter((destination) => destination.weight > 0);
}

function byName(entries: readonly Json[]): Json {
  // Names are data: one may be that of something that every object has.
  const result = Object.create(null) as Record<string, Json>;
  for (const entry of entries) {
    const name = text(entry.name);
    // Of two conditions on one header, the first counts.
    if (result[name] === undefined)
      result[name] = entry.type === 'RegularExpression' ? { regex: text(entry.value) } : { exact: text(entry.value) };
  }
  return result;
}

/** istiod takes a slash at a prefix's end off, and orders what is left by its length; Envoy Gateway orders it with the slash. */
function pathMatch(path: Json | undefined, keepsSlash: boolean): Json {
  const value = text(path?.value) || '/';
  switch (text(path?.type) || 'PathPrefix') {
    case 'Exact':
      return { exact: value };
    case 'RegularExpression':
      return { regex: value };
    default:
      return { prefix: value === '/' || keepsSlash ? value : value.replace(/\/$/, '') };
  }
}

function grpcPath(method: Json | undefined): Json | undefined {
  if (method === undefined) return undefined;
  const [service, name] = [text(method.service), text(method.method)];
  if (method.type === 'RegularExpression')
    return { regex: `/${service === '' ? '[^/]+' : service}/${name === '' ? '.+' : name}` };
  if (name === '') return { prefix: `/${service}/` };
  return service === '' ? { regex: `/[^/]+/${name}` } : { exact: `/${service}/${name}` };
}

export const ANY_HTTP: HttpMatch = {
  port: 0,
  gateways: [],
  sourceLabels: {},
  sourceNamespace: '',
  uri: undefined,
  scheme: undefined,
  method: undefined,
  authority: undefined,
  headers: {},
  withoutHeaders: {},
  queryParams: {},
  ignoreUriCase: false,
};

function httpMatch(match: Json, kind: ApiRoute['kind'], byEnvoyGateway = false): HttpMatch {
  if (kind === 'GRPCRoute')
    return { ...ANY_HTTP, uri: grpcPath(optionalRecord(match.method)), headers: byName(records(match.headers)) };
  const method = text(match.method);
  return {
    ...ANY_HTTP,
    uri: pathMatch(optionalRecord(match.path), byEnvoyGateway),
    method: method === '' ? undefined : { exact: method },
    headers: byName(records(match.headers)),
    queryParams: byName(records(match.queryParams)),
  };
}

function headerOperations(filter: Json): Json {
  const pairs = (entries: unknown): Json =>
    Object.fromEntries(records(entries).map((entry) => [text(entry.name), text(entry.value)]));
  return { add: pairs(filter.add), set: pairs(filter.set), remove: filter.remove };
}

function rewriteOf(filter: Json): Json {
  const path = record(filter.path);
  const rewrite: Record<string, unknown> = {};
  if (text(filter.hostname) !== '') rewrite.authority = text(filter.hostname);
  if (path.type === 'ReplacePrefixMatch') rewrite.uri = text(path.replacePrefixMatch).replace(/\/$/, '') || '/';
  if (path.type === 'ReplaceFullPath') rewrite.uriRegexRewrite = { match: '/.*', rewrite: text(path.replaceFullPath) };
  return rewrite;
}

interface Filters {
  readonly headers: Json;
  readonly corsPolicy: Json | undefined;
  readonly redirect: Json | undefined;
  readonly rewrite: Json | undefined;
}

function filtersOf(rule: Json, byEnvoyGateway: boolean): Filters {
  let headers: Json = {};
  let redirect: Json | undefined;
  let rewrite: Json | undefined;
  let corsPolicy: Json | undefined;
  for (const filter of records(rule.filters)) {
    if (filter.type === 'RequestHeaderModifier')
      headers = { ...headers, request: headerOperations(record(filter.requestHeaderModifier)) };
    if (filter.type === 'CORS') corsPolicy = corsOf(record(filter.cors));
    if (filter.type === 'URLRewrite') rewrite = rewriteOf(record(filter.urlRewrite));
    if (filter.type === 'RequestRedirect') redirect = redirectOf(record(filter.requestRedirect), byEnvoyGateway);
  }
  return { headers, redirect, rewrite, corsPolicy };
}

/** istiod's mark for a redirect that replaces the matched prefix alone (pilot/pkg/config/kube/gateway/conversion.go). */
export const PREFIX_MARK = '%PREFIX()%';

/** A redirect as a VirtualService has it: istiod keeps the port of the request where neither scheme nor port is said. To Envoy Gateway a usual port is none. */
function redirectOf(wanted: Json, byEnvoyGateway: boolean): Json {
  const path = record(wanted.path);
  const port = number(wanted.port);
  const isUsual = port === 80 || port === 443;
  return {
    authority: text(wanted.hostname),
    scheme: text(wanted.scheme),
    redirectCode: number(wanted.statusCode) || 302,
    uri:
      text(path.replaceFullPath) ||
      (path.type === 'ReplacePrefixMatch' ? `${PREFIX_MARK}${text(path.replacePrefixMatch)}` : ''),
    ...(byEnvoyGateway && wanted.port === undefined ? {} : { port: byEnvoyGateway && isUsual ? 0 : port }),
    ...(byEnvoyGateway || port !== 0 || text(wanted.scheme) !== '' ? {} : { derivePort: 'FROM_REQUEST_PORT' }),
  };
}

/** Backends that get copies, with their share; all of them if no share is given. */
function mirrorsOf(rule: Json): readonly { readonly reference: Json; readonly percent: number }[] {
  return records(rule.filters)
    .filter((filter) => filter.type === 'RequestMirror')
    .map(({ requestMirror }) => {
      const { backendRef, percent, fraction } = record(requestMirror);
      const part = optionalRecord(fraction);
      const share = part === undefined ? 100 : (100 * number(part.numerator)) / (number(part.denominator) || 100);
      return { reference: record(backendRef), percent: percent === undefined ? share : number(percent) };
    })
    .filter(({ percent }) => percent > 0);
}

const ANY_ORIGIN = '[a-zA-Z][a-zA-Z0-9+.-]*://[^/\\s?#]+';

function corsOf(filter: Json): Json {
  const quoted = (origin: string): string => origin.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*');
  return {
    allowOrigins: texts(filter.allowOrigins).map((origin) =>
      origin === '*' ? { regex: ANY_ORIGIN } : origin.includes('*') ? { regex: quoted(origin) } : { exact: origin },
    ),
    unmatchedPreflights: 'IGNORE',
  };
}

/** The rules of an HTTP or gRPC route, one for each match, as rules of a VirtualService. */
export function httpRules(
  route: ApiRoute,
  input: GatewayApiInput,
  domain: string,
  options: BackendOptions = {},
): readonly HttpRule[] {
  const { namespace, name } = route.config;
  return records(route.config.spec.rules).flatMap((rule, index): readonly HttpRule[] => {
    const ref: RuleRef = { kind: route.kind, namespace, name, rule: `rules[${index}]` };
    const filters = filtersOf(rule, options.byEnvoyGateway === true);
    const to = destinations(rule, route, input, domain, options);
    const isBare = route.kind === 'HTTPRoute' && records(rule.backendRefs).length === 0;
    const noBackendStatus =
      isBare && options.byEnvoyGateway !== true && input.istio.answersNoBackendsWith404 ? 404 : 500;
    const matches = records(rule.matches);
    const conditions =
      matches.length > 0
        ? matches.map((match, at) => ({ ...httpMatch(match, route.kind, options.byEnvoyGateway), at }))
        : route.kind === 'HTTPRoute'
          ? [httpMatch({}, route.kind)]
          : [undefined];
    return conditions.map((match): HttpRule => ({
      ref,
      name: text(rule.name) || `${namespace}.${name}.${index}`,
      matches: match === undefined ? [] : [match],
      route: filters.redirect === undefined ? to : [],
      redirect: filters.redirect,
      directResponse: to.length === 0 && filters.redirect === undefined ? { status: noBackendStatus } : undefined,
      rewrite: filters.rewrite,
      fault: undefined,
      corsPolicy: filters.corsPolicy,
      headers: filters.headers,
      mirrors: mirrorsOf(rule).map(({ reference, percent }) => ({
        destination: backend(reference, route, input, domain, options),
        percent,
      })),
    }));
  });
}

export function l4Rules(
  route: ApiRoute,
  input: GatewayApiInput,
  domain: string,
  sniHosts: readonly string[],
  options: BackendOptions = {},
): readonly L4Rule[] {
  const { namespace, name } = route.config;
  const rules = records(route.config.spec.rules).map((rule, index): L4Rule => ({
    ref: { kind: route.kind, namespace, name, rule: `rules[${index}]` },
    matches:
      route.kind === 'TLSRoute'
        ? [{ port: 0, gateways: [], sourceLabels: {}, sourceNamespace: '', destinationSubnets: [], sniHosts }]
        : [],
    route: destinations(rule, route, input, domain, options),
  }));
  // Without a backend that counts, istiod makes a rule of a TLSRoute without any match, which is for no connection (convertTLSRoute).
  return route.kind === 'TLSRoute' ? rules.filter((rule) => rule.route.length > 0) : rules;
}

function rank(match: HttpMatch | undefined): readonly number[] {
  const uri = match?.uri;
  const [kind, value] =
    uri === undefined
      ? [-1, '']
      : typeof uri.exact === 'string'
        ? [3, uri.exact]
        : typeof uri.prefix === 'string'
          ? [2, uri.prefix]
          : [1, text(uri.regex)];
  return [
    kind,
    value.length,
    match?.method === undefined ? 0 : 1,
    Object.keys(match?.headers ?? {}).length,
    Object.keys(match?.queryParams ?? {}).length,
  ];
}

/** Rules by the Gateway API's precedence: exact before prefix, the longer first, then method, headers, query; the rest as given. */
export function byPrecedence(rules: readonly HttpRule[]): readonly HttpRule[] {
  return [...rules].sort((a, b) => {
    const [left, right] = [a.matches[0], b.matches[0]];
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    const [first, second] = [rank(left), rank(right)];
    for (let index = 0; index < first.length; index += 1) {
      const difference = (second[index] ?? 0) - (first[index] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

/** The same rules as Envoy Gateway orders them: regular expressions before prefixes, and a method counts as a header. */
/** @param cookiesOf cookies that a rule asks for besides */
export function byEnvoyGatewayPrecedence(
  rules: readonly HttpRule[],
  cookiesOf: (rule: HttpRule) => readonly Json[],
): readonly HttpRule[] {
  const ranked = rules.map((rule) => ({ rule, rank: envoyGatewayRank(rule.matches[0], cookiesOf(rule)) }));
  ranked.sort((a, b) => {
    const index = a.rank.findIndex((value, at) => value !== b.rank[at]);
    return index < 0 ? 0 : b.rank[index]! - a.rank[index]!;
  });
  return ranked.map(({ rule }) => rule);
}

function envoyGatewayRank(match: HttpMatch | undefined, cookies: readonly Json[]): readonly number[] {
  const [kind = -1, length = 0] = rank(match);
  const exact = (matches: Json): number =>
    Object.values(matches).filter((one) => typeof record(one).exact === 'string').length;
  const headers = match?.headers ?? {};
  const query = match?.queryParams ?? {};
  const method = match?.method === undefined ? 0 : 1;
  const order = kind === 3 ? 3 : kind === 1 ? 2 : kind === 2 ? 1 : 0;
  return [
    order,
    length,
    Object.keys(headers).length + method,
    exact(headers) + method,
    cookies.length,
    cookies.filter(({ type }) => type !== 'RegularExpression').length,
    Object.keys(query).length,
    exact(query),
  ];
}
