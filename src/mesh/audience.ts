import { IConstruct } from 'constructs';
import { renderedBy } from '../core/api-objects';
import { namespaceProblems } from '../core/names';
import { Problem } from '../core/problem';
import type { NamedNamespace } from './namespace-names';

/**
 * Who in the mesh sees an object: the namespaces whose proxies get it from istiod (`exportTo`).
 *
 * What a proxy does not see costs it nothing and changes nothing for it, so the least audience that works is the best one.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/service-entry/#ServiceEntry-export_to
 */
export class Audience {
  /** All namespaces of the mesh. Written out as `*`, so that a reader sees that it was meant. */
  public static mesh(): Audience {
    return new Audience([], true);
  }

  /** The namespace that the object itself is in, and no other. */
  public static ownNamespace(): Audience {
    return new Audience([], false);
  }

  /**
   * These namespaces, and the object's own.
   *
   * @param names at least one namespace
   */
  public static namespaces(...names: string[]): Audience {
    return new Audience(names, false);
  }

  /**
   * The namespaces that these constructs are or lie in, and the object's own.
   *
   * @param constructs Namespaces, or objects in namespaces, made by any version of cdk8s-plus or as ApiObjects
   * @throws Error where a construct has no object, or nothing says its namespace
   */
  public static of(...constructs: IConstruct[]): Audience {
    const names = constructs.map((construct) => {
      const { kind, name, namespace } = renderedBy(construct, 'Audience.of');
      const found = kind === 'Namespace' ? name : namespace;
      if (found === undefined)
        throw new Error(
          `Audience.of: ${kind} ${name} (${construct.node.path}) has no namespace, and its chart has none`,
        );
      return found;
    });
    return new Audience(names, false);
  }

  private constructor(
    private readonly names: readonly string[],
    private readonly everyone: boolean,
  ) {}

  /** Whether every namespace is meant. */
  public get isMesh(): boolean {
    return this.everyone;
  }

  /**
   * `exportTo` of an object in `owner`, which these `others` need to see as well.
   *
   * @internal
   */
  public _exportTo(owner: string, ...others: string[]): string[] {
    if (this.everyone) return ['*'];
    const seen = new Set([...this.names, ...others]);
    seen.delete(owner);
    return ['.', ...[...seen].sort()];
  }

  /**
   * `exportTo` of an object in `owner` that these namespaces see (`*`: all), and its own only if it is among them.
   *
   * @internal
   */
  public static _exportOnlyTo(owner: string, ...readers: string[]): string[] {
    const others = new Set(readers);
    if (others.has('*')) return ['*'];
    return [...(others.delete(owner) ? ['.'] : []), ...[...others].sort()];
  }

  /**
   * Who sees an object in `owner`: namespaces, or `*` for all.
   *
   * @internal
   */
  public _readers(owner: string): string[] {
    return this.everyone ? ['*'] : this._namespaces(owner);
  }

  /**
   * The namespaces named, for an object in `owner`.
   *
   * @internal
   */
  public _namespaces(owner: string): string[] {
    return [...new Set([owner, ...this.names])].sort();
  }

  /** @internal */
  public _named(): NamedNamespace[] {
    return this.names.map((name) => ({ where: '`audience`', name }));
  }

  /** @internal */
  public _problems(): Problem[] {
    return this.names.flatMap((name) => namespaceProblems('audience', name));
  }
}
