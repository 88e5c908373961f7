import { GATEWAY_API, routeSpec } from '../gateway-api';
import type { Rule } from '../rule';

const KINDS = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'] as const;

/** Filters by which a rule answers itself, or may. */
const ANSWERS = /^(RequestRedirect|ExtensionRef)$/;

export const rule: Rule = {
  id: 'EDGE817',
  name: 'rule-without-backend',
  severity: 'warning',
  title: 'A rule of a route leads to no backend',
  why: 'A rule whose backends all have weight 0, or that has none and does not redirect, takes the requests that it matches all the same: they get 500 (404 from Istio where no backend is written), and connections are closed.',
  fix: 'Give the rule a backend, or one of its backends a weight; or take the rule away, if others are to have the requests.',
  see: 'https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule',
  reads: KINDS,
  footguns: ['G20'],
  *check(context) {
    for (const kind of KINDS)
      for (const manifest of context.of(GATEWAY_API, kind))
        for (const [r, { backendRefs = [], filters = [] }] of (routeSpec(manifest).rules ?? []).entries()) {
          if (filters.some(({ type = '' }) => ANSWERS.test(type)) || backendRefs.some(takesRequests)) continue;
          yield {
            manifest,
            field: ['spec', 'rules', r, ...(backendRefs.length > 0 ? ['backendRefs'] : [])],
            what:
              backendRefs.length > 0
                ? `all backends of rules[${r}] have weight 0`
                : `rules[${r}] has no backendRefs, and no filter that answers in their place`,
          };
        }
  },
};

const takesRequests = ({ weight }: { readonly weight?: number }): boolean => weight !== 0;
