import { type Entry, haveCommonViewer, nameOf, push, serviceEntries } from '../edge';
import { isPlainTcp } from '../protocol';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE111',
  name: 'tcp-ports-collide',
  severity: 'error',
  title: 'Two TCP entries claim one address and port',
  why: 'Plain TCP is told apart by address and port only. Of two entries with the same, the older takes all connections, and the other none.',
  fix: 'Give each entry its own addresses, or a port of its own.',
  see: 'https://istio.io/latest/docs/reference/config/networking/service-entry/',
  reads: ['ServiceEntry'],
  footguns: ['S05'],
  *check(context) {
    const claims = new Map<string, { entry: Entry; at: number }[]>();
    for (const entry of context.index(serviceEntries)) {
      for (const [at, { number = 0, protocol }] of (entry.spec.ports ?? []).entries()) {
        if (!isPlainTcp(protocol)) continue;
        const addresses = entry.spec.addresses ?? [];
        for (const address of addresses.length > 0 ? addresses : ['0.0.0.0'])
          push(claims, `${address.replace(/\/(32|128)$/, '')} ${number}`, { entry, at });
      }
    }
    for (const [claim, entries] of claims) {
      const [address, port] = claim.split(' ');
      for (const [index, { entry, at }] of entries.entries()) {
        const other = entries
          .slice(0, index)
          .find(
            (candidate) =>
              candidate.entry !== entry &&
              !sharesHost(candidate.entry, entry) &&
              haveCommonViewer(candidate.entry, entry),
          );
        if (!other) continue;
        yield {
          manifest: entry.manifest,
          field: ['spec', 'ports', at],
          what: `${nameOf(entry.manifest)} and ${nameOf(other.entry.manifest)} both claim TCP port ${port} ${address === '0.0.0.0' ? 'without an address' : `of ${address}`}`,
        };
      }
    }
  },
};

function sharesHost(a: Entry, b: Entry): boolean {
  return (a.spec.hosts ?? []).some((host) => (b.spec.hosts ?? []).includes(host));
}
