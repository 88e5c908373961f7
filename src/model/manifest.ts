import type { Json } from './fields';

/**
 * What every reader of manifests shares: one Kubernetes object as it was read, and where it was read from.
 * Loading (YAML, JSON, folders, standard input) lives in `load.ts`; meaning (services, routes, visibility) in the
 * other files of this folder.
 */

/** Where an object comes from: a construct path if its chart said so, else file and line. */
export interface Source {
  readonly file?: string;
  /** One-based line of the document's first key. */
  readonly line?: number;
  readonly construct?: string;
}

/** A path into an object: field names and list indices, `['spec', 'http', 0, 'match']`. */
export type FieldPath = readonly (string | number)[];

export interface LineOf {
  (field: FieldPath): number | undefined;
  /** How a number or boolean is written, where that is not as it reads: `no`, `1.10`. */
  readonly written?: (field: FieldPath) => string | undefined;
}

export interface Manifest {
  readonly apiVersion: string;
  /** API group; empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Empty for cluster-scoped objects. A namespaced object that names none is in `default`. */
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The whole object as read (plain JSON values). Never written to. */
  readonly body: Json;
  /** Position of the object among all that were loaded: ties in age go to the one loaded first. */
  readonly index: number;
  readonly source: Source;
  /** Line of a field in the source file, or of its nearest ancestor that has one. */
  readonly lineOf: LineOf;
}

/** A document that could not be read: a finding of its own, the rest is still judged. */
export interface LoadProblem {
  readonly source: Source;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  /** Of what was not read: alike where two versions of it are. */
  readonly digest?: string;
}

/** A file, folder or document that was passed over, and why: what nobody judged is told, so that it does not read as a pass. */
export interface LeftOut {
  readonly file: string;
  /** Of a document. */
  readonly line?: number;
  readonly why: string;
  /** Of a document that would be applied once a tool has filled it in: alike where two versions of it are. */
  readonly digest?: string;
}

/** Files among those of a kustomization, with objects that no kustomization takes up. */
export interface Beside {
  /** Of the kustomization. */
  readonly folder: string;
  readonly files: readonly { readonly file: string; readonly digest: string }[];
}

export interface Loaded {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly LoadProblem[];
  readonly leftOut?: readonly LeftOut[];
  /** How many of the manifests are judged, the first; the others are others' and only known. All, if left out. */
  readonly own?: number;
  /** A folder that its kustomization cannot be applied to here, and why: nothing else is known of it. `others`: of the same reason. */
  readonly notBuilt?: { readonly folder: string; readonly reason: string; readonly others?: readonly string[] };
  /** What lies beside its kustomizations and is not judged. */
  readonly beside?: readonly Beside[];
  /** Helm charts that are not rendered, with why where rendering failed. */
  readonly charts?: readonly {
    readonly folder: string;
    readonly release: string;
    readonly namespace: string;
    readonly reason?: string;
  }[];
}
