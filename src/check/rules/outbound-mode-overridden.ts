import { NETWORKING, specOf } from '../istio';
import type { Rule } from '../rule';
import { isHeldBack } from '../served';

export const rule: Rule = {
  id: 'EDGE502',
  name: 'outbound-mode-overridden',
  severity: 'info',
  title: 'A Sidecar lets out what the mesh keeps in',
  why: 'The mesh is REGISTRY_ONLY, and the workloads of this Sidecar may call any host all the same.',
  fix: 'Declare what they need with ServiceEntries, and remove outboundTrafficPolicy from the Sidecar.',
  see: 'https://istio.io/latest/docs/reference/config/networking/sidecar/#OutboundTrafficPolicy',
  reads: ['Sidecar'],
  footguns: ['E02'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'Sidecar')) {
      const { outboundTrafficPolicy, workloadSelector } = specOf('Sidecar', manifest);
      if (
        outboundTrafficPolicy?.mode === 'ALLOW_ANY' &&
        !outboundTrafficPolicy.egressProxy &&
        isHeldBack(context, manifest.namespace, workloadSelector?.labels)
      )
        yield {
          manifest,
          field: ['spec', 'outboundTrafficPolicy', 'mode'],
          what: 'mode is ALLOW_ANY, and the mesh is REGISTRY_ONLY',
        };
    }
  },
};
