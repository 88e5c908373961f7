import { envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';

/** How clients reach the proxies. */
export enum ProxyServiceType {
  /** A load balancer of the cloud. */
  LOAD_BALANCER = 'LoadBalancer',
  /** From inside the cluster only. */
  CLUSTER_IP = 'ClusterIP',
  /** A port of each node. */
  NODE_PORT = 'NodePort',
}

/** What the proxies of an Envoy Gateway are made of, in a mesh and outside of one. */
export interface EnvoyProxyPods {
  /**
   * The most proxies that an autoscaler may make for each Gateway, by CPU use.
   *
   * @default no autoscaler
   */
  readonly maxReplicas?: number;

  /**
   * What each proxy is sure to get, such as "100m" of `cpu` and "256Mi" of `memory`.
   *
   * @default Envoy Gateway's own: 100m and 512Mi
   */
  readonly requests?: { [resource: string]: string };

  /**
   * What each proxy may take at most.
   *
   * @default no limit
   */
  readonly limits?: { [resource: string]: string };

  /**
   * Labels of the Pods. They are added to Envoy Gateway's own.
   *
   * @default none
   */
  readonly podLabels?: { [key: string]: string };

  /**
   * Annotations of the Pods.
   *
   * @default none
   */
  readonly podAnnotations?: { [key: string]: string };

  /**
   * How clients reach the proxies.
   *
   * @default LOAD_BALANCER
   */
  readonly serviceType?: ProxyServiceType;

  /**
   * Annotations of the Service, which is where load balancers take their settings from.
   *
   * @default none
   */
  readonly serviceAnnotations?: { [key: string]: string };

  /**
   * The image of Envoy.
   *
   * @default the one that the release of Envoy Gateway was tested with
   */
  readonly image?: string;

  /**
   * Further arguments of Envoy's command line.
   *
   * @default none
   */
  readonly extraArgs?: string[];

  /**
   * The format of access logs on standard output as one line of text, in Envoy's command operators.
   *
   * @default Envoy Gateway's own, as JSON
   */
  readonly accessLogFormat?: string;
}

/** @internal */
export function quantities(
  settings: EnvoyProxyPods,
): envoyGateway.EnvoyProxySpecProviderKubernetesEnvoyDeploymentContainerResources | undefined {
  const { requests, limits } = settings;
  if (!requests && !limits) return undefined;
  const api = envoyGatewayBindings();
  const Request = api.EnvoyProxySpecProviderKubernetesEnvoyDeploymentContainerResourcesRequests;
  const Limit = api.EnvoyProxySpecProviderKubernetesEnvoyDeploymentContainerResourcesLimits;
  return {
    requests:
      requests && Object.fromEntries(Object.entries(requests).map(([name, text]) => [name, Request.fromString(text)])),
    limits: limits && Object.fromEntries(Object.entries(limits).map(([name, text]) => [name, Limit.fromString(text)])),
  };
}

/** @internal */
export function service(
  settings: EnvoyProxyPods,
): envoyGateway.EnvoyProxySpecProviderKubernetesEnvoyService | undefined {
  if (!settings.serviceType && !settings.serviceAnnotations) return undefined;
  return {
    type: settings.serviceType as string as envoyGateway.EnvoyProxySpecProviderKubernetesEnvoyServiceType,
    annotations: settings.serviceAnnotations,
  };
}

/**
 * One log on standard output, as a line of text or as the fields of JSON.
 *
 * @internal
 */
export function accessLog({
  accessLogFormat,
  accessLogFields: json,
}: {
  readonly accessLogFormat?: string;
  readonly accessLogFields?: { readonly [field: string]: string };
}): envoyGateway.EnvoyProxySpecTelemetry | undefined {
  if (accessLogFormat === undefined && json === undefined) return undefined;
  const api = envoyGatewayBindings();
  const Type = api.EnvoyProxySpecTelemetryAccessLogSettingsFormatType;
  const text =
    accessLogFormat === undefined || accessLogFormat.endsWith('\n') ? accessLogFormat : `${accessLogFormat}\n`;
  return {
    accessLog: {
      settings: [
        {
          format: text === undefined ? { type: Type.JSON, json } : { type: Type.TEXT, text },
          sinks: [{ type: api.EnvoyProxySpecTelemetryAccessLogSettingsSinksType.FILE, file: { path: '/dev/stdout' } }],
        },
      ],
    },
  };
}
