/** The nodes that an egress gateway alone runs on. */
export class DedicatedNodes {
  /**
   * Nodes with these labels, tainted with the same keys and values, so that nothing else is scheduled onto them.
   *
   * Labels and taints are the cluster's: `kubectl label node N edge=egress`, `kubectl taint node N edge=egress:NoSchedule`. Without the taint other pods
   * run there too; without a firewall or NAT for these nodes alone, traffic still leaves from anywhere.
   *
   * @param labels at least one label
   */
  public static labeled(labels: { [key: string]: string }): DedicatedNodes {
    return new DedicatedNodes(labels, labels);
  }

  /**
   * Nodes with these labels, whose taints are others.
   *
   * @param labels at least one label
   * @param taints the keys and values of the taints (effect NoSchedule, NoExecute or both) that the gateway tolerates
   */
  public static labeledAndTainted(
    labels: { [key: string]: string },
    taints: { [key: string]: string },
  ): DedicatedNodes {
    return new DedicatedNodes(labels, taints);
  }

  private constructor(
    /** The labels of the nodes. */
    public readonly labels: { [key: string]: string },
    /** The taints of the nodes, tolerated. */
    public readonly taints: { [key: string]: string },
  ) {}
}
