import type { Manifest } from '../model/manifest';
import type { Json } from '../model/fields';

/** Manifests that a construct says better: the code, and what it will render. */
export interface Lifted {
  /** Statements of the chart's constructor. */
  readonly code: string;
  /** Names that the statements need from the package. */
  readonly imports: readonly string[];
  /** Manifests that it replaces. */
  readonly replaces: readonly Manifest[];
  /** Objects that it renders. */
  readonly renders: readonly Json[];
}
