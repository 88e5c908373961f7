/** A request of a client that the manifests speak of, and what became of it. */
import type { Hop, Trace } from '../../trace';
import type { Client } from './clients';
import type { Probe } from './probes';

export interface Path {
  readonly probe: Probe;
  readonly client: Client;
  readonly trace: Followed;
  /** Where it is a part of the request, or a copy, that goes another way than the greatest part. */
  readonly share?: Share;
}

export interface Share {
  readonly cluster: string;
  /** Parts of `of`. */
  readonly weight: number;
  readonly of: number;
  readonly isCopy: boolean;
}

/** What rules read of a trace. The rest is let go: there are as many as requests and clients together. */
export interface Followed extends Pick<Trace, 'outcome' | 'destination' | 'refusal'> {
  readonly hops: readonly FollowedHop[];
  /** Whether it ends at another host than the one that it is for, where no route says so. */
  readonly strays: boolean;
}

export type FollowedHop = Pick<Hop, 'proxy' | 'receives' | 'route' | 'cluster' | 'sends' | 'decidedBy'>;
