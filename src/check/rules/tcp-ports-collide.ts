import { push } from '../../model/objects';
import { type Entry, haveCommonViewer, nameOf, serviceEntries } from '../edge';
import { isPlainTcp } from '../protocol';
import { type CheckContext, defineIndex } from '../context';
import { getsAddresses, withoutDnsCapture } from '../mesh-settings';
import type { Hit, Rule } from '../rule';

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
    for (const { claim, entry, at, other } of context.index(collisions)) {
      const [address, port] = claim.split(' ');
      const winner = older(context, entry, other.entry);
      yield {
        manifest: entry.manifest,
        field: ['spec', 'ports', at],
        what: `${nameOf(entry.manifest)} and ${nameOf(other.entry.manifest)} both claim TCP port ${port} ${address === '0.0.0.0' ? 'without an address' : `of ${address}`}`,
        ...(winner.spec.resolution === undefined || winner.spec.resolution === 'NONE' ? mixedUp(winner) : {}),
      };
    }
  },
};

interface Claim {
  readonly entry: Entry;
  /** Index of the port. */
  readonly at: number;
}

interface Collision extends Claim {
  /** `ADDRESS PORT`. */
  readonly claim: string;
  readonly other: Claim;
}

/** Entries that claim the address and port of another. */
export const collisions = defineIndex('collisions of TCP ports', (context): readonly Collision[] => {
  const claims = new Map<string, Claim[]>();
  for (const entry of context.index(serviceEntries)) {
    for (const [at, { number = 0, protocol }] of (entry.spec.ports ?? []).entries()) {
      if (!isPlainTcp(protocol)) continue;
      const addresses = entry.spec.addresses ?? [];
      for (const address of addresses.length > 0 ? addresses : ['0.0.0.0'])
        push(claims, `${address.replace(/\/(32|128)$/, '')} ${number}`, { entry, at });
    }
  }
  return [...claims].flatMap(([claim, entries]) =>
    entries.flatMap(({ entry, at }, index): readonly Collision[] => {
      const other = entries
        .slice(0, index)
        .find(
          (candidate) =>
            candidate.entry !== entry &&
            !sharesHost(candidate.entry, entry) &&
            haveCommonViewer(context, candidate.entry, entry) &&
            !areToldApart(context, [candidate.entry, entry]),
        );
      return other === undefined ? [] : [{ claim, entry, at, other }];
    }),
  );
});

function sharesHost(a: Entry, b: Entry): boolean {
  return (a.spec.hosts ?? []).some((host) => (b.spec.hosts ?? []).includes(host));
}

/** Whether sidecars answer DNS for one of them with an address that Istio gave it, wherever both are seen: the other has the port to itself. */
function areToldApart(context: CheckContext, entries: readonly Entry[]): boolean {
  return (
    entries.some((entry) => (entry.spec.addresses ?? []).length === 0 && getsAddresses(context, entry)) &&
    withoutDnsCapture(context, entries).length === 0
  );
}

/** The one that istiod takes first. */
function older({ mesh }: CheckContext, one: Entry, other: Entry): Entry {
  const first = mesh.services.all.find(({ config: { manifest } }) => manifest === one.manifest || manifest === other.manifest); // prettier-ignore
  return first?.config.manifest === other.manifest ? other : one;
}

/** Connections that the entry of resolution NONE takes go on to the address that the client dialled, whoever they are for. */
function mixedUp({ manifest }: Entry): Pick<Hit, 'severity' | 'why' | 'fix'> {
  return {
    severity: 'warning',
    why: `Plain TCP is told apart by address and port only. ${nameOf(manifest)}, the older, has resolution NONE and takes all connections: they go on to where the client dialled, under the cluster, the DestinationRule and the metrics of its host, and endpoints or a resolution that the other names count for nothing.`,
    fix: 'Give each entry its own addresses, or a port of its own, or write both hosts in one entry.',
  };
}
