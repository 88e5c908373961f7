/** What a rule is. One rule a file, under `rules/`; its name is the file's. */
import type { FieldPath, Manifest, Source } from '../model/manifest';
import type { CheckContext } from './context';
import type { Severity } from './finding';

/** One place at which a rule found something. */
export interface Hit {
  /** Left out where there is no object: a document that could not be read. */
  readonly manifest?: Manifest;
  /** The place, if there is no object. */
  readonly source?: Source;
  readonly field: FieldPath;
  /** One sentence with the user's own values quoted, and both sides of a conflict. */
  readonly what: string;
  /** Only where it differs from the rule's own. */
  readonly why?: string;
  readonly fix?: string;
  readonly see?: string;
  readonly severity?: Severity;
  /** For what is seen where a request fails: the objects on its way. An error at one of them is the cause, and says so instead. */
  readonly onTheWay?: readonly Manifest[];
  /** Other objects that it hangs on: with values of theirs that nobody knows, or of another type than their schema has, it is not judged. */
  readonly beside?: readonly Manifest[];
}

export interface Rule {
  readonly id: `EDGE${number}`;
  readonly name: string;
  /** The gravest that it reports. */
  readonly severity: Severity;
  readonly title: string;
  readonly why: string;
  readonly fix: string;
  /** Page or source that says so. */
  readonly see: string;
  /** Kinds whose fields it reads: without any of them among the manifests it is not run. */
  readonly reads: readonly string[];
  /** Entries of docs/footguns.md that it finds. */
  readonly footguns: readonly string[];
  /** Of a rule that sees requests fail: rules that name the cause where they found an error in an object on the way. It is told there, once. */
  readonly causedBy?: readonly Rule['id'][];
  /** Its errors leave an object out of the mesh, which may be the cause of whatever fails on the way of a request. */
  readonly refuses?: boolean;
  /** It sees requests fail by what is wrong with the object that it names, whatever else they meet: only an error there is the cause. */
  readonly namesCause?: boolean;
  /** It sees requests that policies refuse: what is wrong with the form of another object is not why. */
  readonly isByPolicy?: true;
  /** It sees requests fail, and names the cause of others that do. */
  readonly isCauseToo?: boolean;
  /** What it finds is only probably wrong: a request that fails by it makes an error of it. */
  readonly needsProof?: boolean;
  /** Its warnings are enough, where a request fails by them: it may be that manifests do not show all. */
  readonly tellsEnough?: true;
  /** Rules that have said the same of an object where they saw a request fail. */
  readonly echoOf?: readonly Rule['id'][];
  /** It finds that something is missing: where the manifests are known to be a part only, that is an info, since the rest may have it. */
  readonly findsAbsence?: true;
  readonly check: (context: CheckContext) => Iterable<Hit>;
}
