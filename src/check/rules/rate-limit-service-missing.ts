import { labelsMatch, record, text } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { outboundCapture } from '../../trace/capture';
import { RequestError, trace } from '../../trace';
import type { CheckContext } from '../context';
import { type EnvoyGatewayView, gatewaysOfPolicy } from '../envoy-gateway';
import { type ControllerConfig, controllerConfigs } from '../envoy-gateway-config';
import { nameOf } from '../edge';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Hit, Rule } from '../rule';
import { serviceSpec } from '../workloads';

const HOME = 'envoy-gateway-system';
const RATE_LIMIT = 'envoy-ratelimit';
const PORT = 8081;
/** Labels of its Pods (rateLimitLabels of internal/infrastructure/kubernetes/ratelimit/resource.go). */
const PODS = { 'app.kubernetes.io/name': RATE_LIMIT, 'app.kubernetes.io/component': 'ratelimit', 'app.kubernetes.io/managed-by': 'envoy-gateway' }; // prettier-ignore

export const rule: Rule = {
  id: 'EDGE827',
  name: 'rate-limit-service-missing',
  severity: 'error',
  title: 'A global rate limit has no service that counts',
  why: "Requests are counted by Envoy Gateway's rate-limit service and its Redis. Without one that the proxies reach, nothing is limited, or every request is answered with 500.",
  fix: 'Configure rateLimit.backend in the EnvoyGateway configuration, with a Redis that the rate-limit service reaches, or use a limit of type Local.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/traffic/global-rate-limit/',
  reads: ['BackendTrafficPolicy'],
  findsAbsence: true,
  footguns: ['Y14'],
  *check(context) {
    const policies = context.of(ENVOY_GATEWAY, 'BackendTrafficPolicy').filter((manifest) => {
      const { rateLimit } = record(record(manifest.body).spec);
      return record(rateLimit).global !== undefined && record(rateLimit).type !== 'Local';
    });
    if (policies.length === 0) return;
    const configs = context.index(controllerConfigs);
    const stores = configs.filter(({ body }) => record(record(body).rateLimit).backend !== undefined);
    for (const manifest of policies) {
      const field = ['spec', 'rateLimit', 'global'];
      const [config] = configs;
      if (stores.length > 0) {
        const hit = unreadable(context, gatewaysOfPolicy(context, manifest));
        if (hit) yield { manifest, field, ...hit };
      } else if (config) {
        yield { manifest, field, what: `the EnvoyGateway configuration in ${nameOf(config.manifest)} has no rateLimit.backend` }; // prettier-ignore
      } else {
        yield {
          manifest,
          field,
          severity: 'info',
          what: 'no EnvoyGateway configuration is among the manifests, and without one that has rateLimit.backend nothing counts',
        };
      }
    }
    for (const store of stores) yield* unreachable(context, store);
  },
};

/**
 * The controller names the port of its rate-limit service http, and speaks TLS on it: a sidecar between takes that for HTTP. Where
 * proxies dial Pods, a sidecar knows them by a headless Service alone, and else sends on without an identity, if at all.
 */
function unreadable(
  context: CheckContext,
  gateways: ReturnType<typeof gatewaysOfPolicy>,
): Omit<Hit, 'field'> | undefined {
  const { dialsRateLimitPods } = context.mesh.config.envoyGateway;
  const inMesh = gateways.filter(
    ({ workload }) =>
      workload.membership === 'sidecar' &&
      outboundCapture(workload, context.mesh.servedTo(workload).config.capture, null, PORT).captured &&
      !(dialsRateLimitPods && isDeclaredTls(context, workload.namespace, isHeadlessOfPods)),
  );
  const misread = inMesh.find(({ workload }) => !isDeclaredTls(context, workload.namespace, isOwn));
  if (misread !== undefined)
    return {
      severity: 'warning',
      what: `the proxies of ${gatewayOf(misread)} have sidecars, and port ${PORT} of Service ${misread.workload.namespace}/${RATE_LIMIT}, which carries TLS, is named http by Envoy Gateway`,
      why: 'The sidecars take the TLS of the rate-limit service for HTTP and break it: the limit fails open, and nothing is limited.',
      fix: dialsRateLimitPods
        ? HEADLESS
        : `Write appProtocol: tls for port ${PORT} of Service ${RATE_LIMIT}, or exclude the port from the sidecars of the proxies (traffic.sidecar.istio.io/excludeOutboundPorts).`,
    };
  if (!dialsRateLimitPods) return undefined;
  for (const view of inMesh) {
    const why = whyUnanswered(context, view);
    if (why !== undefined)
      return {
        severity: 'warning',
        what: `the proxies of ${gatewayOf(view)} have sidecars, which know no Pod of ${view.workload.namespace}/${RATE_LIMIT}, and Envoy Gateway has them dial Pods: ${why}`,
        why: 'The limit fails open, and nothing is limited.',
        fix: HEADLESS,
      };
  }
  return undefined;
}

