/**
 * Rules of routes that Envoy Gateway does not carry out as they are written (processHTTPRouteRules of internal/gatewayapi/route.go, and
 * filters.go): a match that is not valid takes the rule away, and a filter that is not makes it answer 500. A route none of whose rules is
 * accepted is not attached at all.
 */
import { settingsOf } from './envoy-gateway-settings';
import { isAddress } from './addresses';
import { backendProblem, referredTo, type BackendFault } from './envoy-gateway-references';
import { list, optionalRecord, record, records, text, type Json } from './fields';
import { GATEWAY_API, type ApiRoute } from './gateway-api';
import { lacksData } from './lacking-data';
import type { Mesh } from './mesh';
import { refusalOf } from './re2';

const GROUP = 'gateway.envoyproxy.io';

/** What is amiss with a rule, as data: words are made of it last. */
export type RuleProblem =
  | { readonly is: 'not-an-expression'; readonly pattern: string; readonly why: string }
  /** Of an HTTPRouteFilter; `why` is null for one that is empty. */
  | { readonly is: 'not-an-expression-of-filter'; readonly pattern: string; readonly why: string | null }
  | { readonly is: 'two-filters-with-matches' }
  | { readonly is: 'copies-and-answers'; readonly answers: string }
  | { readonly is: 'resolver-by-path'; readonly backend: string }
  | { readonly is: 'resolver-among-others'; readonly backend: string }
  /** Empty for one without a name. */
  | { readonly is: 'header-not-to-change'; readonly header: string }
  | { readonly is: 'header-value'; readonly header: string; readonly value: string }
  | { readonly is: 'rewritten-twice'; readonly part: 'hostname' | 'path' }
  | { readonly is: 'redirect-scheme'; readonly scheme: string }
  | { readonly is: 'redirect-status'; readonly status: string }
  | { readonly is: 'no-hostname'; readonly host: string }
  | { readonly is: 'path-of-other-type' }
  | { readonly is: 'copy-not-usable'; readonly backend: BackendFault }
  | { readonly is: 'foreign-filter'; readonly filter: string }
  | { readonly is: 'filter-for-grpc'; readonly release: string }
  | { readonly is: 'no-such-filter'; readonly filter: string }
  | { readonly is: 'body-missing'; readonly config: string }
  | { readonly is: 'body-empty'; readonly config: string }
  | { readonly is: 'host-header-not-named' }
  | { readonly is: 'host-expression-incomplete' }
  | { readonly is: 'success-for-grpc'; readonly status: number };

export interface RuleFault {
  /** `match`: the rule is not there. `filter`: it answers 500. `reference`: the same, and the route is attached whatever its other rules are. */
  readonly is: 'match' | 'filter' | 'reference';
  readonly problem: RuleProblem;
}

/** What is amiss with each rule of a route; undefined where nothing is. */
export function ruleFaults(route: ApiRoute, mesh: Mesh): readonly (RuleFault | undefined)[] {
  return mesh.remember(route, 'rule faults', () =>
    records(route.config.spec.rules).map(
      (rule) => matchFault(rule) ?? filterFault(rule, route, mesh) ?? backendFault(rule, route, mesh),
    ),
  );
}

/** Why Envoy Gateway accepts none of the rules of a route, and has none in its place. */
export function routeFault(route: ApiRoute, mesh: Mesh): RuleFault | undefined {
  const faults = ruleFaults(route, mesh);
  if (route.kind === 'HTTPRoute' && mesh.config.envoyGateway.answersForInvalidRoutes)
    return faults.every((fault) => fault?.is === 'match') ? faults[0] : undefined;
  return faults.every((fault) => fault !== undefined && fault.is !== 'reference') ? faults[0] : undefined;
}

function matchFault(rule: Json): RuleFault | undefined {
  for (const match of records(rule.matches)) {
    const values = [match.path, match.method, ...records(match.headers), ...records(match.queryParams)].map(record);
    for (const { type, value, service, method } of values) {
      if (type !== 'RegularExpression') continue;
      for (const pattern of [value, service, method].map(text)) {
        const why = pattern === '' ? undefined : refusalOf(pattern);
        if (why !== undefined) return { is: 'match', problem: { is: 'not-an-expression', pattern, why } };
      }
    }
  }
  return undefined;
}

const invalid = (problem: RuleProblem): RuleFault => ({ is: 'filter', problem });
const unusable = (problem: RuleProblem): RuleFault => ({ is: 'reference', problem });

