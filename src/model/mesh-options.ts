/** What a command is told of the mesh because no manifest says it. What is left out is read from the manifests, or Istio's default. */
export interface MeshOptions {
  /** Default: what an IstioOperator, Helm values or the `istio` ConfigMap among the manifests say, else ALLOW_ANY. */
  readonly outbound?: 'REGISTRY_ONLY' | 'ALLOW_ANY';
  /** Default: what the manifests say, else istio-system. */
  readonly rootNamespace?: string;
  /** Default: what the manifests say, else cluster.local. */
  readonly trustDomain?: string;
  /** `1.29` or `1.29.1`. Default: what the manifests show (images, charts, revisions), else the newest that is modelled. */
  readonly istioVersion?: string;
  /** `1.4`, or `1.4/experimental` for that channel. Default: that of the CRDs among the manifests, else the newest of both channels. */
  readonly gatewayApiVersion?: string;
  /** `1.7` or `1.7.0`. Default: what the manifests show, else the newest that is modelled. */
  readonly envoyGatewayVersion?: string;
  /** `1.34`. Default: that of Nodes among the manifests, else the newest that is modelled. */
  readonly kubernetesVersion?: string;
}
