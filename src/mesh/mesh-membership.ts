/** The labels by which a namespace joins the mesh or stays out. */
export const membershipLabels: readonly string[] = ['istio-injection', 'istio.io/rev', 'istio.io/dataplane-mode'];

/**
 * How the Pods of a namespace take part in the mesh.
 *
 * @see https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
 */
export class MeshMembership {
  /** A sidecar in each Pod, from the istiod that has no revision, or the default one: `istio-injection: enabled`. */
  public static sidecar(): MeshMembership {
    return new MeshMembership({ 'istio-injection': 'enabled' }, true);
  }

  /**
   * A sidecar in each Pod, from the istiod of a revision: `istio.io/rev`. `istio-injection` must be absent then, because it
   * would win.
   *
   * @param name the revision, or a revision tag, such as "1-29-1" or "stable"
   */
  public static revision(name: string): MeshMembership {
    return new MeshMembership({ 'istio.io/rev': name }, true);
  }

  /** No sidecars: each node's ztunnel captures the traffic, and waypoints handle HTTP. `istio.io/dataplane-mode: ambient`. */
  public static ambient(): MeshMembership {
    return new MeshMembership({ 'istio.io/dataplane-mode': 'ambient' }, false);
  }

  /** Outside the mesh, said by no label at all. A Pod may still ask for a sidecar by a label of its own. */
  public static none(): MeshMembership {
    return new MeshMembership({}, false);
  }

  /** Outside the mesh whatever a Pod asks for: `istio-injection: disabled`. */
  public static optedOut(): MeshMembership {
    return new MeshMembership({ 'istio-injection': 'disabled' }, false);
  }

  /** What another repository or tool says, and this app does not: no label is rendered, and no rule is judged by it. */
  public static unknown(): MeshMembership {
    return new MeshMembership({}, false, false);
  }

  private constructor(
    private readonly labels: { readonly [key: string]: string },
    private readonly injected: boolean,
    private readonly known = true,
  ) {}

  /** Whether it is known here; where it is not, neither of the other two is true. */
  public get isKnown(): boolean {
    return this.known;
  }

  /** Whether ztunnel captures the traffic of Pods. */
  public get isAmbient(): boolean {
    return this.labels['istio.io/dataplane-mode'] === 'ambient';
  }

  /** Whether Pods get a sidecar. */
  public get isInjected(): boolean {
    return this.injected;
  }

  /** @internal */
  public _labels(): { [key: string]: string } {
    return { ...this.labels };
  }
}
