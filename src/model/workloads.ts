import { entry, list, number, record, records, strings, text, texts, type Json } from './fields';
import { LabelIndex } from './label-index';
import type { Manifest } from './manifest';
import { controllerOf, makerOf } from './controllers';
import { DATAPLANE_MODE, podInjection } from './injection';
import { type RunAs, runAsProxy } from './run-as-proxy';

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
  /** Containers that run as the user of the proxy, if any do. */
  readonly runsAsProxy?: RunAs;
  /** Whether its containers are proxies and nothing else, as those of a gateway are that is not injected as one. */
  readonly hasNoApplication?: boolean;
  /** Whether its Pods have the network of their node, and no address of their own. */
  readonly onNode?: boolean;
  readonly membership: Membership;
  /** Why, where a manifest says so; an assumption otherwise. */
  readonly membershipAssumed: boolean;
  /** Of a live Pod, ReplicaSet or Job that something makes: the name of that. */
  readonly controller?: string;
  readonly manifest: Manifest | undefined;
}

/** Where each kind keeps the template of its Pods. Others have kinds of these names too, whose fields say something else. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment': ['spec', 'template'],
  'apps/StatefulSet': ['spec', 'template'],
  'apps/DaemonSet': ['spec', 'template'],
  'apps/ReplicaSet': ['spec', 'template'],
  '/ReplicationController': ['spec', 'template'],
  'argoproj.io/Rollout': ['spec', 'template'],
  'batch/Job': ['spec', 'template'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
  '/Pod': [],
};

const NEVER_INJECTED = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']);

/** Whether a proxy of the mesh carries what the Pods send, and takes what they get. */
export function isMeshed({ membership }: Pick<Workload, 'membership'>): boolean {
  return membership === 'sidecar' || membership === 'ztunnel';
}

/** Whether istiod's webhook leaves a namespace alone, whatever its labels are. */
export function isNeverInjected(namespace: string): boolean {
  return NEVER_INJECTED.has(namespace);
}

export interface NamespaceInfo {
  readonly labels: Readonly<Record<string, string>>;
  readonly manifest: Manifest;
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

/** Set by Istio's CNI plugin on Pods that it has redirected to ztunnel; istiod tells others to reach no other one through a tunnel. */
export const REDIRECTION = 'ambient.istio.io/redirection';

/** Whether a Pod runs, so that what Istio's CNI plugin does with it is done, and can be seen. */
export function isRunning(pod: Json): boolean {
  return text(record(pod.metadata).uid) !== '' && text(record(pod.status).phase) === 'Running';
}

/** How far a Pod has come: `final` from its admission on, `running` once its containers are. */
export type PodState = 'to be' | 'final' | 'running';

function stateOf({ kind, body }: Manifest): PodState {
  if (kind !== 'Pod' || !isAdmitted(body)) return 'to be';
  return isRunning(body) ? 'running' : 'final';
}

/** What a Pod becomes, by its own labels and those of its namespace. */
export function membershipOf(
  pod: PodShape,
  namespace: string,
  info: Pick<NamespaceInfo, 'labels'> | undefined,
  state: PodState = 'to be',
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
  if (pod.spec.hostNetwork === true || isNeverInjected(namespace)) return has('none');
  const mode = pod.labels[DATAPLANE_MODE] ?? info?.labels[DATAPLANE_MODE];
  if (state === 'running' && pod.annotations[REDIRECTION] === 'enabled') return has('ztunnel');
  const injected = state === 'to be' ? podInjection(pod, info) : false;
  if (injected === true) return has('sidecar');
  if (mode === 'ambient') return has(state === 'running' ? 'none' : 'ztunnel');
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

/** `image: auto` is what injection makes a proxy of. */
function hasNoApplication({ containers }: Json): boolean {
  const own = records(containers);
  return own.length > 0 && own.every(({ name, image }) => name === 'istio-proxy' || image === 'auto');
}

function isReady(status: Json): boolean {
  const condition = records(status.conditions).find((item) => item.type === 'Ready');
  return condition === undefined || condition.status !== 'False';
}

type Assumed = Pick<Workload, 'namespace' | 'name' | 'labels' | 'membership'> & Partial<Workload>;

/** Pods that no manifest shows, of which only so much is known: a Deployment that runs, with what is said of it. */
export function assumedWorkload(known: Assumed): Workload {
  return {
    kind: 'Deployment',
    annotations: {},
    serviceAccount: 'default',
    addresses: [],
    runs: true,
    ready: true,
    namedPorts: new Map(),
    membershipAssumed: true,
    manifest: undefined,
    ...known,
  };
}

export function templatePath({ group, kind }: Manifest): readonly string[] | undefined {
  return entry(TEMPLATES, `${group}/${kind}`);
}

/** What Pods are made by: a Pod itself, or the template of a controller. */
export function podTemplateOf(manifest: Manifest): Json | undefined {
  return templatePath(manifest)?.reduce<Json>((value, key) => record(value[key]), record(manifest.body));
}

export function readWorkload(manifest: Manifest, namespaces: ReadonlyMap<string, NamespaceInfo>): Workload | undefined {
  const path = templatePath(manifest);
  const template = podTemplateOf(manifest);
  if (path === undefined || template === undefined) return undefined;
  const body = record(manifest.body);
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
    stateOf(manifest),
  );
  const status = manifest.kind === 'Pod' ? record(body.status) : {};
  const addresses = [text(status.podIP), ...records(status.podIPs).map((item) => text(item.ip))].filter(
    (address) => address !== '',
  );
  const replicas = record(body.spec).replicas;
  const controller = manifest.kind === 'Pod' ? controllerOf(body) : makerOf(body);
  const phase = text(status.phase);
  const runsAsProxy = runAsProxy(pod.spec, path, namespaces.get(manifest.namespace)?.manifest);
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
    hasNoApplication: hasNoApplication(pod.spec),
    onNode: pod.spec.hostNetwork === true,
    membership,
    membershipAssumed: assumed,
    ...(runsAsProxy === undefined ? {} : { runsAsProxy }),
    ...(controller === undefined ? {} : { controller }),
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

/** The workloads of a namespace by what they are looked up by, each index made when it is first asked for. */
class OfNamespace {
  public readonly all: Workload[] = [];
  public readonly byLabels = new LabelIndex(this.all, ({ labels }) => labels);
  private names: ReadonlyMap<string, readonly Workload[]> | undefined;
  private pods: ReadonlyMap<string, readonly Workload[]> | undefined;

  public named(name: string): readonly Workload[] {
    this.names ??= grouped(this.all, (workload) => workload.name);
    return this.names.get(name) ?? [];
  }

  /** The live Pods that run of a controller of this name. */
  public podsOf(controller: string): readonly Workload[] {
    this.pods ??= grouped(
      this.all.filter(({ controller: name, kind, runs }) => name !== undefined && kind === 'Pod' && runs),
      (one) => one.controller ?? '',
    );
    return this.pods.get(controller) ?? [];
  }
}

function grouped(workloads: readonly Workload[], keyOf: (workload: Workload) => string): Map<string, Workload[]> {
  const groups = new Map<string, Workload[]>();
  for (const workload of workloads) {
    const key = keyOf(workload);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [workload]);
    else known.push(workload);
  }
  return groups;
}

/**
 * Without what stands between a controller and its Pods, where one of these is shown: the ReplicaSets that a Deployment has left of each of
 * its templates, the Jobs of a CronJob. Which of them comes first in a dump is chance. Where neither is shown, one of them stands for the
 * controller, under its name.
 */
export function withoutMiddlemen(workloads: readonly Workload[]): readonly Workload[] {
  const isMiddle = ({ kind, controller }: Workload): boolean => kind !== 'Pod' && controller !== undefined;
  if (!workloads.some(isMiddle)) return workloads;
  const keyOf = (one: Workload): string => `${one.namespace}/${shownName(one)}`;
  const shown = new Set(workloads.filter((one) => !isMiddle(one) && (one.kind !== 'Pod' || one.runs)).map(keyOf));
  const standIns = new Map<string, Workload>();
  for (const one of workloads)
    if (isMiddle(one) && !shown.has(keyOf(one)) && standIns.get(keyOf(one))?.runs !== true)
      standIns.set(keyOf(one), one);
  return workloads.flatMap((one): readonly Workload[] => {
    if (!isMiddle(one)) return [one];
    const { controller: _maker, ...rest } = one;
    return standIns.get(keyOf(one)) === one ? [{ ...rest, name: shownName(one) }] : [];
  });
}

/** A Service, or what else chooses Pods of its namespace by their labels. */
interface Selecting {
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
}

/** Workloads by namespace and name, the Pods of a controller standing aside for it where both are there. */
export class Workloads {
  private readonly byNamespace = new Map<string, OfNamespace>();
  private readonly byAddress = new Map<string, Workload>();
  private ofGateways: readonly Workload[] | undefined;

