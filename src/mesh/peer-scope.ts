import type * as security from '../../imports/security.istio.io';
import { namespaceProblems, portProblems } from '../core/names';
import { Problem } from '../core/problem';
import type { NamedNamespace } from './namespace-names';
import type { MutualTls } from './peer-authentication';

/** What may be said of some workloads beyond their labels. */
export interface PeerScopeOptions {
  /**
   * Ports that differ from the rest, by the number that the container listens on (not the Service's port).
   *
   * @default none
   */
  readonly ports?: { [port: string]: MutualTls };
}

/** Whose callers a PeerAuthentication is about. */
export class PeerScope {
  /**
   * Every workload of the mesh.
   *
   * @param rootNamespace the mesh's root namespace, "istio-system" if left out
   */
  public static mesh(rootNamespace?: string): PeerScope {
    return new PeerScope(rootNamespace ?? 'istio-system', {}, {}, true);
  }

  /**
   * Every workload of a namespace.
   *
   * @param name the namespace
   */
  public static inNamespace(name: string): PeerScope {
    return new PeerScope(name, {}, {}, false);
  }

  /**
   * Some workloads of a namespace. Each Pod should fit one such object only.
   *
   * @param namespace the namespace
   * @param labels the labels that choose the workloads, at least one
   * @param options ports that differ
   */
  public static workloads(namespace: string, labels: { [key: string]: string }, options?: PeerScopeOptions): PeerScope {
    return new PeerScope(namespace, labels, options?.ports ?? {}, false, true);
  }

  private constructor(
    /** The namespace that the object has to be in. */
    public readonly namespace: string,
    private readonly labels: { readonly [key: string]: string },
    private readonly ports: { readonly [port: string]: MutualTls },
    private readonly isMesh: boolean,
    private readonly isSelective = false,
  ) {}

  /** @internal */
  public get _isWide(): boolean {
    return !this.isSelective;
  }

  /** @internal */
  public _spec(): Pick<security.PeerAuthenticationSpec, 'selector' | 'portLevelMtls'> {
    const ports = Object.keys(this.ports).sort((a, b) => Number(a) - Number(b));
    return {
      selector: this.isSelective ? { matchLabels: { ...this.labels } } : undefined,
      portLevelMtls: ports.length
        ? Object.fromEntries(
            ports.map((port) => [
              port,
              { mode: this.ports[port] as string as security.PeerAuthenticationSpecPortLevelMtlsMode },
            ]),
          )
        : undefined,
    };
  }

  /** @internal */
  public _key(): string {
    const labels = Object.entries(this.labels).sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([this.namespace, labels]);
  }

  /** @internal */
  public _words(): string {
    if (this.isMesh) return 'the mesh';
    if (!this.isSelective) return `namespace ${this.namespace}`;
    return `workloads ${JSON.stringify(this.labels)} of namespace ${this.namespace}`;
  }

  /** @internal */
  public _named(): NamedNamespace[] {
    return this.isMesh ? [] : [{ where: '`appliesTo`', name: this.namespace }];
  }

  /** @internal */
  public _problems(): Problem[] {
    const problems = namespaceProblems('namespace', this.namespace);
    for (const port of Object.keys(this.ports)) problems.push(...portProblems('port', Number(port)));
    if (this.isSelective && !Object.keys(this.labels).length) {
      problems.push({
        what: 'workloads are chosen by no label',
        why: 'an object without a selector is about the whole namespace, and Istio ignores its ports',
        fix: 'give a label that the Pods carry, or use PeerScope.inNamespace',
      });
    }
    return problems;
  }
}
