import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct } from 'constructs';
import * as extensions from '../../imports/extensions.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { objectNameProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { AccessTarget } from './access-target';
import { ExtensionCode } from './extension-code';

/** Where among Istio's own filters code runs. */
export enum ExtensionPhase {
  /** Before tokens and identities are read. */
  AUTHN = 'AUTHN',

  /** After these are read, and before AuthorizationPolicies. */
  AUTHZ = 'AUTHZ',

  /** After AuthorizationPolicies, and before what counts requests. */
  STATS = 'STATS',
}

/** Which side of its workload's traffic a proxy reads. Gateways count as clients. */
export enum ExtensionSide {
  /** What the workload asks of others. */
  CLIENT = 'CLIENT',

  /** What is asked of the workload. */
  SERVER = 'SERVER',
}

/** What code runs, on which traffic. */
export interface TrafficExtensionProps {
  /** Whose proxies run it. */
  readonly target: AccessTarget;

  /** What runs. */
  readonly code: ExtensionCode;

  /**
   * Where it runs among Istio's own filters.
   *
   * @default last, before the request is routed
   */
  readonly phase?: ExtensionPhase;

  /**
   * Its place among extensions of one phase: the higher, the earlier.
   *
   * @default 0
   */
  readonly priority?: number;

  /**
   * The side of the traffic that it reads.
   *
   * @default both
   */
  readonly side?: ExtensionSide;

  /**
   * Ports, by the number that the connection is to, from 1 to 65535.
   *
   * @default all
   */
  readonly ports?: number[];

  /**
   * Its name.
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
 * Code of one's own in the proxies of Istio: headers that no route can write, checks of bodies, modules that a vendor sells. Renders one
 * TrafficExtension. What the code does with a request no manifest tells, so `trace` leaves such requests unknown.
 *
 * Needs Istio 1.30 or newer: a `MeshTarget` of an older one refuses it at synth.
 *
 * @see https://istio.io/latest/docs/reference/config/proxy_extensions/traffic_extension/
 * @example
 * new TrafficExtension(this, 'RequestId', {
 *   target: AccessTarget.workloads(Workloads.in('shop', { app: 'orders' })),
 *   code: ExtensionCode.lua('function envoy_on_response(handle) handle:headers():add("x-served-by", "orders") end'),
 *   side: ExtensionSide.SERVER,
 * });
 */
export class TrafficExtension extends Construct {
  /** Whose proxies run the code. */
  public readonly target: AccessTarget;

  /** The rendered TrafficExtension, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: TrafficExtensionProps) {
    super(scope, id);
    this.target = props.target;
    const { namespace } = this.target;
    this.resource = new MeshObject<extensions.TrafficExtensionProps>(this, 'Resource', {
      ...extensions.TrafficExtension.GVK,
      metadata: objectMetadata({ name: props.name ?? nameOfId(id), namespace }, props.metadata),
      manifest: extensions.TrafficExtension.manifest,
      spec: () => ({
        spec: {
          ...this.target._spec(),
          ...props.code._spec(),
          phase: props.phase as extensions.TrafficExtensionSpecPhase | undefined,
          priority: props.priority,
          match: matchOf(props),
        },
      }),
    });
    refuseAtSynth(this, () => this.problems(props));
    joinMesh<TrafficExtension>('TrafficExtension', this, () => []);
    namesNamespaces(this, () => this.target._named);
  }

  private problems({ name, code, priority, ports = [] }: TrafficExtensionProps): Problem[] {
    const problems = [...objectNameProblems('name', name), ...this.target._problems(this), ...code._problems()];
    const bad = ports.filter((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
    const twice = ports.filter((port, at) => ports.indexOf(port) !== at);
    if (bad.length + twice.length > 0)
      problems.push({
        what: `\`ports\` is ${ports.join(', ')}`,
        why: 'ports are whole numbers from 1 to 65535, each once',
        fix: 'write the number that connections are to',
      });
    if (priority !== undefined && (!Number.isInteger(priority) || Math.abs(priority) > 2_147_483_647))
      problems.push({ what: `\`priority\` is ${priority}`, why: 'it is a whole number', fix: 'write one, such as 10' });
    return problems;
  }
}

function matchOf({ side, ports }: TrafficExtensionProps): extensions.TrafficExtensionSpecMatch[] | undefined {
  if (side === undefined && ports === undefined) return undefined;
  return [
    {
      mode: side as extensions.TrafficExtensionSpecMatchMode | undefined,
      ports: ports?.map((number) => ({ number })),
    },
  ];
}
