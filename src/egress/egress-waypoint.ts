import { ApiObject, Chart, Yaml } from 'cdk8s';
import type * as k8s from '../../imports/k8s';
import { Construct, IConstruct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import * as security from '../../imports/security.istio.io';
import { nameOfId } from '../core/ids';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { coreBindings } from '../mesh/core-bindings';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { DedicatedNodes } from './dedicated-nodes';
import { IEgressProxy } from './egress-proxy';
import { WaypointGrant } from './waypoint-grant';
import { WaypointPolicies } from './waypoint-policies';

/** A waypoint for egress, as policies need to know it. */
export interface IEgressWaypoint extends IEgressProxy {
  /** Its name. */
  readonly name: string;
}

/** What there is to say of a waypoint for egress. */
export interface EgressWaypointProps {
  /**
   * The namespace that it runs in. It should hold nothing else: who may run Pods there may use its credentials.
   *
   * @default the chart's namespace, else "istio-egress"
   */
  readonly namespace?: string;

  /**
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * How many Pods it runs in. With two or more, a disruption budget takes away one of them at a time.
   *
   * @default 2
   */
  readonly replicas?: number;
}

const HBONE = { name: 'mesh', port: 15008, protocol: 'HBONE' };
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/**
 * The proxy through which workloads without sidecars leave the mesh (ambient mode): what an EgressGateway is for sidecars. Each node's
 * ztunnel sends it what is dialled of the services that are bound to it, inside the mesh's own mutual TLS, so that it knows every caller by
 * its certificate, on every protocol.
 *
 * Renders a Gateway of Gateway API, from which istiod runs the proxy, and an AuthorizationPolicy that lets nobody through; who may reach what
 * is said by a WaypointTrafficPolicy. Nobody passes that no policy names, not even to a service that somebody else binds to this waypoint by
 * a label.
 *
 * Istio has to run in ambient mode (`profile=ambient`), with DNS capture, which is its default.
 *
 * It holds what is sent to the services that are bound to it. ztunnel lets everything else out: REGISTRY_ONLY means nothing to it, so the rest
 * is for NetworkPolicies to hold (EgressLockdown).
 *
 * @see https://istio.io/latest/docs/ambient/usage/waypoint/
 * @example
 * const waypoint = new EgressWaypoint(this, 'Waypoint', { namespace: 'istio-egress' });
 * new WaypointTrafficPolicy(this, 'Policy', {
 *   waypoint,
 *   rules: [{ from: [Workloads.serviceAccount('shop', 'payments')], to: [stripe] }],
 * });
 */
export class EgressWaypoint extends Construct implements IEgressWaypoint {
  public readonly name: string;
  public readonly namespace: string;

  /** The labels that istiod gives its Pods. */
  public readonly selector: { [key: string]: string };

  /** The port that its Pods listen on. */
  public readonly podPorts: number[] = [HBONE.port];

  /** The rendered Gateway, to patch. */
  public readonly gateway: ApiObject;

  /** The rendered AuthorizationPolicy that lets nobody through, to patch. */
  public readonly denyRest: ApiObject;

  /** The rendered ConfigMap with the replicas and the disruption budget, to patch. */
  public readonly parameters: ApiObject;

  private readonly policies: WaypointPolicies;

  public constructor(scope: Construct, id: string, props: EgressWaypointProps = {}) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'istio-egress';
    this.selector = { 'gateway.networking.k8s.io/gateway-name': this.name };
    this.parameters = this.renderParameters(props.replicas ?? 2);
    this.gateway = this.renderGateway();
    this.denyRest = new MeshObject(this, 'DenyRest', {
      ...security.AuthorizationPolicy.GVK,
      metadata: { name: `${this.name}-deny-rest`, namespace: this.namespace },
      manifest: security.AuthorizationPolicy.manifest,
      spec: () => ({
        spec: { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: this.name }] },
      }),
    });
    this.policies = new WaypointPolicies(this, this);
    refuseAtSynth(this, () => this.problems(props));
    joinMesh<EgressWaypoint>('EgressWaypoint', this, namedOnce);
  }

  /**
   * Lets callers through, as a WaypointTrafficPolicy says.
   *
   * @internal
   */
  public _admit(grants: readonly WaypointGrant[]): void {
    this.policies.add(grants);
  }

  /** @internal */
  public readonly _nodes: DedicatedNodes | undefined | 'unknown' = undefined;

  /** @internal */
  public get _callingNamespaces(): string[] {
    return [...new Set(this.policies.grants.map(({ from }) => from.namespace))].sort();
  }

  private renderGateway(): ApiObject {
    return new MeshObject<gatewayApi.GatewayProps>(this, 'Gateway', {
      ...gatewayApi.Gateway.GVK,
      metadata: { name: this.name, namespace: this.namespace, labels: { 'istio.io/waypoint-for': 'service' } },
      manifest: gatewayApi.Gateway.manifest,
      spec: () => ({
        spec: {
          gatewayClassName: 'istio-waypoint',
          infrastructure: { parametersRef: { group: '', kind: 'ConfigMap', name: this.parameters.name } },
          listeners: [{ ...HBONE, allowedRoutes: { namespaces: this.users() } }],
        },
      }),
    });
  }

  /** The namespaces of the services that are bound to it. A waypoint ignores bindings from any other. */
  private users(): gatewayApi.GatewaySpecListenersAllowedRoutesNamespaces {
    const from = gatewayApi.GatewaySpecListenersAllowedRoutesNamespacesFrom;
    const namespaces = [...new Set(this.policies.grants.map(({ service }) => service.namespace))].sort();
    if (namespaces.every((namespace) => namespace === this.namespace)) return { from: from.SAME };
    return {
      from: from.SELECTOR,
      selector: { matchExpressions: [{ key: NAMESPACE_NAME, operator: 'In', values: namespaces }] },
    };
  }

  private renderParameters(replicas: number): ApiObject {
    const data: { [key: string]: string } = { deployment: Yaml.stringify({ spec: { replicas } }) };
    if (replicas > 1) data.podDisruptionBudget = Yaml.stringify({ spec: { maxUnavailable: 1 } });
    return new MeshObject<k8s.KubeConfigMapProps>(this, 'Parameters', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${this.name}-parameters`, namespace: this.namespace },
      manifest: (fields) => coreBindings().KubeConfigMap.manifest(fields),
      spec: () => ({ data }),
    });
  }

  private problems({ replicas = 2 }: EgressWaypointProps): Problem[] {
    const problems = [
      ...namespaceProblems('namespace', this.namespace),
      ...objectNameProblems('name', this.name),
      ...this.policies.problems(),
    ];
    if (this.name === 'none')
      problems.push({
        what: 'a waypoint named "none"',
        why: 'the label istio.io/use-waypoint: none means no waypoint at all',
        fix: 'give it another name',
      });
    if (!Number.isInteger(replicas) || replicas < 1)
      problems.push({
        what: `\`replicas\` is ${quote(replicas)}`,
        why: 'a waypoint without Pods is not ready, and what is bound to it leaves without passing any policy',
        fix: 'use 1 or more',
      });
    if (!this.policies.grants.length)
      problems.push({
        what: `waypoint ${quote(this.name)} lets nothing through`,
        why: 'no service is bound to it',
        fix: 'add a WaypointTrafficPolicy, or leave the waypoint out',
      });
    return problems;
  }
}

function namedOnce(waypoints: readonly EgressWaypoint[]): Array<{ at: IConstruct; problem: Problem }> {
  const owners = new Map<string, EgressWaypoint>();
  return waypoints.flatMap((waypoint) => {
    const reference = `${waypoint.namespace}/${waypoint.name}`;
    const other = owners.get(reference);
    if (!other) {
      owners.set(reference, waypoint);
      return [];
    }
    const problem = {
      what: `waypoint ${quote(reference)} is made by both ${other.node.path} and ${waypoint.node.path}`,
      why: 'the one applied last decides about both',
      fix: 'keep one, and give both policies that one',
    };
    return [{ at: waypoint, problem }];
  });
}
