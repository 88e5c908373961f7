import { config } from '../../model/objects';
import { deadRules, takersOf } from '../dead-rules';
import { GATEWAY_API } from '../gateway-api';
import type { Rule } from '../rule';

interface RouteSpec {
  readonly rules?: readonly { readonly matches?: readonly unknown[] }[];
}

export const rule: Rule = {
  id: 'EDGE350',
  name: 'unreachable-route-rule',
  severity: 'warning',
  title: 'No request gets to a rule of a route',
  why: 'The routes of a host at a listener are joined, and the most specific match is tried first: Istio tries regular expressions after prefixes, Envoy Gateway before them; of matches that are alike, the one of the older route, then the one that is written first. Whatever is sent, others have the requests that this one is for.',
  fix: 'Remove the rule, or give it a match that is more specific than those that have its requests.',
  see: 'https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule',
  reads: ['HTTPRoute', 'GRPCRoute'],
  footguns: ['V18'],
  *check(context) {
    for (const kind of ['HTTPRoute', 'GRPCRoute'])
      for (const manifest of context.of(GATEWAY_API, kind)) {
        const { spec = {} } = manifest.body as { spec?: RouteSpec };
        for (const { field, what, isPart, matches } of deadRules(context, manifest, 'rules', spec.rules ?? [])) {
          const others = takersOf(context, matches).beside?.filter((one) => one !== manifest) ?? [];
          const isAgeKnown = [manifest, ...others].every((one) => config(one).created !== 0);
          yield {
            manifest,
            field,
            what: others.length === 0 || isAgeKnown ? what : `${what}; if they ask for the same, that hangs on which route is made first`, // prettier-ignore
            beside: others,
            ...(isPart ? { severity: 'info' as const } : {}),
          };
        }
      }
  },
};
