import { push } from '../../model/objects';
import { type VirtualServiceView, MESH, haveCommonViewer, nameOf, virtualServices, fullHost } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE208',
  name: 'hosts-overlap-on-mesh',
  severity: 'error',
  title: 'Two VirtualServices of the mesh are for one host',
  why: 'Sidecars use the older of the two, and nothing of the other.',
  fix: 'Write the rules into one VirtualService, or export the two to different namespaces.',
  see: 'https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services',
  reads: ['VirtualService'],
  footguns: ['V08'],
  *check(context) {
    const byHost = new Map<string, VirtualServiceView[]>();
    for (const service of context.index(virtualServices)) {
      if (!service.gateways.includes(MESH)) continue;
      const { namespace } = service.manifest;
      // One host may be written short and in full.
      for (const host of new Set(service.hosts.map((one) => fullHost(context, one, namespace))))
        push(byHost, host, service);
    }
    for (const [host, services] of byHost) {
      for (const [index, service] of services.entries()) {
        const other = services.slice(0, index).find((candidate) => haveCommonViewer(context, candidate, service));
        if (!other || !hasMeshRule(service) || !hasMeshRule(other)) continue;
        yield {
          manifest: service.manifest,
          field: [
            'spec',
            'hosts',
            Math.max(
              0,
              service.hosts.findIndex((candidate) => fullHost(context, candidate, service.manifest.namespace) === host),
            ),
          ],
          what: `${nameOf(service.manifest)} and ${nameOf(other.manifest)} are both for ${host} in the mesh`,
        };
      }
    }
  },
};

/** A VirtualService may be bound to the mesh and have rules for gateways only. */
function hasMeshRule({ spec }: VirtualServiceView): boolean {
  return (['http', 'tls', 'tcp'] as const).some((kind) =>
    (spec[kind] ?? []).some(
      ({ match = [] }) =>
        match.length === 0 || match.some(({ gateways = [] }) => gateways.length === 0 || gateways.includes(MESH)),
    ),
  );
}
