import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { competingSidecars } from './competing-sidecars';
import { joinMesh } from './mesh-boundary';
import { namesNamespaces } from './namespace-names';
import { OutboundMode } from './outbound-traffic-policy';
import { sidecarObject } from './sidecar-object';

/** For whom, and what they are told of. */
export interface SidecarScopeProps {
  /**
   * The hosts that proxies are told of, each as NAMESPACE/HOST: `./*` for all of their own namespace, `istio-system/*` for all of
   * another, a star as NAMESPACE for any. From Istio 1.31 on, `~NAMESPACE/HOST` takes hosts away that others take in.
   *
   * @default every host that is exported to the namespace
   */
  readonly hosts?: string[];

  /**
   * What sidecars do with traffic to hosts that they are not told of, or that nobody registered.
   *
   * @default what the mesh says
   */
  readonly mode?: OutboundMode;

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
 * Which hosts the sidecars of a namespace, or of some of its workloads, are told of: less to hold, and less that they route. Renders a Sidecar.
 *
 * It is no boundary: to a host that it leaves out, a sidecar does as `mode` says. Keep `istio-system/*` or the namespaces of what proxies need themselves.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/sidecar/
 * @example
 * new SidecarScope(this, 'Shop', { namespace: 'shop', hosts: ['./*', 'istio-system/*'] });
 */
export class SidecarScope extends Construct {
  /** The rendered Sidecar, to patch. */
  public readonly sidecar: ApiObject;

  /** The namespace that it is for. */
  public readonly namespace: string;

  /** The workloads that it is for; none means all. */
  public readonly workloads: { [key: string]: string };

  /** What it does with traffic to other hosts; undefined for what the mesh says. */
  public readonly mode?: OutboundMode;

  public constructor(scope: Construct, id: string, props: SidecarScopeProps) {
    super(scope, id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.workloads = { ...props.workloads };
    this.mode = props.mode;
    const { namespace, workloads } = this;
    this.sidecar = sidecarObject(this, { ...props, namespace, workloads });
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...hostProblems(props),
    ]);
    joinMesh('Sidecar', this, competingSidecars);
    if (props.namespace !== undefined) namesNamespaces(this, () => [{ where: '`namespace`', name: this.namespace }]);
  }
}

/** Forms that istiod's webhook takes (pkg/config/validation). */
const HOST = /^(\.|\*|~|~?[a-z0-9]([-a-z0-9]*[a-z0-9])?)\/[^/\s]+$/;

function hostProblems({ hosts, mode }: SidecarScopeProps): Problem[] {
  if (hosts === undefined && mode === undefined)
    return [
      {
        what: 'neither `hosts` nor `mode` is given',
        why: 'the Sidecar would say nothing, and hide the one of the root namespace',
        fix: 'give one of them, or leave the construct out',
      },
    ];
  if (hosts?.length === 0)
    return [
      {
        what: '`hosts` is empty',
        why: 'Istio refuses a Sidecar without hosts',
        fix: "write '~/*' for none, or leave `hosts` out for all",
      },
    ];
  return (hosts ?? [])
    .filter((host) => !HOST.test(host))
    .map((host) => ({
      what: `\`hosts\` has ${quote(host)}`,
      why: 'hosts of a Sidecar are NAMESPACE/HOST, and Istio refuses any other form',
      fix: `such as ${quote(`*/${host.replace(/^\/+/, '')}`)}, or './*' for all of the own namespace`,
    }));
}
