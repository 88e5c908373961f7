/** From one parsed object to a `Manifest`: who it is, and nothing about what it means. */
import type { LineOf, Manifest, Source } from './manifest';
import { isRecord } from './recognize';

/** Kinds without a namespace, by group, of the groups that a mesh's manifests use. */
const CLUSTER_SCOPED: Readonly<Record<string, readonly string[]>> = {
  '': ['Namespace', 'Node', 'PersistentVolume', 'HelmValues'],
  'rbac.authorization.k8s.io': ['ClusterRole', 'ClusterRoleBinding'],
  'apiextensions.k8s.io': ['CustomResourceDefinition'],
  'admissionregistration.k8s.io': [
    'MutatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'MutatingAdmissionPolicy',
    'MutatingAdmissionPolicyBinding',
  ],
  'apiregistration.k8s.io': ['APIService'],
  'scheduling.k8s.io': ['PriorityClass'],
  'storage.k8s.io': ['StorageClass', 'CSIDriver', 'CSINode', 'VolumeAttachment'],
  'networking.k8s.io': ['IngressClass', 'IPAddress', 'ServiceCIDR'],
  'node.k8s.io': ['RuntimeClass'],
  'certificates.k8s.io': ['CertificateSigningRequest', 'ClusterTrustBundle'],
  'cert-manager.io': ['ClusterIssuer'],
  'trust.cert-manager.io': ['Bundle'],
  'gateway.networking.k8s.io': ['GatewayClass'],
  'policy.networking.k8s.io': ['AdminNetworkPolicy', 'BaselineAdminNetworkPolicy', 'ClusterNetworkPolicy'],
};

export function toManifest(body: Record<string, unknown>, index: number, source: Source, lineOf: LineOf): Manifest {
  const apiVersion = typeof body.apiVersion === 'string' ? body.apiVersion : '';
  const slash = apiVersion.indexOf('/');
  const group = slash === -1 ? '' : apiVersion.slice(0, slash);
  const kind = String(body.kind);
  const metadata = isRecord(body.metadata) ? body.metadata : {};
  const clusterScoped = Object.hasOwn(CLUSTER_SCOPED, group) && (CLUSTER_SCOPED[group] ?? []).includes(kind);
  return {
    apiVersion,
    group,
    version: apiVersion.slice(slash + 1),
    kind,
    namespace: clusterScoped ? '' : text(metadata.namespace) || 'default',
    name: text(metadata.name) || text(metadata.generateName),
    labels: strings(metadata.labels),
    annotations: strings(metadata.annotations),
    body,
    index,
    source,
    lineOf,
  };
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

const NONE: Readonly<Record<string, string>> = Object.freeze({});

function strings(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return NONE;
  if (isOfStrings(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, text(entry)]));
}

function isOfStrings(value: Record<string, unknown>): value is Record<string, string> {
  for (const key of Object.keys(value)) if (typeof value[key] !== 'string') return false;
  return true;
}
