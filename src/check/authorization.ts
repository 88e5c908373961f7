/**
 * Which ports an AuthorizationPolicy judges, with the numbers that the proxies know them by. A sidecar, a gateway and a ztunnel listen on
 * ports of the Pod; a waypoint gets connections for the address of a Service, and so with the Service's port.
 */
import { labelsMatch } from '../model/fields';
import { GATEWAY_API } from '../model/gateway-api';
import type { Server } from '../model/merged-gateway';
import type { Proxy } from '../model/mesh';
import { isHttp, type Protocol } from '../model/protocols';
import type { Manifest } from '../model/manifest';
import type { Port, Service } from '../model/services';
import { bindingOf } from '../model/waypoints';
import type { Workload } from '../model/workloads';
import { type CheckContext, defineIndex } from './context';
import { type AuthorizationPolicySpec, type PolicyTarget, SECURITY, type TargetRef, specOf } from './istio';

export interface JudgedPort {
  /** As a policy has to name it. */
  readonly number: number;
  /** The port of the Service or server that leads there, where it has one. */
  readonly servicePort: number | undefined;
  /** Behind a waypoint, the port of the Pods. */
  readonly podPort?: number;
  /** Whether the proxy reads HTTP there: `maybe` where it looks at what comes. */
  readonly readsHttp: 'yes' | 'no' | 'maybe';
  /** Whether it is a listener of the Gateway API. */
  readonly isListener?: true;
  /** `Service shop/web`, for a sentence. */
  readonly of: string;
}

export interface JudgedProxy {
  readonly kind: 'sidecar' | 'gateway' | 'waypoint' | 'ztunnel';
  /** `shop/web`. */
  readonly name: string;
  readonly ports: readonly JudgedPort[];
  /** Whether these are all the ports that it may listen on, and not only those that manifests tell of. */
  readonly isWhole: boolean;
}

export interface JudgingPolicy {
  readonly manifest: Manifest;
  readonly spec: AuthorizationPolicySpec;
  readonly action: string;
  readonly proxies: readonly JudgedProxy[];
}

export const judgingPolicies = defineIndex('policies with what they judge', (context): readonly JudgingPolicy[] =>
  context.of(SECURITY, 'AuthorizationPolicy').map((manifest) => {
    const spec = specOf('AuthorizationPolicy', manifest);
    return { manifest, spec, action: spec.action ?? 'ALLOW', proxies: proxiesOf(context, manifest, spec) };
  }),
);

export function targetRefsOf({ targetRef, targetRefs = [] }: PolicyTarget): readonly TargetRef[] {
  return targetRefs.length > 0 || targetRef === undefined ? targetRefs : [targetRef];
}

function proxiesOf(context: CheckContext, manifest: Manifest, spec: AuthorizationPolicySpec): readonly JudgedProxy[] {
  const refs = targetRefsOf(spec);
  if (refs.length > 0) return refs.flatMap((ref) => targeted(context, manifest, ref));
  return workloadsOf(context, { manifest, spec }).flatMap((workload) => atWorkload(context, workload));
}

/** The workloads that a policy without targets selects. */
export function workloadsOf(
  { mesh: { workloads, config } }: CheckContext,
  { manifest, spec }: Pick<JudgingPolicy, 'manifest' | 'spec'>,
): readonly Workload[] {
  const labels = spec.selector?.matchLabels ?? {};
  return manifest.namespace === config.rootNamespace
    ? workloads.all.filter((workload) => labelsMatch(labels, workload.labels))
    : workloads.selected(manifest.namespace, labels);
}

const proxiesByWorkload = defineIndex('proxies by workload', () => new Map<Workload, readonly JudgedProxy[]>());

function atWorkload(context: CheckContext, workload: Workload): readonly JudgedProxy[] {
  const known = context.index(proxiesByWorkload);
  let proxies = known.get(workload);
  if (proxies === undefined) known.set(workload, (proxies = proxiesAt(context, workload)));
  return proxies;
}

function proxiesAt(context: CheckContext, workload: Workload): readonly JudgedProxy[] {
  const { membership } = workload;
  if (membership === 'gateway') return [gatewayProxy(context, workload)];
  if (membership !== 'sidecar' && membership !== 'ztunnel') return [];
  const services = context.mesh.services.selecting(workload.namespace, workload.labels);
  const ports = services.flatMap((service) =>
    service.ports.flatMap((port): JudgedPort[] => {
      const number = targetOf(port, workload);
      if (number === undefined) return [];
      const readsHttp = membership === 'ztunnel' ? 'no' : reading(port.protocol);
      return [{ number, servicePort: port.port, readsHttp, of: `Service ${service.namespace}/${service.config.name}` }];
    }),
  );
  const isNamed = services.every((service) => service.ports.every((port) => targetOf(port, workload) !== undefined));
  const declared = [...workload.namedPorts.values()]
    .filter((number) => !ports.some((port) => port.number === number))
    .map((number): JudgedPort => ({
      number,
      servicePort: undefined,
      readsHttp: membership === 'ztunnel' ? 'no' : 'maybe',
      of: `port ${number} of the Pods`,
    }));
  return [
    {
      kind: membership,
      name: `${workload.namespace}/${workload.name}`,
      ports: [...ports, ...declared],
      isWhole: isNamed && services.some(({ ports: own }) => own.length > 0),
    },
  ];
}

