/** Which of Envoy Gateway's policies is in force for a rule of a route at a listener, and the filters of its own that routes name. */
import { labelsMatch, optionalRecord, record, records, strings, text, type Json } from './fields';
import type { ApiGateway, ApiListener, ApiRoute } from './gateway-api';
import type { EnvoyGatewayInput } from './envoy-gateway';
import type { Manifest } from './manifest';
import { config } from './objects';

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
}

interface Target {
  readonly kind: string;
  readonly manifest: Manifest;
  /** Undefined for the whole object. */
  readonly section: string | undefined;
}

function isTarget(policy: Manifest, { kind, manifest, section }: Target): boolean {
  if (policy.namespace !== manifest.namespace) return false;
  const spec = record(record(policy.body).spec);
  const single = optionalRecord(spec.targetRef);
  const byName = [...records(spec.targetRefs), ...(single === undefined ? [] : [single])].some(
    (ref) => ref.kind === kind && ref.name === manifest.name && (text(ref.sectionName) || undefined) === section,
  );
  if (byName || section !== undefined) return byName;
  const labels = strings(record(record(manifest.body).metadata).labels);
  return records(spec.targetSelectors).some(
    (selector) =>
      selector.kind === kind &&
      records(selector.matchExpressions).length === 0 &&
      labelsMatch(strings(selector.matchLabels), labels),
  );
}

/** Of several on one target the oldest counts, by name where they are of one age; the others are in conflict. */
function first(policies: readonly Manifest[], target: Target): EffectivePolicy | undefined {
  const found = policies
    .filter((policy) => isTarget(policy, target))
    .sort((a, b) => config(a).created - config(b).created || (a.name < b.name ? -1 : 1))[0];
  return found === undefined ? undefined : { manifest: found, spec: record(record(found.body).spec) };
}

/** The policy of a kind: of the rule, else of the route, else of the listener, else of the Gateway. One that merges takes what it lacks from the Gateway's. */
export function effectivePolicy(
  kind: string,
  { route, rule, gateway, listener }: PolicyPlace,
  input: EnvoyGatewayInput,
): EffectivePolicy | undefined {
  const all = input.of(GROUP, kind);
  if (all.length === 0) return undefined;
  const onRoute = { kind: route.kind, manifest: route.config.manifest };
  const onGateway = { kind: 'Gateway', manifest: gateway.config.manifest };
  const own =
    (rule === '' ? undefined : first(all, { ...onRoute, section: rule })) ??
    first(all, { ...onRoute, section: undefined });
  const parent =
    first(all, { ...onGateway, section: listener.name }) ?? first(all, { ...onGateway, section: undefined });
  if (own === undefined || parent === undefined || text(own.spec.mergeType) === '') return own ?? parent;
  return { manifest: own.manifest, spec: { ...parent.spec, ...own.spec } };
}

/** The HTTPRouteFilters that a rule of a route names; null for one that is not there. */
export function ownFilters(route: ApiRoute, rule: Json, input: EnvoyGatewayInput): readonly (Json | null)[] {
  return records(rule.filters)
    .map((filter) => record(filter.extensionRef))
    .filter((ref) => ref.group === GROUP && ref.kind === 'HTTPRouteFilter')
    .map((ref) => {
      const found = input
        .of(GROUP, 'HTTPRouteFilter')
        .find(({ namespace, name }) => namespace === route.config.namespace && name === ref.name);
      return found === undefined ? null : record(record(found.body).spec);
    });
}
