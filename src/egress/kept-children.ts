import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';

/**
 * Objects that follow from a sum which still grows: a policy that comes later may want more of them, or others.
 *
 * @internal
 */
export class KeptChildren {
  private readonly kept = new Map<string, Set<string>>();

  public constructor(private readonly scope: Construct) {}

  /** The objects that are kept for these. */
  public of(keys: Iterable<string>): ApiObject[] {
    const ids = [...new Set(keys)].flatMap((key) => [...(this.kept.get(key) ?? [])]);
    return [...new Set(ids)].flatMap((id) => {
      const child = this.scope.node.tryFindChild(id);
      return child && ApiObject.isApiObject(child) ? [child] : [];
    });
  }

  /** Makes the children that are wanted and not there, and takes away those that were wanted `of` the same thing before. */
  public keep(of: string, wanted: ReadonlyMap<string, () => ApiObject>): void {
    const { node } = this.scope;
    for (const id of this.kept.get(of) ?? []) if (!wanted.has(id)) node.tryRemoveChild(id);
    for (const [id, make] of wanted) if (!node.tryFindChild(id)) make();
    this.kept.set(of, new Set(wanted.keys()));
  }
}
