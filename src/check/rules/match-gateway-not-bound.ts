import { resolveGatewayName } from '../../model/virtual-services';
import { MESH, virtualServices } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE203',
  name: 'match-gateway-not-bound',
  severity: 'error',
  title: 'A match names a gateway that the VirtualService is not bound to',
  why: 'A rule is read only for gateways of the VirtualService itself: a match on any other is never met, and the rule is dead.',
  fix: 'Add the gateway to spec.gateways, or name one of them in the match.',
  see: 'https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest',
  reads: ['VirtualService'],
  findsAbsence: true,
  footguns: ['V03'],
  *check(context) {
    for (const { manifest, spec, gateways, hosts } of context.index(virtualServices)) {
      if (hosts.length === 0) continue; // a delegate's matches are for the gateways of its root
      for (const kind of ['http', 'tls', 'tcp'] as const) {
        for (const [r, { match = [] }] of (spec[kind] ?? []).entries()) {
          for (const [m, { gateways: names = [] }] of match.entries()) {
            for (const [g, name] of names.entries()) {
              if (gateways.includes(resolveGatewayName(name, manifest.namespace))) continue;
              yield {
                manifest,
                field: ['spec', kind, r, 'match', m, 'gateways', g],
                what: `the match is for gateway ${JSON.stringify(name)}, and the VirtualService is bound to ${gateways.map((gateway) => (gateway === MESH ? 'mesh' : gateway)).join(', ')}`,
              };
            }
          }
        }
      }
    }
  },
};
