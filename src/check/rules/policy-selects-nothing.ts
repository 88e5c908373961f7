import { selects } from '../edge';
import { SECURITY, specOf } from '../istio';
import { nearest } from '../schema/structural';
import type { Rule } from '../rule';
import { podTemplates } from '../workloads';

export const rule: Rule = {
  id: 'EDGE515',
  name: 'policy-selects-nothing',
  severity: 'error',
  title: 'An AuthorizationPolicy selects no pods',
  why: 'A policy that selects nothing protects nothing: whoever it was to keep out gets in.',
  fix: 'Write labels that pods of its namespace have.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0127/',
  reads: ['AuthorizationPolicy'],
  footguns: ['E10'],
  *check(context) {
    const { rootNamespace } = context.mesh.config;
    for (const manifest of context.of(SECURITY, 'AuthorizationPolicy')) {
      const labels = specOf('AuthorizationPolicy', manifest).selector?.matchLabels;
      if (!labels || Object.keys(labels).length === 0) continue;
      const workloads = context.mesh.workloads.all.filter(
        ({ namespace }) => namespace === manifest.namespace || manifest.namespace === rootNamespace,
      );
      const shown = context
        .index(podTemplates)
        .filter(({ namespace }) => namespace === manifest.namespace || manifest.namespace === rootNamespace);
      if (
        shown.length === 0 ||
        workloads.some((workload) => selects(labels, workload.labels)) ||
        shown.some((pod) => selects(labels, pod.labels))
      )
        continue;
      const values = shown.flatMap((pod) => Object.keys(labels).flatMap((key) => pod.labels[key] ?? []));
      const near = Object.values(labels)
        .map((value) => nearest(value, values))
        .find((value) => value !== undefined);
      yield {
        manifest,
        field: ['spec', 'selector', 'matchLabels'],
        severity: near ? 'error' : 'warning',
        what: `no pods have the labels ${Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(', ')}${near ? `; there is ${near}` : ' among those that manifests show'}`,
      };
    }
  },
};
