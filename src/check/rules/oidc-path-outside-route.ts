import type { CheckContext } from '../context';
import { type CoveredRule, coveredRules } from '../envoy-gateway';
import { isSubsetOf } from '../../model/hostnames';
import { type OidcPolicy, oidcPolicies, urlParts } from '../oidc';
import { isName, sampleOf } from '../paths/probes';
import { GATEWAY_API } from '../gateway-api';
import type { Mesh } from '../../model/mesh';
import { RequestError, type Trace, type TraceRequest, trace } from '../../trace';
import type { Hit, Rule } from '../rule';
import { fullMatch } from '../../model/re2';

/** What Envoy Gateway takes where nothing is written. */
const REDIRECT = '%REQ(x-forwarded-proto)%://%REQ(:authority)%/oauth2/callback';
const LOGOUT = '/logout';

export const rule: Rule = {
  id: 'EDGE820',
  name: 'oidc-path-outside-route',
  severity: 'error',
  title: 'The way back from a login is not a request that the login protects',
  why: 'The proxy takes the redirect and the logout only on routes that carry the policy. Elsewhere the browser gets 404, or another route that knows nothing of the login, and is sent to the provider again.',
  fix: 'Let the route match the path and the host, or write a redirectURL and a logoutPath below what it matches.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/oidc/',
  reads: ['SecurityPolicy'],
  footguns: ['Y10'],
  *check(context) {
    for (const policy of context.index(oidcPolicies)) {
      const covered = coveredRules(context, policy.manifest).filter(({ route }) => route.kind === 'HTTPRoute');
      if (covered.length === 0) continue;
      yield* judge(context, policy, covered);
    }
  },
};

function* judge(
  context: CheckContext,
  { manifest, oidc }: OidcPolicy,
  covered: readonly CoveredRule[],
): Generator<Hit> {
  const redirect = urlParts(oidc.redirectURL ?? REDIRECT);
  const field = (name: string): readonly (string | number)[] => ['spec', 'oidc', name];
  const routes = [...new Set(covered.map(({ route }) => `${route.config.namespace}/${route.config.name}`))].join(', ');
  if (redirect) {
    const { host, path } = redirect;
    const ofHost = covered.filter(({ route }) => host === undefined || serves(context, route, host));
    const written = oidc.redirectURL ?? `the usual redirectURL, which ends in ${path}`;
    if (ofHost.length === 0)
      yield {
        manifest,
        field: field('redirectURL'),
        what: `redirectURL ${JSON.stringify(oidc.redirectURL)} is for ${host}, and the policy covers ${routes} for ${hostsOf(covered)}`,
      };
    else if (!ofHost.some((rule) => matches(rule, path)))
      yield {
        manifest,
        field: field(oidc.redirectURL === undefined ? 'provider' : 'redirectURL'),
        what: `${oidc.redirectURL === undefined ? written : `redirectURL ${JSON.stringify(written)}`} leads back to ${path}, and the policy covers ${pathsOf(ofHost)} of ${routes}`,
      };
    else {
      const taker = takenBefore(context, ofHost, host, path);
      if (taker !== undefined)
        yield {
          manifest,
          field: field(oidc.redirectURL === undefined ? 'provider' : 'redirectURL'),
          what: `${oidc.redirectURL === undefined ? written : `redirectURL ${JSON.stringify(written)}`} leads back to ${path}, which ${taker} takes before ${routes}`,
          fix: 'Write a redirectURL below a path that no other route of the host takes.',
        };
    }
  }
  const logout = oidc.logoutPath ?? LOGOUT;
  if (!covered.some((rule) => matches(rule, logout)))
    yield {
      manifest,
      field: field(oidc.logoutPath === undefined ? 'provider' : 'logoutPath'),
      ...(oidc.logoutPath === undefined ? { severity: 'info' as const } : {}),
      what: `${oidc.logoutPath === undefined ? `the usual logoutPath ${LOGOUT}` : `logoutPath ${JSON.stringify(logout)}`} is none of ${pathsOf(covered)}, which the policy covers of ${routes}`,
    };
}

/** Whether a route, at one of its listeners, answers for the host. */
function serves(context: CheckContext, route: CoveredRule['route'], host: string): boolean {
  if (route.hostnames.length > 0) return route.hostnames.some((name) => isSubsetOf(host, name));
  const listeners = context.mesh.gatewayApi.attachments.filter((attachment) => attachment.route === route);
  return listeners.length === 0 || listeners.some(({ listener }) => isSubsetOf(host, listener.hostname));
}

interface HttpRouteMatch {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly method?: string;
}

function matchesOf({ route, rule }: CoveredRule): readonly HttpRouteMatch[] {
  const rules = route.config.spec.rules as readonly { matches?: readonly HttpRouteMatch[] }[];
  const own = rules[rule]?.matches ?? [];
  return own.length > 0 ? own : [{}];
}

/** Headers and parameters that a match asks for are taken to be there: what a browser sends is not in manifests. */
function matches(rule: CoveredRule, path: string): boolean {
  return matchesOf(rule).some(({ path: wanted = {}, method = 'GET' }) => {
    if (method !== 'GET') return false;
    const { type = 'PathPrefix', value = '/' } = wanted;
    if (type === 'Exact') return path === value;
    if (type === 'RegularExpression') return fits(value, path);
    const prefix = value.replace(/\/$/, '');
    return path === prefix || path.startsWith(`${prefix}/`);
  });
}

/** An expression that is none of RE2's is for another rule to tell. */
function fits(expression: string, path: string): boolean {
  return fullMatch(expression, path) ?? true;
}

function pathsOf(covered: readonly CoveredRule[]): string {
  return [
    ...new Set(covered.flatMap(matchesOf).map(({ path = {} }) => `${path.type ?? 'PathPrefix'} ${path.value ?? '/'}`)),
  ].join(', ');
}

function hostsOf(covered: readonly CoveredRule[]): string {
  return [...new Set(covered.flatMap(({ route }) => route.hostnames))].join(', ') || 'the hosts of their listeners';
}

/** Another route that has the way back, since it matches the path more closely; undefined where one that the policy covers does, or nobody knows. */
function takenBefore(
  { mesh }: CheckContext,
  covered: readonly CoveredRule[],
  host: string | undefined,
  path: string,
): string | undefined {
  for (const { route } of covered) {
    const attachment = mesh.gatewayApi.attachments.find((one) => one.route === route);
    const name = host ?? sampleOf(route.hostnames[0] ?? attachment?.listener.hostname ?? '*');
    if (attachment === undefined || !isName(name)) return undefined;
    const { gateway, listener } = attachment;
    const scheme = listener.protocol === 'HTTP' ? 'http' : 'https';
    const at = `${gateway.config.namespace}/${gateway.config.name}`;
    const request = `${scheme}://${name}:${listener.port}${path}`;
    const led = ask(mesh, { from: 'outside', request, at, atGroup: GATEWAY_API })?.hops.at(-1)?.route;
    const isCovered = covered.some(({ route: { kind, config }, rule }) => led?.kind === kind && led.namespace === config.namespace && led.name === config.name && led.rule === `rules[${rule}]`); // prettier-ignore
    if (led == null || isCovered) return undefined;
    return `${led.rule} of ${led.kind} ${led.namespace}/${led.name}`;
  }
  return undefined;
}

/** Undefined at the Gateway of a class that nobody knows. */
function ask(mesh: Mesh, request: TraceRequest): Trace | undefined {
  try {
    return trace(mesh, request);
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}
