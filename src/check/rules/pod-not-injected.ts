import { record, records, text } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { type Workload, isAdmitted } from '../../model/workloads';
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
    // Many Pods of one controller are one thing to restart.
    const found = new Map<string, { readonly first: Workload; readonly manifest: Manifest; count: number }>();
    for (const workload of context.mesh.workloads.all) {
      const { manifest, membership, labels, annotations, namespace, name, onNode, runs } = workload;
      if (manifest?.kind !== 'Pod' || membership !== 'none' || onNode === true || !runs) continue;
      if (!isAdmitted(record(manifest.body)) || isInjected(context, namespace) !== true) continue;
      if ((labels['sidecar.istio.io/inject'] ?? annotations['sidecar.istio.io/inject']) === 'false') continue;
      const key = madeBy(workload) ?? `Pod ${namespace}/${name}`;
      const known = found.get(key);
      if (known) known.count += 1;
      else found.set(key, { first: workload, manifest, count: 1 });
    }
    for (const { first, manifest, count } of found.values()) {
      const { namespace, name } = first;
      const controller = madeBy(first);
      const which =
        controller === undefined || count === 1
          ? `Pod ${namespace}/${name}, which is there already, has`
          : `${count} Pods of ${controller} (${name} and others), which are there already, have`;
      yield {
        manifest,
        field: ['spec', 'containers'],
        what: `namespace ${namespace} is injected, and ${which} no istio-proxy`,
      };
    }
  },
};

/** What made a Pod: its Deployment where Istio can tell it, else what owns the Pod. */
function madeBy({ controller, manifest, namespace }: Workload): string | undefined {
  const owner = records(record(record(manifest?.body).metadata).ownerReferences).find((one) => one.controller === true);
  const name = controller ?? text(owner?.name);
  return name === '' ? undefined : `${namespace}/${name}`;
}
