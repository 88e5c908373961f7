/** An example of a rule made whole for istiod: Pods of its workloads, addresses of its Services, and who is there besides. */
import { type KubeObject } from '../../lab/api';

interface Workload {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface ServiceSpec {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly targetPort?: number | string }[];
}

const TEMPLATES = 'inject.istio.io/templates';

/** Who is there in every world, if the example has nobody of that name. */
const OTHERS: readonly Workload[] = [
  ...['app', 'shop', 'other'].map((namespace) => ({
    namespace,
    name: 'sleep',
    labels: { app: 'sleep' },
    annotations: {},
  })),
  { namespace: 'bank', name: 'ledger', labels: { app: 'ledger' }, annotations: {} },
  { namespace: 'app', name: 'shop', labels: { app: 'shop' }, annotations: {} },
  ...['istio-ingress/ingress', 'istio-ingress/ingressgateway', 'istio-egress/egress'].map((pod) => {
    const [namespace, name] = pod.split('/') as [string, string];
    return { namespace, name, labels: { istio: name }, annotations: { [TEMPLATES]: 'gateway' } };
  }),
];

const WORKLOADS = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'];
/** What istiod reads to configure proxies, and the oracle's API server takes. */
const READ = /^(v1|.*\.istio\.io\/.*|gateway\.networking\.k8s\.io\/.*)$/;

export interface World {
  readonly yaml: string;
  /** The mesh configuration, as YAML. */
  readonly mesh: string;
}

export function worldOf(objects: readonly KubeObject[]): World {
  const own = objects.filter(({ kind }) => WORKLOADS.includes(kind)).map(workloadOf);
  const others = OTHERS.filter(
    (one) => !own.some(({ namespace, name }) => namespace === one.namespace && name === one.name),
  );
  const pods = [...own, ...others].map((one, index) => podOf(one, `10.244.1.${index + 10}`));
  const services = objects
    .filter(({ kind }) => kind === 'Service')
    .map((one, index) => addressed(one, `10.96.0.${index + 10}`));
  const read = objects.filter(
    ({ apiVersion, kind }) => READ.test(apiVersion) && !isInstall(apiVersion) && kind !== 'Service' && kind !== 'Pod',
  );
  const all = [...read.map(aged), ...pods, ...services, ...services.flatMap((service) => sliceOf(service, pods))];
  return { yaml: all.map((object) => JSON.stringify(object)).join('\n---\n'), mesh: meshOf(objects) };
}

const isInstall = (apiVersion: string): boolean => apiVersion.startsWith('install.istio.io/');

/** As though they had been applied in the order of the file. */
function aged(object: KubeObject, index: number): KubeObject {
  const creationTimestamp = new Date(Date.UTC(2024, 0, 1) + index * 60_000).toISOString().replace('.000Z', 'Z');
  return { ...object, metadata: { ...object.metadata, creationTimestamp } };
}

function workloadOf({ kind, metadata, spec }: KubeObject): Workload {
  const template = kind === 'Pod' ? { metadata } : (spec as { readonly template: Partial<KubeObject> }).template;
  const { labels = {}, annotations = {} } = template.metadata ?? {};
  return { namespace: metadata.namespace ?? 'default', name: metadata.name, labels, annotations };
}

function podOf({ namespace, name, labels, annotations }: Workload, podIP: string): KubeObject {
  // The injector labels what it gives a sidecar, and no gateway.
  const isSidecar = labels['sidecar.istio.io/inject'] !== 'false' && annotations[TEMPLATES] !== 'gateway';
  const inMesh: Readonly<Record<string, string>> = isSidecar ? { 'security.istio.io/tlsMode': 'istio' } : {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: { ...labels, ...inMesh }, annotations },
    spec: { serviceAccountName: name, containers: [{ name: 'main', image: 'example.com/none' }] },
    status: { podIP },
  };
}

function addressed(service: KubeObject, clusterIP: string): KubeObject {
  const spec = service.spec as ServiceSpec;
  return spec.type === 'ExternalName' ? service : { ...service, spec: { clusterIP, ...spec } };
}

function sliceOf({ metadata, spec }: KubeObject, pods: readonly KubeObject[]): readonly KubeObject[] {
  const { selector, ports = [] } = spec as ServiceSpec;
  if (!selector) return [];
  const chosen = pods.filter(
    (pod) =>
      pod.metadata.namespace === metadata.namespace &&
      Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value),
  );
  return [
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'IPv4',
      metadata: {
        name: `${metadata.name}-1`,
        namespace: metadata.namespace,
        labels: { 'kubernetes.io/service-name': metadata.name },
      },
      endpoints: chosen.map((pod) => ({
        addresses: [(pod.status as { readonly podIP: string }).podIP],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', name: pod.metadata.name, namespace: metadata.namespace },
      })),
      ports: ports.map(({ name, port, targetPort }) => ({ name, port: Number(targetPort ?? port), protocol: 'TCP' })),
    } as KubeObject,
  ];
}

function meshOf(objects: readonly KubeObject[]): string {
  const operator = objects.find(({ apiVersion }) => isInstall(apiVersion));
  return JSON.stringify((operator?.spec as { readonly meshConfig?: object } | undefined)?.meshConfig ?? {});
}
