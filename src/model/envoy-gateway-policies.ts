/** Which of Envoy Gateway's policies is in force for a rule of a route at a listener, and the filters of its own that routes name. */
import { list, optionalRecord, record, records, strings, text, type Json } from './fields';
import { isGrantedByManifests } from './reference-grants';
import { type ApiGateway, type ApiListener, type ApiRoute } from './gateway-api';
import { selects } from './selectors';
import { mergerOf, type EnvoyGatewayInput } from './envoy-gateway';
import type { Served } from './envoy-gateway-chains';
import { extensionApi } from './envoy-gateway-settings';
import type { Manifest } from './manifest';
import { config, push } from './objects';
import type { EnvoyGatewayBehavior } from './release-behavior';

const GROUP = 'gateway.envoyproxy.io';

export interface PolicyPlace {
  readonly route: ApiRoute;
  /** The rule's own name, by which policies refer to it; empty for none. */
  readonly rule: string;
  readonly gateway: ApiGateway;
  readonly listener: ApiListener;
}

export interface EffectivePolicy {
  readonly manifest: Manifest;
  readonly spec: Json;
  /** The policy of the listener or Gateway that it has taken what it lacks from. */
  readonly parent?: Manifest;
}

interface Target {
  readonly kind: string;
  readonly manifest: Manifest;
  /** Undefined for the whole object. */
  readonly section: string | undefined;
}

/** Policies of one kind by what they are attached to. */
class Targets {
  private readonly byName = new Map<string, Manifest[]>();
  private readonly bySelector = new Map<string, { readonly policy: Manifest; readonly selector: Json }[]>();
  /** Those that select in other namespaces too. */
  private readonly elsewhere = new Map<string, { readonly policy: Manifest; readonly selector: Json }[]>();

  public constructor(
    policies: readonly Manifest[],
    private readonly input: ReleasedInput,
  ) {
    for (const policy of policies) {
      const spec = record(record(policy.body).spec);
      const single = optionalRecord(spec.targetRef);
      for (const ref of [...records(spec.targetRefs), ...(single === undefined ? [] : [single])])
        push(this.byName, nameOf(policy.namespace, text(ref.kind), text(ref.name), text(ref.sectionName)), policy);
      for (const selector of records(spec.targetSelectors))
        if (
          input.config.envoyGateway.selectsTargetsElsewhere &&
          ['All', 'Selector'].includes(text(record(selector.namespaces).from))
        )
          push(this.elsewhere, text(selector.kind), { policy, selector });
        else push(this.bySelector, `${policy.namespace}/${text(selector.kind)}`, { policy, selector });
    }
  }

  public of({ kind, manifest, section }: Target): readonly Manifest[] {
    const named = this.byName.get(nameOf(manifest.namespace, kind, manifest.name, section ?? '')) ?? [];
    if (section !== undefined) return named;
    const labels = strings(record(record(manifest.body).metadata).labels);
    const near = this.bySelector.get(`${manifest.namespace}/${kind}`) ?? [];
    const far = (this.elsewhere.get(kind) ?? []).filter((one) => this.reaches(one.policy, record(one.selector.namespaces), manifest)); // prettier-ignore
    const selecting = [...near, ...far].filter(({ selector }) => selects(selector, labels));
    return selecting.length === 0 ? named : [...new Set([...named, ...selecting.map(({ policy }) => policy)])];
  }

  /** Whether a selector is for a namespace, which has to grant it what is not the policy's own (resolvePolicyTargetsFromSelectors of internal/gatewayapi). */
  private reaches(policy: Manifest, { from, selector }: Json, { group, kind, namespace, name }: Manifest): boolean {
    if (from === 'Selector') {
      const own = this.input.of('', 'Namespace').find((one) => one.name === namespace);
      if (!selects(record(selector), { 'kubernetes.io/metadata.name': namespace, ...own?.labels })) return false;
    }
    const by = { group: GROUP, kind: policy.kind, namespace: policy.namespace };
    return isGrantedByManifests(this.input, by, { group, kind, namespace, name });
  }
}

function nameOf(namespace: string, kind: string, name: string, section: string): string {
  return `${namespace}/${kind}/${name}/${section}`;
}

const known = new WeakMap<readonly Manifest[], Targets>();

