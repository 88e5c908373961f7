import { IConstruct } from 'constructs';
import { rememberLine } from '../core/own-line';
import { Problem, formatProblem } from '../core/problem';

const BOUNDARY = Symbol.for('cdk8s-mesh-edge.MeshBoundary');

/**
 * Draws the line around one mesh in an app that holds several: one chart a cluster, say. What is in different meshes
 * never conflicts, whatever its names and hosts.
 *
 * Without one, the whole app is one mesh.
 */
export class MeshBoundary {
  /**
   * Makes everything below `scope` a mesh of its own.
   *
   * @param scope a chart, or any construct above the objects of one mesh
   */
  public static at(scope: IConstruct): void {
    ledgerAt(scope).drawn = true;
  }

  private constructor() {}
}

/** A rule over all members of one kind that a mesh holds: pairs of construct and problem. */
type LedgerRule = (members: readonly unknown[]) => Array<{ at: IConstruct; problem: Problem }>;

/**
 * What the constructs of one mesh tell one another: each kind of member registers, and one rule a kind judges them all at synth.
 */
class Ledger {
  /** Whether it was asked for, rather than made at the root for want of one. */
  public drawn = false;

  private readonly kinds = new Map<string, { members: unknown[]; rule: LedgerRule }>();

  public constructor(private readonly boundary: IConstruct) {
    boundary.node.addValidation({ validate: () => this.validate() });
  }

  public add(kind: string, member: unknown, rule: LedgerRule): void {
    const entry = this.kinds.get(kind);
    if (entry) entry.members.push(member);
    else this.kinds.set(kind, { members: [member], rule });
  }

  public members(kind: string): readonly unknown[] {
    return this.kinds.get(kind)?.members ?? [];
  }

  private validate(): string[] {
    const found = [...this.kinds.values()].flatMap(({ members, rule }) => rule(members));
    return found.map(
      ({ at, problem }) => `${at === this.boundary ? '' : `at ${at.node.path}: `}${formatProblem(problem, at)}`,
    );
  }
}

interface HasLedger extends IConstruct {
  [BOUNDARY]?: Ledger;
}

function ledgerAt(scope: IConstruct): Ledger {
  const holder = scope as HasLedger;
  if (!holder[BOUNDARY]) Object.defineProperty(holder, BOUNDARY, { value: new Ledger(scope) });
  return holder[BOUNDARY] as Ledger;
}

function ledgerOf(construct: IConstruct): Ledger {
  let at: IConstruct = construct;
  for (;;) {
    const ledger = (at as HasLedger)[BOUNDARY];
    if (ledger) return ledger;
    const scope = at.node.scope;
    if (!scope) return ledgerAt(at);
    at = scope;
  }
}

/**
 * Registers `member` with its mesh. `rule` is called once at synth, with all members of `kind`.
 *
 * @internal
 */
export function joinMesh<T extends IConstruct>(
  kind: string,
  member: T,
  rule: (members: readonly T[]) => Array<{ at: IConstruct; problem: Problem }>,
): void {
  rememberLine(member);
  ledgerOf(member).add(kind, member, rule as LedgerRule);
}

/**
 * All members of `kind` in the mesh that `construct` is in. Complete at synth only.
 *
 * @internal
 */
export function meshMembers<T extends IConstruct>(kind: string, construct: IConstruct): readonly T[] {
  return ledgerOf(construct).members(kind) as readonly T[];
}

/**
 * The construct that bounds the mesh which `construct` is in: a boundary that was drawn, else the root.
 *
 * @internal
 */
export function meshBoundaryOf(construct: IConstruct): IConstruct {
  let at: IConstruct = construct;
  while (!(at as HasLedger)[BOUNDARY]?.drawn && at.node.scope) at = at.node.scope;
  return at;
}

/**
 * Whether two constructs are in one mesh.
 *
 * @internal
 */
export function sameMesh(a: IConstruct, b: IConstruct): boolean {
  return meshBoundaryOf(a) === meshBoundaryOf(b);
}
