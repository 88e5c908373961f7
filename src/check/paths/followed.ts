/** A request of a client that the manifests speak of, and what became of it. */
import type { Hop, Trace } from '../../trace';
import type { Client } from './clients';
import type { Probe } from './probes';

export interface Path {
  readonly probe: Probe;
  readonly client: Client;
  readonly trace: Followed;
}

/** What rules read of a trace. The rest is let go: there are as many as requests and clients together. */
export interface Followed extends Pick<Trace, 'outcome' | 'destination' | 'refusal'> {
  readonly hops: readonly FollowedHop[];
}

export type FollowedHop = Pick<Hop, 'proxy' | 'receives' | 'route' | 'cluster' | 'sends' | 'decidedBy'>;
