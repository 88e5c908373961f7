/** Who sends requests: the workloads in the mesh that manifests show, or the namespaces that edge objects are written for. */
import { labelsMatch, record, strings } from '../../model/fields';
import type { Mesh } from '../../model/mesh';
import type { Workload } from '../../model/workloads';
import { type CheckContext, defineIndex } from '../context';
import { gatewaysByName } from '../edge';
import { NETWORKING, SECURITY, specOf } from '../istio';

export interface Client {
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
export const OUTSIDE: Client = {
  from: 'outside',
  namespace: '',
  labels: {},
  isAssumed: false,
  hasSidecarForSure: true,
};

/** One client for each way in which configuration may reach workloads of a namespace. */
export const clients = defineIndex('clients', (context): readonly Client[] => {
  const { mesh } = context;
  // What a Gateway selects is a gateway, and calls nobody by itself, even if something is wrong with its injection.
  const gateways = [...context.index(gatewaysByName).values()]
    .map(({ spec }) => spec.selector ?? {})
    .filter((selector) => Object.keys(selector).length > 0);
  const shown = mesh.workloads.all.filter(
    ({ manifest, membership, labels }) =>
      manifest !== undefined &&
      (membership === 'sidecar' || membership === 'ztunnel') &&
      !gateways.some((selector) => labelsMatch(selector, labels)),
  );
  const byScope = new Map<string, Client>();
  const selectors = selectorsByNamespace(context);
  const accounts = toldApart(context);
  for (const workload of shown) {
    const own = accounts ? workload.serviceAccount : JSON.stringify(settingsOf(workload));
    const key = `${scopeKey(mesh, workload, selectors.get(workload.namespace) ?? [])} ${own}`;
    if (!byScope.has(key)) {
      byScope.set(key, {
        from: `${workload.namespace}/${workload.name}`,
        namespace: workload.namespace,
        labels: workload.labels,
        isAssumed: false,
        hasSidecarForSure: !workload.membershipAssumed,
      });
    }
  }
  const known = new Set([...byScope.values()].map(({ namespace }) => namespace));
  const assumed = [...assumedNamespaces(context)]
    .filter((namespace) => !known.has(namespace) && mayHoldClients(mesh, namespace))
    .flatMap((namespace) =>
      [{}, ...(selectors.get(namespace) ?? [])].map((labels): Client => ({
        from: namespace,
        namespace,
        labels,
        isAssumed: true,
        hasSidecarForSure: false,
      })),
    );
  return [...byScope.values(), ...assumed];
});

/** Whether anything in the manifests may tell workloads of one namespace apart by who they are: there may be hundreds, and else one stands for all. */
function toldApart(context: CheckContext): boolean {
  const byIdentity = context
    .of(SECURITY, 'AuthorizationPolicy')
    .some((policy) => /principal|serviceAccount/i.test(JSON.stringify(record(policy.body).spec ?? '')));
  return (
    byIdentity ||
    context.of('networking.k8s.io', 'NetworkPolicy').length > 0 ||
    context.of(NETWORKING, 'EnvoyFilter').length > 0 ||
    context.of(NETWORKING, 'ProxyConfig').length > 0 ||
    context.of('extensions.istio.io', 'WasmPlugin').length > 0 ||
    context.of('extensions.istio.io', 'TrafficExtension').length > 0
  );
}

/** What a Pod says of its own proxy. */
function settingsOf({ annotations }: Workload): readonly (readonly [string, string])[] {
  return Object.entries(annotations)
    .filter(([key]) => /^(traffic\.sidecar|sidecar|proxy)\.istio\.io\//.test(key) && key !== 'sidecar.istio.io/status')
    .sort();
}

/** Workloads of a namespace differ by the Sidecar they get, and by selectors of other objects that reach only some of them. */
function scopeKey(mesh: Mesh, workload: Workload, selectors: readonly Readonly<Record<string, string>>[]): string {
  const sidecar = mesh.sidecarFor(workload.namespace, workload.labels);
  const chosen = selectors.map((selector) => labelsMatch(selector, workload.labels));
  return `${workload.namespace} ${workload.membership} ${sidecar ? `${sidecar.namespace}/${sidecar.name}` : ''} ${chosen.join()}`;
}

function selectorsByNamespace(context: CheckContext): ReadonlyMap<string, Readonly<Record<string, string>>[]> {
  const selectors = new Map<string, Readonly<Record<string, string>>[]>();
  const add = (namespace: string, selector: Readonly<Record<string, string>> | undefined): void => {
    if (!selector || Object.keys(selector).length === 0) return;
    const known = selectors.get(namespace) ?? [];
    if (!known.some((other) => JSON.stringify(other) === JSON.stringify(selector)))
      selectors.set(namespace, [...known, selector]);
  };
  for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
    add(manifest.namespace, specOf('DestinationRule', manifest).workloadSelector?.matchLabels);
  }
  for (const { namespace, body } of context.of(NETWORKING, 'ProxyConfig'))
    add(namespace, strings(record(record(record(body).spec).selector).matchLabels));
  for (const manifest of context.of(NETWORKING, 'VirtualService')) {
    const { http = [], tls = [], tcp = [], exportTo = [] } = specOf('VirtualService', manifest);
    const namespaces = new Set([manifest.namespace, ...exportTo.filter((entry) => /^[a-z0-9]/.test(entry))]);
    for (const { match = [] } of [...http, ...tls, ...tcp]) {
      for (const { sourceLabels } of match) for (const namespace of namespaces) add(namespace, sourceLabels);
    }
  }
  return selectors;
}

/** Namespaces that somebody has in mind: where edge objects live, and which they are exported to. */
function assumedNamespaces(context: CheckContext): ReadonlySet<string> {
  const namespaces = new Set<string>();
  for (const kind of ['ServiceEntry', 'VirtualService', 'Sidecar'] as const) {
    for (const manifest of context.of(NETWORKING, kind)) {
      namespaces.add(manifest.namespace);
      const exportTo = kind === 'Sidecar' ? [] : (specOf(kind, manifest).exportTo ?? []);
      for (const entry of exportTo) if (/^[a-z0-9]/.test(entry)) namespaces.add(entry);
    }
  }
  return namespaces;
}

/** A namespace of gateways, of the control plane, or that is outside the mesh sends no requests of its own. */
function mayHoldClients(mesh: Mesh, namespace: string): boolean {
  if (namespace === mesh.config.rootNamespace) return false;
  const workloads = mesh.workloads.inNamespace(namespace);
  if (workloads.some(({ membership }) => membership === 'gateway')) return false;
  if (workloads.some(({ manifest }) => manifest !== undefined)) return false;
  return mesh.membershipIn(namespace) === 'sidecar';
}
