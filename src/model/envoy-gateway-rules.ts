/**
 * Rules of routes that Envoy Gateway does not carry out as they are written (processHTTPRouteRules of internal/gatewayapi/route.go, and
 * filters.go): a match that is not valid takes the rule away, and a filter that is not makes it answer 500. A route none of whose rules is
 * accepted is not attached at all.
 */
import { settingsOf } from './envoy-gateway-settings';
import { isAddress } from './addresses';
import { backendProblem } from './envoy-gateway-references';
import { list, optionalRecord, record, records, strings, text, type Json } from './fields';
import { GATEWAY_API, type ApiRoute } from './gateway-api';
import type { Mesh } from './mesh';
import { refusalOf } from './re2';

const GROUP = 'gateway.envoyproxy.io';

export interface RuleFault {
  /** `match`: the rule is not there. `filter`: it answers 500. `reference`: the same, and the route is attached whatever its other rules are. */
  readonly is: 'match' | 'filter' | 'reference';
  readonly detail: string;
  readonly cure: string;
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
        if (why !== undefined)
          return {
            is: 'match',
            detail: `${JSON.stringify(pattern)} is no regular expression: ${why}`,
            cure: 'correct the expression',
          };
      }
    }
  }
  return undefined;
}

const invalid = (detail: string, cure: string): RuleFault => ({ is: 'filter', detail, cure });

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
          if (matches && records(own.spec.matches).length > 0)
            fault ??= invalid('it has two HTTPRouteFilters with matches', TWICE);
          matches ||= records(own.spec.matches).length > 0;
          fault ??= ownFilterFault(own.spec, rewritten, route, mesh) ?? successFault(own.spec, route, mesh);
        }
        break;
      }
      default:
    }
  }
  return fault ?? (mirrors && answers !== undefined ? invalid(`it has RequestMirror and ${answers}`, 'take one of them out') : undefined); // prettier-ignore
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
  if (dynamic !== undefined && ofPath) return { is: 'reference', detail: `Backend ${text(dynamic.name)} is a DynamicResolver, and would go where the path says`, cure: 'take the Host from elsewhere' }; // prettier-ignore
  return dynamic && backends.length > 1 ? { is: 'reference', detail: `Backend ${text(dynamic.name)} is a DynamicResolver, which may not be one of several backends`, cure: 'give it a rule of its own' } : undefined; // prettier-ignore
}

/** One invalid header is enough. */
function headerFault({ add, set, remove }: Json): RuleFault | undefined {
  const given = [...records(add), ...records(set)].map(({ name, value }) => ({ name: text(name), value: text(value) }));
  const name = [...given.map((one) => one.name), ...list(remove).map(text)].find((one) => one === '' || /[/:]/.test(one) || /^host$/i.test(one)); // prettier-ignore
  if (name !== undefined)
    return invalid(
      `a header modifier may not change ${name === '' ? 'a header without a name' : name}`,
      'use URLRewrite for the Host, and leave the header out',
    );
  // HeaderValueRegexp, without the choice that takes exponential time.
  const bad = given.find(({ value }) => !/^[!-~]+(?:[\t ][!-~]+)*$/.test(value));
  return bad && invalid(`${JSON.stringify(bad.value)} is no value that a header modifier takes (${bad.name})`, 'write a value of visible characters'); // prettier-ignore
}

const TWICE = 'take one of the filters out';

function rewriteFault({ hostname, path }: Json, rewritten: Set<'hostname' | 'path'>): RuleFault | undefined {
  for (const [part, value] of [
    ['hostname', hostname],
    ['path', path],
  ] as const) {
    // prettier-ignore
    if (value === undefined) continue;
    if (rewritten.has(part)) return invalid(`two filters rewrite the ${part}`, TWICE);
    rewritten.add(part);
  }
  return undefined;
}

function redirectFault({ statusCode, scheme, hostname }: Json, { config }: Mesh): RuleFault | undefined {
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    return invalid(`a redirect may not have scheme ${text(scheme)}`, 'use http or https');
  const host = hostnameFault(hostname);
  if (host !== undefined) return host;
  if (statusCode === undefined || statusCode === 301 || statusCode === 302) return undefined;
  return config.envoyGateway.redirectsWithAnyCode && [303, 307, 308].includes(Number(statusCode)) ? undefined : invalid(`a redirect may not have status ${String(statusCode)}`, 'use 301 or 302'); // prettier-ignore
}

/** A name, and no address (validateHostname of internal/gatewayapi/helpers.go). */
function hostnameFault(hostname: unknown): RuleFault | undefined {
  const name = text(hostname);
  if (hostname === undefined || (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name) && name.length <= 253 && !isAddress(name))) return undefined; // prettier-ignore
  return invalid(`${JSON.stringify(name)} may not become the Host`, 'write a name, and no address');
}

