import { serviceEntries } from '../edge';
import { isTls } from '../protocol';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE118',
  name: 'hosts-share-endpoints',
  severity: 'warning',
  title: 'Calls for one host of an entry go to another',
  why: 'The endpoints of an entry are those of all its hosts. Where they are the name of one of them, calls for the others arrive at a server that has no certificate for them, or serves something else.',
  fix: 'Write an entry for each host; without endpoints istiod resolves each host by itself.',
  see: 'https://istio.io/latest/docs/reference/config/networking/service-entry/#ServiceEntry',
  reads: ['ServiceEntry'],
  footguns: ['S20'],
  *check(context) {
    for (const { manifest, spec } of context.index(serviceEntries)) {
      const { hosts = [], endpoints = [], ports = [] } = spec;
      const names = endpoints.map(({ address = '' }) => address);
      const strangers = hosts.filter((host) => !host.includes('*') && !names.includes(host));
      const at = names.findIndex((name) => hosts.includes(name));
      if (at < 0 || strangers.length === 0) continue;
      const isSure = ports.some(({ protocol }) => isTls(protocol));
      yield {
        manifest,
        field: ['spec', 'endpoints', at, 'address'],
        severity: isSure ? 'warning' : 'info',
        what: `the endpoint ${names[at]} is one of the hosts, and calls for ${strangers.join(', ')} go there too`,
      };
    }
  },
};
