import { MESH, gatewaysByName, ruleMatches, virtualServices } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE514',
  name: 'broad-passthrough',
  severity: 'warning',
  title: 'An egress gateway passes TLS through for any name',
  why: 'The gateway believes the SNI that the client writes: with a wildcard this wide, a client reaches any server that shares an address with an allowed one, or names whatever it likes.',
  fix: 'Name the hosts, or the narrowest domain.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/wildcard-egress-hosts/',
  reads: ['VirtualService'],
  footguns: ['E16', 'V10'],
  *check(context) {
    const gateways = context.index(gatewaysByName);
    for (const service of context.index(virtualServices)) {
      if (!service.gateways.includes(MESH)) continue;
      for (const rule of ruleMatches(service)) {
        if (rule.kind !== 'tls' || !rule.gateways.some((name) => name !== MESH && gateways.has(name))) continue;
        const wide = rule.sniHosts.find((host) => /^\*(\.[^.]+)?$/.test(host));
        if (wide)
          yield {
            manifest: service.manifest,
            field: [...rule.field, 'sniHosts', rule.sniHosts.indexOf(wide)],
            what: `TLS for ${wide} passes through gateway ${rule.gateways.filter((name) => name !== MESH).join(', ')}`,
          };
      }
    }
  },
};
