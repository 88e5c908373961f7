import { dump } from 'js-yaml';

/** @internal */
export interface EnvoyGatewayValues {
  readonly namespace: string;
  readonly redisUrl?: string;
  readonly externalBackends?: boolean;
}

/** The ports of the chart's Service. The chart takes them as one list, so all are repeated to say something of one. */
const CONTROL_PLANE_PORTS = [
  { name: 'grpc', port: 18000, targetPort: 18000, appProtocol: 'tls' },
  { name: 'ratelimit', port: 18001, targetPort: 18001 },
  { name: 'wasm', port: 18002, targetPort: 18002 },
  { name: 'metrics', port: 19001, targetPort: 19001 },
];

/**
 * Values for Envoy Gateway's Helm chart, for what no object can say later.
 *
 * @internal
 */
export function envoyGatewayValues(values: EnvoyGatewayValues): string {
  const content = {
    // The Job that makes certificates would wait for its sidecar for ever.
    certgen: { job: { pod: { labels: { 'sidecar.istio.io/inject': 'false' } } } },
    deployment: {
      ports: CONTROL_PLANE_PORTS,
      // The controller asks the API server first thing, and ends where its sidecar is not there to carry the question.
      pod: { annotations: { 'proxy.istio.io/config': '{"holdApplicationUntilProxyStarts": true}' } },
    },
    ...((values.redisUrl || values.externalBackends) && { config: { envoyGateway: configuration(values) } }),
  };
  const head = `# CHART is Envoy Gateway's own, gateway-helm.\n# helm upgrade --install eg "$CHART" -n ${values.namespace} -f envoy-gateway.values`;
  return `${head}\n${dump(content, { noRefs: true, lineWidth: -1 })}`;
}

function configuration({ redisUrl, externalBackends }: EnvoyGatewayValues): Record<string, unknown> {
  return {
    ...(redisUrl && { rateLimit: { backend: { type: 'Redis', redis: { url: redisUrl } } } }),
    ...(externalBackends && { extensionApis: { enableBackend: true } }),
  };
}
