import { type Json, entry, labelsMatch, record, records, strings, text } from '../../model/fields';
import { NETWORKING } from '../istio';
import type { Manifest } from '../../model/manifest';
import type { Workload } from '../../model/workloads';
import type { CheckContext } from '../context';
import type { Hit, Rule } from '../rule';

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
  title: 'A patch of an EnvoyFilter is left out',
  why: 'istiod leaves the patch out without a word.',
  fix: 'Use MERGE for routes; REPLACE is for HTTP_FILTER and NETWORK_FILTER only.',
  see: 'https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-Patch-Operation',
  reads: ['EnvoyFilter'],
  footguns: ['M06'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'EnvoyFilter')) {
      const spec = record(record(manifest.body).spec);
      yield* forOthers(context, manifest, spec);
      for (const [at, { applyTo, patch }] of records(spec.configPatches).entries()) {
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

/** Patches for a context that none of the proxies has which the filter is for. */
function* forOthers(context: CheckContext, manifest: Manifest, spec: Json): Generator<Hit> {
  const { workloads, config } = context.mesh;
  if (records(spec.targetRefs).length > 0) return;
  const labels = strings(record(spec.workloadSelector).labels);
  const isForAll = manifest.namespace === config.rootNamespace;
  const near = (isForAll ? workloads.all : workloads.inNamespace(manifest.namespace)).filter((one) => labelsMatch(labels, one.labels)); // prettier-ignore
  const proxies = near.filter(({ membership }) => membership === 'gateway' || membership === 'sidecar');
  const [first] = proxies;
  // Gateways of other repositories may be among those of a whole mesh.
  if (first === undefined || (isForAll && Object.keys(labels).length === 0)) return;
  for (const [at, { match }] of records(spec.configPatches).entries()) {
    const wanted = text(record(match).context);
    const kind = wanted === 'GATEWAY' ? 'gateway' : wanted.startsWith('SIDECAR_') ? 'sidecar' : undefined;
    if (kind === undefined || proxies.some(({ membership }) => membership === kind)) continue;
    const elsewhere = workloads.all.filter((one) => one.membership === kind && labelsMatch(labels, one.labels));
    yield {
      manifest,
      field: ['spec', 'configPatches', at, 'match', 'context'],
      what: `context is ${wanted}, and ${Object.keys(labels).length > 0 ? `the filter selects ${named(first)}` : `namespace ${manifest.namespace} has no ${kind}, but ${named(first)}`}, which ${first.membership === 'gateway' ? 'is a gateway' : 'has a sidecar'}`,
      why: 'An EnvoyFilter is for Pods of its own namespace (of all, in the root namespace), and a patch for the proxies of its context alone.',
      fix:
        elsewhere.length > 0
          ? `Put it into the namespace of the ${kind}: ${[...new Set(elsewhere.map(({ namespace }) => namespace))].sort().slice(0, 3).join(', ')}.`
          : `Write the context of a ${first.membership}, or select a ${kind}.`,
    };
  }
}

const named = ({ namespace, name }: Workload): string => `${namespace}/${name}`;
