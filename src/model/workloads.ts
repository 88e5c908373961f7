import { list, number, optionalRecord, record, records, strings, text, texts, type Json } from './fields';
import { LabelIndex } from './label-index';
import type { Manifest } from './manifest';
import { firstOfEach } from './objects';

/** How a workload meets the mesh. `gateway`: it is an Istio gateway itself. `ztunnel`: ambient, without a proxy of its own. */
export type Membership = 'sidecar' | 'gateway' | 'waypoint' | 'ztunnel' | 'none';

/** A Pod, or a controller whose template makes Pods. */
export interface Workload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly addresses: readonly string[];
  /** False for a controller scaled to zero, and for a Pod that does not run. */
  readonly runs: boolean;
  readonly ready: boolean;
  /** Ports of its containers by name; those without a name by their number. */
  readonly namedPorts: ReadonlyMap<string, number>;
  /** Whether its Pods have the network of their node, and no address of their own. */
  readonly onNode?: boolean;
  readonly membership: Membership;
  /** Why, where a manifest says so; an assumption otherwise. */
  readonly membershipAssumed: boolean;
  readonly manifest: Manifest | undefined;
}

/** Pod templates by kind: where each keeps its template. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Rollout: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  Pod: [],
};

const NEVER_INJECTED = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']);

export interface NamespaceInfo {
  readonly labels: Readonly<Record<string, string>>;
  readonly manifest: Manifest;
}

function isFlag(value: string | undefined, wanted: 'true' | 'false'): boolean {
  if (value === undefined) return false;
  return (wanted === 'true' ? ['true', 'y', 'yes', 'on'] : ['false', 'n', 'no', 'off']).includes(value.toLowerCase());
}

/** Whether the injector of a namespace acts on its Pods by its labels; undefined if no manifest shows the namespace. */
export function namespaceInjection(info: Pick<NamespaceInfo, 'labels'> | undefined): boolean | undefined {
  if (info === undefined) return undefined;
  const { labels } = info;
  if (labels['istio-injection'] !== undefined) return labels['istio-injection'] === 'enabled';
  return labels['istio.io/rev'] !== undefined;
}

interface PodShape {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Json;
}

function isRouter(pod: PodShape, containers: readonly Json[]): boolean {
  const templates = (pod.annotations['inject.istio.io/templates'] ?? '').split(',');
  if (templates.some((name) => name.trim() === 'gateway')) return true;
  if (
    containers.some((container) => text(container.name) === 'istio-proxy' && texts(container.args).includes('router'))
  )
    return true;
  return /gateway/.test(pod.labels.istio ?? '') && containers.length <= 1;
}

/**
 * Whether a Pod is there, rather than written down for one to be made: an API server, a scheduler, a kubelet or a controller has left its mark.
 * Its containers are final. An address alone is no mark, since those who write Pods by hand give them one to be called by.
 */
export function isAdmitted(pod: Json): boolean {
  const { uid, creationTimestamp, ownerReferences } = record(pod.metadata);
  const { phase, containerStatuses } = record(pod.status);
  return (
    [uid, creationTimestamp, phase, record(pod.spec).nodeName].some((mark) => text(mark) !== '') ||
    list(ownerReferences).length > 0 ||
    list(containerStatuses).length > 0
  );
}

/** What a Pod becomes, by its own labels and those of its namespace. */
export function membershipOf(
  pod: PodShape,
  namespace: string,
  info: Pick<NamespaceInfo, 'labels'> | undefined,
  isFinal = false,
): { membership: Membership; assumed: boolean } {
  const containers = [...records(pod.spec.containers), ...records(pod.spec.initContainers)];
  const has = (membership: Membership, assumed = false): { membership: Membership; assumed: boolean } => ({
    membership,
    assumed,
  });
  if (pod.labels['gateway.networking.k8s.io/gateway-name'] !== undefined) {
    const isWaypoint =
      pod.labels['gateway.istio.io/managed'] === 'istio.io-mesh-controller' ||
      /waypoint/.test(pod.labels['gateway.networking.k8s.io/gateway-class-name'] ?? '');
    return has(isWaypoint ? 'waypoint' : 'gateway');
  }
  if (isRouter(pod, containers)) return has('gateway');
  if (containers.some((container) => text(container.name) === 'istio-proxy')) return has('sidecar');
  if (pod.spec.hostNetwork === true || NEVER_INJECTED.has(namespace)) return has('none');
  const own = pod.labels['sidecar.istio.io/inject'] ?? pod.annotations['sidecar.istio.io/inject'];
  const mode = pod.labels['istio.io/dataplane-mode'] ?? info?.labels['istio.io/dataplane-mode'];
  if (isFlag(own, 'false') || isFinal) return has(mode === 'ambient' ? 'ztunnel' : 'none');
  const injected = namespaceInjection(info);
  const disabled = info?.labels['istio-injection'] === 'disabled';
  if (isFlag(own, 'true') && !disabled) return has('sidecar');
  if (injected === true || (pod.labels['istio.io/rev'] !== undefined && !disabled)) return has('sidecar');
  if (mode === 'ambient') return has('ztunnel');
  return injected === false ? has('none') : has('sidecar', true);
}

