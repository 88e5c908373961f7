import { Construct } from 'constructs';
import { refuseAtSynth } from '../core/problem';

/** What a file beside the manifests holds, and where it goes. */
export interface OutputFileProps {
  /**
   * Where the file goes, relative to the folder of its chart. Forward slashes only, and never out of that folder.
   */
  readonly path: string;

  /** The whole text of the file. A line end is added where it lacks one. */
  readonly content: string;
}

/**
 * A file that belongs with a chart's manifests and is none itself: install input for istioctl or Helm, or a README.
 *
 * Written by `EdgeApp`; cdk8s' own `App` leaves it out.
 * @example
 * new OutputFile(this, 'Readme', { path: 'README.md', content: 'What may cross the edge.' });
 */
export class OutputFile extends Construct {
  /** Where the file goes, relative to the folder of its chart. */
  public readonly path: string;

  /** The whole text of the file. */
  public readonly content: string;

  public constructor(scope: Construct, id: string, props: OutputFileProps) {
    super(scope, id);
    this.path = props.path;
    this.content = props.content.endsWith('\n') ? props.content : `${props.content}\n`;
    refuseAtSynth(this, () =>
      /^(?!\/)(?!.*(^|\/)\.\.?(\/|$))[^\\]+$/.test(props.path)
        ? []
        : [
            {
              what: `path ${JSON.stringify(props.path)} leaves the folder of its chart`,
              why: 'a chart writes only what is its own',
              fix: 'use a relative path without "..", such as "install/values.yaml"',
            },
          ],
    );
  }
}
