import { gatewaysByName, nameOf, ruleMatches, MESH, selects, virtualServices } from '../edge';
import { SECURITY, specOf } from '../istio';
import { type PodTemplate, podsWith } from '../workloads';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE509',
  name: 'gateway-without-policy',
  severity: 'info',
  title: 'Whoever reaches the egress gateway may use every host behind it',
  why: 'Routes say where traffic goes, not who may send it: without an AuthorizationPolicy any workload can use what was opened for another.',
  fix: 'Write an AuthorizationPolicy on the gateway, which names who may call which host.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/#additional-security-considerations',
  reads: ['Gateway'],
  footguns: ['E10'],
  *check(context) {
    const policies = context
      .of(SECURITY, 'AuthorizationPolicy')
      .map((manifest) => ({ manifest, labels: specOf('AuthorizationPolicy', manifest).selector?.matchLabels }));
    const held = new Map<PodTemplate, boolean>();
    const isHeld = (pod: PodTemplate): boolean => {
      let known = held.get(pod);
      if (known === undefined) {
        const homes = [pod.namespace, context.mesh.config.rootNamespace];
        known = policies.some(
          ({ manifest, labels }) => homes.includes(manifest.namespace) && selects(labels, pod.labels),
        );
        held.set(pod, known);
      }
      return known;
    };
    const used = new Set(
      context
        .index(virtualServices)
        .filter(({ gateways }) => gateways.includes(MESH))
        .flatMap((service) => ruleMatches(service).flatMap(({ gateways }) => gateways)),
    );
    for (const [name, { manifest, spec }] of context.index(gatewaysByName)) {
      if (!used.has(name)) continue;
      const pods = Object.keys(spec.selector ?? {}).length === 0 ? [] : podsWith(context, spec.selector);
      if (pods.length === 0) continue; // the gateway is somebody else's, and its policies too
      if (!pods.every(isHeld))
        yield {
          manifest,
          field: ['spec', 'selector'],
          what: `no AuthorizationPolicy is for the pods of ${nameOf(manifest)}`,
        };
    }
  },
};