function targetsOf(policies: readonly Manifest[], input: ReleasedInput): Targets {
  let targets = known.get(policies);
  if (targets === undefined) known.set(policies, (targets = new Targets(policies, input)));
  return targets;
}

/** Of several on one target the oldest counts, by name where they are of one age; the others are in conflict. */
function first(policies: readonly Manifest[], target: Target, input: ReleasedInput): EffectivePolicy | undefined {
  const found = [...targetsOf(policies, input).of(target)].sort(
    (a, b) => config(a).created - config(b).created || (a.name < b.name ? -1 : 1),
  )[0];
  return found === undefined ? undefined : { manifest: found, spec: record(record(found.body).spec) };
}

/**
 * What a listener is part of, as policies name it, the most specific first: itself, the set that it is from, and the Gateway. What is for a
 * listener of the Gateway's is for none of a set that has its name (processSecurityPolicyForRoute of internal/gatewayapi/securitypolicy.go).
 */
function scopesOf({ gateway, listener }: Pick<PolicyPlace, 'gateway' | 'listener'>): readonly Target[] {
  const whole = { kind: 'Gateway', manifest: gateway.config.manifest, section: undefined };
  const { set, name } = listener;
  if (set === undefined) return [{ ...whole, section: name }, whole];
  const ofSet = { kind: set.kind, manifest: set, section: undefined };
  return [{ ...ofSet, section: name }, ofSet, whole];
}

/** The policies of a kind that are for a rule at a listener, the most specific first: of the rule, the route, the listener, the Gateway. */
export function policyLevels(
  kind: string,
  { route, rule, gateway, listener }: PolicyPlace,
  input: ReleasedInput,
): Levels {
  return levelsAmong(input.of(GROUP, kind), { route, rule, gateway, listener }, input);
}

interface Levels {
  readonly ofRoute: readonly EffectivePolicy[];
  readonly ofGateway: readonly EffectivePolicy[];
}

function levelsAmong(
  all: readonly Manifest[],
  { route, rule, gateway, listener }: PolicyPlace,
  input: ReleasedInput,
): Levels {
  if (all.length === 0) return { ofRoute: [], ofGateway: [] };
  const onRoute = { kind: route.kind, manifest: route.config.manifest };
  const found = (target: Target): readonly EffectivePolicy[] => {
    const policy = first(all, target, input);
    return policy === undefined ? [] : [policy];
  };
  const ofRoute = [
    ...(rule === '' ? [] : found({ ...onRoute, section: rule })),
    ...found({ ...onRoute, section: undefined }),
  ];
  return {
    // One that is refused for a route leaves it to the next.
    ofRoute: ofRoute.filter(({ manifest, spec }) => manifest.kind !== 'SecurityPolicy' || notForRoutes(spec) === undefined), // prettier-ignore
    ofGateway: scopesOf({ gateway, listener }).flatMap(found),
  };
}

const routing = new WeakMap<readonly Manifest[], readonly Manifest[]>();

/** How Services are dialled by the nearest BackendTrafficPolicy that says so: of the rule, the route, the listener, the Gateway. */
export function routingTypeAt(place: PolicyPlace, input: ReleasedInput): EffectivePolicy | undefined {
  if (!input.config.envoyGateway.readsRoutingTypeOfPolicies) return undefined;
  const all = input.of(GROUP, 'BackendTrafficPolicy');
  if (input.config.envoyGateway.keepsRoutingTypeOfParents) return nearestRoutingType(levelsAmong(all, place, input));
  let saying = routing.get(all);
  if (saying === undefined)
    routing.set(all, (saying = all.filter(({ body }) => text(record(record(body).spec).routingType) !== '')));
  const { ofRoute, ofGateway } = levelsAmong(saying, place, input);
  return [...ofRoute, ...ofGateway][0];
}

/** The policy of the rule, or of the route, decides alone unless it merges; and of listeners and Gateways the nearest that says something. */
function nearestRoutingType({ ofRoute: [own], ofGateway }: Levels): EffectivePolicy | undefined {
  const says = ({ spec }: EffectivePolicy): boolean => text(spec.routingType) !== '';
  if (own !== undefined && (says(own) || text(own.spec.mergeType) === '')) return says(own) ? own : undefined;
  return ofGateway.find(says);
}

/** Which release of Envoy Gateway it is, besides where objects are looked up. */
export interface ReleasedInput extends EnvoyGatewayInput {
  readonly config: { readonly envoyGateway: EnvoyGatewayBehavior };
}

