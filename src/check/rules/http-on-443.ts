import { serviceEntries, virtualServices } from '../edge';
import { isHttp } from '../protocol';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE114',
  name: 'http-on-443',
  severity: 'warning',
  title: 'Port 443 is declared as plain HTTP',
  why: 'Applications speak TLS on 443. A sidecar that expects HTTP there lets TLS go past as something unknown, without routes and policies of the host, or stops it where only registered hosts are allowed.',
  fix: 'Declare port 443 as HTTPS (or TLS). To let applications speak HTTP and the proxy TLS, let them call port 80 and route it to 443.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-tls-origination/',
  reads: ['ServiceEntry'],
  footguns: ['S08'],
  *check(context) {
    for (const { manifest, spec } of context.index(serviceEntries)) {
      for (const [at, { number, protocol }] of (spec.ports ?? []).entries()) {
        if (number !== 443 || !isHttp(protocol)) continue;
        const hosts = spec.hosts ?? [];
        const isDestination = context
          .index(virtualServices)
          .some(({ spec: routes }) =>
            [...(routes.http ?? [])].some(({ route = [] }) =>
              route.some(
                ({ destination }) => destination?.port?.number === 443 && hosts.includes(destination.host ?? ''),
              ),
            ),
          );
        yield {
          manifest,
          field: ['spec', 'ports', at, 'protocol'],
          ...(isDestination ? { severity: 'info' as const } : {}),
          what: `port 443 of ${hosts.join(', ')} is declared ${protocol}`,
        };
      }
    }
  },
};
