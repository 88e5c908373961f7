import { overlaps } from '../../model/hostnames';
import { MESH, fullHost, virtualServices } from '../edge';
import type { Rule } from '../rule';
import { hasNoSidecar, ledEntries, ledServices } from '../waypoints';

export const rule: Rule = {
  id: 'EDGE711',
  name: 'route-not-read-by-waypoint',
  severity: 'warning',
  title: 'A route for a host behind a waypoint is one that the waypoint does not read',
  why: 'A waypoint reads VirtualServices of the mesh that lie in its own namespace or in that of the host, and leaves out matches on labels of the caller.',
  fix: 'Move the VirtualService to the namespace of the Service or ServiceEntry, or of the waypoint; tell callers apart by an AuthorizationPolicy.',
  see: 'https://istio.io/latest/docs/ambient/usage/l7-features/',
  reads: ['VirtualService'],
  footguns: ['A07'],
  *check(context) {
    const led = [...context.index(ledEntries), ...context.index(ledServices)];
    // With sidecars in the mesh it may be theirs.
    if (led.length === 0 || !hasNoSidecar(context)) return;
    for (const { manifest, spec } of context.index(virtualServices)) {
      if (!(spec.gateways ?? [MESH]).includes(MESH)) continue;
      for (const [at, host] of (spec.hosts ?? []).entries()) {
        const full = fullHost(context, host, manifest.namespace);
        const target = led.find(({ services }) => services.some((service) => overlaps(full, service.host)));
        if (target === undefined) continue;
        const { binding, manifest: entry } = target;
        const waypoint = `${binding.namespace}/${binding.name}`;
        if (manifest.namespace !== binding.namespace && manifest.namespace !== entry.namespace)
          yield {
            manifest,
            field: ['spec', 'hosts', at],
            what: `${host} is behind waypoint ${waypoint}, and the route lies neither in ${[...new Set([binding.namespace, entry.namespace])].join(' nor in ')}`,
          };
        else
          for (const [rule, { match = [] }] of (spec.http ?? []).entries())
            for (const [index, { sourceLabels }] of match.entries())
              if (sourceLabels !== undefined)
                yield {
                  manifest,
                  field: ['spec', 'http', rule, 'match', index, 'sourceLabels'],
                  what: `${host} is behind waypoint ${waypoint}, which knows no labels of its callers`,
                };
      }
    }
  },
};
