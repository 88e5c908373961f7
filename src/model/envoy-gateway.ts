import { runsInGatewayNamespaces, settingsOf } from './envoy-gateway-settings';
import { optionalRecord, record, records, strings, text, type Json } from './fields';
import type { ApiGateway } from './gateway-api';
import { GATEWAY_API } from './groups';
import type { Manifest } from './manifest';
import type { EnvoyGatewayBehavior } from './release-behavior';
import { assumedWorkload, membershipOf, type NamespaceInfo, type Workload } from './workloads';

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

/** Where objects are looked up, by the ways of a release. */
interface ReleasedInput extends EnvoyGatewayInput {
  readonly envoyGateway: EnvoyGatewayBehavior;
}

/**
 * The EnvoyProxy of a Gateway: the one it names itself, else that of its class, else the one in Envoy Gateway's own configuration. By mergeType the
 * nearer one is laid over the other; without it stands in its place. Where the Gateways of a class share their proxies, what a Gateway names counts
 * for nothing (attachEnvoyProxy of internal/gatewayapi/contexts.go, MergeEnvoyProxyConfigs of internal/gatewayapi/envoyproxy_merge.go).
 */
export function effectiveProxy(gateway: ApiGateway, input: ReleasedInput): EffectiveProxy {
  const ofClass = proxyOfClass(gateway, input);
  const usual = optionalRecord(settingsOf(input).find(({ body }) => body.envoyProxy !== undefined)?.body.envoyProxy);
  const reference = optionalRecord(record(gateway.config.spec.infrastructure).parametersRef);
  const named = reference === undefined || mergerOf(gateway, input) !== undefined ? '' : text(reference.name);
  const own = named === '' ? undefined : input.find(GROUP, 'EnvoyProxy', gateway.config.namespace, named);
  const specs = { own: own && specOf(own), ofClass: ofClass.manifest && ofClass.spec };
  const manifest = own ?? ofClass.manifest;
  if (!input.envoyGateway.mergesProxies) return { manifest, spec: specs.own ?? specs.ofClass ?? usual ?? {} };
  const nearer = laidOver(specs.ofClass, specs.own, text(specs.own?.mergeType));
  const spec = laidOver(usual, nearer, text(specs.ofClass?.mergeType) || text(specs.own?.mergeType));
  return { manifest, spec: spec ?? {} };
}

function specOf(manifest: Manifest): Json {
  return record(record(manifest.body).spec);
}

/** One spec over another; fields of both are joined only by a mergeType. */
function laidOver(base: Json | undefined, over: Json | undefined, mergeType: string): Json | undefined {
  if (base === undefined || over === undefined) return over ?? base;
  return mergeType === '' || mergeType === 'Replace' ? over : joined(base, over);
}

function joined(base: Json, over: Json): Json {
  const entries = Object.entries(over).map(([key, value]) => {
    const [below, above] = [optionalRecord(base[key]), optionalRecord(value)];
    return [key, below !== undefined && above !== undefined ? joined(below, above) : value] as const;
  });
  return { ...base, ...Object.fromEntries(entries) };
}

/** The EnvoyProxy of a Gateway's class. */
export function proxyOfClass(gateway: ApiGateway, input: EnvoyGatewayInput): EffectiveProxy {
  const gatewayClass = input.of(GATEWAY_API, 'GatewayClass').find((manifest) => manifest.name === gateway.className);
  const ofClass = optionalRecord(record(record(gatewayClass?.body).spec).parametersRef);
  if (ofClass === undefined) return { manifest: undefined, spec: {} };
  const manifest = input.find(GROUP, 'EnvoyProxy', text(ofClass.namespace), text(ofClass.name));
  return { manifest, spec: manifest === undefined ? {} : specOf(manifest) };
}

/**
 * What has one set of proxies serve all Gateways of a Gateway's class: mergeGateways of the EnvoyProxy of the class, else of the one in
 * Envoy Gateway's own configuration (IsMergeGatewaysEnabled of internal/gatewayapi/helpers.go). Undefined where each has its own.
 */
export function mergerOf(gateway: ApiGateway, input: EnvoyGatewayInput): Merger | undefined {
  // Envoy Gateway refuses the EnvoyProxy of a class then (processGatewayClassParamsRef of internal/provider/kubernetes/controller.go).
  if (runsInGatewayNamespaces(input)) return undefined;
  const { manifest, spec } = proxyOfClass(gateway, input);
  if (typeof spec.mergeGateways === 'boolean')
    return spec.mergeGateways && manifest !== undefined ? { manifest, field: 'spec.mergeGateways' } : undefined;
  const usual = settingsOf(input).find(({ body }) => record(body.envoyProxy).mergeGateways === true);
  return usual && { manifest: usual.manifest, field: [...usual.field, 'envoyProxy', 'mergeGateways'].join('.') };
}

export interface Merger {
  readonly manifest: Manifest;
  readonly field: string;
}

/** Where objects are looked up, and which namespaces may hold more than the manifests show. */
interface ShownInput extends EnvoyGatewayInput {
  readonly isOpen: (namespace: string) => boolean;
  readonly config: { readonly envoyGateway: EnvoyGatewayBehavior };
}

/** Why Envoy Gateway does not accept a Gateway: by its addresses, or by the EnvoyProxy that it names itself. */
export type GatewayProblem =
  | { readonly is: 'address-of-other-type'; readonly type: string }
  /** Its class has an EnvoyProxy with mergeGateways. */
  | { readonly is: 'own-proxy-of-merged'; readonly proxy: string }
  | { readonly is: 'parameters-of-no-proxy'; readonly parameters: string; readonly wanted: string }
  | { readonly is: 'no-such-proxy'; readonly proxy: string };

