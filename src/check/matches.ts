/** Whether one match of a VirtualService takes every request that another takes. */
import type { VirtualServiceView } from './edge';
import { resolveGatewayName } from '../model/virtual-services';
import { isSubsetOf } from './hosts';
import type { HttpMatch, StringMatch, TlsMatch } from './istio';

export type RuleKind = 'http' | 'tls' | 'tcp';

/** A match of any kind of rule; a rule without one takes everything. */
export type AnyMatch = HttpMatch & TlsMatch;

export function matchesOf({ spec }: VirtualServiceView, kind: RuleKind, rule: number): readonly AnyMatch[] {
  const own = spec[kind]?.[rule]?.match ?? [];
  return own.length > 0 ? (own as readonly AnyMatch[]) : [{}];
}

/** Conditions that are compared below; a match with any other is compared as it is written. */
const READ = new Set(['name', 'statPrefix', 'gateways', 'port', 'sourceLabels', 'sourceNamespace', 'uri', 'scheme', 'method', 'authority', 'headers', 'queryParams', 'sniHosts']); // prettier-ignore

export function covers(a: AnyMatch, b: AnyMatch, service: VirtualServiceView, other = service): boolean {
  const rest = (match: AnyMatch): string =>
    JSON.stringify(Object.entries(match).filter(([key, value]) => !READ.has(key) && !isEmpty(value)));
  return (
    rest(a) === rest(b) &&
    includesAll(gatewaysOf(a, service), gatewaysOf(b, other)) &&
    (!a.port || a.port === b.port) &&
    (!a.sourceNamespace || a.sourceNamespace === b.sourceNamespace) &&
    Object.entries(a.sourceLabels ?? {}).every(([key, value]) => b.sourceLabels?.[key] === value) &&
    (isAnyPath(a.uri) || takes(a.uri, b.uri)) &&
    takes(a.scheme, b.scheme) &&
    takes(a.method, b.method) &&
    takes(a.authority, b.authority) &&
    takesEach(a.headers, b.headers) &&
    takesEach(a.queryParams, b.queryParams) &&
    takesNames(a.sniHosts ?? [], b.sniHosts ?? [])
  );
}

/** Istio keeps rules for every path last when it joins VirtualServices at a gateway. */
export function isCatchAll({ uri, headers, queryParams }: AnyMatch): boolean {
  return isAnyPath(uri) && isEmpty(headers) && isEmpty(queryParams);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function gatewaysOf({ gateways = [] }: AnyMatch, service: VirtualServiceView): readonly string[] {
  return gateways.length > 0
    ? gateways.map((name) => resolveGatewayName(name, service.manifest.namespace))
    : service.gateways;
}

function includesAll(names: readonly string[], others: readonly string[]): boolean {
  return others.every((name) => names.includes(name));
}

function isAnyPath(uri: StringMatch | undefined): boolean {
  return isEmpty(uri) || uri?.prefix === '/' || uri?.regex === '.*' || uri?.regex === '/.*';
}

function takes(a: StringMatch | undefined, b: StringMatch | undefined): boolean {
  if (isEmpty(a)) return true;
  if (isEmpty(b)) return false;
  if (a?.exact !== undefined) return a.exact === b?.exact;
  if (a?.regex !== undefined) return a.regex === b?.regex;
  return a?.prefix !== undefined && (b?.prefix ?? b?.exact ?? '').startsWith(a.prefix) && b?.regex === undefined;
}

type Named = Readonly<Record<string, StringMatch>> | undefined;

/** A header without a condition is one that has to be there. */
function takesEach(a: Named, b: Named): boolean {
  return Object.entries(a ?? {}).every(([name, wanted]) => b?.[name] !== undefined && takes(wanted, b[name]));
}

function takesNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length === 0) return true;
  return b.length > 0 && b.every((name) => a.some((wide) => isSubsetOf(name, wide)));
}