function filterFault(rule: Json, route: ApiRoute, mesh: Mesh): RuleFault | undefined {
  const rewritten = new Set<'hostname' | 'path'>();
  let fault: RuleFault | undefined;
  let mirrors = false;
  let answers: string | undefined;
  let matches = false;
  for (const filter of records(rule.filters)) {
    switch (filter.type) {
      case 'RequestHeaderModifier':
        fault ??= headerFault(record(filter.requestHeaderModifier));
        break;
      case 'ResponseHeaderModifier':
        fault ??= headerFault(record(filter.responseHeaderModifier));
        break;
      case 'URLRewrite':
        fault ??= rewriteFault(record(filter.urlRewrite), rewritten) ?? hostnameFault(record(filter.urlRewrite).hostname) ?? pathFault(record(filter.urlRewrite).path); // prettier-ignore
        break;
      case 'RequestRedirect':
        answers ??= 'RequestRedirect';
        fault ??= redirectFault(record(filter.requestRedirect), mesh);
        break;
      case 'RequestMirror':
        mirrors = true;
        fault ??= mirrorFault(record(record(filter.requestMirror).backendRef), route, mesh);
        break;
      case 'ExtensionRef': {
        const own = extensionOf(record(filter.extensionRef), route, mesh);
        if ('is' in own) fault ??= own;
        else {
          if (optionalRecord(own.spec.directResponse) !== undefined) answers ??= 'directResponse';
          if (matches && records(own.spec.matches).length > 0) fault ??= invalid({ is: 'two-filters-with-matches' });
          matches ||= records(own.spec.matches).length > 0;
          fault ??= ownFilterFault(own.spec, rewritten, route, mesh) ?? successFault(own.spec, route, mesh);
        }
        break;
      }
      default:
    }
  }
  return fault ?? (mirrors && answers !== undefined ? invalid({ is: 'copies-and-answers', answers }) : undefined); // prettier-ignore
}

/** A DynamicResolver goes to whatever is asked for, and beside another backend nowhere. */
function backendFault(rule: Json, route: ApiRoute, mesh: Mesh): RuleFault | undefined {
  const backends = records(rule.backendRefs);
  const dynamic = backends.find(({ kind, namespace, name, weight }) => {
    if (kind !== 'Backend' || weight === 0) return false;
    const found = mesh.find(GROUP, 'Backend', text(namespace) || route.config.namespace, text(name));
    return record(record(found?.body).spec).type === 'DynamicResolver';
  });
  const ofPath = records(rule.filters).some(({ extensionRef }) => {
    const own = extensionRef === undefined ? undefined : extensionOf(record(extensionRef), route, mesh);
    return own !== undefined && !('is' in own) && record(record(own.spec.urlRewrite).hostname).type === 'PathRegex';
  });
  if (dynamic !== undefined && ofPath) return unusable({ is: 'resolver-by-path', backend: text(dynamic.name) });
  return dynamic && backends.length > 1 ? unusable({ is: 'resolver-among-others', backend: text(dynamic.name) }) : undefined; // prettier-ignore
}

/** One invalid header is enough. */
function headerFault({ add, set, remove }: Json): RuleFault | undefined {
  const given = [...records(add), ...records(set)].map(({ name, value }) => ({ name: text(name), value: text(value) }));
  const name = [...given.map((one) => one.name), ...list(remove).map(text)].find((one) => one === '' || /[/:]/.test(one) || /^host$/i.test(one)); // prettier-ignore
  if (name !== undefined) return invalid({ is: 'header-not-to-change', header: name });
  // HeaderValueRegexp, without the choice that takes exponential time.
  const bad = given.find(({ value }) => !/^[!-~]+(?:[\t ][!-~]+)*$/.test(value));
  return bad && invalid({ is: 'header-value', header: bad.name, value: bad.value });
}

function rewriteFault({ hostname, path }: Json, rewritten: Set<'hostname' | 'path'>): RuleFault | undefined {
  for (const [part, value] of [
    ['hostname', hostname],
    ['path', path],
  ] as const) {
    // prettier-ignore
    if (value === undefined) continue;
    if (rewritten.has(part)) return invalid({ is: 'rewritten-twice', part });
    rewritten.add(part);
  }
  return undefined;
}

function redirectFault({ statusCode, scheme, hostname }: Json, { config }: Mesh): RuleFault | undefined {
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    return invalid({ is: 'redirect-scheme', scheme: text(scheme) });
  const host = hostnameFault(hostname);
  if (host !== undefined) return host;
  if (statusCode === undefined || statusCode === 301 || statusCode === 302) return undefined;
  return config.envoyGateway.redirectsWithAnyCode && [303, 307, 308].includes(Number(statusCode)) ? undefined : invalid({ is: 'redirect-status', status: String(statusCode) }); // prettier-ignore
}

/** A name, and no address (validateHostname of internal/gatewayapi/helpers.go). */
function hostnameFault(hostname: unknown): RuleFault | undefined {
  const name = text(hostname);
  if (hostname === undefined || (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name) && name.length <= 253 && !isAddress(name))) return undefined; // prettier-ignore
  return invalid({ is: 'no-hostname', host: name });
}

