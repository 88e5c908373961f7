import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { OutputFile } from '../app/output-file';
import { MeshBoundary } from '../mesh/mesh-boundary';
import { readmeOf } from './readme';

/** What a scenario's README says of it, in the words of someone who has the documents open. */
export interface ScenarioText {
  /** What the scenario is, in a line. */
  readonly title: string;
  /** What the manifests do, a short paragraph. */
  readonly shows: string;
  /** What a request then does: `request` and what is seen. */
  readonly outcomes: readonly { readonly request: string; readonly seen: string }[];
  /** What has to be there before the manifests are applied. */
  readonly needs?: readonly string[];
}

/**
 * One reference scenario: a world by itself, in a folder of its own. Its objects may share names with another
 * scenario's, as they do in the documents.
 */
export abstract class ScenarioChart extends Chart {
  protected constructor(scope: Construct, id: string, text: ScenarioText) {
    super(scope, id);
    MeshBoundary.at(this);
    new OutputFile(this, 'Readme', { path: 'README.md', content: readmeOf(id, text) });
  }
}