/** Whether Envoy Gateway reads mergeType in policies of a kind: the API server drops fields that a release does not have. */
function merges(kind: string, { config: { envoyGateway } }: ReleasedInput): boolean {
  if (kind === 'SecurityPolicy') return envoyGateway.mergesSecurityPolicies;
  if (kind === 'EnvoyExtensionPolicy') return envoyGateway.mergesExtensionPolicies;
  return true;
}

/** A JSON merge patch (RFC 7396), as both types of merging do it for fields that decide about requests (internal/utils/merge.go). */
function mergedWith(original: Json, patch: Json): Json {
  const result: Record<string, unknown> = { ...original };
  for (const [key, value] of Object.entries(patch)) {
    const inner = optionalRecord(value);
    if (value === null) delete result[key];
    else result[key] = inner === undefined ? value : mergedWith(record(result[key]), inner);
  }
  return result;
}

/** The policy of a kind: of the rule, else of the route, else of the listener, else of the Gateway. One that merges takes what it lacks from the Gateway's. */
export function effectivePolicy(kind: string, place: PolicyPlace, input: ReleasedInput): EffectivePolicy | undefined {
  const { ofRoute, ofGateway } = policyLevels(kind, place, input);
  const [own] = ofRoute;
  const [parent] = ofGateway;
  if (own === undefined || parent === undefined || text(own.spec.mergeType) === '' || !merges(kind, input))
    return own ?? parent;
  return { manifest: own.manifest, spec: mergedWith(parent.spec, own.spec), parent: parent.manifest };
}

/**
 * The ClientTrafficPolicy in force at a listener: its own, else the Gateway's. Listeners of plain HTTP on one port, `plain`, are one
 * listener of Envoy's, so one that is for a single one of them, or a single Gateway of several, is for none.
 */
export function clientTrafficPolicy(
  { gateway, listener }: Served,
  plain: readonly Served[],
  input: ReleasedInput,
): EffectivePolicy | undefined {
  const all = input.of(GROUP, 'ClientTrafficPolicy');
  if (all.length === 0) return undefined;
  const sharing = listener.protocol === 'HTTP' ? plain : [];
  const [decisive = { gateway, listener }] = sharing;
  const { set } = decisive.listener;
  for (const target of scopesOf(decisive)) {
    const policy = first(all, target, input);
    if (policy === undefined) continue;
    if (target.section !== undefined) return sharing.length > 1 ? undefined : policy;
    const isWhole = target.manifest === set ? sharing.every(({ listener: one }) => one.set === set) : holdsForAll(decisive, sharing); // prettier-ignore
    if (isWhole) return policy;
  }
  return undefined;
}

/**
 * Whether a policy for a whole Gateway holds at a port of plain HTTP, which other Gateways may share: Envoy Gateway looks for the
 * Gateway's name at the beginning of those of the listeners (validatePortOverlapForClientTrafficPolicy).
 */
export function holdsForAll({ gateway }: Served, sharing: readonly Served[]): boolean {
  return sharing.every((one) => nameIn(one.gateway).startsWith(nameIn(gateway)));
}

const nameIn = ({ config: { namespace, name } }: ApiGateway): string => `${namespace}/${name}`;

/** Why Envoy Gateway refuses a SecurityPolicy as a whole for a route; `rule` and `entry` are indexes. */
export type PolicyRefusal =
  | { readonly is: 'more-than-authorization'; readonly part: string }
  | { readonly is: 'tokens-or-headers'; readonly rule: number }
  | { readonly is: 'several-places'; readonly entry: number }
  | { readonly is: 'no-provider-of-headers'; readonly hasProviders: boolean };

/** What a policy for connections says: the SecurityPolicy whose authorization counts, and those that Envoy Gateway refuses for the route. */
export interface StreamPolicies {
  readonly authorization: EffectivePolicy | undefined;
  readonly refused: readonly { readonly policy: EffectivePolicy; readonly why: PolicyRefusal }[];
}

/**
 * The SecurityPolicy that decides about connections of a TCPRoute or TLSRoute: that of the rule, the route, the listener, the Gateway, the
 * first whose authorization counts, since nothing but authorization is carried out there. For a TCPRoute one with anything else is
 * refused as a whole (validateSecurityPolicyForTCP of internal/gatewayapi/securitypolicy.go).
 */
