import { optionalRecord, record, records, strings, text, type Json } from './fields';
import { GATEWAY_API, type ApiGateway, type ApiRoute } from './gateway-api';
import type { Manifest } from './manifest';
import type { Workload } from './workloads';

const GROUP = 'gateway.envoyproxy.io';

/** Where Envoy Gateway's objects are looked up. */
export interface EnvoyGatewayInput {
  readonly of: (group: string, kind: string) => readonly Manifest[];
  readonly find: (group: string, kind: string, namespace: string, name: string) => Manifest | undefined;
}

export interface EffectiveProxy {
  readonly manifest: Manifest | undefined;
  readonly spec: Json;
}

/** The EnvoyProxy of a Gateway: the one it names itself replaces that of its class, they are not merged. */
export function effectiveProxy(gateway: ApiGateway, input: EnvoyGatewayInput): EffectiveProxy {
  const own = optionalRecord(record(gateway.config.spec.infrastructure).parametersRef);
  const gatewayClass = input.of(GATEWAY_API, 'GatewayClass').find((manifest) => manifest.name === gateway.className);
  const ofClass = optionalRecord(record(record(gatewayClass?.body).spec).parametersRef);
  const reference = own ?? ofClass;
  if (reference === undefined) return { manifest: undefined, spec: {} };
  const namespace = own === undefined ? text(reference.namespace) : gateway.config.namespace;
  const manifest = input.find(GROUP, 'EnvoyProxy', namespace, text(reference.name));
  return { manifest, spec: record(record(manifest?.body).spec) };
}

/** The Pods that Envoy Gateway makes for a Gateway, in the controller's namespace; in the mesh only if that namespace injects. */
export function proxyWorkload(
  gateway: ApiGateway,
  proxy: EffectiveProxy,
  injects: boolean,
  namespace: string,
): Workload {
  const pod = record(record(record(record(proxy.spec.provider).kubernetes).envoyDeployment).pod);
  const { namespace: owner, name } = gateway.config;
  const labels = {
    'app.kubernetes.io/name': 'envoy',
    'app.kubernetes.io/component': 'proxy',
    'gateway.envoyproxy.io/owning-gateway-name': name,
    'gateway.envoyproxy.io/owning-gateway-namespace': owner,
    ...strings(pod.labels),
  };
  const opted =
    labels['sidecar.istio.io/inject' as keyof typeof labels] ?? strings(pod.annotations)['sidecar.istio.io/inject'];
  const inMesh = opted === 'false' ? false : opted === 'true' || injects;
  return {
    kind: 'Deployment',
    namespace,
    name: `envoy-${owner}-${name}`,
    labels,
    annotations: strings(pod.annotations),
    serviceAccount: `envoy-${owner}-${name}`,
    addresses: [],
    runs: true,
    ready: true,
    namedPorts: new Map(),
    membership: inMesh ? 'sidecar' : 'none',
    membershipAssumed: false,
    manifest: proxy.manifest,
  };
}

/** `Service` if the proxies dial the Service's address, `Endpoint` if they dial Pods. */
export function routingType(
  route: ApiRoute,
  gateway: ApiGateway,
  proxy: EffectiveProxy,
  input: EnvoyGatewayInput,
): { readonly type: 'Service' | 'Endpoint'; readonly manifest: Manifest | undefined } {
  for (const policy of policiesFor('BackendTrafficPolicy', route, gateway, input)) {
    const own = text(record(record(policy.body).spec).routingType);
    if (own === 'Service' || own === 'Endpoint') return { type: own, manifest: policy };
  }
  return { type: proxy.spec.routingType === 'Service' ? 'Service' : 'Endpoint', manifest: proxy.manifest };
}

/** Policies of a kind on a route, then those on its Gateway: what is set on the route counts alone. */
export function policiesFor(
  kind: string,
  route: ApiRoute,
  gateway: ApiGateway,
  input: EnvoyGatewayInput,
): readonly Manifest[] {
  const targets = (
    policy: Manifest,
    target: { readonly kind: string; readonly namespace: string; readonly name: string },
  ): boolean => {
    const spec = record(record(policy.body).spec);
    const references = [
      ...records(spec.targetRefs),
      ...(optionalRecord(spec.targetRef) === undefined ? [] : [record(spec.targetRef)]),
    ];
    return (
      policy.namespace === target.namespace &&
      references.some((reference) => reference.kind === target.kind && reference.name === target.name)
    );
  };
  const all = input.of(GROUP, kind);
  const onRoute = all.filter((policy) =>
    targets(policy, { kind: route.kind, namespace: route.config.namespace, name: route.config.name }),
  );
  return onRoute.length > 0
    ? onRoute
    : all.filter((policy) =>
        targets(policy, { kind: 'Gateway', namespace: gateway.config.namespace, name: gateway.config.name }),
      );
}

/** TLS towards a Service by a BackendTLSPolicy: SNI and where it is written. */
export function backendTls(
  service: { readonly namespace: string; readonly name: string },
  portName: string,
  input: EnvoyGatewayInput,
): { readonly sni: string; readonly manifest: Manifest } | undefined {
  for (const policy of input.of(GATEWAY_API, 'BackendTLSPolicy')) {
    if (policy.namespace !== service.namespace) continue;
    const spec = record(record(policy.body).spec);
    const isTarget = records(spec.targetRefs).some(
      (reference) =>
        text(reference.kind) === 'Service' &&
        text(reference.name) === service.name &&
        (text(reference.sectionName) === '' || text(reference.sectionName) === portName),
    );
    if (isTarget) return { sni: text(record(spec.validation).hostname), manifest: policy };
  }
  return undefined;
}

/** Envoy Gateway's proxies do not listen on ports below 1024: it adds 10000 to them. */
export function listenPort(port: number): number {
  return port < 1024 ? port + 10_000 : port;
}
