import { push } from '../../model/objects';
import { MESH, nameOf, ruleMatches, virtualServices, fullHost } from '../edge';
import type { Destination } from '../istio';
import type { Manifest } from '../../model/manifest';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE902',
  name: 'subsets-not-at-ingress',
  severity: 'warning',
  title: 'Rules that choose subsets of a Service do not count at the gateway',
  why: 'A VirtualService without gateways is for calls inside the mesh. What comes in at a gateway follows the rules of that gateway alone, and those send to every pod of the Service.',
  fix: "Name the subsets in the gateway's rules too, or bind the rules for subsets to the gateway as well.",
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0140/',
  reads: ['VirtualService'],
  footguns: ['I03'],
  *check(context) {
    const chosen = new Map<string, Manifest[]>();
    for (const { manifest, hosts, gateways, spec } of context.index(virtualServices)) {
      if (!gateways.includes(MESH)) continue;
      const own = new Set(hosts.map((host) => fullHost(context, host, manifest.namespace)));
      const named = (spec.http ?? [])
        .flatMap(({ route = [] }) => route)
        .flatMap(({ destination: { host = '', subset } = {} as Destination }) =>
          subset ? [fullHost(context, host, manifest.namespace)] : [],
        );
      for (const host of new Set(named)) if (own.has(host)) push(chosen, host, manifest);
    }
    if (chosen.size === 0) return;
    for (const service of context.index(virtualServices)) {
      const { manifest, spec } = service;
      const atGateways = new Set(
        ruleMatches(service)
          .filter(({ kind, gateways }) => kind === 'http' && gateways.some((name) => name !== MESH))
          .map(({ rule: at }) => at),
      );
      for (const at of atGateways) {
        const route = spec.http?.[at]?.route ?? [];
        for (const [d, { destination = {} }] of route.entries()) {
          const others = chosen.get(fullHost(context, destination.host ?? '', manifest.namespace)) ?? [];
          const [other] = others.filter((candidate) => candidate !== manifest);
          if (!other || destination.subset) continue;
          yield {
            manifest,
            field: ['spec', 'http', at, 'route', d, 'destination'],
            what: `${nameOf(manifest)} sends what enters at ${service.gateways.filter((name) => name !== MESH).join(', ')} to ${destination.host} without a subset, and ${nameOf(other)} chooses subsets of it in the mesh only`,
          };
        }
      }
    }
  },
};
