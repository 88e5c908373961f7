import { isAdmitted } from '../../model/workloads';
import { record } from '../../model/fields';
import type { Rule } from '../rule';
import { isInjected } from '../workloads';

export const rule: Rule = {
  id: 'EDGE219',
  name: 'pod-not-injected',
  severity: 'warning',
  title: 'A Pod that runs in an injected namespace has no sidecar',
  why: 'Containers of a Pod that is there are final: labels that came later give it no sidecar. Until it is made anew, what it sends leaves past every rule of the mesh, and servers that take mutual TLS only refuse it.',
  fix: 'Restart what makes the Pod (kubectl rollout restart), once the namespace is labelled and the injector runs.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0103/',
  reads: ['Pod'],
  footguns: ['E13'],
  *check(context) {
    for (const workload of context.mesh.workloads.all) {
      const { manifest, membership, labels, annotations, namespace, name, onNode, runs } = workload;
      if (manifest?.kind !== 'Pod' || membership !== 'none' || onNode === true || !runs) continue;
      if (!isAdmitted(record(manifest.body)) || isInjected(context, namespace) !== true) continue;
      if ((labels['sidecar.istio.io/inject'] ?? annotations['sidecar.istio.io/inject']) === 'false') continue;
      yield {
        manifest,
        field: ['spec', 'containers'],
        what: `namespace ${namespace} is injected, and Pod ${namespace}/${name}, which is there already, has no istio-proxy`,
      };
    }
  },
};