/** What a URLRewrite of the Gateway API has to say besides its type. */
function pathFault(path: unknown): RuleFault | undefined {
  if (path === undefined) return undefined;
  const { type, replaceFullPath, replacePrefixMatch } = record(path);
  const [own, other] = type === 'ReplaceFullPath' ? [replaceFullPath, replacePrefixMatch] : [replacePrefixMatch, replaceFullPath]; // prettier-ignore
  const isKnown = type === 'ReplaceFullPath' || type === 'ReplacePrefixMatch';
  return isKnown && own !== undefined && other === undefined
    ? undefined
    : invalid('the path of a URLRewrite does not go with its type', 'write the field that is named as the type, and no other'); // prettier-ignore
}

function mirrorFault(reference: Json, route: ApiRoute, mesh: Mesh): RuleFault | undefined {
  const { namespace: own } = route.config;
  const target = {
    kind: text(reference.kind) || 'Service',
    namespace: text(reference.namespace) || own,
    name: text(reference.name),
  };
  const problem = backendProblem(target, reference, { group: GATEWAY_API, kind: route.kind, namespace: own }, mesh);
  return problem && { is: 'reference', detail: `its RequestMirror cannot be used: ${problem.what}`, cure: problem.fix };
}

/** The HTTPRouteFilter that a filter names. */
function extensionOf(reference: Json, route: ApiRoute, mesh: Mesh): RuleFault | { readonly spec: Json } {
  const [group, kind, name] = [text(reference.group), text(reference.kind), text(reference.name)];
  if (group !== GROUP || kind !== 'HTTPRouteFilter') {
    // What an extension of Envoy Gateway's brings is not known here.
    if (settingsOf(mesh).some(({ body }) => optionalRecord(body.extensionManager) !== undefined)) return { spec: {} };
    return invalid(`Envoy Gateway knows no filter ${group}/${kind}`, `name an HTTPRouteFilter (${GROUP})`);
  }
  if (route.kind === 'GRPCRoute' && !mesh.config.envoyGateway.extendsGrpcRoutes)
    return invalid(
      `Envoy Gateway ${mesh.config.releases.envoyGateway.release} takes no HTTPRouteFilter in a GRPCRoute: that needs Envoy Gateway 1.9`,
      'take the filter out, or install Envoy Gateway 1.9',
    );
  const { namespace } = route.config;
  const found = mesh.find(GROUP, kind, namespace, name);
  if (found === undefined)
    return mesh.isOpen(namespace)
      ? { spec: {} }
      : { is: 'reference', detail: `a filter of the rule names an HTTPRouteFilter that is not there: ${namespace}/${name}`, cure: 'make that HTTPRouteFilter, or correct its name' }; // prettier-ignore
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
  const why = type === 'ReplaceRegexMatch' ? (pattern === '' ? 'it is empty' : refusalOf(pattern)) : undefined;
  const twice = rewriteFault(rewrite, rewritten);
  if (twice !== undefined) return twice;
  if (why !== undefined)
    return invalid(`the pattern ${JSON.stringify(pattern)} of an HTTPRouteFilter is no regular expression: ${why}`, 'correct the expression'); // prettier-ignore
  const host = ownHostFault(record(rewrite.hostname));
  if (host !== undefined) return host;
  const body = record(record(spec.directResponse).body);
  const name = text(record(body.valueRef).name);
  if (body.type !== 'ValueRef' || name === '') return undefined;
  const { namespace } = route.config;
  const found = mesh.find('', 'ConfigMap', namespace, name);
  if (found === undefined)
    return mesh.isOpen(namespace) ? undefined : invalid(`its direct response is in ConfigMap ${namespace}/${name}, which is not there`, `make ConfigMap ${namespace}/${name}, or correct its name`); // prettier-ignore
  const { data, binaryData } = record(found.body);
  return Object.keys({ ...strings(data), ...strings(binaryData) }).length > 0
    ? undefined
    : invalid(
        `its direct response is in ConfigMap ${namespace}/${name}, which is empty`,
        'give it the key response.body',
      );
}

function ownHostFault({ type, header, pathRegex }: Json): RuleFault | undefined {
  if (type === 'Header' && text(header) === '') return invalid('an HTTPRouteFilter takes the Host from a header that it does not name', 'write urlRewrite.hostname.header'); // prettier-ignore
  if (type !== 'PathRegex') return undefined;
  const { pattern, substitution } = record(pathRegex);
  if (text(pattern) === '' || text(substitution) === '') return invalid('an HTTPRouteFilter makes the Host of an expression that it does not have', 'write urlRewrite.hostname.pathRegex'); // prettier-ignore
  const why = refusalOf(text(pattern));
  return why === undefined ? undefined : invalid(`the pattern ${JSON.stringify(pattern)} of an HTTPRouteFilter is no regular expression: ${why}`, 'correct the expression'); // prettier-ignore
}

/** gRPC takes a status of success alone for an answer that is not valid. */
function successFault({ directResponse }: Json, { kind }: ApiRoute, { config }: Mesh): RuleFault | undefined {
  const { statusCode } = record(directResponse);
  if (kind !== 'GRPCRoute' || !config.envoyGateway.refusesSuccessOfGrpc) return undefined;
  return typeof statusCode === 'number' && statusCode >= 200 && statusCode < 300
    ? invalid(`a GRPCRoute may not answer ${statusCode} by itself`, 'use another status, or send the call on')
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
