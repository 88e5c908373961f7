import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE606',
  name: 'contradicting-injection',
  severity: 'error',
  title: 'A namespace asks for injection in two ways',
  why: 'With both labels, istio-injection counts and the revision does not: enabled means the default revision, and disabled that nothing is injected at all. With ambient mode as well, pods that are injected leave it.',
  fix: 'Keep one of the labels.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0123/',
  reads: ['Namespace'],
  footguns: ['W06', 'E13'],
  *check(context) {
    for (const manifest of context.of('', 'Namespace')) {
      const {
        'istio-injection': injection,
        'istio.io/rev': revision,
        'istio.io/dataplane-mode': mode,
      } = manifest.labels;
      if (injection !== undefined && revision !== undefined)
        yield {
          manifest,
          field: ['metadata', 'labels', 'istio-injection'],
          // Pods are injected all the same, by another control plane than the one that is named.
          ...(injection === 'enabled' ? { severity: 'warning' as const } : {}),
          what: `the labels are istio-injection: ${injection} and istio.io/rev: ${revision}`,
        };
      else if ((injection === 'enabled' || (injection === undefined && revision !== undefined)) && mode === 'ambient') {
        const label = injection === undefined ? 'istio.io/rev' : 'istio-injection';
        yield {
          manifest,
          field: ['metadata', 'labels', label],
          // A revision says which control plane ambient mode has as well.
          severity: injection === undefined ? 'info' : 'warning',
          what: `the labels are ${label}: ${injection ?? revision} and istio.io/dataplane-mode: ambient`,
        };
      }
    }
  },
};
