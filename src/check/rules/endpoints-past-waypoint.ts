import { isAddress } from '../../model/addresses';
import { specOf } from '../istio';
import { isPlainTcp } from '../protocol';
import type { Rule } from '../rule';
import { ledEntries } from '../waypoints';

export const rule: Rule = {
  id: 'EDGE710',
  name: 'endpoints-past-waypoint',
  severity: 'warning',
  title: 'Who dials the endpoint of an entry by its address goes past the waypoint',
  why: 'A waypoint for services is asked for what is dialled at the address of the service. ztunnel takes an endpoint for a workload of its own, which no waypoint is for.',
  fix: 'Write the address in spec.addresses as well, or cut the way to it by a NetworkPolicy.',
  see: 'https://istio.io/latest/docs/ambient/usage/waypoint/#waypoint-traffic-types',
  reads: ['ServiceEntry', 'NetworkPolicy'],
  findsAbsence: true,
  footguns: ['A05'],
  *check(context) {
    const { mesh } = context;
    const held = new Set(context.of('networking.k8s.io', 'NetworkPolicy').map(({ namespace }) => namespace));
    const open = [...mesh.namespaces.keys()].filter((name) => mesh.membershipIn(name) === 'ztunnel' && !held.has(name));
    if (open.length === 0) return;
    for (const { manifest } of context.index(ledEntries)) {
      const { addresses = [], endpoints = [], ports = [], resolution } = specOf('ServiceEntry', manifest);
      // Clients of HTTP and TLS ask for a name; of TCP many are given an address.
      if (resolution !== 'STATIC' || !ports.some(({ protocol }) => isPlainTcp(protocol))) continue;
      for (const [at, { address = '' }] of endpoints.entries()) {
        if (!isAddress(address) || addresses.some((one) => one === address || one.startsWith(`${address}/`))) continue;
        yield {
          manifest,
          field: ['spec', 'endpoints', at, 'address'],
          what: `${address} is not among spec.addresses, and nothing holds namespace ${open[0]} from dialling it`,
        };
      }
    }
  },
};
