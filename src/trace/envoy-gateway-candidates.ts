/** The rules of routes that may take a request at listeners of Envoy Gateway's, in the order in which Envoy asks them. */
import { hostnamesAt, type Attachment } from '../model/attachments';
import type { Served } from '../model/envoy-gateway-chains';
import { cookieConditions, routeFault, ruleFaults, type RuleFault } from '../model/envoy-gateway-rules';
import { effectivePolicy, type PolicyPlace } from '../model/envoy-gateway-policies';
import { trafficFault } from '../model/envoy-gateway-traffic-faults';
import { record, records, text, type Json } from '../model/fields';
import { ANY_HTTP, byEnvoyGatewayPrecedence, httpRules } from '../model/gateway-api-rules';
import type { Mesh } from '../model/mesh';
import { push } from '../model/objects';
import type { HttpRule } from '../model/virtual-services';
import { DomainIndex } from './envoy';
import { faultOfClient } from './envoy-gateway-listener';
import { attachedAt, type Proxies } from './envoy-gateway-stage';
import { extrasOf } from './envoy-gateway-route';
import type { RouteRef } from './refs';
import { weighted, type Route, type RouteExtras } from './http-routes';

/** Where something is that Envoy Gateway made for a rule: what policies are found by, and what traces name. */
export interface Placed {
  readonly place: Attachment & PolicyPlace;
  readonly ref: RouteRef;
}

/** A route of Envoy's, and what Envoy Gateway's filters and policies go by. */
export interface Candidate extends Route, Placed {
  readonly rule: HttpRule;
  /** The rule as it is written. */
  readonly own: Json;
  /** Why Envoy Gateway answers 500 in its place. */
  readonly fault: RuleFault | undefined;
  /** Whether it is there for preflights alone, which its filter for CORS answers. */
  readonly isForPreflights?: true;
}

/** The rules of the routes at some listeners by host. */
export function candidatesAt(proxies: Proxies, listeners: readonly Served[]): DomainIndex<() => readonly Candidate[]> {
  const { mesh, gateway } = proxies;
  const names = listeners.map((one) => `${one.gateway.config.namespace}/${one.gateway.config.name} ${one.gateway.listeners.indexOf(one.listener)}`); // prettier-ignore
  return mesh.remember(gateway, `hosts at ${names.join()}`, () => {
    const byHost = new Map<string, Attachment[]>();
    for (const attachment of attachedAt(proxies, listeners))
      if (routeFault(attachment.route, mesh) === undefined)
        for (const host of hostnamesAt(attachment)) push(byHost, host, attachment);
    const domains = new DomainIndex<() => readonly Candidate[]>();
    for (const [host, attachments] of byHost)
      domains.add(host, () => mesh.remember(attachments, 'candidates', () => inOrder(attachments, proxies, listeners)));
    return domains;
  });
}

function routeOf(rule: HttpRule): Route {
  const clusters = weighted(rule.route, (destination) => destination.host);
  const mirrors = rule.mirrors
    .filter(({ destination: { host } }) => host !== '')
    .map(({ destination, percent }) => ({ cluster: `${destination.host}:${destination.port}`, percent, destination }));
  return { name: rule.name, rule, match: rule.matches[0] ?? null, clusters, gatewaySemantics: true, mirrors };
}

/** The port of the redirects at a listener that say neither scheme nor port (processHTTPRouteParentRefListener of internal/gatewayapi/route.go). */
function redirectPort({ route, gateway, listener }: Attachment, { gatewayApi, config }: Mesh): number {
  const isForAll = records(route.config.spec.parentRefs).some(
    ({ name, namespace, sectionName, port }) =>
      text(name) === gateway.config.name &&
      (text(namespace) || route.config.namespace) === gateway.config.namespace &&
      text(sectionName) === '' &&
      port === undefined,
  );
  if (config.envoyGateway.redirectsByListener || !isForAll) return listener.port;
  const attached = gatewayApi.attachedTo(gateway).filter((one) => one.route === route && hostnamesAt(one).length > 0);
  const first = gateway.listeners.find((one) => one.problem === undefined && attached.some((other) => other.listener === one)); // prettier-ignore
  return (first ?? listener).port;
}