/** What a URLRewrite of the Gateway API has to say besides its type. */
function pathFault(path: unknown): RuleFault | undefined {
  if (path === undefined) return undefined;
  const { type, replaceFullPath, replacePrefixMatch } = record(path);
  const [own, other] = type === 'ReplaceFullPath' ? [replaceFullPath, replacePrefixMatch] : [replacePrefixMatch, replaceFullPath]; // prettier-ignore
  const isKnown = type === 'ReplaceFullPath' || type === 'ReplacePrefixMatch';
  return isKnown && own !== undefined && other === undefined
    ? undefined
    : invalid({ is: 'path-of-other-type' }); // prettier-ignore
}

function mirrorFault(reference: Json, route: ApiRoute, mesh: Mesh): RuleFault | undefined {
  const { namespace: own } = route.config;
  const problem = backendProblem(
    referredTo(reference, own),
    reference,
    { group: GATEWAY_API, kind: route.kind, namespace: own },
    mesh,
  );
  return problem && unusable({ is: 'copy-not-usable', backend: problem });
}

/** The HTTPRouteFilter that a filter names. */
function extensionOf(reference: Json, route: ApiRoute, mesh: Mesh): RuleFault | { readonly spec: Json } {
  const [group, kind, name] = [text(reference.group), text(reference.kind), text(reference.name)];
  if (group !== GROUP || kind !== 'HTTPRouteFilter') {
    // What an extension of Envoy Gateway's brings is not known here.
    if (settingsOf(mesh).some(({ body }) => optionalRecord(body.extensionManager) !== undefined)) return { spec: {} };
    return invalid({ is: 'foreign-filter', filter: `${group}/${kind}` });
  }
  if (route.kind === 'GRPCRoute' && !mesh.config.envoyGateway.extendsGrpcRoutes)
    return invalid({ is: 'filter-for-grpc', release: mesh.config.releases.envoyGateway.release });
  const { namespace } = route.config;
  const found = mesh.find(GROUP, kind, namespace, name);
  if (found === undefined)
    return mesh.isOpen(namespace) ? { spec: {} } : unusable({ is: 'no-such-filter', filter: `${namespace}/${name}` });
  return { spec: record(record(found.body).spec) };
}

function ownFilterFault(
  spec: Json,
  rewritten: Set<'hostname' | 'path'>,
  route: ApiRoute,
  mesh: Mesh,
): RuleFault | undefined {
  // prettier-ignore
  const rewrite = record(spec.urlRewrite);
  const { replaceRegexMatch, type } = record(rewrite.path);
  const pattern = text(record(replaceRegexMatch).pattern);
  const why = type === 'ReplaceRegexMatch' ? (pattern === '' ? null : refusalOf(pattern)) : undefined;
  const twice = rewriteFault(rewrite, rewritten);
  if (twice !== undefined) return twice;
  if (why !== undefined) return invalid({ is: 'not-an-expression-of-filter', pattern, why });
  const host = ownHostFault(record(rewrite.hostname));
  if (host !== undefined) return host;
  const body = record(record(spec.directResponse).body);
  const name = text(record(body.valueRef).name);
  if (body.type !== 'ValueRef' || name === '') return undefined;
  const { namespace } = route.config;
  const lacking = lacksData(namespace, name, mesh);
  return lacking && invalid({ is: lacking.isEmpty ? 'body-empty' : 'body-missing', config: lacking.config });
}

function ownHostFault({ type, header, pathRegex }: Json): RuleFault | undefined {
  if (type === 'Header' && text(header) === '') return invalid({ is: 'host-header-not-named' }); // prettier-ignore
  if (type !== 'PathRegex') return undefined;
  const { pattern, substitution } = record(pathRegex);
  if (text(pattern) === '' || text(substitution) === '') return invalid({ is: 'host-expression-incomplete' }); // prettier-ignore
  const why = refusalOf(text(pattern));
  return why === undefined ? undefined : invalid({ is: 'not-an-expression-of-filter', pattern: text(pattern), why }); // prettier-ignore
}

/** gRPC takes a status of success alone for an answer that is not valid. */
function successFault({ directResponse }: Json, { kind }: ApiRoute, { config }: Mesh): RuleFault | undefined {
  const { statusCode } = record(directResponse);
  if (kind !== 'GRPCRoute' || !config.envoyGateway.refusesSuccessOfGrpc) return undefined;
  return typeof statusCode === 'number' && statusCode >= 200 && statusCode < 300
    ? invalid({ is: 'success-for-grpc', status: statusCode })
    : undefined;
}

/** Cookies of which one set has to be there for a rule to take a request: those of its HTTPRouteFilter. */
export function cookieConditions(rule: Json, route: ApiRoute, mesh: Mesh): readonly (readonly Json[])[] {
  for (const filter of records(rule.filters)) {
    const own = filter.type === 'ExtensionRef' ? extensionOf(record(filter.extensionRef), route, mesh) : undefined;
    const sets = own === undefined || 'is' in own ? [] : records(own.spec.matches);
    if (sets.length > 0) return sets.map(({ cookies }) => records(cookies));
  }
  return [];
}
