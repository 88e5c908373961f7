/**
 * Any manifests as a cluster would run them, for the oracle: a Pod with an address for each workload, addresses for Services, the endpoints
 * between the two, and what istiod allocates. What is assumed to be somewhere else (the gateway that an installation brings) is there as well.
 */
import { createHash } from 'node:crypto';
import { ANY_ADDRESS, isAddress } from '../../../src/model/addresses';
import { labelsMatch, list, record, records, strings, text, type Json } from '../../../src/model/fields';
import type { Manifest } from '../../../src/model/manifest';
import type { Mesh } from '../../../src/model/mesh';
import { installationsOf } from '../../../src/model/installation';
import type { MeshOptions } from '../../../src/model/mesh-options';
import { standIn, type Workload } from '../../../src/model/workloads';
import { withAddresses } from '../oracle/rare-forms';
import type { Thing } from '../oracle/vocabulary';

export interface Realized {
  readonly things: readonly Thing[];
  /** `namespace/name` of the Pod that a workload, by its own name, is. */
  readonly podOf: (workload: Pick<Workload, 'namespace' | 'name'>) => string;
  /** Addresses by what stands for them where manifests name none. */
  readonly addressOf: ReadonlyMap<string, string>;
  /** The Pod that sends for a client whom no manifest shows. */
  readonly standInFor: (namespace: string, labels: Readonly<Record<string, string>>) => string;
}

/** Kinds that istiod takes from a cluster and that are kept as they are written. */
const KEPT = new Set(['Namespace', 'Ingress', 'IngressClass', 'EndpointSlice', 'Secret']);
const ISTIO = /^(networking|security|telemetry|extensions)\.istio\.io$/;

export function realized(mesh: Mesh, clients: readonly Client[]): Realized {
  const pods = new Map<string, Thing>();
  const names = new Map<Workload, string>();
  const taken = new Set(mesh.workloads.all.flatMap(({ addresses }) => addresses));
  let last = 0;
  const nextAddress = (): string => {
    for (;;) {
      last += 1;
      const address = `10.244.${200 + Math.floor(last / 250)}.${(last % 250) + 1}`;
      if (!taken.has(address)) return address;
    }
  };
  const add = (workload: Workload): string => {
    const { namespace, name, kind, addresses } = workload;
    const key = pods.has(`${namespace}/${name}`)
      ? `${namespace}/${name}-${kind.toLowerCase()}`
      : `${namespace}/${name}`;
    pods.set(key, podOf(workload, key.slice(namespace.length + 1), addresses[0] ?? nextAddress()));
    names.set(workload, key);
    return key;
  };
  const running = mesh.workloads.all.filter(({ runs }) => runs);
  for (const workload of running) add(workload);
  const strangers = new Map<string, string>();
  for (const { namespace, labels } of clients) {
    const key = keyOf(namespace, labels);
    if (!strangers.has(key)) strangers.set(key, add(stranger(namespace, labels)));
  }
  const services = [...new Set(mesh.services.all.filter(({ registry }) => registry === 'Kubernetes').map(({ config }) => config.manifest))]; // prettier-ignore
  const ends = running.flatMap((workload) => {
    const pod = pods.get(names.get(workload) ?? '');
    return pod === undefined || !workload.ready ? [] : [{ workload, pod }];
  });
  const sliced = new Set(mesh.manifests.filter(({ kind }) => kind === 'EndpointSlice').map(({ namespace, labels }) => `${namespace}/${labels['kubernetes.io/service-name'] ?? ''}`)); // prettier-ignore
  // Whether istiod's webhook refuses an object is for istiod to say.
  const refused = mesh.leftOut.filter(({ by, field }) => by === 'webhook' && field === undefined);
  const kept = [...mesh.manifests, ...refused.map(({ manifest }) => manifest)].filter(
    ({ group, kind }) => ISTIO.test(group) || group === 'gateway.networking.k8s.io' || KEPT.has(kind),
  );
  const placed = services.map(serviceOf);
  const addressOf = new Map<string, string>();
  for (const { address, config } of mesh.services.all) {
    const at = services.indexOf(config.manifest);
    if (at >= 0 && !isAddress(address)) addressOf.set(address, text(record(placed[at]?.spec).clusterIP));
  }
  for (const [workload, key] of names) addressOf.set(standIn(workload), text(record(pods.get(key)?.status).podIP));
  return {
    addressOf,
    things: [
      ...classesBeside(mesh),
      ...withAddresses(kept.map(asThing)),
      ...pods.values(),
      ...placed,
      ...services.filter(({ namespace, name }) => !sliced.has(`${namespace}/${name}`)).flatMap((one) => slicesOf(one, ends)), // prettier-ignore
    ],
    podOf: ({ namespace, name }) => {
      const found = running.find((one) => one.namespace === namespace && one.name === name) ?? mesh.workloads.find(namespace, name); // prettier-ignore
      return (found && names.get(found)) ?? `${namespace}/${name}`;
    },
    standInFor: (namespace, labels) => strangers.get(keyOf(namespace, labels)) ?? '',
  };
}

/** The classes that istiod makes by itself. */
function classesBeside(mesh: Mesh): readonly Thing[] {
  const shown = new Set(mesh.of('gateway.networking.k8s.io', 'GatewayClass').map(({ name }) => name));
  return Object.entries({ istio: 'gateway', 'istio-waypoint': 'mesh' })
    .filter(([name]) => !shown.has(name))
    .map(([name, controller]) => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name },
      spec: { controllerName: `istio.io/${controller}-controller` },
    }));
}

