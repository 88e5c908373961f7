import { record, strings } from '../../model/fields';
import { missed } from '../selectors';
import type { Rule } from '../rule';

/** Kinds that choose workloads, with the way to their labels. */
const SELECTORS: readonly (readonly [string, string, readonly string[]])[] = [
  ['networking.istio.io', 'Sidecar', ['workloadSelector', 'labels']],
  ['networking.istio.io', 'EnvoyFilter', ['workloadSelector', 'labels']],
  ['networking.istio.io', 'DestinationRule', ['workloadSelector', 'matchLabels']],
  ['security.istio.io', 'PeerAuthentication', ['selector', 'matchLabels']],
  ['security.istio.io', 'RequestAuthentication', ['selector', 'matchLabels']],
  ['telemetry.istio.io', 'Telemetry', ['selector', 'matchLabels']],
  ['extensions.istio.io', 'WasmPlugin', ['selector', 'matchLabels']],
  ['extensions.istio.io', 'TrafficExtension', ['selector', 'matchLabels']],
];

export const rule: Rule = {
  id: 'EDGE412',
  name: 'object-selects-nothing',
  severity: 'error',
  title: 'An object for chosen workloads chooses none',
  why: 'It changes nothing, and the workloads that it was for keep what is general in their namespace.',
  fix: 'Write labels that pods of its namespace have.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0101/',
  reads: SELECTORS.map(([, kind]) => kind),
  findsAbsence: true,
  footguns: [],
  *check(context) {
    for (const [group, kind, at] of SELECTORS) {
      for (const manifest of context.of(group, kind)) {
        const labels = at.reduce((value, key) => record(value[key]), record(record(manifest.body).spec));
        const miss = missed(context, manifest, strings(labels));
        if (miss)
          yield {
            manifest,
            field: ['spec', ...at],
            severity: miss.near ? 'error' : 'warning',
            what: miss.what,
          };
      }
    }
  },
};
