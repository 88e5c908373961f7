/** What a proxy of Envoy Gateway's refuses of what a route would send on: names of itself that a DynamicResolver would go to, and all of it where a breaker lets nothing pass. */
import { effectivePolicy } from '../model/envoy-gateway-policies';
import { trafficFault } from '../model/envoy-gateway-traffic-faults';
import { record, text, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import type { Candidate, Placed } from './envoy-gateway-candidates';
import { decision, refOf } from './envoy-gateway-verdict';
import type { Filter } from './filters';
import { ruleDecision } from './hop';
import { regex } from './matcher';
import type { Refused } from './types';

const ITSELF = String.raw`localhost|localhost\.localdomain|ip6-localhost|ip6-loopback|127\.0\.0\.1|::1|\[::1\]`;
const HOST_ITSELF = regex(String.raw`(${ITSELF})(:\d+)?`);

/** Of TLS that is left on (dfpLoopbackSNIRegex of internal/xds/translator/sni_dynamic_forward_proxy.go). */
export const SNI_ITSELF = regex(String.raw`(?i)(${ITSELF})\.?`);

function resolvesNames({ clusters }: Candidate, mesh: Mesh): string | undefined {
  const [only, ...more] = clusters;
  const [, namespace = '', name = ''] = /^Backend ([^/]+)\/(.+)$/.exec(only?.destination.host ?? '') ?? [];
  if (name === '' || more.length > 0) return undefined;
  const backend = mesh.find('gateway.envoyproxy.io', 'Backend', namespace, name);
  return record(record(backend?.body).spec).type === 'DynamicResolver' ? `${namespace}/${name}` : undefined;
}

/**
 * The filter before a DynamicResolver, which reads the Host, or the header that becomes it, as the client sent it (buildDFPLoopbackRBACPerRoute of
 * internal/xds/translator/dynamic_forward_proxy.go). A Host that the route spells out is not looked at.
 *
 * @param given the HTTPRouteFilters of the rule
 */
export function loopbackFilter(candidate: Candidate, mesh: Mesh, given: readonly (Json | null)[]): readonly Filter[] {
  const backend = mesh.config.envoyGateway.guardsLoopback ? resolvesNames(candidate, mesh) : undefined;
  const { rewrite, ref } = candidate.rule;
  if (backend === undefined || text(rewrite?.authority) !== '') return [];
  const [header] = given.map((filter) => record(record(filter?.urlRewrite).hostname)).filter(({ type }) => type === 'Header'); // prettier-ignore
  return [
    (_at, http) => {
      if (http === null) return { is: 'passed', http };
      const host = header === undefined ? http.authority : http.headers.get(text(header.header));
      if (!host.is(HOST_ITSELF)) return { is: 'passed', http };
      return { is: 'refused', code: 'RBAC', status: 403, reason: { kind: 'loopback-asked-for', backend }, by: ruleDecision(ref) }; // prettier-ignore
    },
  ];
}

/** Fields of a breaker by which Envoy lets nothing pass where they are 0; of its connections it opens the first whatever they are, but for TCP. */
const BREAKERS = {
  http: ['maxPendingRequests', 'maxParallelRequests'],
  tcp: ['maxConnections', 'maxPendingRequests'],
} as const;

/** A breaker of 0. */
export function brokenCircuit(
  { place }: Placed,
  mesh: Mesh,
  isHttp: boolean,
): Omit<Refused, 'proxy' | 'status'> | undefined {
  const policy = effectivePolicy('BackendTrafficPolicy', place, mesh);
  if (policy === undefined || trafficFault(policy, mesh) !== undefined) return undefined;
  const breaker = record(policy.spec.circuitBreaker);
  const field = BREAKERS[isHttp ? 'http' : 'tcp'].find((name) => breaker[name] === 0);
  if (field === undefined) return undefined;
  const by = decision(policy, `circuitBreaker.${field}`);
  return { code: 'UO', by, reason: { kind: 'circuit-always-open', policy: refOf(policy), field } };
}