  /** `known`: namespaces whose workloads another state of the mesh shows, so that what is not there is gone. */
  public constructor(
    public readonly all: readonly Workload[],
    private readonly known: ReadonlySet<string> = new Set(),
  ) {
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

  /** Whether the workloads of a namespace are among the manifests: what its Services select and nobody shows is not there. */
  public areShown(namespace: string): boolean {
    return this.known.has(namespace) || this.inNamespace(namespace).some(isShown);
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
    return this.allNamed(namespace, name)[0];
  }

  /** All of a name in a namespace: a Deployment and a StatefulSet, say. */
  public allNamed(namespace: string, name: string): readonly Workload[] {
    return this.byNamespace.get(namespace)?.named(name) ?? [];
  }

  /** By the workload's own name, else by the name of what makes it, else by its `app` label, else by its ServiceAccount. */
  public find(namespace: string, name: string): Workload | undefined {
    const candidates = this.inNamespace(namespace);
    return (
      this.called(namespace, name) ??
      candidates.find(
        (workload) => workload.labels.app === name || workload.labels['app.kubernetes.io/name'] === name,
      ) ??
      candidates.find((workload) => workload.serviceAccount === name)
    );
  }

  /** Of its own name, or of that of what makes it. */
  public called(namespace: string, name: string): Workload | undefined {
    const named = this.named(namespace, name);
    const pods = this.byNamespace.get(namespace)?.podsOf(name) ?? [];
    // What a controller would make today is no Pod yet: where those that run are none of it in the mesh otherwise, they are what there is.
    if (named?.kind === 'Pod' || pods.some(({ membership }) => membership === named?.membership)) return named;
    return pods[0] ?? named;
  }

  /** Of policies and the like, for which a selector without labels is for all of the namespace. */
  public selected(namespace: string, selector: Readonly<Record<string, string>>): readonly Workload[] {
    return this.byNamespace.get(namespace)?.byLabels.selectedBy(selector) ?? [];
  }

  /** Those that a Service or a ServiceEntry leads to: without labels it selects none. */
  public behind({ namespace, selector }: Selecting): readonly Workload[] {
    return Object.keys(selector).length === 0 ? [] : this.selected(namespace, selector);
  }
}

/** What people and Istio call a workload: a Pod by its controller, which outlives it. */
export function shownName({ name, controller }: Pick<Workload, 'name' | 'controller'>): string {
  return controller ?? name;
}