export function streamPolicies({ route, rule, gateway, listener }: PolicyPlace, input: ReleasedInput): StreamPolicies {
  const all = input.of(GROUP, 'SecurityPolicy');
  const refused: StreamPolicies['refused'][number][] = [];
  if (all.length === 0) return { authorization: undefined, refused };
  const onRoute = { kind: route.kind, manifest: route.config.manifest };
  const own = [rule === '' ? undefined : first(all, { ...onRoute, section: rule }, input), first(all, { ...onRoute, section: undefined }, input)]; // prettier-ignore
  let authorization: EffectivePolicy | undefined;
  for (const policy of own) {
    if (policy === undefined) continue;
    const why = notForStreams(policy.spec);
    if (why !== undefined) refused.push({ policy, why });
    else if (optionalRecord(policy.spec.authorization) !== undefined) authorization ??= policy;
  }
  authorization ??= scopesOf({ gateway, listener })
    .map((target) => first(all, target, input))
    .find((policy) => optionalRecord(policy?.spec.authorization) !== undefined);
  return { authorization, refused };
}

const FOR_REQUESTS = ['cors', 'jwt', 'oidc', 'apiKeyAuth', 'basicAuth', 'extAuth'];

/** Why a SecurityPolicy may not be for a TCPRoute. */
export function notForStreams(spec: Json): PolicyRefusal | undefined {
  const field = FOR_REQUESTS.find((name) => optionalRecord(spec[name]) !== undefined);
  if (field !== undefined) return { is: 'more-than-authorization', part: field };
  const rules = records(record(spec.authorization).rules);
  const index = rules.findIndex(({ principal }) => optionalRecord(record(principal).jwt) !== undefined || records(record(principal).headers).length > 0); // prettier-ignore
  return index < 0 ? undefined : { is: 'tokens-or-headers', rule: index };
}

/**
 * Why Envoy Gateway refuses a SecurityPolicy as a whole where it is for a route of HTTP or gRPC (validateSecurityPolicy of
 * internal/gatewayapi/securitypolicy.go); for a Gateway it looks at none of this.
 */
export function notForRoutes({ apiKeyAuth, oidc, jwt }: Json): PolicyRefusal | undefined {
  const places = ['headers', 'params', 'cookies'];
  const mixed = records(record(apiKeyAuth).extractFrom).findIndex((from) => places.filter((name) => list(from[name]).length > 0).length > 1); // prettier-ignore
  if (mixed >= 0) return { is: 'several-places', entry: mixed };
  if (record(oidc).passThroughAuthHeader !== true) return undefined;
  const providers = records(record(jwt).providers);
  const reads = providers.some(({ extractFrom }) => optionalRecord(extractFrom) === undefined || records(record(extractFrom).headers).length > 0); // prettier-ignore
  return reads ? undefined : { is: 'no-provider-of-headers', hasProviders: providers.length > 0 };
}

/** The EnvoyPatchPolicy of a Gateway; undefined if there is none, or Envoy Gateway is seen to be told of none. */
export function patchPolicy(gateway: ApiGateway, input: EnvoyGatewayInput): EffectivePolicy | undefined {
  const merger = mergerOf(gateway, input);
  const found = input.of(GROUP, 'EnvoyPatchPolicy').find(({ namespace, body }) => {
    const { kind, name } = record(record(record(body).spec).targetRef);
    // Proxies that Gateways share are patched through their class, and others through their Gateway.
    if (merger !== undefined) return kind === 'GatewayClass' && name === gateway.className;
    return namespace === gateway.config.namespace && kind === 'Gateway' && name === gateway.config.name;
  });
  if (found === undefined || extensionApi(input, 'enableEnvoyPatchPolicy') === false) return undefined;
  return { manifest: found, spec: record(record(found.body).spec) };
}

/** The HTTPRouteFilters that a rule of a route names; null for one that is not there. */
export function ownFilters(route: ApiRoute, rule: Json, input: EnvoyGatewayInput): readonly (Json | null)[] {
  return records(rule.filters)
    .map((filter) => record(filter.extensionRef))
    .filter((ref) => ref.group === GROUP && ref.kind === 'HTTPRouteFilter')
    .map((ref) => {
      const found = input.find(GROUP, 'HTTPRouteFilter', route.config.namespace, text(ref.name));
      return found === undefined ? null : record(record(found.body).spec);
    });
}
