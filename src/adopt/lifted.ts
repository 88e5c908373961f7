import type { Manifest } from '../model/manifest';

/** Manifests that a construct says better, and the code that says it. */
export interface Lifted {
  /** Statements of the chart's constructor. */
  readonly code: string;
  /** Names that the statements need from the package. */
  readonly imports: readonly string[];
  /** Names that they need from cdk8s. */
  readonly fromCdk8s: readonly string[];
  /** Manifests that it replaces. */
  readonly replaces: readonly Manifest[];
}
