/** Endpoints of one service that may fare unlike: policies select some of them, or not all have a proxy. */
import type { Endpoint } from '../model/endpoints';
import { record, records, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { selects } from '../model/selectors';
import { shownName, type Workload } from '../model/workloads';

/** Of so many kinds each is looked at by itself. */
const MOST = 50;

export interface EndpointKind {
  /** `endpoint NAMESPACE/NAME`, of the first of the kind. */
  readonly name: string;
  readonly workload: Workload;
  readonly endpoint: Endpoint;
}

const NAMED = 'endpoint ';

/** Whether what is offered to be followed is an endpoint, and no cluster. */
export function isEndpoint(offered: string): boolean {
  return offered.startsWith(NAMED);
}

/** What an endpoint is offered as, by its workload. */
export function endpointName({ workload }: Pick<Endpoint, 'workload'>): string {
  return workload === undefined ? '' : `${NAMED}${workload.namespace}/${workload.name}`;
}

/** `NAMESPACE/NAME` of what is offered. */
export function workloadOffered(offered: string): string {
  return offered.slice(NAMED.length);
}

/** Where objects that hold for some Pods of a namespace, or of all, keep what they select these by. */
const SELECTORS: Readonly<Record<string, (spec: Json) => Json>> = {
  'security.istio.io/AuthorizationPolicy': (spec) => record(spec.selector),
  'security.istio.io/PeerAuthentication': (spec) => record(spec.selector),
  'security.istio.io/RequestAuthentication': (spec) => record(spec.selector),
  'networking.istio.io/Sidecar': (spec) => ({ matchLabels: record(spec.workloadSelector).labels }),
  'networking.istio.io/EnvoyFilter': (spec) => ({ matchLabels: record(spec.workloadSelector).labels }),
  'extensions.istio.io/WasmPlugin': (spec) => record(spec.selector),
  'extensions.istio.io/TrafficExtension': (spec) => record(spec.selector),
  'networking.k8s.io/NetworkPolicy': (spec) => record(spec.podSelector),
};

/** Labels and annotations by which a Pod itself says how its proxy takes what comes. */
const OWN = /^(security\.istio\.io\/tlsMode|istio\.io\/use-waypoint(-namespace)?|(traffic\.)?sidecar\.istio\.io\/.*nbound.*|ambient\.istio\.io\/.*)$/; // prettier-ignore

/** One endpoint of each kind, in their order; of what is no workload of the mesh nothing is known to tell it apart. */
export function endpointKinds(mesh: Mesh, endpoints: readonly Endpoint[]): readonly EndpointKind[] {
  if (endpoints.length < 2) return [];
  return mesh.remember(endpoints, 'endpoint kinds', () => {
    const kinds = new Map<string, EndpointKind>();
    for (const endpoint of endpoints) {
      const { workload, port } = endpoint;
      if (workload === undefined || kinds.size >= MOST || !isThere(mesh, workload)) continue;
      const key = `${port} ${mesh.remember(workload, 'treatment', () => treatment(mesh, workload))}`;
      if (!kinds.has(key)) kinds.set(key, { name: endpointName(endpoint), workload, endpoint });
    }
    return [...kinds.values()];
  });
}

/** What a controller would make is no Pod: where others of its name run, they are the endpoints. */
function isThere(mesh: Mesh, workload: Workload): boolean {
  return workload.kind === 'Pod' || mesh.workloads.called(workload.namespace, shownName(workload)) === workload;
}

function treatment(mesh: Mesh, { namespace, labels, annotations, membership, onNode }: Workload): string {
  const own = [...Object.entries(labels), ...Object.entries(annotations)].filter(([key]) => OWN.test(key));
  const held = [...selectorsOf(mesh, namespace), ...selectorsOf(mesh, mesh.config.rootNamespace), ...selectorsOfPeers(mesh)]; // prettier-ignore
  return JSON.stringify([namespace, membership, onNode === true, own, held.map((one) => selects(one, labels))]);
}

function selectorsOf(mesh: Mesh, namespace: string): readonly Json[] {
  const all = mesh.remember(mesh, 'selectors of workloads', () => {
    const found = new Map<string, Json[]>();
    for (const [key, read] of Object.entries(SELECTORS)) {
      const [group = '', kind = ''] = key.split('/');
      for (const manifest of mesh.of(group, kind)) {
        const known = found.get(manifest.namespace) ?? [];
        known.push(read(record(manifest.body.spec)));
        found.set(manifest.namespace, known);
      }
    }
    return found;
  });
  return all.get(namespace) ?? [];
}

/** By which NetworkPolicies of others choose whom these may reach. */
function selectorsOfPeers(mesh: Mesh): readonly Json[] {
  return mesh.remember(mesh, 'selectors of peers', () =>
    mesh
      .of('networking.k8s.io', 'NetworkPolicy')
      .flatMap(({ body }) => records(record(body.spec).egress))
      .flatMap(({ to }) => records(to))
      .flatMap(({ podSelector }) => (podSelector === undefined ? [] : [record(podSelector)])),
  );
}
