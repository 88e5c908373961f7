/** How a rule is shown to be right on the real thing: what its bad example does there, and what its good one does. */
import { type KubeObject } from '../../lab/api';
import { type OracleConfig } from '../../trace/oracle/process';
import { type AmbientMesh } from '../ambient';
import { type Mesh } from '../mesh';
import { type Request } from './oracle';

/** What is seen with the bad example, and with the good one, word for word. */
export interface Seen {
  readonly bad: string;
  readonly good: string;
}

/** The API server, its schemas and CEL rules, or istiod's webhook refuses the bad example and takes the good one. */
export interface ByAdmission {
  readonly by: 'admission';
  /** Part of what is said to the bad one. */
  readonly says: string;
}

/** A request, as istiod configures the proxies and Istio's simulation follows it. */
export interface ByRequest extends Seen {
  readonly by: 'request';
  readonly ask: Request | { readonly bad: Request; readonly good: Request };
  /** Objects that the example leaves out for being short. */
  readonly beside?: Beside;
}

/** A part of what istiod sends to a proxy. */
export interface ByConfiguration extends Seen {
  readonly by: 'configuration';
  readonly of: string;
  /** What is looked at, in words. */
  readonly look: string;
  readonly at: (sent: OracleConfig) => string;
  readonly beside?: Beside;
}

/** What is seen in the lab, with real proxies, the real injector and the real scheduler. */
export interface ByLab extends Seen {
  readonly by: 'lab';
  /** What is looked at, in words. */
  readonly look: string;
  /** What is applied, where it is anything. */
  readonly world?: (
    example: readonly KubeObject[],
    mesh: Mesh,
  ) => readonly KubeObject[] | Promise<readonly KubeObject[]>;
  readonly see: (mesh: Mesh, kind: 'bad' | 'good', example: readonly KubeObject[]) => Promise<string>;
}

/** What is seen where istiod runs in ambient mode: what it tells ztunnels, and what a waypoint does with what a test sends in ztunnel's place. */
export interface ByAmbient extends Seen {
  readonly by: 'ambient';
  /** What is looked at, in words. */
  readonly look: string;
  /** Objects that the example leaves out for being short. */
  readonly beside?: readonly KubeObject[];
  readonly see: (ambient: AmbientMesh) => Promise<string>;
}

/** A test of the real mesh that breaks the same thing in a whole scenario. */
export interface ByTest {
  readonly by: 'test';
  /** Below `test/mesh`. */
  readonly file: string;
  /** The test's name, which is what was seen. */
  readonly test: string;
}

/** There is nothing real to ask. */
export interface NotPossible {
  readonly by: 'reason';
  readonly reason: string;
}

export type Beside = readonly KubeObject[] | ((example: readonly KubeObject[]) => readonly KubeObject[]);
export type Confirmation = ByAdmission | ByRequest | ByConfiguration | ByLab | ByAmbient | ByTest | NotPossible;

/** By `rule/case`, the case a file of `test/invalid/` without its ending; by `rule` alone for all its cases that are not named. */
export type Confirmations = Readonly<Record<string, Confirmation>>;