const HEADLESS = `Add a Service with clusterIP: None for the Pods of ${RATE_LIMIT} (app.kubernetes.io/name: ${RATE_LIMIT}), with port ${PORT} and appProtocol: tls.`;

const gatewayOf = ({ gateway }: EnvoyGatewayView): string =>
  `Gateway ${gateway.config.namespace}/${gateway.config.name}`;

/** What becomes of a connection to a Pod that its sidecar does not know. */
function whyUnanswered({ mesh }: CheckContext, { workload }: EnvoyGatewayView): string | undefined {
  const { mode } = mesh.peerAuthentications.forWorkload(workload.namespace, PODS, PORT);
  if (mode === 'STRICT') return 'without the mutual TLS that the Pods demand';
  const { namespace, labels } = workload;
  const scope = mesh.servedTo(workload).scopeOf({ type: 'sidecar', namespace, labels, addresses: [] });
  return scope.outbound.mode === 'REGISTRY_ONLY' ? 'REGISTRY_ONLY refuses that' : undefined;
}

type Names = (manifest: Manifest) => boolean;

const isOwn: Names = ({ name }) => name === RATE_LIMIT;

const isHeadlessOfPods: Names = (manifest) => {
  const { clusterIP, selector } = serviceSpec(manifest);
  return clusterIP === 'None' && selector !== undefined && labelsMatch(selector, PODS);
};

function isDeclaredTls(context: CheckContext, namespace: string, isIt: Names): boolean {
  return context
    .of('', 'Service')
    .some(
      (manifest) =>
        manifest.namespace === namespace &&
        isIt(manifest) &&
        (serviceSpec(manifest).ports ?? []).some(
          ({ port, appProtocol }) => port === PORT && /^(tls|https|tcp)$/i.test(appProtocol ?? ''),
        ),
    );
}

/** A Redis that the rate-limit service cannot reach, as far as manifests show. */
function* unreachable(context: CheckContext, { manifest, field, body }: ControllerConfig): Generator<Hit> {
  const url = text(record(record(record(body.rateLimit).backend).redis).url);
  const { host, port } = /^(?:rediss?:\/\/|tcp:\/\/)?(?<host>[^:/,]+):(?<port>\d+)$/.exec(url)?.groups ?? {};
  if (host === undefined || port === undefined) return;
  const [name = '', namespace = ''] = host.split('.');
  const isService = new RegExp(`^[^.]+\\.[^.]+(\\.svc(\\.${context.mesh.config.clusterDomain})?)?$`).test(host);
  const at = [...field, 'rateLimit', 'backend', 'redis', 'url'];
  const place = field[0] === 'data' ? field : at;
  if (isService) {
    const shown = context.mesh.services.inNamespace(namespace).filter(({ assumed, registry }) => !assumed && registry === 'Kubernetes'); // prettier-ignore
    const service = shown.find((one) => one.name === name);
    if (!service) {
      if (shown.length > 0)
        yield { manifest, field: place, severity: 'warning', what: `the Redis of the rate limit is ${url}, and there is no Service ${namespace}/${name}` }; // prettier-ignore
      return;
    }
    if (!service.ports.some((one) => one.port === Number(port))) {
      yield { manifest, field: place, what: `the Redis of the rate limit is ${url}, and Service ${namespace}/${name} has port ${service.ports.map((one) => one.port).join(', ')}` }; // prettier-ignore
      return;
    }
  }
  const from = manifest.kind === 'ConfigMap' ? manifest.namespace : HOME;
  const target = isService ? `${name}.${namespace}.svc.${context.mesh.config.clusterDomain}` : host;
  const refusal = follow(context, from, `tcp://${target}:${port}`);
  if (refusal)
    yield { manifest, field: place, what: `the Redis of the rate limit, ${url}, cannot be reached from the rate-limit service in ${from}: ${refusal}` }; // prettier-ignore
}

/** Why a connection of the rate-limit service is refused. */
function follow({ mesh }: CheckContext, namespace: string, request: string): string | undefined {
  if (!mesh.namespaces.has(namespace)) return undefined;
  try {
    return trace(mesh, { from: namespace, labels: PODS, serviceAccount: RATE_LIMIT, request }).refusal?.what;
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}
