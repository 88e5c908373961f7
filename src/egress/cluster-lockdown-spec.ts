/** What a cluster-wide policy is to say. */
export interface ClusterLockdownInput {
  /** Annotations that state the assurance. */
  readonly annotations: { readonly [key: string]: string };
  /** The namespace of the gateway. */
  readonly gatewayNamespace: string;
  /** The labels of its pods. */
  readonly gatewaySelector: { readonly [key: string]: string };
  /** Namespaces that are left alone. */
  readonly exempt: readonly string[];
  /** The cluster's own address ranges. */
  readonly clusterRanges: readonly string[];
}

/** The spec of a CiliumClusterwideNetworkPolicy. */
export function cilium({ gatewayNamespace, exempt }: ClusterLockdownInput): { [key: string]: unknown } {
  const key = 'k8s:io.kubernetes.pod.namespace';
  return {
    endpointSelector: { matchExpressions: [{ key, operator: 'NotIn', values: [gatewayNamespace, ...exempt].sort() }] },
    // A policy that only denies would leave what it does not name to the default, which an empty rule keeps open.
    enableDefaultDeny: { egress: false, ingress: false },
    egressDeny: [{ toEntities: ['world'] }],
  };
}

/** The spec of a GlobalNetworkPolicy. */
export function calico({ gatewayNamespace, exempt, clusterRanges }: ClusterLockdownInput): { [key: string]: unknown } {
  const namespaces = [gatewayNamespace, ...exempt].sort().map((name) => `'${name}'`);
  return {
    order: 10,
    namespaceSelector: `kubernetes.io/metadata.name not in { ${namespaces.join(', ')} }`,
    types: ['Egress'],
    egress: [
      // Inside the cluster the next policies decide; outside it nothing does.
      { action: 'Pass', destination: { nets: [...clusterRanges] } },
      { action: 'Deny' },
    ],
  };
}
