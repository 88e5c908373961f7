/** Which waypoint a Service or ServiceEntry is led through: istiod's own rules for the labels that ask for one. */
import type { ApiGateway } from './gateway-api';
import type { Mesh } from './mesh';
import type { Service } from './services';

export interface Binding {
  /** The waypoint that the label names. */
  readonly namespace: string;
  readonly name: string;
  /** The object that carries the label. */
  readonly by: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly gateway: ApiGateway | undefined;
  /** Why istiod ignores the label, and then nothing leads through a waypoint. */
  readonly problem: WaypointProblem | undefined;
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Why a waypoint that is asked for does not serve who asks for it. */
export type WaypointProblem =
  /** `elsewhere`: waypoints of that name in other namespaces. */
  | { readonly is: 'missing'; readonly waypoint: Named; readonly elsewhere: readonly Named[] }
  | { readonly is: 'not admitted'; readonly waypoint: Named; readonly namespace: string }
  | { readonly is: 'not for services'; readonly waypoint: Named; readonly traffic: string };

export const USE_WAYPOINT = 'istio.io/use-waypoint';
export const USE_WAYPOINT_NAMESPACE = 'istio.io/use-waypoint-namespace';
export const USE_WAYPOINT_CANARY = 'istio.io/use-waypoint-canary';
const CANARY_WEIGHT = `${USE_WAYPOINT_CANARY}-weight`;
export const INGRESS_USE_WAYPOINT = 'istio.io/ingress-use-waypoint';
export const WAYPOINT_FOR = 'istio.io/waypoint-for';
const HBONE_PORT = 15008;

export interface Bound {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The waypoint of a service: by its own label, else by its namespace's. Undefined where neither asks for one. */
export function bindingOf(mesh: Mesh, object: Bound): Binding | undefined {
  if (object.labels[USE_WAYPOINT] !== undefined) return binding(mesh, object, object.namespace);
  const labels = mesh.namespaces.get(object.namespace)?.labels ?? {};
  return binding(mesh, { kind: 'Namespace', namespace: '', name: object.namespace, labels }, object.namespace);
}

/** Values of the label by which istiod knows the Services that it makes for waypoints, and for gateways to other networks. */
const MANAGED = ['istio.io-mesh-controller', 'istio.io-eastwest-controller'];

/** The waypoint that connections to a service are led through: none for a waypoint's own (fetchWaypointForService, in the same place). */
export function serviceBindingOf(mesh: Mesh, service: Service): Binding | undefined {
  if (isWaypointItself(mesh, service)) return undefined;
  const { kind, namespace, name } = service.config;
  const found = bindingOf(mesh, { kind, namespace, name, labels: service.labels });
  // A waypoint of another namespace would show it there.
  return service.limit === 'NAMESPACE' && found?.namespace !== namespace ? undefined : found;
}

function isWaypointItself(mesh: Mesh, { registry, namespace, name, labels }: Service): boolean {
  if (MANAGED.includes(labels['gateway.istio.io/managed'] ?? '')) return true;
  return registry === 'Kubernetes' && mesh.gatewayApi.find(namespace, name)?.controller === 'istio-waypoint';
}

/**
 * The waypoint that connections to a Pod's own address are led through: one for workloads, or for all (fetchWaypointForWorkload of
 * pilot/pkg/serviceregistry/kube/controller/ambient/waypoints.go). A waypoint's own Pods have none.
 */
export function workloadBindingOf(mesh: Mesh, workload: Omit<Bound, 'kind'>): Binding | undefined {
  const itself = workload.labels['gateway.networking.k8s.io/gateway-name'];
  if (itself !== undefined && mesh.gatewayApi.find(workload.namespace, itself)?.controller === 'istio-waypoint')
    return undefined;
  const { namespace, name, labels } = workload;
  const found = bindingOf(mesh, { kind: 'Pod', namespace, name, labels });
  if (found?.gateway === undefined || (found.problem !== undefined && found.problem.is !== 'not for services'))
    return undefined;
  return ['workload', 'all'].includes(trafficOf(mesh, found.gateway)) ? found : undefined;
}

/** What a label on an object asks for, for services of a namespace. */
export function binding(mesh: Mesh, by: Bound, namespace: string): Binding | undefined {
  const name = by.labels[USE_WAYPOINT];
  if (name === undefined || name === 'none') return undefined;
  const where = by.labels[USE_WAYPOINT_NAMESPACE] ?? namespace;
  const gateway = mesh.gatewayApi.find(where, name);
  return {
    namespace: where,
    name,
    by,
    gateway,
    problem: problemOf(mesh, { namespace: where, name }, gateway, namespace),
  };
}

export interface Canary {
  readonly namespace: string;
  readonly name: string;
  /** Percent of the connections that it gets. */
  readonly weight: number;
}

/**
 * The second waypoint that gets a share of a service's connections; undefined where istiod leaves all of them to the first one
 * (buildWeightedWaypoints of pilot/pkg/serviceregistry/ambient/waypoints.go).
 */
export function canaryOf(mesh: Mesh, service: Service, first: Binding): Canary | undefined {
  if (!mesh.config.istio.sharesWaypoints) return undefined;
  const own = service.labels[USE_WAYPOINT];
  const above = own === undefined || own === 'none' ? mesh.namespaces.get(service.namespace)?.manifest : undefined;
  const { labels, annotations } = service.config.manifest;
  const asking = labels[USE_WAYPOINT_CANARY] === undefined ? (above?.labels ?? {}) : labels;
  const name = asking[USE_WAYPOINT_CANARY] ?? 'none';
  const namespace = asking[`${USE_WAYPOINT_CANARY}-namespace`] ?? service.namespace;
  const weight = Number(annotations[CANARY_WEIGHT] ?? above?.annotations[CANARY_WEIGHT] ?? 0);
  if (['', 'none'].includes(name) || !Number.isInteger(weight) || weight <= 0 || weight > 100) return undefined;
  if (name === first.name && namespace === first.namespace) return undefined;
  const gateway = mesh.gatewayApi.find(namespace, name);
  return problemOf(mesh, { namespace, name }, gateway, service.namespace) === undefined ? { namespace, name, weight } : undefined; // prettier-ignore
}

function problemOf(
  mesh: Mesh,
  waypoint: Named,
  gateway: ApiGateway | undefined,
  user: string,
): WaypointProblem | undefined {
  if (gateway === undefined) {
    const elsewhere = waypoints(mesh).filter((one) => one.config.name === waypoint.name);
    return { is: 'missing', waypoint, elsewhere: elsewhere.map(({ config: { namespace, name } }) => ({ namespace, name })) }; // prettier-ignore
  }
  const listener = gateway.listeners.find((one) => one.protocol === 'HBONE' && one.port === HBONE_PORT);
  const admits = listener === undefined ? user === waypoint.namespace : listener.admits(user);
  if (!admits) return { is: 'not admitted', waypoint, namespace: user };
  const traffic = trafficOf(mesh, gateway);
  if (traffic !== 'service' && traffic !== 'all') return { is: 'not for services', waypoint, traffic };
  return undefined;
}

/**
 * The waypoint that Istio's gateways lead requests for a service through, as `istio.io/ingress-use-waypoint` asks for: its own label, else
 * its namespace's (ingressUseWaypoint of pilot/pkg/serviceregistry/kube/controller/ambient/sidecar_interop.go).
 */
export function ingressBindingOf(mesh: Mesh, object: Bound): Binding | undefined {
  if (!mesh.config.ingressToWaypoints) return undefined;
  const asked =
    object.labels[INGRESS_USE_WAYPOINT] ?? mesh.namespaces.get(object.namespace)?.labels[INGRESS_USE_WAYPOINT];
  if (asked?.toLowerCase() !== 'true') return undefined;
  const binding = bindingOf(mesh, object);
  return binding?.gateway === undefined || binding.problem !== undefined ? undefined : binding;
}

/** What a waypoint is for: its own label, else its class's, else services. */
export function trafficOf(mesh: Mesh, gateway: ApiGateway): string {
  const own = gateway.config.manifest.labels[WAYPOINT_FOR];
  if (own !== undefined) return own;
  const ofClass = mesh.of('gateway.networking.k8s.io', 'GatewayClass').find(({ name }) => name === gateway.className);
  return ofClass?.labels[WAYPOINT_FOR] ?? 'service';
}

/** The waypoints of a mesh. */
export function waypoints(mesh: Mesh): readonly ApiGateway[] {
  return mesh.gatewayApi.gateways.filter(({ controller }) => controller === 'istio-waypoint');
}
