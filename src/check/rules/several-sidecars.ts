import { push } from '../../model/objects';
import { nameOf } from '../edge';
import { NETWORKING, specOf } from '../istio';
import type { Manifest } from '../../model/manifest';
import { selects } from '../edge';
import { podTemplates } from '../workloads';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE409',
  name: 'several-sidecars',
  severity: 'error',
  title: 'Two Sidecars are for the same workloads',
  why: 'A workload has one Sidecar: of two it gets the older, and the hosts of the other are not reachable.',
  fix: 'Keep one Sidecar without a selector in a namespace, and selectors that choose different workloads.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0111/',
  reads: ['Sidecar'],
  footguns: ['X11'],
  *check(context) {
    const byNamespace = new Map<string, Manifest[]>();
    for (const manifest of context.of(NETWORKING, 'Sidecar')) push(byNamespace, manifest.namespace, manifest);
    for (const sidecars of byNamespace.values()) {
      for (const [index, manifest] of sidecars.entries()) {
        const selector = specOf('Sidecar', manifest).workloadSelector?.labels ?? {};
        const isGeneral = Object.keys(selector).length === 0;
        const other = sidecars.slice(0, index).find((candidate) => {
          const theirs = specOf('Sidecar', candidate).workloadSelector?.labels ?? {};
          const isTheirsGeneral = Object.keys(theirs).length === 0;
          if (isGeneral || isTheirsGeneral) return isGeneral && isTheirsGeneral;
          const pods = context.index(podTemplates).filter(({ namespace }) => namespace === manifest.namespace);
          return (
            JSON.stringify(Object.entries(selector).sort()) === JSON.stringify(Object.entries(theirs).sort()) ||
            pods.some(({ labels }) => selects(selector, labels) && selects(theirs, labels))
          );
        });
        if (other)
          yield {
            manifest,
            field: isGeneral ? ['metadata', 'name'] : ['spec', 'workloadSelector'],
            what: `${nameOf(manifest)} and ${nameOf(other)} ${isGeneral ? 'have no selector' : 'select the same workloads'}`,
          };
      }
    }
  },
};
