import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { joinMesh } from './mesh-boundary';
import { MeshObject } from './mesh-object';
import { namesNamespaces } from './namespace-names';

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
    const selects = Object.keys(this.workloads).length > 0;
    this.sidecar = new MeshObject(this, 'Resource', {
      ...networking.Sidecar.GVK,
      metadata: objectMetadata({ name: props.name ?? nameOfId(id), namespace: this.namespace }, props.metadata),
      manifest: networking.Sidecar.manifest,
      spec: () => ({
        spec: {
          workloadSelector: selects ? { labels: this.workloads } : undefined,
          outboundTrafficPolicy: { mode: props.mode as string as networking.SidecarSpecOutboundTrafficPolicyMode },
        },
      }),
    });
    refuseAtSynth(this, () => namespaceProblems('namespace', props.namespace));
    joinMesh('Sidecar', this, competingSidecars);
    if (props.namespace !== undefined) namesNamespaces(this, () => [{ where: '`namespace`', name: this.namespace }]);
  }
}

/** Istio leaves it open which of two Sidecars wins that select the same workload with the same precision. */
function competingSidecars(sidecars: readonly OutboundTrafficPolicy[]): Array<{ at: IConstruct; problem: Problem }> {
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  const seen = new Map<string, OutboundTrafficPolicy>();
  for (const sidecar of sidecars) {
    const labels = Object.entries(sidecar.workloads)
      .sort()
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    const key = `${sidecar.namespace}/${labels}`;
    const other = seen.get(key);
    const whom =
      labels === ''
        ? `all workloads of ${quote(sidecar.namespace)}`
        : `workloads ${labels} of ${quote(sidecar.namespace)}`;
    if (other)
      found.push({
        at: sidecar,
        problem: {
          what: `${whom} have a Sidecar by both ${other.node.path} and ${sidecar.node.path}`,
          why: 'Istio uses one of them, and does not say which',
          fix: 'keep one',
        },
      });
    else seen.set(key, sidecar);
  }
  return found;
}
