import { push } from '../../model/objects';
import type { Manifest } from '../../model/manifest';
import { nameOf } from '../edge';
import { TELEMETRY } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE607',
  name: 'several-telemetries',
  severity: 'warning',
  title: 'Two Telemetry objects without a selector in one namespace',
  why: 'The older counts, and nothing of the other: access logs may be missing.',
  fix: 'Write one Telemetry for the namespace, and selectors for exceptions.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0159/',
  reads: ['Telemetry'],
  footguns: ['W09'],
  *check(context) {
    const general = new Map<string, Manifest[]>();
    for (const manifest of context.of(TELEMETRY, 'Telemetry')) {
      const { spec = {} } = manifest.body as {
        spec?: { selector?: { matchLabels?: object }; targetRef?: object; targetRefs?: readonly object[] };
      };
      const key = JSON.stringify(Object.entries(spec.selector?.matchLabels ?? {}).sort());
      if (!spec.targetRef && (spec.targetRefs ?? []).length === 0)
        push(general, `${manifest.namespace} ${key}`, manifest);
    }
    for (const [first, ...others] of general.values()) {
      for (const manifest of others)
        if (first)
          yield {
            manifest,
            field: ['metadata', 'name'],
            what: `${nameOf(manifest)} and ${nameOf(first)} are for the same workloads`,
          };
    }
  },
};
