import type { Rule } from '../rule';
import { isHeldBack } from '../served';
import { isInjected, podTemplates } from '../workloads';

export const rule: Rule = {
  id: 'EDGE511',
  name: 'workload-without-sidecar',
  severity: 'warning',
  title: 'A workload of a mesh namespace has no sidecar',
  why: 'What it sends is neither routed nor held by the mesh, and no policy knows who it is. On the host network a pod never has a sidecar.',
  fix: 'Let it be injected, or hold it with a NetworkPolicy.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0103/',
  reads: ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'],
  footguns: ['E13'],
  *check(context) {
    for (const { manifest, namespace, labels, annotations, spec, at } of context.index(podTemplates)) {
      if (isInjected(context, namespace) !== true) continue;
      // Where every host may be called, a sidecar holds nothing back that a pod without one could take.
      const severity = isHeldBack(context, namespace) ? 'warning' : 'info';
      const own = labels['sidecar.istio.io/inject'] ?? annotations['sidecar.istio.io/inject'];
      if (own === 'false')
        yield {
          manifest,
          severity,
          field: [...at, 'metadata', 'labels'],
          what: `namespace ${namespace} is injected, and the pods of ${manifest.name} refuse injection`,
        };
      else if (spec.hostNetwork === true)
        yield {
          manifest,
          severity,
          field: [...at, 'spec', 'hostNetwork'],
          what: `namespace ${namespace} is injected, and the pods of ${manifest.name} are on the host network`,
        };
    }
  },
};
