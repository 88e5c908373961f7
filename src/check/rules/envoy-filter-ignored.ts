import { entry, record, records, text } from '../../model/fields';
import { NETWORKING } from '../istio';
import type { Rule } from '../rule';

const ROUTES = ['ROUTE_CONFIGURATION', 'HTTP_ROUTE'];
const IGNORED: Readonly<Record<string, (applyTo: string) => boolean>> = {
  ADD: (applyTo) => ROUTES.includes(applyTo),
  REMOVE: (applyTo) => ROUTES.includes(applyTo),
  REPLACE: (applyTo) => !['HTTP_FILTER', 'NETWORK_FILTER'].includes(applyTo),
};

export const rule: Rule = {
  id: 'EDGE907',
  name: 'envoy-filter-ignored',
  severity: 'warning',
  title: 'An EnvoyFilter asks for an operation that its target does not have',
  why: 'istiod leaves the patch out without a word.',
  fix: 'Use MERGE for routes; REPLACE is for HTTP_FILTER and NETWORK_FILTER only.',
  see: 'https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-Patch-Operation',
  reads: ['EnvoyFilter'],
  footguns: ['M06'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'EnvoyFilter')) {
      for (const [at, { applyTo, patch }] of records(record(record(manifest.body).spec).configPatches).entries()) {
        const operation = text(record(patch).operation);
        if (entry(IGNORED, operation)?.(text(applyTo)))
          yield {
            manifest,
            field: ['spec', 'configPatches', at, 'patch', 'operation'],
            what: `the operation is ${operation}, and applyTo is ${text(applyTo)}`,
          };
      }
    }
  },
};
