import { ENVOY_GATEWAY, GATEWAY_API, type Reference } from '../gateway-api';
import { record, records, text } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { NETWORKING, PROXY_POLICIES } from '../istio';
import type { Hit, Rule } from '../rule';
import { nearestName } from '../../model/near-names';

const POLICIES = [...PROXY_POLICIES, [NETWORKING, 'EnvoyFilter'], [ENVOY_GATEWAY, 'SecurityPolicy'], [ENVOY_GATEWAY, 'BackendTrafficPolicy'], [ENVOY_GATEWAY, 'ClientTrafficPolicy'], [ENVOY_GATEWAY, 'EnvoyExtensionPolicy'], [GATEWAY_API, 'BackendTLSPolicy']] as const; // prettier-ignore

export const rule: Rule = {
  id: 'EDGE807',
  name: 'policy-target-not-found',
  severity: 'error',
  title: 'What a policy targets is not in its namespace',
  why: 'A policy targets objects of its own namespace only. If there is none of that name it has no effect, and what it was to protect stays open.',
  fix: 'Put the policy into the namespace of its target, and write the name that the target has.',
  see: 'https://gateway-api.sigs.k8s.io/reference/policy-attachment/',
  reads: POLICIES.map(([, kind]) => kind),
  findsAbsence: true,
  footguns: ['Y18', 'G13'],
  *check(context) {
    for (const [group, kind] of POLICIES) {
      for (const manifest of context.of(group, kind)) {
        const { spec = {} } = manifest.body as { spec?: { targetRef?: Reference; targetRefs?: readonly Reference[] } };
        const refs = [
          ...(spec.targetRef ? [{ ref: spec.targetRef, field: ['spec', 'targetRef'] }] : []),
          ...(spec.targetRefs ?? []).map((ref, at) => ({ ref, field: ['spec', 'targetRefs', at] })),
        ];
        for (const { ref, field } of refs) {
          const target = context.find(ref.group ?? '', ref.kind ?? '', manifest.namespace, ref.name ?? '');
          if (target) {
            const hit = group === ENVOY_GATEWAY ? sectionless(target, text(ref.sectionName)) : undefined;
            if (hit) yield { manifest, field: [...field, 'sectionName'], ...hit };
            continue;
          }
          const misplaced =
            group === ENVOY_GATEWAY || group === GATEWAY_API ? undefined : ofClass(context, manifest, ref);
          if (misplaced) {
            yield { manifest, field: [...field, 'name'], ...misplaced };
            continue;
          }
          const known = context.of(ref.group ?? '', ref.kind ?? '');
          const targets = known.filter(({ name }) => name === ref.name);
          // Istio's root namespace holds policies for classes, and Istio makes Services of Gateways that no manifest has.
          if (group !== ENVOY_GATEWAY && group !== GATEWAY_API && isElsewhere(context, manifest, ref)) continue;
          if (targets.length === 0) {
            // A chart or an operator may bring it.
            if (context.mesh.isOpen(manifest.namespace)) continue;
            const hit = misnamed(ref, known.filter(({ namespace }) => namespace === manifest.namespace).map(({ name }) => name)); // prettier-ignore
            if (hit) yield { manifest, field: [...field, 'name'], ...hit };
            continue;
          }
          yield {
            manifest,
            field: [...field, 'name'],
            what: `${ref.kind} ${ref.name} is in ${targets.map(({ namespace }) => namespace).join(', ')}, and the policy in ${manifest.namespace}`,
          };
        }
      }
    }
  },
};

/** A listener, or a rule of a route, that the target does not have (validateGatewayListenerSectionName and validateRouteRuleSectionName of Envoy Gateway). */
function sectionless({ kind, name, body }: Manifest, section: string): Omit<Hit, 'field'> | undefined {
  if (section === '') return undefined;
  const { listeners, rules } = record(body.spec);
  const isRoute = kind.endsWith('Route');
  const names = records(isRoute ? rules : listeners)
    .map((one) => text(one.name))
    .filter(Boolean);
  if (names.includes(section)) return undefined;
  const near = nearestName(section, names);
  const has = names.length === 0 ? 'none with a name' : names.join(', ');
  return {
    what: `${kind} ${name} has no ${isRoute ? 'rule' : 'listener'} ${section}, but ${has}`,
    why: 'Envoy Gateway refuses the policy (TargetNotFound), which then has no effect: what it was to protect stays open.',
    fix: near
      ? `Did you mean ${near}?`
      : 'Write a name that the target has, or leave sectionName out for the whole of it.',
  };
}

/** A name that nothing of the namespace has, where other objects of the kind are there. */
function misnamed({ kind, name = '' }: Reference, siblings: readonly string[]): Omit<Hit, 'field'> | undefined {
  if (siblings.length === 0) return undefined;
  const near = nearestName(name, siblings);
  return {
    what: `there is no ${kind} ${name} in the policy's namespace, which has ${siblings.slice(0, 5).join(', ')}`,
    ...(near ? { fix: `Did you mean ${near}?` } : { severity: 'warning' as const }),
  };
}

/** A class that Istio's proxies do not go by: of waypoints alone, and in the root namespace (shouldAttachPolicy of pilot/pkg/model/policyattachment.go). */
function ofClass(
  { mesh }: CheckContext,
  { namespace }: Manifest,
  { kind, name = '' }: Reference,
): Omit<Hit, 'field'> | undefined {
  if (kind !== 'GatewayClass') return undefined;
  const { rootNamespace } = mesh.config;
  const why =
    'A policy for a class is for the waypoints of all namespaces, and has no effect elsewhere: what it was to protect stays open.';
  if (name !== 'istio-waypoint')
    return { what: `the policy is for GatewayClass ${name}, and Istio reads it for istio-waypoint alone`, why, fix: 'Target the Gateways by name, each in its namespace; or, for all waypoints, GatewayClass istio-waypoint.' }; // prettier-ignore
  if (namespace === rootNamespace) return undefined;
  return { what: `the policy is for GatewayClass istio-waypoint, and in ${namespace}: Istio reads it in its root namespace ${rootNamespace} alone`, why, fix: `Target the waypoint by name (kind Gateway); or, for the waypoints of all namespaces, put the policy into ${rootNamespace}.` }; // prettier-ignore
}

/** What Istio makes by itself: Services of Gateways. */
function isElsewhere({ mesh }: CheckContext, { namespace }: Manifest, { kind, name = '' }: Reference): boolean {
  return kind === 'GatewayClass' || (kind === 'Service' && mesh.services.inNamespace(namespace).some((one) => one.name === name)); // prettier-ignore
}
