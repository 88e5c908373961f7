/** What an exploration finds: classes of requests that fare alike, and what is not decided. */
import type { Dimension } from '../trace/ask';
import type { Matcher } from '../trace/matcher';
import type { TraceRequest } from '../trace/types';
import type { Literal } from './members';

/** A condition that the requests of a class fulfil. */
export interface Condition extends Literal {
  readonly dimension: Dimension;
}

/** Requests that all give the same answers. A request is one of them if it fulfils every condition. */
export interface RequestClass<T> {
  /** In the order in which they were asked; those that follow from others are left out. */
  readonly region: readonly Condition[];
  /** The plainest that was found, as `trace` and a line of `trace --requests` take it. */
  readonly witness: TraceRequest;
  readonly followed: T;
  /** Why other requests of the class may fare otherwise than the witness. */
  readonly open: readonly string[];
}

/** Requests of which it is not known how they fare. */
export interface Undecided {
  readonly what: string;
  readonly why: string;
  readonly region: readonly Condition[];
}

export interface Exploration<T> {
  readonly classes: readonly RequestClass<T>[];
  readonly undecided: readonly Undecided[];
  /** How many requests were followed. */
  readonly followed: number;
  /** Clusters that shares of these requests, or copies of them, go to and that were not followed. */
  readonly offered: readonly string[];
  /** What was asked about the Host. */
  readonly hostAsked: readonly Matcher[];
}
