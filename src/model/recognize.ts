/**
 * What a document is, when a folder holds more than manifests: a Kubernetes object, a list of them, the Helm values of
 * an Istio installation, or something that is none of our business.
 */

import { hasAction } from './template';
import { isUnread } from './unread';

export type Recognized =
  | { readonly is: 'object' | 'list' | 'helm-values' | 'helm-chart' | 'template' | 'other' }
  | { readonly is: 'broken'; readonly what: string; readonly why: string; readonly fix: string };

/** The kind that Helm values of Istio and of Envoy Gateway are filed under: they have no apiVersion, group or name of their own. */
export const HELM_VALUES = 'HelmValues';

/** The kind that a Chart.yaml of Istio or Envoy Gateway, or of what depends on them, is filed under: it names their releases. */
export const HELM_CHART = 'HelmChartFile';

/** The kind that a file which a kustomization fetches is filed under, where its address names a release of Gateway API or Envoy Gateway. */
export const REMOTE_RELEASE = 'RemoteRelease';

/** How many of these are objects, or stand for what makes some. */
export function countObjects(manifests: readonly { readonly kind: string }[]): number {
  return manifests.filter(({ kind }) => kind !== REMOTE_RELEASE).length;
}

/** Configuration of tools, written like a Kubernetes object and never sent to a cluster. */
const TOOL_GROUPS =
  /^(kustomize\.config\.k8s\.io|kind\.x-k8s\.io|skaffold|argocd-image-updater|kubeadm\.k8s\.io|kubelet\.config\.k8s\.io|audit\.k8s\.io|apiserver\.config\.k8s\.io|k3d\.io|helmfile)/;

export function recognize(value: unknown): Recognized {
  if (!isRecord(value) || (!isUnread(value) && isPatch(value))) return { is: 'other' };
  const { apiVersion, kind } = value;
  if (typeof apiVersion === 'string' && typeof kind === 'string') return recognizeObject(value, apiVersion, kind);
  if (isHelmValues(value)) return { is: 'helm-values' };
  if (isHelmChart(value)) return { is: 'helm-chart' };
  if (!looksLikeOurs(value)) return { is: 'other' };
  const missing = typeof kind === 'string' ? 'apiVersion' : 'kind';
  const found = value[missing];
  return {
    is: 'broken',
    what:
      found === undefined
        ? `the document has metadata but no ${missing}`
        : `${missing} is ${JSON.stringify(found)}, not a string`,
    why: 'an API server accepts an object only if it says its apiVersion and kind',
    fix: `write the object's ${missing}, for example ${missing === 'kind' ? 'kind: ServiceEntry' : 'apiVersion: networking.istio.io/v1'}`,
  };
}

/** Kinds that people write by hand and that the rules read. */
const KINDS = new Set([
  'ServiceEntry', 'Gateway', 'VirtualService', 'DestinationRule', 'Sidecar', 'EnvoyFilter', 'WorkloadEntry', 'WorkloadGroup', 'ProxyConfig', 'AuthorizationPolicy',
  'PeerAuthentication', 'RequestAuthentication', 'Telemetry', 'WasmPlugin', 'TrafficExtension', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute', 'GatewayClass', 'ReferenceGrant',
  'BackendTLSPolicy', 'EnvoyProxy', 'SecurityPolicy', 'BackendTrafficPolicy', 'ClientTrafficPolicy', 'EnvoyPatchPolicy', 'EnvoyExtensionPolicy', 'Backend', 'HTTPRouteFilter',
  'NetworkPolicy', 'Ingress', 'Service', 'Namespace', 'Deployment', 'StatefulSet', 'DaemonSet', 'Pod', 'ConfigMap', 'Secret', 'ServiceAccount',
]); // prettier-ignore

/** API groups of those kinds: an apiVersion of any other says that the document is for another tool. */
const GROUPS =
  /^(v1|(networking|security|telemetry|extensions|install)\.istio\.io\/\w+|gateway\.networking\.k8s\.io\/\w+|gateway\.envoyproxy\.io\/\w+|(apps|networking\.k8s\.io|batch)\/\w+)$/;

/** Fields of specs that are the mesh's and hardly anybody else's. */
const FIELDS = ['hosts', 'http', 'servers', 'gateways', 'parentRefs', 'listeners', 'trafficPolicy', 'exportTo', 'workloadSelector', 'targetRefs', 'podSelector']; // prettier-ignore

