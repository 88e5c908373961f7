import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';
import { accessLog, EnvoyProxyPods, quantities, service } from './envoy-proxy-pods';
import { ClassParameters } from './gateway-class';

/** What there is to say of the proxies of a class or a Gateway. */
export interface EnvoyProxyProps extends EnvoyProxyPods {
  /**
   * How many proxies there are for each Gateway; where `maxReplicas` is given, the fewest.
   *
   * @default Envoy Gateway's own: 1
   */
  readonly replicas?: number;

  /**
   * Whether all Gateways of the class share proxies. Their listeners then have to differ, as those of one Gateway do.
   *
   * @default false: each Gateway has its own
   */
  readonly mergeGateways?: boolean;

  /**
   * Whether the proxies dial Services rather than their Pods, which leaves balancing to the cluster's network.
   *
   * @default false
   */
  readonly dialsServices?: boolean;

  /**
   * The fields of access logs on standard output as JSON, each with Envoy's command operators.
   *
   * @default Envoy Gateway's own
   */
  readonly accessLogFields?: { [field: string]: string };

  /**
   * Its namespace: that of the Gateways that name it; of a class, that of Envoy Gateway itself.
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
   * Labels and annotations of the EnvoyProxy.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * What the proxies of an Envoy Gateway are made of: their number, resources, Service, and what they log. Renders one EnvoyProxy, which counts for the GatewayClass or the Gateway
 * that names it. `EnvoyGatewayInMesh` makes one for proxies that are members of an Istio mesh.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/operations/customize-envoyproxy/
 * @example
 * const proxy = new EnvoyProxy(this, 'Proxies', { namespace: 'envoy-gateway-system', replicas: 3, serviceType: ProxyServiceType.CLUSTER_IP });
 * new GatewayClass(this, 'Internal', { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller', parameters: proxy.parameters });
 */
export class EnvoyProxy extends Construct {
  /** Its name. */
  public readonly name: string;

  /** Its namespace. */
  public readonly namespace: string;

  /** The rendered EnvoyProxy, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: EnvoyProxyProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.resource = new MeshObject<envoyGateway.EnvoyProxySpec>(this, 'Resource', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'EnvoyProxy',
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: (spec) => envoyGatewayBindings().EnvoyProxy.manifest({ spec }),
      spec: () => proxySpec(props),
    });
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...proxyProblems(props),
    ]);
  }

  /** What a GatewayClass names, for its `parameters`. */
  public get parameters(): ClassParameters {
    return { group: 'gateway.envoyproxy.io', kind: 'EnvoyProxy', name: this.name, namespace: this.namespace };
  }
}

function proxySpec(props: EnvoyProxyProps): envoyGateway.EnvoyProxySpec {
  const envoyDeployment = deployment(props);
  const envoyService = service(props);
  const envoyHpa = props.maxReplicas === undefined ? undefined : { minReplicas: props.replicas, maxReplicas: props.maxReplicas }; // prettier-ignore
  const isKubernetes = envoyDeployment ?? envoyService ?? envoyHpa;
  return {
    provider: isKubernetes && {
      type: envoyGatewayBindings().EnvoyProxySpecProviderType.KUBERNETES,
      kubernetes: { envoyDeployment, envoyHpa, envoyService },
    },
    mergeGateways: props.mergeGateways,
    routingType: props.dialsServices ? 'Service' : undefined,
    extraArgs: props.extraArgs,
    telemetry: accessLog(props),
  };
}

function deployment(props: EnvoyProxyProps): envoyGateway.EnvoyProxySpecProviderKubernetesEnvoyDeployment | undefined {
  const { image, podLabels, podAnnotations, maxReplicas } = props;
  const replicas = maxReplicas === undefined ? props.replicas : undefined;
  const resources = quantities(props);
  const container = (resources ?? image) ? { resources, image } : undefined;
  const pod = (podLabels ?? podAnnotations) ? { labels: podLabels, annotations: podAnnotations } : undefined;
  return replicas === undefined && !container && !pod ? undefined : { replicas, pod, container };
}

function proxyProblems(props: EnvoyProxyProps): Problem[] {
  const problems: Problem[] = [];
  const { replicas = 1, maxReplicas, accessLogFormat, accessLogFields } = props;
  if (maxReplicas !== undefined && maxReplicas < replicas)
    problems.push({
      what: `maxReplicas ${maxReplicas} is below replicas ${replicas}`,
      why: 'the autoscaler would be refused',
      fix: `use ${replicas} or more`,
    });
  if (accessLogFormat !== undefined && accessLogFields !== undefined)
    problems.push({
      what: 'both `accessLogFormat` and `accessLogFields`',
      why: 'a log is written as text or as JSON',
      fix: 'leave one out; for a second log, patch `spec.telemetry.accessLog.settings`',
    });
  return problems;
}
