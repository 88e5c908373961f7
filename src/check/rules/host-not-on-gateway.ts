import { MESH, gatewaysByName, nameOf, virtualServices, fullHost } from '../edge';
import { overlaps } from '../../model/hostnames';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE205',
  name: 'host-not-on-gateway',
  severity: 'error',
  title: 'No server of the Gateway admits a host of the VirtualService',
  why: 'A gateway answers only for the hosts of its servers, and only to VirtualServices of the namespaces that they name: the routes are never used.',
  fix: "Add the host to a server of the Gateway, or correct the VirtualService's hosts.",
  see: 'https://istio.io/latest/docs/reference/config/networking/gateway/#Server',
  reads: ['VirtualService'],
  footguns: ['V04'],
  *check(context) {
    const gateways = context.index(gatewaysByName);
    for (const { manifest, hosts, gateways: names } of context.index(virtualServices)) {
      if (hosts.length === 0) continue;
      for (const name of names) {
        const gateway = name === MESH ? undefined : gateways.get(name);
        if (!gateway) continue;
        const admitted = (gateway.spec.servers ?? [])
          .flatMap((server) => server.hosts ?? [])
          .flatMap((host) => {
            const [namespace = '', bare] = host.split('/');
            if (bare === undefined) return [host];
            const isAdmitted =
              namespace === '*' ||
              namespace === manifest.namespace ||
              (namespace === '.' && gateway.manifest.namespace === manifest.namespace);
            return isAdmitted ? [bare] : [];
          });
        const refused = hosts.filter(
          (host) =>
            !admitted.some(
              (candidate) =>
                overlaps(candidate, fullHost(context, host, manifest.namespace)) || overlaps(candidate, host),
            ),
        );
        if (refused.length === 0) continue;
        const isAll = refused.length === hosts.length;
        // A VirtualService for the mesh as well may have hosts that are for the mesh only.
        if (!isAll && names.includes(MESH)) continue;
        yield {
          manifest,
          field: ['spec', 'hosts', hosts.indexOf(refused[0] ?? '')],
          severity: isAll ? 'error' : 'warning',
          what: `${refused.join(', ')} ${refused.length === 1 ? 'is' : 'are'} admitted by no server of ${nameOf(gateway.manifest)}, which admits ${[...new Set(admitted)].slice(0, 5).join(', ') || 'nothing from this namespace'}`,
        };
      }
    }
  },
};