function targetOf({ target, port }: Port, workload: Workload): number | undefined {
  return typeof target === 'string' ? workload.namedPorts.get(target) : target || port;
}

function reading(protocol: Protocol): JudgedPort['readsHttp'] {
  return protocol === 'AUTO' ? 'maybe' : isHttp(protocol) ? 'yes' : 'no';
}

function gatewayProxy(context: CheckContext, { namespace, name, labels, addresses }: Workload): JudgedProxy {
  const proxy: Proxy = { type: 'gateway', namespace, labels, addresses };
  const merged = context.mesh.mergedGateway(proxy);
  const ports = merged.groups.flatMap(({ port, servers }) =>
    servers.map((server): JudgedPort => {
      const terminates = server.tls !== undefined && !/PASSTHROUGH/.test(server.tls.mode);
      const readsHttp = isHttp(server.protocol) || (server.protocol === 'HTTPS' && terminates);
      return {
        number: port.number,
        servicePort: server.port,
        readsHttp: readsHttp ? 'yes' : 'no',
        ...ownerOf(server),
      };
    }),
  );
  return {
    kind: 'gateway',
    name: `${namespace}/${name}`,
    ports,
    isWhole: ports.length > 0 && context.mesh.serviceTargets(proxy).length > 0,
  };
}

/** istiod makes a Gateway of each listener of the Gateway API, under a name that nobody knows. */
function ownerOf({ gateway, gatewayName }: Server): Pick<JudgedPort, 'of' | 'isListener'> {
  const { group, kind, namespace, name } = gateway.manifest;
  return group === GATEWAY_API || kind === 'XListenerSet'
    ? { of: `${kind} ${namespace}/${name}`, isListener: true }
    : { of: `Gateway ${gatewayName}` };
}

function targeted(
  context: CheckContext,
  manifest: Manifest,
  { kind = '', name = '' }: TargetRef,
): readonly JudgedProxy[] {
  const { mesh } = context;
  if (kind === 'Gateway') {
    const gateway = mesh.gatewayApi.find(manifest.namespace, name);
    if (gateway?.controller === 'istio') {
      return mesh.workloads
        .selected(manifest.namespace, { 'gateway.networking.k8s.io/gateway-name': name })
        .flatMap((workload) => atWorkload(context, workload));
    }
    if (gateway?.controller !== 'istio-waypoint') return [];
    const bound = mesh.services.all.filter((service) =>
      isLedBy(context, service, { namespace: manifest.namespace, name }),
    );
    // Services of other repositories may be bound to it as well.
    return bound.length === 0 ? [] : [waypointProxy(`${manifest.namespace}/${name}`, bound)];
  }
  if (kind !== 'Service' && kind !== 'ServiceEntry') return [];
  const services = mesh.services
    .inNamespace(manifest.namespace)
    .filter(({ config }) => config.kind === kind && config.name === name);
  const [first] = services;
  const binding = first && waypointOf(context, first);
  return binding === undefined ? [] : [waypointProxy(`${binding.namespace}/${binding.name}`, services)];
}

/** The waypoint that a service is led through, if the label holds. */
export function waypointOf(context: CheckContext, service: Service): { namespace: string; name: string } | undefined {
  const { kind, namespace, name } = service.config;
  const binding = bindingOf(context.mesh, { kind, namespace, name, labels: service.config.manifest.labels });
  return binding?.problem === undefined ? binding : undefined;
}

/** Whether a service is led through a waypoint of that name. */
export function isLedBy(
  context: CheckContext,
  service: Service,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): boolean {
  const binding = waypointOf(context, service);
  return binding?.namespace === namespace && binding.name === name;
}

function waypointProxy(name: string, services: readonly Service[]): JudgedProxy {
  const ports = services.flatMap((service) =>
    service.ports.map(({ port, protocol, target }): JudgedPort => ({
      number: port,
      servicePort: port,
      ...(typeof target === 'number' && target > 0 ? { podPort: target } : {}),
      readsHttp: reading(protocol),
      of: `${service.config.kind} ${service.namespace}/${service.config.name}`,
    })),
  );
  return { kind: 'waypoint', name, ports, isWhole: true };
}