/**
 * Why Envoy Gateway does not accept a Gateway, and serves none of its listeners: its parametersRef (processGatewayParamsRef of
 * internal/provider/kubernetes/controller.go).
 */
export function whyNotAccepted(gateway: ApiGateway, input: ShownInput): GatewayProblem | undefined {
  const address = records(gateway.config.spec.addresses).find(({ type }) => !['', 'IPAddress', 'Hostname'].includes(text(type))); // prettier-ignore
  if (address !== undefined && input.config.envoyGateway.refusesNamedAddresses)
    return { is: 'address-of-other-type', type: text(address.type) };
  const reference = optionalRecord(record(gateway.config.spec.infrastructure).parametersRef);
  if (reference === undefined) return undefined;
  const { namespace } = gateway.config;
  const { manifest, spec } = proxyOfClass(gateway, input);
  if (manifest !== undefined && spec.mergeGateways === true)
    return { is: 'own-proxy-of-merged', proxy: `${manifest.namespace}/${manifest.name}` };
  const name = text(reference.name);
  if (text(reference.kind) !== 'EnvoyProxy' || text(reference.group) !== GROUP)
    return { is: 'parameters-of-no-proxy', parameters: `${text(reference.kind)} ${name}`, wanted: GROUP };
  if (input.find(GROUP, 'EnvoyProxy', namespace, name) !== undefined || input.isOpen(namespace)) return undefined;
  return { is: 'no-such-proxy', proxy: `${namespace}/${name}` };
}

/** The namespace of Envoy Gateway itself: where its Deployment or its Service is, else where its chart puts them. */
export function controllerNamespace(input: EnvoyGatewayInput): string {
  const isController = ({ name, labels }: Manifest): boolean =>
    name === 'envoy-gateway' || labels['control-plane'] === 'envoy-gateway';
  const found = [...input.of('apps', 'Deployment'), ...input.of('', 'Service')].find(isController);
  return found?.namespace || 'envoy-gateway-system';
}

/** Where the proxies of a Gateway run: beside the controller, or in the Gateway's own namespace if the installation says so. */
export function proxyNamespace(gateway: ApiGateway, input: EnvoyGatewayInput): string {
  return runsInGatewayNamespaces(input) ? gateway.config.namespace : controllerNamespace(input);
}

/** The Pod template that an EnvoyProxy asks for. */
export function proxyPod(proxy: EffectiveProxy): Json {
  const { envoyDaemonSet, envoyDeployment } = record(record(proxy.spec.provider).kubernetes);
  return record(record(envoyDaemonSet ?? envoyDeployment).pod);
}

/** The Pods that Envoy Gateway makes for a Gateway, or for all of its class; in the mesh only if their namespace injects, or they ask for it. */
export function proxyWorkload(
  gateway: ApiGateway,
  proxy: EffectiveProxy,
  info: NamespaceInfo | undefined,
  namespace: string,
  isShared: boolean,
): Workload {
  const pod = proxyPod(proxy);
  const infrastructure = record(gateway.config.spec.infrastructure);
  const { namespace: owner, name } = gateway.config;
  const annotations = { ...strings(infrastructure.annotations), ...strings(pod.annotations) };
  const labels = {
    ...strings(infrastructure.labels),
    'app.kubernetes.io/name': 'envoy',
    'app.kubernetes.io/component': 'proxy',
    ...(isShared
      ? { 'gateway.envoyproxy.io/owning-gatewayclass': gateway.className }
      : {
          'gateway.envoyproxy.io/owning-gateway-name': name,
          'gateway.envoyproxy.io/owning-gateway-namespace': owner,
        }),
    ...strings(pod.labels),
  };
  const full = isShared ? `envoy-${gateway.className}` : `envoy-${owner}-${name}`;
  // Where no manifest shows the namespace, nothing is assumed to be in front of the proxies that their own Pods do not ask for.
  const shown = info ?? { labels: { 'istio-injection': '' } };
  const { membership } = membershipOf({ labels, annotations, spec: {} }, namespace, shown);
  return assumedWorkload({
    namespace,
    name: full,
    labels,
    annotations,
    serviceAccount: full,
    membership,
    membershipAssumed: false,
    manifest: proxy.manifest,
  });
}

/**
 * `Service` if the proxies dial the Service's address, `Endpoint` if they dial Pods: as a BackendTrafficPolicy has it, else the EnvoyProxy.
 * Of a headless Service there are only Pods to dial.
 */
export function routingType(
  proxy: EffectiveProxy,
  isHeadless: boolean,
  policy?: { readonly spec: Json },
): 'Service' | 'Endpoint' {
  const asked = policy?.spec.routingType ?? proxy.spec.routingType;
  return asked === 'Service' && !isHeadless ? 'Service' : 'Endpoint';
}

/**
 * The port on which Envoy Gateway's proxies listen for one of a Gateway: ports below 1024 are moved up by 10000, onto others perhaps that the
 * Gateway has, unless the EnvoyProxy says otherwise (servicePortToContainerPort of internal/gatewayapi/listener.go).
 */
export function containerPort(gateway: ApiGateway, port: number, input: ReleasedInput): number {
  if (port >= 1024) return port;
  const { kubernetes } = record(effectiveProxy(gateway, input).spec.provider);
  return record(kubernetes).useListenerPortAsContainerPort === true ? port : port + 10_000;
}