/** Whether a document without apiVersion or kind was meant to be an object that is judged here. Other tools write documents alike. */
function looksLikeOurs({ apiVersion, kind, metadata, spec }: Record<string, unknown>): boolean {
  if (!isRecord(metadata)) return false;
  const isOfOurs = isRecord(spec) && FIELDS.some((field) => field in spec);
  if (typeof kind === 'string') return KINDS.has(kind) && (metadata.name !== undefined || isOfOurs);
  if (typeof apiVersion === 'string') return GROUPS.test(apiVersion);
  return (kind !== undefined && kind !== null) || (apiVersion !== undefined && apiVersion !== null) || isOfOurs;
}

/** Strategic merge patches say what becomes of a field or list; no object does. */
function isPatch(value: Record<string, unknown>): boolean {
  const { metadata, spec } = value;
  return [value, metadata, spec].some((level) => isRecord(level) && ('$patch' in level || '$retainKeys' in level));
}

/**
 * Text that could not be read, but might be a manifest to a reader that can: it names its apiVersion and kind, or one of them as a key of its
 * own and not of what is within it. Either may be written in escapes.
 */
export function seemsKubernetes(text: string): boolean {
  const plain = text.includes('\\') ? text.replace(ESCAPE, (_all, long, half, short) => String.fromCharCode(parseInt(String(long ?? half ?? short), 16))) : text; // prettier-ignore
  return (/apiVersion["']?\s*(:|$)/m.test(plain) && /kind["']?\s*(:|$)/m.test(plain)) || OWN_KEY.test(plain);
}

/** Escapes of letters: everything else is no part of these names. */
const ESCAPE = /\\(?:U000000([46-7][0-9a-fA-F])|u00([46-7][0-9a-fA-F])|x([46-7][0-9a-fA-F]))/g;
const OWN_KEY = /(^|^[{[][^:\n]*?|^---[ \t]+)["']?(apiVersion|kind)["']?[ \t]*(:|$)/m;

function recognizeObject(value: Record<string, unknown>, apiVersion: string, kind: string): Recognized {
  if (TOOL_GROUPS.test(apiVersion)) return { is: 'other' };
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  if (group === '' && kind === 'Config' && 'clusters' in value) return { is: 'other' };
  if (kind.endsWith('List') && Array.isArray(value.items)) return { is: 'list' };
  const { metadata } = value;
  if (metadata !== undefined && metadata !== null && !isRecord(metadata)) {
    return {
      is: 'broken',
      what: `metadata of this ${kind} is ${Array.isArray(metadata) ? 'a list' : JSON.stringify(metadata)}, not a mapping`,
      why: 'an object is known by metadata.name and metadata.namespace',
      fix: 'write metadata as a mapping with a name',
    };
  }
  return isRecord(metadata) && typeof metadata.name === 'string' && hasAction(metadata.name)
    ? { is: 'template' }
    : { is: 'object' };
}

/** Values of Istio's or Envoy Gateway's own charts, or of a chart that has one of them as a dependency (`istiod.meshConfig`). */
function isHelmValues(value: Record<string, unknown>): boolean {
  if ('apiVersion' in value || 'kind' in value) return false;
  const inside = (level: Record<string, unknown>): Record<string, unknown>[] => Object.values(level).filter(isRecord);
  const within = inside(value);
  const isShallow = [value, ...within].some(
    (level) =>
      isConfiguring(level) ||
      (typeof level.compatibilityVersion === 'string' && /^1\.\d+$/.test(level.compatibilityVersion)) ||
      (isRecord(level.global) && isRecord(level.global.proxy)),
  );
  // Charts within charts.
  return isShallow || within.flatMap(inside).some((level) => isConfiguring(level) || inside(level).some(isConfiguring));
}

function isConfiguring({ meshConfig, config }: Record<string, unknown>): boolean {
  return isRecord(meshConfig) || (isRecord(config) && isRecord(config.envoyGateway));
}

/** The charts whose release says which release a mesh or an Envoy Gateway is of. */
const CHARTS = new Set(['istiod', 'ztunnel', 'gateway-helm', 'gateway-crds-helm']);

function isHelmChart(value: Record<string, unknown>): boolean {
  if ('kind' in value || typeof value.apiVersion !== 'string' || typeof value.version !== 'string') return false;
  const dependencies: readonly unknown[] = Array.isArray(value.dependencies) ? value.dependencies : [];
  const names = [value, ...dependencies.filter(isRecord)].map(({ name }) => name);
  return names.some((name) => typeof name === 'string' && CHARTS.has(name));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
