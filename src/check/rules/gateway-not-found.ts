import { MESH, gatewaysByName, virtualServices } from '../edge';
import type { Rule } from '../rule';
import { nearest } from '../schema/structural';

export const rule: Rule = {
  id: 'EDGE204',
  name: 'gateway-not-found',
  severity: 'error',
  title: 'A VirtualService is bound to a Gateway that is not there',
  why: 'A name without a namespace means a Gateway beside the VirtualService. Where there is none, the rules for it are never used.',
  fix: 'Write namespace/name of the Gateway.',
  see: 'https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService',
  reads: ['VirtualService'],
  footguns: ['X05', 'W01', 'G15'],
  *check(context) {
    const gateways = context.index(gatewaysByName);
    const named = [...gateways.keys()];
    for (const { manifest, gateways: names } of context.index(virtualServices)) {
      for (const [at, name] of names.entries()) {
        if (name === MESH || gateways.has(name) || name.includes('~')) continue;
        const [namespace = '', short = ''] = name.split('/');
        const elsewhere = named.filter((candidate) => candidate.endsWith(`/${short}`));
        const near = nearest(
          name,
          named.filter((candidate) => candidate.startsWith(`${namespace}/`)),
        );
        const hasOthers = named.some((candidate) => candidate.startsWith(`${namespace}/`));
        yield {
          manifest,
          field: ['spec', 'gateways', at],
          // Manifests that show other Gateways of the namespace, or this one in another, leave little doubt.
          severity: elsewhere.length > 0 || near !== undefined ? 'error' : hasOthers ? 'warning' : 'info',
          what: `there is no Gateway ${name} among the manifests${elsewhere.length > 0 ? `, but there is ${elsewhere.join(', ')}` : ''}`,
          ...(elsewhere[0] ? { fix: `Write ${elsewhere[0]}.` } : near ? { fix: `Did you mean ${near}?` } : {}),
        };
      }
    }
  },
};
