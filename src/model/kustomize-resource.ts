/** An object on its way through kustomizations: as it is, and who it was before. */
import type { Manifest } from './manifest';
import { isRecord } from './recognize';
import { copyOf } from './unread';

/** Why a folder is not built: kustomize would refuse it, or does there what is not done here. */
export class NotBuilt extends Error {}

export interface Remote {
  readonly entry: string;
  readonly file: string;
}

export interface Built {
  readonly resources: readonly Resource[];
  /** What would have to be fetched. */
  readonly remote: readonly Remote[];
  /** Files that went into it, by full path. */
  readonly files: ReadonlySet<string>;
}

interface Id {
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Resource {
  /** Its own, to be written to. */
  body: Record<string, unknown>;
  readonly original: Id;
  /** Who it was before each step that may have changed it, as resource.StorePreviousId keeps it. */
  readonly previous: Id[];
  readonly prefixes: string[];
  readonly suffixes: string[];
  readonly vars: Record<string, unknown>[];
  /** For tools beside kustomize only: `config.kubernetes.io/local-config`. */
  readonly isLocal: boolean;
  readonly from: Pick<Manifest, 'source' | 'lineOf'>;
}

export function newResource({ body, source, lineOf }: Pick<Manifest, 'body' | 'source' | 'lineOf'>): Resource {
  const own = copyOf(body as Record<string, unknown>);
  const annotations = metadataOf(own).annotations;
  const local = isRecord(annotations) ? annotations['config.kubernetes.io/local-config'] : undefined;
  const isLocal = local !== undefined && local !== 'false' && local !== false;
  const original = idOf(own);
  return {
    body: own,
    original,
    previous: [],
    prefixes: [],
    suffixes: [],
    vars: [],
    isLocal,
    from: { source, lineOf },
  };
}

export function metadataOf(body: Record<string, unknown>): Record<string, unknown> {
  if (!isRecord(body.metadata)) body.metadata = {};
  return body.metadata as Record<string, unknown>;
}

export function idOf(body: Record<string, unknown>): Id {
  const { name, namespace } = metadataOf(body);
  const [group = '', version = ''] = groupAndVersion(String(body.apiVersion ?? ''));
  return {
    kind: String(body.kind ?? ''),
    group,
    version,
    namespace: String(namespace ?? ''),
    name: String(name ?? ''),
  };
}

export function groupAndVersion(apiVersion: string): readonly [string, string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

/** Kinds of Kubernetes' own schema without a namespace: kustomize knows no others (kyaml openapi precomputedIsNamespaceScoped). */
const CLUSTER_SCOPED = new Set([
  'Namespace', 'Node', 'PersistentVolume', 'ComponentStatus', 'ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition', 'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration', 'APIService', 'CertificateSigningRequest', 'FlowSchema', 'PriorityLevelConfiguration', 'IngressClass', 'RuntimeClass', 'PodSecurityPolicy',
  'PriorityClass', 'StorageClass', 'CSIDriver', 'CSINode', 'VolumeAttachment', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding',
]); // prettier-ignore

export function isClusterScoped({ kind, group }: Pick<Id, 'kind' | 'group'>): boolean {
  return CLUSTER_SCOPED.has(kind) && (group === '' || group.endsWith('.k8s.io'));
}

/** The namespace that an id stands for: none for what has none, `default` where none is written. */
export function effectiveNamespace(id: Id): string {
  return isClusterScoped(id) ? '' : id.namespace || 'default';
}

export function currentId(resource: Resource): string {
  return idText(idOf(resource.body));
}

export function idText(id: Id): string {
  return `${id.group === '' ? '' : `${id.group}/`}${id.version} ${id.kind} ${effectiveNamespace(id)}/${id.name}`;
}

export function remember(resource: Resource): void {
  resource.previous.push(idOf(resource.body));
}
