/** What a command is told of the mesh because no manifest says it. What is left out is read from the manifests, or Istio's default. */
export interface MeshOptions {
  /** Default: what an IstioOperator, Helm values or the `istio` ConfigMap among the manifests say, else ALLOW_ANY. */
  readonly outbound?: 'REGISTRY_ONLY' | 'ALLOW_ANY';
  /** Default: what the manifests say, else istio-system. */
  readonly rootNamespace?: string;
  /** Default: what the manifests say, else cluster.local. */
  readonly trustDomain?: string;
  /** `1.29` or `1.29.1`. Default: the version whose rules this package was written to. */
  readonly istioVersion?: string;
}
