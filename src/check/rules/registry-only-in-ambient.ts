import type { Rule } from '../rule';
import { isHeldBack } from '../served';

export const rule: Rule = {
  id: 'EDGE704',
  name: 'registry-only-in-ambient',
  severity: 'warning',
  title: 'REGISTRY_ONLY holds nobody in ambient mode',
  why: 'The mode is for sidecars. ztunnel lets connections to unknown hosts out, whatever the mesh configuration says.',
  fix: 'Hold workloads of the namespace with NetworkPolicies.',
  see: 'https://istio.io/latest/docs/ambient/',
  reads: ['Namespace'],
  footguns: ['A06', 'E01'],
  *check(context) {
    const held = new Set(context.of('networking.k8s.io', 'NetworkPolicy').map(({ namespace }) => namespace));
    for (const manifest of context.of('', 'Namespace')) {
      if (
        manifest.labels['istio.io/dataplane-mode'] === 'ambient' &&
        !held.has(manifest.name) &&
        isHeldBack(context, manifest.name)
      )
        yield {
          manifest,
          field: ['metadata', 'labels', 'istio.io/dataplane-mode'],
          what: `namespace ${manifest.name} is ambient, the mesh is REGISTRY_ONLY, and no NetworkPolicy is for it`,
        };
    }
  },
};
