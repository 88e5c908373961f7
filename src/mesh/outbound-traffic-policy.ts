import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { namespaceProblems } from '../core/names';
import { refuseAtSynth } from '../core/problem';
import { competingSidecars } from './competing-sidecars';
import { joinMesh } from './mesh-boundary';
import { namesNamespaces } from './namespace-names';
import { sidecarObject } from './sidecar-object';

/** What sidecars do with traffic to hosts that nobody registered. */
export enum OutboundMode {
  /** It is cut: 502 for HTTP, a reset for TLS and TCP. */
  REGISTRY_ONLY = 'REGISTRY_ONLY',

  /** It passes, seen as PassthroughCluster. */
  ALLOW_ANY = 'ALLOW_ANY',
}

/** For whom, and what. */
export interface OutboundTrafficPolicyProps {
  /** What sidecars do with traffic to hosts that nobody registered. */
  readonly mode: OutboundMode;

  /**
   * The namespace that it is for. The mesh's root namespace makes it the default of all namespaces that have none of their own.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * The workloads that it is for, by their labels.
   *
   * @default all of the namespace
   */
  readonly workloads?: { [key: string]: string };

  /**
   * The name of the Sidecar.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Decides for a namespace, or some of its workloads, whether traffic to unregistered hosts passes. Renders a Sidecar; for the
 * mesh as a whole, use `IstioInstall`.
 *
 * It is no boundary: a process that gets around its sidecar gets out. See EgressLockdown for what is.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/sidecar/#OutboundTrafficPolicy
 * @example
 * new OutboundTrafficPolicy(this, 'RegistryOnly', { namespace: 'shop', mode: OutboundMode.REGISTRY_ONLY });
 */
export class OutboundTrafficPolicy extends Construct {
  /** The rendered Sidecar, to patch. */
  public readonly sidecar: ApiObject;

  /** The namespace that it is for. */
  public readonly namespace: string;

  /** The workloads that it is for; none means all. */
  public readonly workloads: { [key: string]: string };

  public constructor(scope: Construct, id: string, props: OutboundTrafficPolicyProps) {
    super(scope, id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.workloads = { ...props.workloads };
    const { namespace, workloads } = this;
    this.sidecar = sidecarObject(this, { ...props, namespace, workloads });
    refuseAtSynth(this, () => namespaceProblems('namespace', props.namespace));
    joinMesh('Sidecar', this, competingSidecars);
    if (props.namespace !== undefined) namesNamespaces(this, () => [{ where: '`namespace`', name: this.namespace }]);
  }
}
