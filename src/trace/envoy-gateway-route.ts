/** What Envoy Gateway gives a route of a rule beside what the rule says: filters by its policies, answers and rewrites by its HTTPRouteFilters. */
import { foreignCode, extensionFault } from '../model/envoy-gateway-extension-faults';
import { effectivePolicy, ownFilters, type EffectivePolicy } from '../model/envoy-gateway-policies';
import { brokenReferences } from '../model/envoy-gateway-references';
import { limitsGlobally } from '../model/envoy-gateway-settings';
import { trafficFault } from '../model/envoy-gateway-traffic-faults';
import { optionalRecord } from '../model/fields';
import type { Candidate } from './envoy-gateway-candidates';
import { answerOf, filtersOfRule, isGlobalLimit, rewrittenBy, type AtRule } from './envoy-gateway-policies';
import { loopbackFilter } from './envoy-gateway-guards';
import { endpointName, sharesOf } from './envoy-gateway-shares';
import { clusterNameOf, type Proxies } from './envoy-gateway-stage';
import type { Filter } from './filters';
import { ruleDecision } from './hop';
import type { Route, RouteExtras } from './http-routes';
import { gap, remark } from './notes';
import type { OwnAnswer } from './own-answer';
import { refOf } from './refs';
import type { Mesh } from '../model/mesh';

/** @param clientFault what Envoy Gateway does not take of the listener's ClientTrafficPolicy */
export function extrasOf(
  candidate: Candidate,
  { mesh, proxy, gateway }: Proxies,
  clientFault: AtRule['faults'][number] | undefined,
): RouteExtras {
  const { place, own, fault, rule } = candidate;
  const traffic = effectivePolicy('BackendTrafficPolicy', place, mesh);
  const security = effectivePolicy('SecurityPolicy', place, mesh);
  const limits = traffic && mesh.remember(traffic.manifest, 'limits globally', () => limitsGlobally(mesh));
  const found = ownFilters(place.route, own, mesh);
  const failed: OwnAnswer | undefined = fault && { code: 'direct_response', status: 500, reason: { kind: 'filter-not-usable', problem: fault.problem }, field: 'filters' }; // prettier-ignore
  const told = failed ?? answerOf(found);
  const faults = policyFaults(mesh, {
    proxy,
    clientFault,
    traffic,
    extension: effectivePolicy('EnvoyExtensionPolicy', place, mesh),
  });
  const atRule: AtRule = {
    find: (...of) => mesh.find(...of),
    proxy: proxy.spec,
    traffic,
    security,
    ...faults,
    cors: rule.corsPolicy === undefined ? undefined : ruleDecision(rule.ref),
    limitsGlobally: limits,
    broken: security === undefined ? [] : mesh.remember(security.manifest, 'broken references', () => brokenReferences(security.manifest, mesh)), // prettier-ignore
    forwards: candidate.isForPreflights === true || (told === undefined && forwards(mesh, candidate)),
  };
  const around = (filters: readonly Filter[]): readonly Filter[] => [
    ...overrides(traffic, faults.faults),
    ...filters,
    ...notes(traffic, limits),
    ...(fault === undefined ? notShown(candidate, found) : []),
  ];
  const guards = loopbackFilter(candidate, mesh, found);
  const { backends, apart } = sharesOf({ mesh, proxy, gateway }, candidate, traffic);
  return {
    clusters: backends.map((one) => ({ ...one, name: clusterNameOf(rule.ref, apart ? one.index : undefined) })),
    filters: around([...filtersOfRule(atRule), ...guards]),
    pastTokens: () => around([...filtersOfRule(atRule, 'jwt_authn'), ...guards]),
    answer: told ?? withoutBackends(candidate),
    changes: (asked, onward, { host }) => rewrittenBy(found, asked, onward, endpointName({ mesh }, host)),
  };
}

/** Whether a rule sends on what it takes: not one that answers, nor one none of whose backends is there. */
function forwards(mesh: Mesh, { rule, clusters }: Route): boolean {
  if (rule === null || rule.redirect !== undefined || rule.directResponse !== undefined) return false;
  return clusters.some(
    ({ destination: { host, port } }) =>
      /^(Backend|ServiceImport|extension) /.test(host) ||
      [...mesh.services.named(host).values()].some(({ ports }) => ports.some((one) => one.port === port)),
  );
}

function withoutBackends({ rule, clusters }: Candidate): OwnAnswer | undefined {
  if (clusters.length > 0 || rule.redirect !== undefined || rule.directResponse !== undefined) return undefined;
  return { code: 'direct_response', status: 500, reason: { kind: 'backend-not-granted' }, field: 'directResponse' };
}

/** A BackendTrafficPolicy that is carried out may put another status in the place of what clients would see. */
function overrides(traffic: EffectivePolicy | undefined, faults: AtRule['faults']): readonly Filter[] {
  if (traffic === undefined || faults.some(({ policy }) => policy === traffic)) return [];
  return [
    ({ walk, incoming }, http) => {
      walk.overrides.unshift({ policy: traffic, at: incoming.proxy });
      return { is: 'passed', http };
    },
  ];
}

function notes(traffic: EffectivePolicy | undefined, limits: boolean | undefined): readonly Filter[] {
  if (traffic === undefined || optionalRecord(traffic.spec.rateLimit) === undefined) return [];
  const note = remark({ kind: 'rate-limited', policy: refOf(traffic.manifest), isUncertain: limits === undefined && isGlobalLimit(traffic) }); // prettier-ignore
  return [
    ({ walk }, http) => {
      walk.note(note);
      return { is: 'passed', http };
    },
  ];
}

/** An HTTPRouteFilter that no manifest shows. */
function notShown({ rule }: Candidate, found: readonly unknown[]): readonly Filter[] {
  if (!found.includes(null)) return [];
  return [() => ({ is: 'unknown', why: gap({ kind: 'filter-not-shown', route: refOf(rule.ref) }), by: ruleDecision(rule.ref) })]; // prettier-ignore
}

/** What Envoy Gateway does not take of the policies for a rule, and the code of others that requests are handed to. */
function policyFaults(
  mesh: Mesh,
  {
    proxy,
    clientFault,
    traffic,
    extension,
  }: Pick<Proxies, 'proxy'> & {
    readonly clientFault: AtRule['faults'][number] | undefined;
    readonly traffic: EffectivePolicy | undefined;
    readonly extension: EffectivePolicy | undefined;
  },
): Pick<AtRule, 'extension' | 'faults'> {
  const ofTraffic = traffic && trafficFault(traffic, mesh);
  const code = extension === undefined ? [] : foreignCode(extension.manifest, extension.spec, proxy.spec, mesh);
  const ofExtension = extensionFault(code);
  const running = ofExtension === undefined ? code.find(({ fault }) => fault === undefined) : undefined;
  return {
    extension:
      extension === undefined || running === undefined ? undefined : { policy: extension, field: running.part },
    faults: [
      ...(clientFault === undefined ? [] : [clientFault]),
      ...(traffic === undefined || ofTraffic === undefined ? [] : [{ policy: traffic, ...ofTraffic }]),
      ...(extension === undefined || ofExtension === undefined ? [] : [{ policy: extension, ...ofExtension }]),
    ],
  };
}
