import { isIP } from 'node:net';
import { serviceEntries } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE119',
  name: 'endpoints-mixed',
  severity: 'warning',
  title: 'Endpoints of one entry are IP addresses and names',
  why: 'One cluster has one way to find its endpoints: with DNS names among them, those given as IP addresses may be left out.',
  fix: 'Write STATIC with IP addresses only, or DNS with names only.',
  see: 'https://istio.io/latest/docs/reference/config/networking/service-entry/#ServiceEntry-Resolution',
  reads: ['ServiceEntry'],
  footguns: ['S16'],
  *check(context) {
    for (const { manifest, spec } of context.index(serviceEntries)) {
      const addresses = (spec.endpoints ?? [])
        .map(({ address = '' }) => address)
        .filter((address) => address !== '' && !address.startsWith('unix:'));
      const ip = addresses.find((address) => isIP(address) !== 0);
      const name = addresses.find((address) => isIP(address) === 0);
      if (ip !== undefined && name !== undefined)
        yield {
          manifest,
          field: ['spec', 'endpoints'],
          what: `the endpoints are IP addresses (${ip}) and names (${name})`,
        };
    }
  },
};
