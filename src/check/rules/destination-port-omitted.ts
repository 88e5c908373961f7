import { virtualServices, fullHost } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE212',
  name: 'destination-port-omitted',
  severity: 'warning',
  title: 'A route does not say which port of its destination',
  why: 'For a destination with several ports Istio takes the one that the request came in by, which the destination may not have: 503.',
  fix: 'Write destination.port.number.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0112/',
  reads: ['VirtualService'],
  footguns: ['V12'],
  *check(context) {
    for (const { manifest, spec } of context.index(virtualServices)) {
      for (const kind of ['http', 'tls', 'tcp'] as const) {
        for (const [r, { route = [] }] of (spec[kind] ?? []).entries()) {
          for (const [d, { destination = {} }] of route.entries()) {
            if (destination.port || !destination.host) continue;
            const ports = new Set(
              context.mesh.services
                .declaring(fullHost(context, destination.host, manifest.namespace))
                .flatMap((service) => (service.assumed ? [] : service.ports.map(({ port }) => port))),
            );
            if (ports.size < 2) continue;
            // A request on one of the destination's own ports stays on it.
            const own = context.mesh.services
              .declaring(fullHost(context, spec.hosts?.[0] ?? '', manifest.namespace))
              .flatMap((service) => service.ports.map(({ port }) => port));
            if (own.length > 0 && own.every((port) => ports.has(port))) continue;
            yield {
              manifest,
              field: ['spec', kind, r, 'route', d, 'destination'],
              what: `${destination.host} has ports ${[...ports].join(', ')}, and the route names none`,
            };
          }
        }
      }
    }
  },
};
