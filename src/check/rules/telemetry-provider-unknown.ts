import { record, records, strings, text } from '../../model/fields';
import { showsMeshConfig } from '../../model/installation';
import { TELEMETRY } from '../istio';
import type { Rule } from '../rule';
import { nearestName } from '../../model/near-names';
import { installationsServing } from '../served';

/** Providers that every installation has. */
const USUAL = ['envoy', 'prometheus', 'stackdriver', 'envoy_file_access_log'];

export const rule: Rule = {
  id: 'EDGE608',
  name: 'telemetry-provider-unknown',
  severity: 'error',
  title: 'A Telemetry names a provider that the mesh does not have, or none',
  why: 'Logs, metrics or traces go to providers of the mesh configuration. Without one they go nowhere.',
  fix: 'Write the name of a provider under meshConfig.extensionProviders, or envoy for logs on standard output.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0157/',
  reads: ['Telemetry'],
  footguns: ['W09'],
  *check(context) {
    for (const manifest of context.of(TELEMETRY, 'Telemetry')) {
      const spec = record(record(manifest.body).spec);
      const { matchLabels } = record(spec.selector);
      const configs = installationsServing(context, manifest.namespace, strings(matchLabels))
        .filter(showsMeshConfig)
        .map(({ meshConfig }) => meshConfig);
      const known = new Set([
        ...USUAL,
        ...configs.flatMap((config) => records(config.extensionProviders).map(({ name }) => text(name))),
      ]);
      const defaults = configs.map((config) => record(config.defaultProviders));
      for (const kind of ['accessLogging', 'metrics', 'tracing']) {
        for (const [at, entry] of records(spec[kind]).entries()) {
          const providers = records(entry.providers);
          for (const [p, { name }] of providers.entries()) {
            if (configs.length === 0 || known.has(text(name))) continue;
            const near = nearestName(text(name), [...known]);
            yield {
              manifest,
              field: ['spec', kind, at, 'providers', p, 'name'],
              what: `the mesh has no provider ${JSON.stringify(name)}; it has ${[...known].slice(0, 8).join(', ')}`,
              ...(near ? { fix: `Did you mean ${near}?` } : {}),
            };
          }
          const isDefault = defaults.some((names) => names[kind] !== undefined) || kind === 'metrics';
          if (providers.length === 0 && kind === 'accessLogging' && !isDefault)
            yield {
              manifest,
              field: ['spec', kind, at],
              severity: configs.length === 0 ? 'info' : 'warning',
              what: `${kind}[${at}] names no provider, and the mesh configuration has no default for it${configs.length === 0 ? ' among these manifests' : ''}`,
            };
        }
      }
    }
  },
};
