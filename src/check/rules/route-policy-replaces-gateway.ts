import { type EffectivePolicy, effectivePolicy, policyLevels } from '../../model/envoy-gateway-policies';
import { optionalRecord, record, records, text, type Json } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { targetsOf } from '../envoy-gateway';
import type { Rule } from '../rule';

/** Parts that say who gets in. One way of asking who calls may stand for another. */
const ASKS_WHO = ['jwt', 'oidc', 'basicAuth', 'apiKeyAuth', 'extAuth'] as const;

export const rule: Rule = {
  id: 'EDGE830',
  name: 'route-policy-replaces-gateway',
  severity: 'warning',
  title: 'A policy for a route takes the access control of its Gateway off',
  why: 'Of policies of one kind the most specific is in force, whole: that of a rule, of a route, of a listener, of the Gateway. What a less specific one asks for is not asked of the route, unless the specific one merges.',
  fix: 'Write what the Gateway asks for into the policy of the route too; from Envoy Gateway 1.8 on, mergeType: StrategicMerge does that.',
  see: 'https://gateway.envoyproxy.io/docs/concepts/gateway_api_extensions/security-policy/',
  reads: ['SecurityPolicy', 'BackendTrafficPolicy'],
  footguns: ['Y21'],
  *check(context) {
    const said = new Set<string>();
    for (const { route, rule, own, parents, effective } of placesOf(context, 'SecurityPolicy')) {
      const lost = lostParts(effective.spec, parents);
      const [first] = lost;
      const key = `${own.manifest.index} ${lost.map(({ part }) => part).join()}`;
      if (first === undefined || said.has(key)) continue;
      said.add(key);
      const instead = ASKS_WHO.filter((part) => optionalRecord(effective.spec[part]) !== undefined);
      const isReplaced = lost.every(({ isOther }) => isOther);
      yield {
        manifest: own.manifest,
        field: fieldOf(own.manifest, route),
        ...(isReplaced ? { severity: 'info' as const } : {}),
        what: `it is in force for ${nameOf(route)}${rule} in place of ${nameOf(first.from)}: ${lost.map(({ part }) => part).join(' and ')} of that ${lost.length > 1 ? 'are' : 'is'} not asked for there${isReplaced ? `, ${instead.join(' and ')} alone ${instead.length > 1 ? 'are' : 'is'}` : ''}`,
        fix: `Write ${lost.map(({ part }) => part).join(' and ')} of ${nameOf(first.from)} into ${nameOf(own.manifest)} too; from Envoy Gateway 1.8 on, mergeType: StrategicMerge does that.`,
      };
    }
    for (const { route, rule, own, parents, effective } of placesOf(context, 'BackendTrafficPolicy')) {
      const from = parents.find(({ spec }) => optionalRecord(spec.rateLimit) !== undefined);
      const key = `${own.manifest.index} rateLimit`;
      if (from === undefined || optionalRecord(effective.spec.rateLimit) !== undefined || said.has(key)) continue;
      said.add(key);
      yield {
        manifest: own.manifest,
        field: fieldOf(own.manifest, route),
        severity: 'info',
        what: `it is in force for ${nameOf(route)}${rule} in place of ${nameOf(from.manifest)}: its rateLimit does not count there`,
        fix: `If the limit is meant for the route as well, set mergeType: StrategicMerge in ${nameOf(own.manifest)}, or write the limit there.`,
      };
    }
  },
};

interface Place {
  readonly route: Manifest;
  /** ` (rule NAME)`, for a sentence. */
  readonly rule: string;
  readonly own: EffectivePolicy;
  /** Those that it stands before. */
  readonly parents: readonly EffectivePolicy[];
  readonly effective: EffectivePolicy;
}

/** Rules of routes for which there are several policies. */
function* placesOf({ mesh }: CheckContext, kind: string): Generator<Place> {
  for (const { route, gateway, listener } of mesh.gatewayApi.attachments) {
    if (gateway.controller !== 'envoy-gateway') continue;
    const names = new Set(['', ...records(route.config.spec.rules).map(({ name }) => text(name))]);
    for (const rule of names) {
      const place = { route, rule, gateway, listener };
      const { ofRoute, ofGateway } = policyLevels(kind, place, mesh);
      const [own, ...parents] = [...ofRoute, ...ofGateway];
      const effective = effectivePolicy(kind, place, mesh);
      if (own === undefined || effective === undefined || parents.length === 0) continue;
      yield { route: route.config.manifest, rule: rule === '' ? '' : ` (rule ${rule})`, own, parents, effective };
    }
  }
}

interface Lost {
  readonly part: string;
  readonly from: Manifest;
  /** It says who calls, and the policy in force asks that another way: what comes of it (headers made of claims) is missing all the same. */
  readonly isOther: boolean;
}

function lostParts(spec: Json, parents: readonly EffectivePolicy[]): readonly Lost[] {
  const has = (one: Json, part: string): boolean => optionalRecord(one[part]) !== undefined;
  const isAsked = ASKS_WHO.some((part) => has(spec, part));
  const lost = (part: string, isOther: boolean): readonly Lost[] => {
    const from = parents.find((one) => has(one.spec, part));
    return from === undefined || has(spec, part) ? [] : [{ part, from: from.manifest, isOther }];
  };
  const { defaultAction, rules } = record(spec.authorization);
  // Whoever writes that all are allowed has thought of it.
  if (defaultAction === 'Allow' && records(rules).length === 0) return [];
  return [...ASKS_WHO.flatMap((part) => lost(part, isAsked)), ...lost('authorization', false)];
}

function fieldOf(policy: Manifest, route: Manifest): readonly (string | number)[] {
  const spec = record(record(policy.body).spec);
  const at = targetsOf(policy).findIndex(({ kind, name }) => kind === route.kind && name === route.name);
  if (spec.targetRef !== undefined) return ['spec', 'targetRef'];
  return at < 0
    ? ['spec', spec.targetSelectors === undefined ? 'targetRefs' : 'targetSelectors']
    : ['spec', 'targetRefs', at];
}