function namedPorts(spec: Json): ReadonlyMap<string, number> {
  const ports = new Map<string, number>();
  for (const container of [...records(spec.containers), ...records(spec.initContainers)]) {
    for (const port of records(container.ports))
      ports.set(text(port.name) || String(number(port.containerPort)), number(port.containerPort));
  }
  return ports;
}

function isReady(status: Json): boolean {
  const condition = records(status.conditions).find((item) => item.type === 'Ready');
  return condition === undefined || condition.status !== 'False';
}

export function readWorkload(manifest: Manifest, namespaces: ReadonlyMap<string, NamespaceInfo>): Workload | undefined {
  const path = Object.hasOwn(TEMPLATES, manifest.kind) ? TEMPLATES[manifest.kind] : undefined;
  if (path === undefined) return undefined;
  const body = record(manifest.body);
  const template = path.reduce<Json>((value, key) => record(value[key]), body);
  const metadata = record(template.metadata);
  const pod: PodShape = {
    labels: strings(metadata.labels),
    annotations: strings(metadata.annotations),
    spec: record(template.spec),
  };
  const { membership, assumed } = membershipOf(
    pod,
    manifest.namespace,
    namespaces.get(manifest.namespace),
    manifest.kind === 'Pod' && isAdmitted(body),
  );
  const status = manifest.kind === 'Pod' ? record(body.status) : {};
  const addresses = [text(status.podIP), ...records(status.podIPs).map((item) => text(item.ip))].filter(
    (address) => address !== '',
  );
  const replicas = record(body.spec).replicas;
  const phase = text(status.phase);
  return {
    kind: manifest.kind,
    namespace: manifest.namespace,
    name: manifest.name,
    labels: pod.labels,
    annotations: pod.annotations,
    serviceAccount: text(pod.spec.serviceAccountName) || text(pod.spec.serviceAccount) || 'default',
    addresses: [...new Set(addresses)],
    runs: replicas !== 0 && phase !== 'Failed' && phase !== 'Succeeded' && record(body.spec).suspend !== true,
    ready: manifest.kind !== 'Pod' || isReady(status),
    namedPorts: namedPorts(pod.spec),
    onNode: pod.spec.hostNetwork === true,
    membership,
    membershipAssumed: assumed,
    manifest,
  };
}

/** Whether a manifest has the workload itself, rather than something that others make it from. */
export function isShown({ manifest, kind }: Workload): boolean {
  return manifest?.kind === kind;
}

/** What stands for the IP of a workload whose Pods no manifest shows. */
export function standIn(workload: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${workload.kind}/${workload.namespace}/${workload.name}`;
}

export function addressOf(workload: Workload): string {
  return workload.addresses[0] ?? standIn(workload);
}

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/** The workloads of a namespace by what they are looked up by, each index made when it is first asked for. */
class OfNamespace {
  public readonly all: Workload[] = [];
  public readonly byLabels = new LabelIndex(this.all, ({ labels }) => labels);
  private names: ReadonlyMap<string, Workload> | undefined;

  public named(name: string): Workload | undefined {
    this.names ??= firstOfEach(this.all, (workload) => workload.name);
    return this.names.get(name);
  }
}

/** Workloads by namespace and name, the Pods of a controller standing aside for it where both are there. */
export class Workloads {
  private readonly byNamespace = new Map<string, OfNamespace>();
  private readonly byAddress = new Map<string, Workload>();
  private ofGateways: readonly Workload[] | undefined;

  public constructor(public readonly all: readonly Workload[]) {
    for (const workload of all) {
      let siblings = this.byNamespace.get(workload.namespace);
      if (siblings === undefined) this.byNamespace.set(workload.namespace, (siblings = new OfNamespace()));
      siblings.all.push(workload);
      for (const address of [...workload.addresses, standIn(workload)]) this.byAddress.set(address, workload);
    }
  }

  /** Those that are gateways. */
  public get gateways(): readonly Workload[] {
    this.ofGateways ??= this.all.filter(({ membership }) => membership === 'gateway');
    return this.ofGateways;
  }

  public inNamespace(namespace: string): readonly Workload[] {
    return this.byNamespace.get(namespace)?.all ?? [];
  }

  public namespaces(): Iterable<string> {
    return this.byNamespace.keys();
  }

  public at(address: string): Workload | undefined {
    return this.byAddress.get(address);
  }

  /** The first of a name in a namespace. */
  public named(namespace: string, name: string): Workload | undefined {
    return this.byNamespace.get(namespace)?.named(name);
  }

  /** By the workload's own name, else by its `app` label, else by its ServiceAccount. */
  public find(namespace: string, name: string): Workload | undefined {
    const candidates = this.inNamespace(namespace);
    return (
      this.named(namespace, name) ??
      candidates.find(
        (workload) => workload.labels.app === name || workload.labels['app.kubernetes.io/name'] === name,
      ) ??
      candidates.find((workload) => workload.serviceAccount === name)
    );
  }

  public selected(namespace: string, selector: Readonly<Record<string, string>>): readonly Workload[] {
    return this.byNamespace.get(namespace)?.byLabels.selectedBy(selector) ?? [];
  }
}

export function ownerOf(manifest: Manifest): NamespacedName | undefined {
  const owner = optionalRecord(list(record(record(manifest.body).metadata).ownerReferences)[0]);
  return owner === undefined ? undefined : { namespace: manifest.namespace, name: text(owner.name) };
}