/** A rule of its own for each listener; its redirect, where it says neither scheme nor port, keeps that of the listener, unless it is a usual one. */
function withRedirectPort(rule: HttpRule, attachment: Attachment, mesh: Mesh): HttpRule {
  const { redirect } = rule;
  if (redirect === undefined || text(redirect.scheme) !== '' || redirect.port !== undefined) return { ...rule };
  const port = redirectPort(attachment, mesh);
  return port === 80 || port === 443 ? { ...rule } : { ...rule, redirect: { ...redirect, port } };
}

/** Where a BackendTrafficPolicy has an upgrade of type CONNECT, a route takes CONNECT alone, whatever the path (buildXdsRouteMatch of internal/xds/translator/route.go). */
function matchOf(rule: HttpRule, place: PolicyPlace, mesh: Mesh): Partial<Route> {
  const traffic = effectivePolicy('BackendTrafficPolicy', place, mesh);
  if (traffic === undefined || !records(traffic.spec.httpUpgrade).some(({ type }) => type === 'CONNECT')) return {};
  if (trafficFault(traffic, mesh) !== undefined) return {};
  return {
    match: { ...(rule.matches[0] ?? ANY_HTTP), uri: undefined, method: { exact: 'CONNECT' } },
    takesConnect: true,
  };
}

/**
 * A rule with a CORS filter that is for another method than OPTIONS is given a route for its preflights (processHTTPRouteRule of
 * internal/gatewayapi/route.go).
 */
function forPreflights(rule: HttpRule, candidate: Candidate): Candidate | undefined {
  const [match] = rule.matches;
  const { method, headers } = match ?? {};
  if (rule.corsPolicy === undefined || match === undefined || method === undefined || method.exact === 'OPTIONS') return undefined; // prettier-ignore
  if ((candidate.cookies ?? []).length > 0) return undefined;
  const present = { regex: '.*' };
  const asking = { ...match, method: { exact: 'OPTIONS' }, headers: { ...headers, origin: present, 'access-control-request-method': present } }; // prettier-ignore
  const copy = { ...rule, matches: [asking], redirect: undefined, directResponse: undefined };
  return { ...candidate, ...routeOf(copy), rule: copy, isForPreflights: true };
}

function inOrder(
  attachments: readonly Attachment[],
  proxies: Proxies,
  listeners: readonly Served[],
): readonly Candidate[] {
  const { mesh, proxy } = proxies;
  const asGiven = proxy.spec.preserveRouteOrder === true;
  const byRule = new Map<HttpRule, Candidate>();
  for (const attachment of attachments) {
    const { route } = attachment;
    const faults = ruleFaults(route, mesh);
    const written = records(route.config.spec.rules);
    for (const rule of httpRules(route, mesh.gatewayApi.input, mesh.config.clusterDomain, { byEnvoyGateway: true })) {
      const index = Number(/\d+/.exec(rule.ref.rule)?.[0] ?? 0);
      const own = record(written[index]);
      const fault = faults[index];
      if (fault?.is === 'match') continue;
      const sets = cookieConditions(own, route, mesh);
      for (const cookies of sets.length > 0 ? sets : [[]]) {
        const copy = withRedirectPort(rule, attachment, mesh);
        const place = { ...attachment, rule: text(own.name) };
        byRule.set(copy, {
          ...routeOf(copy),
          ...matchOf(copy, place, mesh),
          cookies,
          place,
          ref: rule.ref,
          rule: copy,
          own,
          fault,
        });
      }
    }
  }
  for (const [rule, candidate] of [...byRule]) {
    const twin = forPreflights(rule, candidate);
    if (twin !== undefined) byRule.set(twin.rule, twin);
  }
  const rules = [...byRule.keys()];
  const cookiesOf = (rule: HttpRule): readonly Json[] => byRule.get(rule)?.cookies ?? [];
  const ordered = asGiven ? rules : byEnvoyGatewayPrecedence(rules, cookiesOf);
  return ordered.flatMap((rule): readonly Candidate[] => {
    const candidate = byRule.get(rule);
    if (candidate === undefined) return [];
    const extras = (): RouteExtras =>
      mesh.remember(rule, 'extras', () => extrasOf(candidate, proxies, faultOfClient(mesh, listeners)));
    return [{ ...candidate, extras }];
  });
}
