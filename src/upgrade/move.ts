import type { Component } from '../model/releases';

/** One component that goes from a release to another. */
export interface Move {
  readonly component: Component;
  readonly title: string;
  readonly from: string;
  readonly to: string;
}
