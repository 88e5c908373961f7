/** The fields of a Pod that the lab's kubelet acts on. */
import { type KubeObject } from './api';

export interface Pod extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly namespace: string; readonly uid: string };
  readonly spec: PodSpec;
  readonly status?: { readonly podIP?: string; readonly phase?: string };
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly serviceAccountName?: string;
  readonly restartPolicy?: string;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: SecurityContext;
}

export interface SecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly { configMapRef?: NamedRef; secretRef?: NamedRef; prefix?: string }[];
  readonly ports?: readonly { name?: string; containerPort: number }[];
  readonly volumeMounts?: readonly { name: string; mountPath: string; subPath?: string }[];
  readonly securityContext?: SecurityContext;
  readonly restartPolicy?: string;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly resources?: {
    readonly limits?: Readonly<Record<string, string>>;
    readonly requests?: Readonly<Record<string, string>>;
  };
}

export interface NamedRef {
  readonly name: string;
  readonly optional?: boolean;
}

export interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number | string; readonly scheme?: string };
  readonly tcpSocket?: { readonly port: number | string };
}

export interface FieldSource {
  readonly fieldRef?: { readonly fieldPath: string };
  readonly resourceFieldRef?: { readonly resource: string; readonly containerName?: string };
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: FieldSource & {
    readonly configMapKeyRef?: NamedRef & { readonly key: string };
    readonly secretKeyRef?: NamedRef & { readonly key: string };
  };
}

export interface KeyedSource {
  readonly items?: readonly { key: string; path: string }[];
  readonly optional?: boolean;
}

export interface VolumeSource {
  readonly configMap?: KeyedSource & { readonly name: string };
  readonly secret?: KeyedSource & { readonly secretName?: string; readonly name?: string };
  readonly downwardAPI?: { readonly items?: readonly ({ path: string } & FieldSource)[] };
  readonly serviceAccountToken?: {
    readonly path: string;
    readonly audience?: string;
    readonly expirationSeconds?: number;
  };
}

export interface Volume extends VolumeSource {
  readonly name: string;
  readonly emptyDir?: unknown;
  readonly hostPath?: { readonly path: string };
  readonly projected?: { readonly sources: readonly VolumeSource[] };
}

/** The value of a downward API field. */
export function fieldValue(pod: Pod, source: FieldSource, address: string, hostAddress: string): string {
  if (source.resourceFieldRef) return source.resourceFieldRef.resource.endsWith('cpu') ? '2' : String(2 ** 30);
  const field = source.fieldRef?.fieldPath ?? '';
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(field);
  if (keyed) return pod.metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? '';
  const quoted = (all: Readonly<Record<string, string>> = {}) =>
    Object.entries(all)
      .map(([key, value]) => `${key}=${JSON.stringify(value)}\n`)
      .join('');
  const values: Readonly<Record<string, string | undefined>> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'metadata.labels': quoted(pod.metadata.labels),
    'metadata.annotations': quoted(pod.metadata.annotations),
    'spec.nodeName': pod.spec.nodeName,
    'spec.serviceAccountName': pod.spec.serviceAccountName ?? 'default',
    'status.podIP': address,
    'status.podIPs': address,
    'status.hostIP': hostAddress,
    'status.hostIPs': hostAddress,
  };
  return values[field] ?? '';
}

/** Kubernetes' `$(NAME)` in commands, arguments and values; `$$` stands for one `$`. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]+)\)/g, (all, name?: string) => (name === undefined ? '$' : (env[name] ?? all)));
}
