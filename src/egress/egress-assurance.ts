import { DedicatedNodes } from './dedicated-nodes';

/**
 * How sure it is that traffic leaves by the gateway alone, as a value that manifests carry (`mesh-edge.cdk8s.io/assurance`) and a reviewer can ask
 * about. Each level names what it does not hold.
 *
 * Below both is what the mesh does by itself, REGISTRY_ONLY and policies: it holds whoever goes through a sidecar, and no process that gets
 * around it (another user id, a packet that is not TCP, a pod without a sidecar).
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/#additional-security-considerations
 */
export class EgressAssurance {
  /** The cluster's network refuses what does not come from the gateway. Needs a network plugin that enforces NetworkPolicies. */
  public static networkPolicy(): EgressAssurance {
    return new EgressAssurance('network-policy', [
      'whoever may write NetworkPolicies, or pods in the host network, can open another way',
      'connections that were open before the policies stay open in most network plugins',
      'names can be asked of the cluster DNS, which carries little data but any',
    ]);
  }

  /**
   * Beyond that, the gateway runs on nodes of its own, and a firewall or NAT outside the cluster lets only those nodes out.
   *
   * @param nodes the nodes, as the gateway was given them
   * @param boundary what lets only these nodes out, in words for the reader of the manifests: "NAT gateway nat-0a1b of subnet edge"
   */
  public static dedicatedNodes(nodes: DedicatedNodes, boundary: string): EgressAssurance {
    return new EgressAssurance(
      'dedicated-nodes',
      [
        `holds as far as this boundary does, which no manifest shows: ${boundary}`,
        'names can be asked of the cluster DNS, which carries little data but any',
      ],
      nodes,
      boundary,
    );
  }

  private constructor(
    /** The level: "network-policy" or "dedicated-nodes". */
    public readonly level: string,
    /** What the level does not hold. */
    public readonly residualRisks: string[],
    /** The nodes, where the gateway has its own. */
    public readonly nodes?: DedicatedNodes,
    /** What outside the cluster lets only these nodes out. */
    public readonly boundary?: string,
  ) {}

  /** The annotations by which manifests state the level. */
  public get annotations(): { [key: string]: string } {
    return {
      'mesh-edge.cdk8s.io/assurance': this.level,
      'mesh-edge.cdk8s.io/residual-risks': this.residualRisks.join('; '),
    };
  }
}
