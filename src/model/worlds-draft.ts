/** A build root: a mesh of its own, finished or while it is put together. */
import type { Chart } from './charts';
import type { LoadProblem, Loaded, Manifest } from './manifest';

export interface World {
  /** The folder, as a message names it; of one file or of standard input, its name. */
  readonly name: string;
  /** As the tree has it; of several, the first. */
  readonly folder: string;
  readonly by: 'kustomize' | 'flux' | 'argo' | 'helm' | 'files' | 'configured';
  readonly loaded: Loaded;
  /** What it takes up from elsewhere, and nothing here shows. */
  readonly remote: readonly string[];
  /** Charts of the repository that belong to it and are not rendered. */
  readonly charts?: readonly Chart[];
  /** Why it could not be built; then nothing of it is judged. */
  readonly notBuilt?: string;
  /** Then, the files that it would be built of. */
  readonly uses?: readonly string[];
}

/** A world while it is put together. */
export interface Draft {
  readonly name: string;
  readonly folder: string;
  by: World['by'];
  /** Of files as they stand, which may be applied from elsewhere. */
  readonly isPlain?: true;
  manifests: Manifest[];
  readonly problems: LoadProblem[];
  readonly remote: string[];
  readonly charts: Chart[];
  readonly notBuilt?: string;
  readonly uses?: readonly string[];
  readonly leftOut?: Loaded['leftOut'];
  /** Of files that no kustomization takes up: the folder of the one that they lie beside. */
  readonly besideOf?: string;
}
