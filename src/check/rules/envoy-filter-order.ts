import { record, text } from '../../model/fields';
import { NETWORKING } from '../istio';
import type { Rule } from '../rule';

interface Patch {
  readonly applyTo?: string;
  readonly match?: object;
  readonly patch?: { readonly operation?: string };
}

export const rule: Rule = {
  id: 'EDGE905',
  name: 'envoy-filter-order',
  severity: 'warning',
  title: 'An EnvoyFilter depends on what other filters are there',
  why: 'A patch placed relative to another filter is silently left out if that filter is not there yet, and an upgrade of Istio may rename it.',
  fix: 'Use INSERT_FIRST or a priority where you can, and test the filter with each version of Istio.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0151/',
  reads: ['EnvoyFilter'],
  footguns: ['M06'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'EnvoyFilter')) {
      const { spec = {} } = manifest.body as { spec?: { configPatches?: readonly Patch[]; priority?: number } };
      for (const [at, { patch, match }] of (spec.configPatches ?? []).entries()) {
        const operation = patch?.operation ?? '';
        if (
          spec.priority !== undefined ||
          !['INSERT_BEFORE', 'INSERT_AFTER', 'REPLACE', 'REMOVE', 'MERGE'].includes(operation)
        )
          continue;
        if (operation === 'MERGE') continue;
        const beside = filterOf(match);
        const isOthers = beside !== undefined && !/^(envoy|istio)\./.test(beside);
        yield {
          manifest,
          field: ['spec', 'configPatches', at, 'patch', 'operation'],
          severity: isOthers ? 'warning' : 'info',
          what: `the operation is ${operation}, and the EnvoyFilter has no priority${isOthers ? `; "${beside}" is no filter of Istio's, but one that another EnvoyFilter has to put there first` : ''}`,
        };
      }
    }
  },
};

/** The filter next to which a patch goes: the innermost that its match names. */
function filterOf(match: unknown): string | undefined {
  const { listener } = record(match);
  const { filterChain } = record(listener);
  const { filter } = record(filterChain);
  const { name, subFilter } = record(filter);
  return text(record(subFilter).name) || text(name) || undefined;
}
