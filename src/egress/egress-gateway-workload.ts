import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import type * as k8s from '../../imports/k8s';
import { nameOfId } from '../core/ids';
import { namespaceProblems, objectNameProblems, portProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { coreBindings } from '../mesh/core-bindings';
import { MeshObject } from '../mesh/mesh-object';
import { DedicatedNodes } from './dedicated-nodes';
import { podPortOf } from './pod-port';

/** What runs an egress gateway. */
export interface EgressGatewayWorkloadProps {
  /**
   * The namespace to run in, which should hold nothing else: who may write there decides what leaves the mesh. It must exist.
   *
   * @default "istio-egress"
   */
  readonly namespace?: string;

  /**
   * The name of its Deployment and Service.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * The labels that select its pods. No other gateway of the mesh may carry them.
   *
   * @default istio: the name
   */
  readonly selector?: { [key: string]: string };

  /**
   * The nodes that it alone runs on.
   *
   * @default any node
   */
  readonly nodes?: DedicatedNodes;

  /**
   * The least number of pods. A disruption budget keeps one running, so two are the least that can be drained.
   *
   * @default 2
   */
  readonly minReplicas?: number;

  /**
   * The greatest number of pods, reached at 80 % of the requested CPU.
   *
   * @default 5, or `minReplicas` where that is more
   */
  readonly maxReplicas?: number;

  /**
   * The ports of its Service. Those under 1024 listen 8000 higher in the pod, which needs no privilege: 443 becomes 8443.
   *
   * @default 80 and 443
   */
  readonly servicePorts?: number[];

  /**
   * The control plane's revision that injects it.
   *
   * @default the default revision
   */
  readonly revision?: string;
}

/**
 * An egress gateway as plain manifests: ServiceAccount, the right to read its own credentials, Deployment with Istio's gateway
 * injection template, Service (ClusterIP: nothing outside can call it), autoscaler and disruption budget.
 *
 * @see https://istio.io/latest/docs/setup/additional-setup/gateway/
 * @example
 * new EgressGatewayWorkload(this, 'istio-egressgateway', {
 *   namespace: 'istio-egress',
 *   nodes: DedicatedNodes.labeled({ edge: 'egress' }),
 * });
 * const gateway = EgressGateway.fromInstalled(this, 'Egress', { namespace: 'istio-egress' });
 */
export class EgressGatewayWorkload extends Construct {
  /** The name of its Deployment and Service. */
  public readonly name: string;

  /** The namespace that it runs in. */
  public readonly namespace: string;

  /** The labels that select its pods. */
  public readonly selector: { [key: string]: string };

  /** The ports of its Service. */
  public readonly servicePorts: number[];

  /** The ports that its pods listen on. */
  public readonly podPorts: number[];

  /** The DNS name of its Service. */
  public readonly host: string;

  /** The name of its ServiceAccount. */
  public readonly serviceAccountName: string;

  /** The rendered Deployment, to patch. */
  public readonly deployment: ApiObject;

  /** The rendered Service, to patch. */
  public readonly service: ApiObject;

  public constructor(scope: Construct, id: string, props?: EgressGatewayWorkloadProps) {
    super(scope, id);
    this.name = props?.name ?? nameOfId(id);
    this.namespace = props?.namespace ?? 'istio-egress';
    this.selector = props?.selector ?? { istio: this.name };
    this.servicePorts = props?.servicePorts ?? [80, 443];
    this.podPorts = this.servicePorts.map(podPortOf);
    this.host = `${this.name}.${this.namespace}.svc.cluster.local`;
    this.serviceAccountName = this.name;
    const min = props?.minReplicas ?? 2;
    const max = props?.maxReplicas ?? Math.max(5, min);
    this.object('ServiceAccount', 'v1', 'ServiceAccount', this.name, () =>
      coreBindings().KubeServiceAccount.manifest({}),
    );
    this.credentialAccess();
    this.deployment = this.object('Deployment', 'apps/v1', 'Deployment', this.name, () =>
      coreBindings().KubeDeployment.manifest({ spec: this.deploymentSpec(props ?? {}) }),
    );
    this.service = this.object('Service', 'v1', 'Service', this.name, () =>
      coreBindings().KubeService.manifest({ spec: this.serviceSpec() }),
    );
    this.object('Autoscaler', 'autoscaling/v2', 'HorizontalPodAutoscaler', this.name, () =>
      coreBindings().KubeHorizontalPodAutoscalerV2.manifest({ spec: this.scaling(min, max) }),
    );
    this.object('DisruptionBudget', 'policy/v1', 'PodDisruptionBudget', this.name, () =>
      coreBindings().KubePodDisruptionBudget.manifest({
        spec: { minAvailable: coreBindings().IntOrString.fromNumber(1), selector: { matchLabels: this.selector } },
      }),
    );
    refuseAtSynth(this, () => this.problems(min, max, props?.nodes));
  }

  private object(id: string, apiVersion: string, kind: string, name: string, manifest: () => unknown): ApiObject {
    const labels = { app: this.name, ...this.selector };
    return new MeshObject(this, id, {
      apiVersion,
      kind,
      metadata: { name, namespace: this.namespace, labels },
      manifest,
      spec: () => undefined,
    });
  }

  /** A gateway reads the credentials of its TLS from Secrets of its own namespace, through istiod, which asks whether it may. */
  private credentialAccess(): void {
    const name = `${this.name}-sds`;
    this.object('Role', 'rbac.authorization.k8s.io/v1', 'Role', name, () =>
      coreBindings().KubeRole.manifest({
        rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch', 'list'] }],
      }),
    );
    this.object('RoleBinding', 'rbac.authorization.k8s.io/v1', 'RoleBinding', name, () =>
      coreBindings().KubeRoleBinding.manifest({
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name: this.serviceAccountName, namespace: this.namespace }],
      }),
    );
  }

  private deploymentSpec(props: EgressGatewayWorkloadProps): k8s.DeploymentSpec {
    const revision: Record<string, string> = props.revision === undefined ? {} : { 'istio.io/rev': props.revision };
    const { nodes } = props;
    return {
      selector: { matchLabels: this.selector },
      template: {
        metadata: {
          labels: {
            app: this.name,
            ...this.selector,
            'sidecar.istio.io/inject': 'true',
            'istio.io/dataplane-mode': 'none',
            ...revision,
          },
          annotations: { 'inject.istio.io/templates': 'gateway' },
        },
        spec: {
          serviceAccountName: this.serviceAccountName,
          nodeSelector: nodes?.labels,
          tolerations: nodes && Object.entries(nodes.taints).map(([key, value]) => ({ key, operator: 'Equal', value })),
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: this.selector },
            },
          ],
          containers: [
            {
              name: 'istio-proxy',
              // The injection template puts the proxy's image here.
              image: 'auto',
              ports: this.servicePorts.map((port) => ({
                name: `port-${port}`,
                containerPort: podPortOf(port),
                protocol: 'TCP',
              })),
              resources: {
                requests: {
                  cpu: coreBindings().Quantity.fromString('100m'),
                  memory: coreBindings().Quantity.fromString('128Mi'),
                },
                limits: {
                  cpu: coreBindings().Quantity.fromString('2000m'),
                  memory: coreBindings().Quantity.fromString('1024Mi'),
                },
              },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                privileged: false,
                readOnlyRootFilesystem: true,
                runAsNonRoot: true,
              },
            },
          ],
        },
      },
    };
  }

  private serviceSpec(): k8s.ServiceSpec {
    const known: Record<number, string> = { 80: 'http2', 443: 'https' };
    return {
      type: 'ClusterIP',
      selector: this.selector,
      ports: this.servicePorts.map((port) => ({
        name: known[port] ?? `tls-${port}`,
        port,
        protocol: 'TCP',
        targetPort: coreBindings().IntOrString.fromNumber(podPortOf(port)),
      })),
    };
  }

  private scaling(minReplicas: number, maxReplicas: number): k8s.HorizontalPodAutoscalerSpecV2 {
    return {
      minReplicas,
      maxReplicas,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: this.name },
    };
  }

  private problems(min: number, max: number, nodes?: DedicatedNodes): Problem[] {
    const problems = [...objectNameProblems('name', this.name), ...namespaceProblems('namespace', this.namespace)];
    problems.push(...this.servicePorts.flatMap((port) => portProblems('service port', port)));
    if (!Object.keys(this.selector).length) {
      problems.push({
        what: 'the selector of the gateway names no label',
        why: 'Service and configuration would find no pod',
        fix: 'leave it out, or name labels of your own',
      });
    }
    if (!Number.isInteger(min) || min < 1 || max < min) {
      problems.push({
        what: `${min} to ${max} replicas`,
        why: 'the autoscaler needs at least one, and a greatest number no less than the least',
        fix: 'such as minReplicas: 2, maxReplicas: 5',
      });
    }
    if (nodes && !Object.keys(nodes.labels).length) {
      problems.push({
        what: 'dedicated nodes without a label',
        why: 'the gateway would run on any node',
        fix: 'DedicatedNodes.labeled({ edge: "egress" })',
      });
    }
    return problems;
  }
}
