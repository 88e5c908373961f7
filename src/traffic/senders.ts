/**
 * Workloads that send requests, as one set of manifests shows them: one for each way in which configuration may reach the workloads of a namespace, and
 * the namespaces that edge objects are written for where no workload is shown. Classes of all clients are in clients.ts.
 */
import { labelsMatch, record } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { isMeshed, type Workload } from '../model/workloads';
import { distinctions, type Selection } from './distinctions';
import { callsOthers, mayHoldAnyone } from './who-calls';

export interface Sender {
  /** `NAMESPACE` or `NAMESPACE/WORKLOAD`, as a trace names it. */
  readonly from: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Not in the manifests: a namespace that objects are exported to or live in. */
  readonly isAssumed: boolean;
  /** Whether manifests show that it has a sidecar (or that ztunnel serves it), or it is only usual. */
  readonly hasSidecarForSure: boolean;
}

/** Whoever calls a gateway from outside the cluster. */
export const OUTSIDE: Sender = {
  from: 'outside',
  namespace: '',
  labels: {},
  isAssumed: false,
  hasSidecarForSure: true,
};

/** Whoever a namespace may hold. */
export function anyoneIn(namespace: string): Sender {
  return { from: namespace, namespace, labels: {}, isAssumed: true, hasSidecarForSure: false };
}

export function senders(mesh: Mesh): readonly Sender[] {
  const selections = distinctions([mesh]).selections.filter(isFollowed);
  const accounts = toldApart(mesh);
  const chosenIn = new Map<string, readonly Selection[]>();
  const byScope = new Map<string, Sender>();
  for (const workload of shownIn(mesh)) {
    const { namespace } = workload;
    let own = chosenIn.get(namespace);
    if (own === undefined) chosenIn.set(namespace, (own = selections.filter((one) => isIn(one, namespace))));
    const settings = `${accounts ? workload.serviceAccount : ''} ${JSON.stringify(settingsOf(workload))}`;
    const key = `${scopeKey(mesh, workload, own)} ${settings}`;
    if (byScope.has(key)) continue;
    byScope.set(key, {
      from: `${namespace}/${workload.name}`,
      namespace,
      labels: workload.labels,
      isAssumed: false,
      hasSidecarForSure: !workload.membershipAssumed,
    });
  }
  const assumed = [...assumedNamespaces(mesh)]
    .filter((namespace) => isMeshed({ membership: mesh.membershipIn(namespace) }) && mayHoldAnyone([mesh], namespace))
    .flatMap((namespace) => [
      anyoneIn(namespace),
      ...selections
        .filter((one) => isIn(one, namespace) && (one.namespaces !== 'all' || one.owners.has(namespace)))
        .map(({ labels }) => ({ ...anyoneIn(namespace), labels })),
    ]);
  return [...byScope.values(), ...assumed];
}

/**
 * Telemetry alters no way of a request, and NetworkPolicies, of which each workload may have its own, are followed by one workload for each
 * service account: every selector more is every host once more.
 */
const NOT_FOLLOWED: ReadonlySet<string> = new Set(['Telemetry', 'NetworkPolicy']);

function isFollowed({ kinds }: Selection): boolean {
  return [...kinds].some((kind) => !NOT_FOLLOWED.has(kind));
}

function isIn({ namespaces }: Selection, namespace: string): boolean {
  return namespaces === 'all' || namespaces.has(namespace);
}

/** Callers in the mesh: of others no proxy of theirs says what becomes of a request. */
function shownIn(mesh: Mesh): readonly Workload[] {
  return mesh.workloads.all.filter((one) => one.manifest !== undefined && isMeshed(one) && callsOthers(one));
}

/** Whether anything in the manifests may tell workloads of one namespace apart by who they are: there may be hundreds, and else one stands for all. */
function toldApart(mesh: Mesh): boolean {
  const byIdentity = mesh
    .of('security.istio.io', 'AuthorizationPolicy')
    .some((policy) => /principal|serviceAccount/i.test(JSON.stringify(record(policy.body).spec ?? '')));
  return (
    byIdentity ||
    mesh.of('networking.k8s.io', 'NetworkPolicy').length > 0 ||
    mesh.of('networking.istio.io', 'EnvoyFilter').length > 0 ||
    mesh.of('networking.istio.io', 'ProxyConfig').length > 0 ||
    mesh.of('extensions.istio.io', 'WasmPlugin').length > 0 ||
    mesh.of('extensions.istio.io', 'TrafficExtension').length > 0
  );
}

/** What a Pod says of its own proxy, and whether it runs as that. */
function settingsOf({ annotations, runsAsProxy }: Workload): readonly (readonly [string, string])[] {
  const own = Object.entries(annotations)
    .filter(([key]) => /^(traffic\.sidecar|sidecar|proxy)\.istio\.io\//.test(key) && key !== 'sidecar.istio.io/status')
    .sort();
  return runsAsProxy?.isAll === true ? [...own, ['runs as', 'the proxy']] : own;
}

/** Workloads of a namespace differ by the Sidecar they get, and by selectors of other objects that reach only some of them. */
function scopeKey(mesh: Mesh, workload: Workload, selections: readonly Selection[]): string {
  const sidecar = mesh.sidecarFor(workload.namespace, workload.labels);
  const chosen = selections.map(({ labels }) => labelsMatch(labels, workload.labels));
  return `${workload.namespace} ${workload.membership} ${sidecar ? `${sidecar.namespace}/${sidecar.name}` : ''} ${chosen.join()}`;
}

/** Namespaces that somebody has in mind: where edge objects live, and which they are exported to. */
function assumedNamespaces(mesh: Mesh): ReadonlySet<string> {
  const namespaces = new Set<string>();
  for (const kind of ['ServiceEntry', 'VirtualService', 'Sidecar']) {
    for (const { namespace, body } of mesh.of('networking.istio.io', kind)) {
      namespaces.add(namespace);
      const { exportTo } = record(record(body).spec);
      if (kind === 'Sidecar' || !Array.isArray(exportTo)) continue;
      for (const entry of exportTo) if (typeof entry === 'string' && /^[a-z0-9]/.test(entry)) namespaces.add(entry);
    }
  }
  return namespaces;
}
