import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { record } from '../../model/fields';
import type { ApiGateway } from '../../model/gateway-api';
import { envoyGateways } from '../envoy-gateway';
import { ENVOY_GATEWAY, GATEWAY_API } from '../gateway-api';
import type { Rule } from '../rule';
import { isInjected } from '../workloads';

interface EnvoyProxySpec {
  readonly routingType?: string;
  readonly provider?: {
    readonly kubernetes?: {
      readonly envoyDeployment?: { readonly pod?: Pod };
      readonly envoyDaemonSet?: { readonly pod?: Pod };
    };
  };
}

interface Pod {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const rule: Rule = {
  id: 'EDGE809',
  name: 'envoy-gateway-in-mesh',
  severity: 'error',
  title: "Envoy Gateway's proxies get sidecars that they are not set up for",
  why: 'Beside a sidecar, a proxy must dial Services (a sidecar knows no mutual TLS for a pod address), and the sidecar must leave the traffic from outside alone: otherwise requests are refused, or travel in plain text.',
  fix: 'In the EnvoyProxy write routingType: Service, and annotate its pods traffic.sidecar.istio.io/includeInboundPorts: "".',
  see: 'https://gateway.envoyproxy.io/docs/tasks/traffic/routing-outside-kubernetes/',
  reads: ['EnvoyProxy', 'Gateway'],
  footguns: ['Y01', 'Y06'],
  *check(context) {
    for (const { gateway, proxy, workload } of context.index(envoyGateways)) {
      if (proxy.manifest || workload.membership !== 'sidecar' || hasParameters(context, gateway)) continue;
      yield {
        manifest: gateway.config.manifest,
        field: ['spec', 'gatewayClassName'],
        what: `the proxies get sidecars in ${workload.namespace}, and neither the Gateway nor its class ${gateway.className} names an EnvoyProxy`,
      };
    }
    for (const manifest of context.of(ENVOY_GATEWAY, 'EnvoyProxy')) {
      const { spec = {} } = manifest.body as { spec?: EnvoyProxySpec };
      const { envoyDeployment, envoyDaemonSet } = spec.provider?.kubernetes ?? {};
      const pod = envoyDeployment?.pod ?? envoyDaemonSet?.pod ?? {};
      if (!hasSidecars(context, manifest, pod)) continue;
      const at = [
        'spec',
        'provider',
        'kubernetes',
        envoyDaemonSet ? 'envoyDaemonSet' : 'envoyDeployment',
        'pod',
        'annotations',
      ];
      if ((spec.routingType ?? 'Endpoint') !== 'Service') {
        yield {
          manifest,
          field: ['spec', 'routingType'],
          what: `the proxies get sidecars, and routingType is ${spec.routingType ?? 'Endpoint (as none is written)'}`,
        };
      }
      const inbound = pod.annotations?.['traffic.sidecar.istio.io/includeInboundPorts'];
      if (inbound !== '')
        yield {
          manifest,
          field: at,
          what: `the proxies get sidecars, and traffic.sidecar.istio.io/includeInboundPorts is ${inbound === undefined ? 'not set' : JSON.stringify(inbound)}`,
        };
    }
  },
};

/** Proxies run in the controller's namespace, where the EnvoyProxy of a class usually is, with the labels that it gives them. */
function hasSidecars(context: CheckContext, manifest: Manifest, pod: Pod): boolean {
  const own = pod.labels?.['sidecar.istio.io/inject'] ?? pod.annotations?.['sidecar.istio.io/inject'];
  if (own !== undefined) return own === 'true';
  const controller = context.of('', 'Namespace').some(({ name }) => name === 'envoy-gateway-system')
    ? 'envoy-gateway-system'
    : manifest.namespace;
  return (
    isInjected(context, controller) === true ||
    pod.annotations?.['traffic.sidecar.istio.io/includeInboundPorts'] !== undefined
  );
}

/** Whether an EnvoyProxy is named that no manifest shows, or may be: the class itself is elsewhere. */
function hasParameters(context: CheckContext, { config, className }: ApiGateway): boolean {
  const shown = context.of(GATEWAY_API, 'GatewayClass').find(({ name }) => name === className);
  return (
    shown === undefined ||
    record(record(shown.body).spec).parametersRef !== undefined ||
    record(config.spec.infrastructure).parametersRef !== undefined
  );
}