/** Who sends and is shown by no manifest: a namespace's own, told by labels at most. */
export interface Client {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

const keyOf = (namespace: string, labels: Client['labels']): string => `${namespace} ${JSON.stringify(labels)}`;

/** Of the same name in each state of a world. */
function stranger(namespace: string, labels: Client['labels']): Workload {
  const hash = createHash('sha256').update(keyOf(namespace, labels)).digest('hex').slice(0, 8);
  return {
    kind: 'Pod',
    namespace,
    name: `stand-in-${hash}`,
    labels,
    annotations: {},
    serviceAccount: 'default',
    addresses: [],
    runs: true,
    ready: true,
    namedPorts: new Map(),
    membership: 'sidecar',
    membershipAssumed: true,
    manifest: undefined,
  };
}

function podOf(workload: Workload, name: string, address: string): Thing {
  const { namespace, labels, annotations, serviceAccount, membership } = workload;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { ...labels, ...(membership === 'sidecar' ? { 'security.istio.io/tlsMode': 'istio' } : {}) },
      annotations: { ...annotations, ...(membership === 'gateway' ? { 'inject.istio.io/templates': 'gateway' } : {}) },
    },
    spec: { serviceAccountName: serviceAccount, containers: [{ name: 'app', image: 'none' }] },
    status: {
      podIP: address,
      phase: 'Running',
      conditions: [{ type: 'Ready', status: workload.ready ? 'True' : 'False' }],
    },
  };
}

const APPLIED = '2024-01-01T00:00:00Z';

function asThing({ body, namespace, name, apiVersion, kind }: Manifest): Thing {
  // What nobody has dated is applied at once, so that names decide which is the older.
  const metadata = { creationTimestamp: APPLIED, ...record(body.metadata) };
  return { ...body, apiVersion, kind, metadata: { ...metadata, name, ...(namespace === '' ? {} : { namespace }) } };
}

/** With a cluster IP and target ports, as an API server fills them in. */
function serviceOf(manifest: Manifest, index: number): Thing {
  const thing = asThing(manifest);
  const spec = record(thing.spec);
  const isPlaced = text(spec.clusterIP) !== '' || spec.type === 'ExternalName';
  const clusterIP = `10.96.${100 + Math.floor(index / 250)}.${(index % 250) + 1}`;
  const ports = records(spec.ports).map((port) => ({ ...port, targetPort: port.targetPort ?? port.port }));
  return { ...thing, spec: { ...spec, ports, ...(isPlaced ? {} : { clusterIP, clusterIPs: [clusterIP] }) } };
}

interface End {
  readonly workload: Workload;
  readonly pod: Thing;
}

/** As the controller of endpoints writes them: a slice for each Pod, since their ports of one name may differ. */
function slicesOf(service: Manifest, ends: readonly End[]): readonly Thing[] {
  const spec = record(service.body.spec);
  const selector = strings(spec.selector);
  if (Object.keys(selector).length === 0) return [];
  const selected = ends.filter(({ workload }) => workload.namespace === service.namespace && labelsMatch(selector, workload.labels)); // prettier-ignore
  return selected.map(({ workload, pod }, index): Thing => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    metadata: {
      name: `${service.name}-${index}`,
      namespace: service.namespace,
      labels: { 'kubernetes.io/service-name': service.name },
    },
    endpoints: [
      {
        addresses: [text(record(pod.status).podIP)],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', name: pod.metadata.name, namespace: service.namespace },
      },
    ],
    ports: records(spec.ports).flatMap((port) => {
      const number = targetOf(port, workload);
      return number === undefined ? [] : [{ name: text(port.name), port: number, protocol: 'TCP' }];
    }),
  }));
}

function targetOf({ port, targetPort }: Json, { namedPorts }: Workload): number | undefined {
  if (typeof targetPort === 'number' && targetPort > 0) return targetPort;
  return typeof targetPort === 'string' ? namedPorts.get(targetPort) : Number(port);
}

/** The mesh's configuration that manifests and options have together, for istiod to read. */
export function meshConfigFrom(manifests: readonly Manifest[], options: MeshOptions): object {
  const written = installationsOf(manifests).map(({ meshConfig }) => meshConfig);
  const { outbound, rootNamespace, trustDomain } = options;
  return {
    ...Object.assign({}, ...written.reverse()),
    ...(outbound === undefined ? {} : { outboundTrafficPolicy: { mode: outbound } }),
    ...(rootNamespace === undefined ? {} : { rootNamespace }),
    ...(trustDomain === undefined ? {} : { trustDomain }),
  } as object;
}

/** The addresses that some Service or entry has. */
export function addressesIn(mesh: Mesh): readonly string[] {
  const ofServices = mesh.services.all.map(({ address }) => address.replace(/\/.*/, ''));
  const ofEndpoints = mesh.of('networking.istio.io', 'ServiceEntry').flatMap(({ body }) => list(record(body.spec).endpoints).map((one) => text(record(one).address))); // prettier-ignore
  return [...new Set([...ofServices, ...ofEndpoints])].filter((one) => isAddress(one) && one !== ANY_ADDRESS);
}
