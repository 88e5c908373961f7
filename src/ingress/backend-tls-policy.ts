import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { hostProblems } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';

/** How a gateway speaks TLS with a Service. */
export interface BackendTlsPolicyProps {
  /** The Service, in the namespace of the policy. */
  readonly serviceName: string;

  /** The name that is asked for by SNI, and that the Service's certificate has to carry. */
  readonly hostname: string;

  /**
   * The `name` of the Service's port, where only one of its ports speaks TLS. The name, never the number.
   *
   * @default all ports
   */
  readonly portName?: string;

  /**
   * The ConfigMap with the authorities that the certificate is checked against, under the key `ca.crt`.
   *
   * @default the authorities that the system trusts
   */
  readonly caConfigMapName?: string;

  /**
   * The namespace of policy and Service.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

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
 * Has a gateway speak TLS with a Service that ends TLS itself. Renders one BackendTLSPolicy, in the namespace of the Service.
 *
 * For Services outside the mesh: where both gateway and Service have sidecars, those speak mutual TLS already, and TLS inside
 * it would need a port that is declared TLS.
 *
 * @see https://gateway-api.sigs.k8s.io/api-types/backendtlspolicy/
 * @example
 * new BackendTlsPolicy(this, 'Orders', {
 *   namespace: 'shop',
 *   serviceName: 'orders',
 *   hostname: 'orders.internal.example.com',
 *   caConfigMapName: 'internal-ca',
 * });
 */
export class BackendTlsPolicy extends Construct {
  /** The Service and, if it is about one, its port. */
  public readonly target: string;

  /** The rendered BackendTLSPolicy, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: BackendTlsPolicyProps) {
    super(scope, id);
    const namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.target = `${namespace}/${props.serviceName}${props.portName === undefined ? '' : `/${props.portName}`}`;
    this.resource = new MeshObject<gatewayApi.BackendTlsPolicyProps>(this, 'Resource', {
      ...gatewayApi.BackendTlsPolicy.GVK,
      metadata: objectMetadata({ name: props.name ?? nameOfId(id), namespace }, props.metadata),
      manifest: gatewayApi.BackendTlsPolicy.manifest,
      spec: () => ({
        spec: {
          targetRefs: [{ group: '', kind: 'Service', name: props.serviceName, sectionName: props.portName }],
          validation: {
            hostname: props.hostname,
            caCertificateRefs: props.caConfigMapName
              ? [{ group: '', kind: 'ConfigMap', name: props.caConfigMapName }]
              : undefined,
            wellKnownCaCertificates: props.caConfigMapName ? undefined : 'System',
          },
        },
      }),
    });
    refuseAtSynth(this, () => problems(props));
    joinMesh<BackendTlsPolicy>('BackendTlsPolicy', this, onePerTarget);
  }
}

function problems(props: BackendTlsPolicyProps): Problem[] {
  const all = [
    ...objectNameProblems('name', props.name),
    ...objectNameProblems('serviceName', props.serviceName),
    ...namespaceProblems('namespace', props.namespace),
    ...hostProblems(props.hostname),
  ];
  if (props.portName !== undefined && /^\d+$/.test(props.portName)) {
    const fix = 'use the `name` that the port has in the Service';
    all.push({ what: `portName ${quote(props.portName)} is a number`, why: 'the policy would have no effect', fix });
  }
  return all;
}

function onePerTarget(policies: readonly BackendTlsPolicy[]): Array<{ at: IConstruct; problem: Problem }> {
  const owners = new Map<string, BackendTlsPolicy>();
  return policies.flatMap((policy) => {
    const other = owners.get(policy.target);
    owners.set(policy.target, other ?? policy);
    if (!other) return [];
    const problem: Problem = {
      what: `${quote(policy.target)} has both ${other.node.path} and ${policy.node.path}`,
      why: 'only the older policy has an effect',
      fix: 'keep one',
    };
    return [{ at: policy, problem }];
  });
}
