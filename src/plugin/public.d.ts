/** What `cdk8s-mesh-edge/plugin` offers: the validation plugin of cdk8s-cli, and validations for apps that are run directly. */

/** A construct whose objects are judged. */
export interface Validated {
  readonly node: { addValidation(validation: { validate(): string[] }): void };
}

export interface ValidationProperties {
  /** Findings at least this serious fail the synthesis. @default error */
  readonly failOn?: 'error' | 'warning' | 'info';
  /** File with suppressions. @default mesh-edge.yaml, if there is one */
  readonly config?: string;
  /** What becomes of hosts that nothing declares. @default as the manifests say, else ALLOW_ANY */
  readonly outbound?: 'REGISTRY_ONLY' | 'ALLOW_ANY';
  /** @default istio-system */
  readonly rootNamespace?: string;
  /** @default cluster.local */
  readonly trustDomain?: string;
  /** Releases that the objects are judged by. @default found among the manifests, else the newest that are modelled */
  readonly istioVersion?: string;
  /** `1.4`, or `1.4/experimental` for that channel. */
  readonly gatewayApiVersion?: string;
  readonly envoyGatewayVersion?: string;
  readonly kubernetesVersion?: string;
}

/** Lets `app.synth()` refuse what check finds in an app, or in a chart alone. */
export declare function checkAtSynth(scope: Validated, properties?: ValidationProperties): void;

/** The same as a validation, for `node.addValidation`. */
export declare class CheckValidation {
  constructor(scope: Validated, properties?: ValidationProperties);
  validate(): string[];
}

/** The validation plugin of cdk8s-cli. */
export declare class MeshEdgeValidation {
  constructor(properties?: ValidationProperties);
  validate(context: object): Promise<void>;
}
