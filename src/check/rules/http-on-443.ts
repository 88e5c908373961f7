import { serviceEntries, virtualServices } from '../edge';
import type { CheckContext } from '../context';
import { paths } from '../paths/paths';
import { isHttp } from '../protocol';
import type { Manifest } from '../../model/manifest';
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
        const isOriginated = isTlsAdded(context, manifest);
        yield {
          manifest,
          field: ['spec', 'ports', at, 'protocol'],
          ...(isDestination || isOriginated ? { severity: 'info' as const } : {}),
          what: `port 443 of ${hosts.join(', ')} is declared ${protocol}${isOriginated ? ', and proxies add TLS to what they send there' : ''}`,
          ...(isOriginated ? ADDED : {}),
        };
      }
    }
  },
};

const ADDED = {
  why: 'Clients that speak plain HTTP to port 443 get through. Those that speak TLS themselves pass unread, or are stopped where only registered hosts are allowed.',
  fix: 'Leave it, if all clients speak plain HTTP there; else declare port 443 as HTTPS, and plain HTTP on port 80 with targetPort 443.',
};

/** Whether every client that sees the entry has TLS originated for what it sends to the port in plain HTTP. */
function isTlsAdded(context: CheckContext, manifest: Manifest): boolean {
  const own = context.index(paths).filter(({ probe }) => probe.manifest === manifest && probe.port === 443);
  return (
    own.length > 0 &&
    own.every(({ trace: { outcome, destination } }) => outcome === 'delivered' && ['SIMPLE', 'MUTUAL'].includes(destination?.tls ?? 'NONE')) // prettier-ignore
  );
}
