import { Construct, IConstruct, IValidation } from 'constructs';
import { ownLine, rememberLine } from './own-line';

/**
 * One thing that is wrong, in the four parts that every message of this library has. Where it is wrong is the path of
 * the construct that holds it.
 *
 * @internal
 */
export interface Problem {
  /** What is wrong, with the user's own value quoted. */
  readonly what: string;
  /** What would happen on a real mesh. */
  readonly why: string;
  /** What to write instead. */
  readonly fix: string;
}

/** @internal */
export function formatProblem(problem: Problem, at?: IConstruct): string {
  const line = at === undefined ? undefined : ownLine(at);
  return `${problem.what}\n      why: ${problem.why}\n      fix: ${problem.fix}${line === undefined ? '' : `\n      at: ${line}`}`;
}

class Problems implements IValidation {
  public constructor(
    private readonly construct: IConstruct,
    private readonly find: () => readonly Problem[],
  ) {}

  public validate(): string[] {
    return this.find().map((problem) => formatProblem(problem, this.construct));
  }
}

/**
 * Registers what must hold of a construct when the app is synthesized. Problems are gathered there rather than thrown at
 * the call, so that a user who made five mistakes reads about five, each with its construct path.
 *
 * @internal
 */
export function refuseAtSynth(construct: Construct, find: () => readonly Problem[]): void {
  rememberLine(construct);
  construct.node.addValidation(new Problems(construct, find));
}

/** @internal */
export function quote(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
