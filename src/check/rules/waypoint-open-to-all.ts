import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { SECURITY } from '../istio';
import type { Rule } from '../rule';
import { type Led, ledEntries, targetsOf } from '../waypoints';

export const rule: Rule = {
  id: 'EDGE709',
  name: 'waypoint-open-to-all',
  severity: 'warning',
  title: 'A waypoint holds callers of some hosts, and lets everybody reach another',
  why: 'Without a policy that allows somebody, a waypoint lets every workload of the mesh through, whatever namespace it is in.',
  fix: 'Give the entry an AuthorizationPolicy with targetRefs that names its callers, or the waypoint one that allows nobody.',
  see: 'https://istio.io/latest/docs/ambient/usage/l7-features/#security',
  reads: ['ServiceEntry', 'AuthorizationPolicy', 'Gateway'],
  footguns: ['A04'],
  *check(context) {
    const led = context.index(ledEntries);
    const held = led.filter((one) => holds(context, one));
    for (const one of led) {
      if (held.includes(one)) continue;
      const beside = held.find(
        ({ binding }) => binding.namespace === one.binding.namespace && binding.name === one.binding.name,
      );
      if (beside === undefined) {
        // One that other namespaces share; whether its policies are kept somewhere else is not to be seen.
        if (admitsAnybody(one))
          yield {
            manifest: one.manifest,
            field: ['metadata', 'labels', 'istio.io/use-waypoint'],
            severity: 'info',
            what: `no AuthorizationPolicy says who may reach it through waypoint ${one.binding.namespace}/${one.binding.name}`,
          };
        continue;
      }
      yield {
        manifest: one.manifest,
        field: ['metadata', 'labels', 'istio.io/use-waypoint'],
        what: `no AuthorizationPolicy says who may reach it through waypoint ${one.binding.namespace}/${one.binding.name}, which holds the callers of ${beside.manifest.namespace}/${beside.manifest.name}`,
      };
    }
  },
};

/** Whether the waypoint takes what is in any namespace. */
function admitsAnybody({ binding: { gateway } }: Led): boolean {
  const hbone = gateway?.listeners.find(({ protocol }) => protocol === 'HBONE');
  return hbone?.admits("a namespace that is nobody's") ?? false;
}

/** Whether a policy that allows is for the entry, its waypoint, or all waypoints. */
function holds(context: CheckContext, { manifest, binding }: Led): boolean {
  return context.of(SECURITY, 'AuthorizationPolicy').some((policy) => {
    const { action = 'ALLOW', targetRefs = [] } = targetsOf(policy);
    return (
      action !== 'DENY' &&
      action !== 'AUDIT' &&
      targetRefs.some(({ kind, name }) => names(context, policy, { kind, name }, manifest, binding))
    );
  });
}

function names(
  context: CheckContext,
  policy: Manifest,
  { kind, name }: { readonly kind?: string; readonly name?: string },
  entry: Manifest,
  waypoint: Led['binding'],
): boolean {
  if (kind === 'ServiceEntry') return policy.namespace === entry.namespace && name === entry.name;
  if (kind === 'Gateway') return policy.namespace === waypoint.namespace && name === waypoint.name;
  return kind === 'GatewayClass' && policy.namespace === context.mesh.config.rootNamespace && name === 'istio-waypoint';
}
