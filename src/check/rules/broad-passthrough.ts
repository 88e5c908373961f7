import type { CheckContext } from '../context';
import {
  MESH,
  type RuleMatch,
  type VirtualServiceView,
  entriesByHost,
  entriesFor,
  gatewaysByName,
  ruleMatches,
  virtualServices,
} from '../edge';
import { routeSpec } from '../gateway-api';
import { isSubsetOf } from '../../model/hostnames';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE514',
  name: 'broad-passthrough',
  severity: 'warning',
  title: 'TLS passes through for more names than it is for',
  why: 'The gateway believes the SNI that the client writes: with a wildcard this wide, a client reaches any server that shares an address with an allowed one, or names whatever it likes.',
  fix: 'Name the hosts, or the narrowest domain.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/wildcard-egress-hosts/',
  reads: ['VirtualService', 'TLSRoute'],
  footguns: ['E16', 'V10'],
  *check(context) {
    const gateways = context.index(gatewaysByName);
    for (const service of context.index(virtualServices)) {
      if (!service.gateways.includes(MESH)) continue;
      for (const rule of ruleMatches(service)) {
        if (rule.kind !== 'tls') continue;
        if (!rule.gateways.some((name) => name !== MESH && gateways.has(name))) {
          // From the sidecar itself such names get out as well, under REGISTRY_ONLY too.
          if (rule.gateways.includes(MESH)) yield* widened(context, service, rule);
          continue;
        }
        const wide = rule.sniHosts.find((host) => /^\*(\.[^.]+)?$/.test(host));
        if (wide)
          yield {
            manifest: service.manifest,
            field: [...rule.field, 'sniHosts', rule.sniHosts.indexOf(wide)],
            what: `TLS for ${wide} passes through gateway ${rule.gateways.filter((name) => name !== MESH).join(', ')}`,
          };
        else yield* widened(context, service, rule);
      }
    }
    yield* widenedByRoutes(context);
  },
};

/** The same of TLSRoutes of the mesh, whose hostnames may be wider than what their parent declares. */
function* widenedByRoutes(context: CheckContext): Generator<Hit> {
  const told = new Set<string>();
  for (const { semantics, gateways, tls, config } of context.mesh.virtualServices.all) {
    if (semantics !== 'gateway-api' || !gateways.includes(MESH)) continue;
    const { hostnames = [] } = routeSpec(config.manifest);
    for (const { matches, route } of tls) {
      for (const sni of new Set(matches.flatMap(({ sniHosts }) => sniHosts))) {
        const key = `${config.manifest.index} ${sni}`;
        const [host = ''] = route.map((one) => one.host);
        if (told.has(key) || !sni.startsWith('*') || isDeclared(context, sni)) continue;
        told.add(key);
        yield {
          manifest: config.manifest,
          field: ['spec', 'hostnames', Math.max(0, hostnames.indexOf(sni))],
          what: `TLS for ${sni} goes to ${host}, and no ServiceEntry declares that domain`,
          why: 'A client that names any other host of the domain is let out as well, to a server that is not that host.',
          fix: 'Write the hosts of the parent as hostnames, or declare the whole domain.',
        };
      }
    }
  }
}

/** Where the whole domain is declared, one server of it may well stand for all. */
function isDeclared(context: CheckContext, sni: string): boolean {
  return entriesFor(context, sni).some(({ spec }) => (spec.hosts ?? []).some((host) => isSubsetOf(sni, host)));
}

/** Names that a rule takes in beyond those of the entry that it leads to: each client of them reaches that host. */
function* widened(context: CheckContext, service: VirtualServiceView, rule: RuleMatch): Generator<Hit> {
  const hosts = (service.spec.tls?.[rule.rule]?.route ?? []).map(({ destination }) => destination?.host ?? '');
  for (const [at, sni] of rule.sniHosts.entries()) {
    if (!sni.startsWith('*') || isDeclared(context, sni)) continue;
    const exact = hosts.find(
      (host) => !host.startsWith('*') && isSubsetOf(host, sni) && context.index(entriesByHost).has(host),
    );
    if (exact !== undefined)
      yield {
        manifest: service.manifest,
        field: [...rule.field, 'sniHosts', at],
        what: `TLS for ${sni} goes to ${exact}, which is one of those names`,
        why: 'A client that names any other host of the domain is let out as well, to a server that is not that host.',
        fix: `Write sniHosts: [${exact}], or declare the whole domain.`,
      };
  }
}
