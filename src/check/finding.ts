/** What check says: the JSON of `mesh-edge check --format json`, field for field. Every report is made from these. */

import type { LeftOut } from '../model/manifest';

/** `error`: certainly wrong. `warning`: probably wrong. `info`: worth knowing, or cannot be judged from manifests. */
export type Severity = 'error' | 'warning' | 'info';

export const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];

export interface ObjectId {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A construct path if one is known, else file and line. Empty for objects that are only in memory. */
export type Where =
  { readonly construct: string } | { readonly file: string; readonly line?: number } | Record<string, never>;

export interface Finding {
  /** `EDGE201`: never reused for another rule. */
  readonly id: string;
  /** Name of the rule, and of its file. */
  readonly name: string;
  readonly severity: Severity;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly see: string;
  /** Null for a document that could not be read. */
  readonly object: ObjectId | null;
  /** `spec.http[0].match[0]`; empty for the object as a whole. */
  readonly field: string;
  readonly where: Where;
  /** Build roots of a repository that show it; left out where all of them do. */
  readonly worlds?: readonly string[];
}

/** The release of a component that decided about the findings. */
export interface JudgedBy {
  /** As people write it: `Istio`. */
  readonly component: string;
  /** `1.32`; for Gateway API `1.7`, or `1.7/experimental`. */
  readonly release: string;
  /** What was asked for or found, as it was written. */
  readonly stated: string;
  /** Who said so: an option, the manifests, or nobody. */
  readonly from: 'option' | 'manifests' | 'default';
  /** The older release whose defaults the installation asks for (`compatibilityVersion`). */
  readonly compatibility?: string;
}

export interface CheckSummary {
  readonly objects: number;
  readonly errors: number;
  readonly warnings: number;
  readonly infos: number;
  readonly judgedBy: readonly JudgedBy[];
  /** Files, folders and documents that were passed over, if there are any. */
  readonly leftOut?: number;
  /** Findings that a suppression hides, if there are any. */
  readonly suppressed?: number;
}

/** A finding that somebody accepted. */
export interface Suppressed extends Pick<Finding, 'id' | 'name' | 'object' | 'where'> {
  /** `annotation` on the object, or the configuration file. */
  readonly by: string;
  readonly reason: string;
}

export interface CheckResult {
  readonly findings: readonly Finding[];
  readonly summary: CheckSummary;
  /** What was passed over; left out itself if nothing was. */
  readonly leftOut?: readonly LeftOut[];
  /** What was found and is not among the findings; left out if there is nothing. */
  readonly suppressed?: readonly Suppressed[];
}
