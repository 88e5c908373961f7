import { record, records, text } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { type Workload, isAdmitted, isRunning } from '../../model/workloads';
import type { CheckContext } from '../context';
import type { Rule } from '../rule';
import { isInjected } from '../workloads';

const MODE = 'istio.io/dataplane-mode';

export const rule: Rule = {
  id: 'EDGE219',
  name: 'pod-not-injected',
  severity: 'warning',
  title: 'A Pod that runs in a namespace of the mesh is past it',
  why: 'Containers of a Pod that is there are final: labels that came later give it no sidecar. Until it is made anew, what it sends leaves past every rule of the mesh, and servers that take mutual TLS only refuse it.',
  fix: 'Restart what makes the Pod (kubectl rollout restart), once the namespace is labelled and the injector runs.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0103/',
  reads: ['Pod'],
  footguns: ['E13'],
  *check(context) {
    // Many Pods of one controller are one thing to restart.
    const found = new Map<
      string,
      { readonly first: Workload; readonly manifest: Manifest; readonly isAmbient: boolean; count: number }
    >();
    for (const workload of context.mesh.workloads.all) {
      const { manifest, membership, labels, annotations, namespace, name, onNode, runs } = workload;
      if (manifest?.kind !== 'Pod' || membership !== 'none' || onNode === true || !runs) continue;
      const isAmbient = isNotRedirected(context, workload);
      if (!isAdmitted(record(manifest.body)) || (isInjected(context, namespace) !== true && !isAmbient)) continue;
      if (!isAmbient && (labels['sidecar.istio.io/inject'] ?? annotations['sidecar.istio.io/inject']) === 'false') continue; // prettier-ignore
      const key = madeBy(workload) ?? `Pod ${namespace}/${name}`;
      const known = found.get(key);
      if (known) known.count += 1;
      else found.set(key, { first: workload, manifest, count: 1, isAmbient });
    }
    for (const { first, manifest, count, isAmbient } of found.values()) {
      const { namespace, name } = first;
      const controller = madeBy(first);
      const isOne = controller === undefined || count === 1;
      const which = isOne
        ? `Pod ${namespace}/${name}, which is there already,`
        : `${count} Pods of ${controller} (${name} and others), which are there already,`;
      if (isAmbient) {
        yield {
          manifest,
          field: ['metadata', 'annotations'],
          what: `namespace ${namespace} is ambient, and ${which} ${isOne ? 'is' : 'are'} not redirected to ztunnel`,
          why: "Istio's CNI plugin annotates each Pod that it has redirected. To one without that istiod sends others past the tunnel, and what it sends leaves past every rule of the mesh.",
          fix: "See what Istio's CNI plugin says on the Pod's node (its DaemonSet runs there, and its log names the Pod), and restart what makes the Pod.",
          see: 'https://istio.io/latest/docs/ambient/architecture/traffic-redirection/',
        };
        continue;
      }
      yield {
        manifest,
        field: ['spec', 'containers'],
        what: `namespace ${namespace} is injected, and ${which} ${isOne ? 'has' : 'have'} no istio-proxy`,
      };
    }
  },
};

/** A Pod that runs in an ambient namespace, past ztunnel. */
function isNotRedirected({ mesh }: CheckContext, { manifest, namespace, labels, membership }: Workload): boolean {
  const mode = labels[MODE] ?? mesh.namespaces.get(namespace)?.labels[MODE];
  return membership === 'none' && mode === 'ambient' && isRunning(record(manifest?.body));
}

/** What made a Pod: its Deployment where Istio can tell it, else what owns the Pod. */
function madeBy({ controller, manifest, namespace }: Workload): string | undefined {
  const owner = records(record(record(manifest?.body).metadata).ownerReferences).find((one) => one.controller === true);
  const name = controller ?? text(owner?.name);
  return name === '' ? undefined : `${namespace}/${name}`;
}
