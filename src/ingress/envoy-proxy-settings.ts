import { Problem, quote } from '../core/problem';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';
import { accessLog, EnvoyProxyPods, quantities, service } from './envoy-proxy-pods';

/**
 * What Envoy Gateway's proxies in a mesh are made of. All of one class are alike. Annotations of their Pods are added to the one that keeps the sidecar off the
 * way in.
 */
export interface EnvoyProxySettings extends EnvoyProxyPods {
  /**
   * How many proxies there are for each Gateway.
   *
   * @default 2; left to the autoscaler where `maxReplicas` is given
   */
  readonly replicas?: number;

  /**
   * How many proxies of a Gateway have to stay up while nodes are drained.
   *
   * @default 1 where there are several proxies
   */
  readonly minAvailable?: number;
}

/** Tells the sidecar's iptables rules which ports of the Pod to capture on the way in. Empty: none. */
export const INCLUDE_INBOUND_PORTS = 'traffic.sidecar.istio.io/includeInboundPorts';

/**
 * The fields of an EnvoyProxy whose proxies live beside a sidecar.
 *
 * @internal
 */
export function envoyProxyManifest(settings: EnvoyProxySettings): unknown {
  const api = envoyGatewayBindings();
  const spec: envoyGateway.EnvoyProxySpec = {
    provider: {
      type: api.EnvoyProxySpecProviderType.KUBERNETES,
      kubernetes: {
        envoyDeployment: deployment(settings),
        envoyHpa: autoscaler(settings),
        envoyPdb: disruptionBudget(settings),
        envoyService: service(settings),
      },
    },
    // A Service's address is what the sidecar knows; a Pod's address it would have to pass through untouched, or cut.
    routingType: 'Service',
    extraArgs: settings.extraArgs,
    telemetry: accessLog(settings),
  };
  return { apiVersion: ENVOY_GATEWAY_API, kind: 'EnvoyProxy', ...api.EnvoyProxy.manifest({ spec }) };
}

function deployment(settings: EnvoyProxySettings): envoyGateway.EnvoyProxySpecProviderKubernetesEnvoyDeployment {
  const replicas = settings.replicas ?? (settings.maxReplicas === undefined ? 2 : undefined);
  const resources = quantities(settings);
  return {
    // The default of Envoy Gateway itself is left unsaid.
    replicas: replicas === 1 ? undefined : replicas,
    pod: {
      annotations: { ...settings.podAnnotations, [INCLUDE_INBOUND_PORTS]: '' },
      labels: settings.podLabels,
    },
    container: resources || settings.image ? { resources, image: settings.image } : undefined,
  };
}

function autoscaler(settings: EnvoyProxySettings): envoyGateway.EnvoyProxySpecProviderKubernetesEnvoyHpa | undefined {
  if (settings.maxReplicas === undefined) return undefined;
  return { minReplicas: settings.replicas ?? 2, maxReplicas: settings.maxReplicas };
}

function disruptionBudget(
  settings: EnvoyProxySettings,
): envoyGateway.EnvoyProxySpecProviderKubernetesEnvoyPdb | undefined {
  const several = (settings.replicas ?? 2) > 1;
  const minAvailable = settings.minAvailable ?? (several ? 1 : undefined);
  if (minAvailable === undefined) return undefined;
  const api = envoyGatewayBindings();
  const Count = api.EnvoyProxySpecProviderKubernetesEnvoyPdbMinAvailable;
  return { minAvailable: Count.fromNumber(minAvailable) };
}

/** @internal */
export function envoyProxyProblems(settings: EnvoyProxySettings): Problem[] {
  const problems: Problem[] = [];
  const inbound = settings.podAnnotations?.[INCLUDE_INBOUND_PORTS];
  if (inbound !== undefined && inbound !== '') {
    problems.push({
      what: `pod annotation ${INCLUDE_INBOUND_PORTS} is ${quote(inbound)}`,
      why: 'the sidecar would capture what clients send to the proxy: under STRICT it resets them, else it hides their addresses',
      fix: 'leave it out: it is set to "" here',
    });
  }
  for (const [from, values] of [
    ['label', settings.podLabels],
    ['annotation', settings.podAnnotations],
  ] as const) {
    if (values?.['sidecar.istio.io/inject'] !== 'false') continue;
    problems.push({
      what: `pod ${from} sidecar.istio.io/inject is "false"`,
      why: 'without a sidecar the proxies get no configuration under STRICT, and send plain text otherwise',
      fix: 'leave it out, or use Envoy Gateway outside the mesh',
    });
  }
  const { replicas = 2, minAvailable, maxReplicas } = settings;
  if (minAvailable !== undefined && minAvailable >= Math.max(replicas, maxReplicas ?? 0)) {
    problems.push({
      what: `minAvailable ${minAvailable} of ${replicas} replicas`,
      why: 'no node that runs one of them could ever be drained',
      fix: `use ${Math.max(0, replicas - 1)}, or more replicas`,
    });
  }
  if (maxReplicas !== undefined && maxReplicas < replicas) {
    problems.push({
      what: `maxReplicas ${maxReplicas} is below replicas ${replicas}`,
      why: 'the autoscaler would be refused',
      fix: `use ${replicas} or more`,
    });
  }
  return problems;
}
