import { labelsMatch, number, optionalRecord, record, records, strings, text } from './fields';
import type { Manifest } from './manifest';
import type { Config } from './objects';
import { compareText } from './objects';
import { portsOf } from './merged-gateway';
import type { MeshConfig } from './mesh-config';
import { fromKubernetes, type Service } from './services';
import { MESH_GATEWAY, type VirtualService } from './virtual-services';
import { assumedWorkload, type Workload } from './workloads';

/**
 * Gateways that an installation brings and that repositories of routes rarely show: the Service and workload behind
 * `istio-egressgateway.istio-system.svc.cluster.local`. Where routes send to one that no manifest has, it is assumed to be
 * there with Istio's usual ports, and the trace says so.
 */
export interface InstalledGateway {
  readonly service: Service;
  readonly workload: Workload;
  /** The IstioOperator that has it installed; undefined where it is only assumed to be. */
  readonly installedBy: Manifest | undefined;
}

interface Shape {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly (readonly [string, number, number])[];
  /** The IstioOperator that has it installed; undefined where it is only assumed to be. */
  readonly installedBy: Manifest | undefined;
}

const USUAL_PORTS: readonly (readonly [string, number, number])[] = [
  ['status-port', 15021, 15021],
  ['http2', 80, 8080],
  ['https', 443, 8443],
  ['tls', 15443, 15443],
];

function usualLabels(name: string): Readonly<Record<string, string>> {
  return { app: name, istio: name.replace(/^istio-/, '') };
}

function shapesOfOperator(manifest: Manifest): readonly Shape[] {
  const spec = record(record(manifest.body).spec);
  const components = record(spec.components);
  return [...records(components.egressGateways), ...records(components.ingressGateways)]
    .filter((gateway) => gateway.enabled === true || gateway.enabled === 'true')
    .map((gateway): Shape => {
      const name = text(gateway.name);
      const namespace = text(gateway.namespace) || text(spec.namespace) || 'istio-system';
      const service = record(record(gateway.k8s).service);
      const ports = records(service.ports).map((port): readonly [string, number, number] => [
        text(port.name),
        number(port.port),
        number(port.targetPort) || number(port.port),
      ]);
      return {
        namespace,
        name,
        labels: { ...usualLabels(name), ...strings(gateway.label) },
        ports: ports.length > 0 ? ports : USUAL_PORTS,
        installedBy: manifest,
      };
    });
}

function build(shape: Shape, mesh: MeshConfig, index: number): InstalledGateway {
  const manifest: Manifest = {
    apiVersion: 'v1',
    group: '',
    version: 'v1',
    kind: 'Service',
    namespace: shape.namespace,
    name: shape.name,
    labels: shape.labels,
    annotations: {},
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: shape.name, namespace: shape.namespace },
      spec: {
        selector: shape.labels,
        ports: shape.ports.map(([name, port, targetPort]) => ({ name, port, targetPort })),
      },
    },
    index,
    source: {},
    lineOf: () => undefined,
  };
  return {
    service: fromKubernetes(manifest, mesh, true),
    workload: assumedWorkload({
      namespace: shape.namespace,
      name: shape.name,
      labels: shape.labels,
      serviceAccount: `${shape.name}-service-account`,
      membership: 'gateway',
    }),
    installedBy: shape.installedBy,
  };
}

/** Service hosts that routes send to and that no manifest has, each with the ports asked of it and the gateways of those routes. */
function missingHosts(
  services: ReadonlySet<string>,
  routes: readonly VirtualService[],
  domain: string,
): ReadonlyMap<string, { ports: Set<number>; gateways: Set<string> }> {
  const missing = new Map<string, { ports: Set<number>; gateways: Set<string> }>();
  const suffix = `.svc.${domain}`;
  for (const route of routes) {
    for (const rules of [route.http, route.tls, route.tcp]) {
      for (const rule of rules) {
        for (const { host, port } of rule.route) {
          if (!host.endsWith(suffix) || services.has(host)) continue;
          let entry = missing.get(host);
          if (entry === undefined) missing.set(host, (entry = { ports: new Set(), gateways: new Set() }));
          if (port > 0) entry.ports.add(port);
          // Sidecars send to a gateway what its own rules then send on; a gateway sends to anything.
          if (!route.gateways.includes(MESH_GATEWAY)) continue;
          for (const gateway of route.gateways) if (gateway !== MESH_GATEWAY) entry.gateways.add(gateway);
        }
      }
    }
  }
  return missing;
}

/** What manifests show, of what is asked whether a gateway is installed. */
interface Shown {
  readonly manifests: readonly Manifest[];
  readonly services: readonly Service[];
  readonly workloads: readonly Workload[];
  readonly gateways: readonly Config[];
  readonly routes: readonly VirtualService[];
}

/** @param assumed Services of gateways that are there though nothing of these manifests says so, as `assumedAlike` writes them */
export function installedGateways(
  { manifests, services, workloads, gateways, routes }: Shown,
  mesh: MeshConfig,
  assumed: readonly string[],
): readonly InstalledGateway[] {
  const shown = new Set(services.map((service) => service.host));
  const shapes = [
    ...manifests.filter((manifest) => manifest.kind === 'IstioOperator').flatMap(shapesOfOperator),
    ...assumed.flatMap(shapeOf),
  ].filter((shape) => !shown.has(hostOf(shape, mesh)));
  const known = new Set([...shown, ...shapes.map((shape) => hostOf(shape, mesh))]);
  const selecting = gateways.filter((gateway) => optionalRecord(gateway.spec.selector) !== undefined);
  for (const [host, wanted] of missingHosts(known, routes, mesh.clusterDomain)) {
    const [name = '', namespace = ''] = host.split('.');
    const usual = usualLabels(name);
    const byConvention = selecting.filter((gateway) => labelsMatch(selectorOf(gateway), usual));
    const byRoute = selecting.filter((gateway) => wanted.gateways.has(`${gateway.namespace}/${gateway.name}`));
    const chosen = byConvention.length > 0 ? byConvention : byRoute;
    const labels: Readonly<Record<string, string>> =
      byConvention.length > 0
        ? usual
        : (Object.assign({}, usual, ...byRoute.map(selectorOf)) as Record<string, string>);
    const isShown = workloads.some(
      (workload) =>
        workload.namespace === namespace && chosen.some((gateway) => labelsMatch(selectorOf(gateway), workload.labels)),
    );
    if (chosen.length === 0 || isShown) continue;
    const asked = new Set(wanted.ports);
    for (const gateway of chosen) for (const port of portsOf(gateway)) asked.add(port);
    shapes.push({ namespace, name, labels, ports: [...withUsual(asked).values()], installedBy: undefined });
  }
  shapes.sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name));
  return shapes.map((shape, index) => build(shape, mesh, manifests.length + index));
}

const ASSUMED = /^Service\/([^/]+)\/([^/:]+):([\d,]*)\?(.*)$/;

/**
 * Gateways that two states of a mesh assume, one of them alone or each with other ports: neither came nor went, nor has another port for it.
 * Each as `Service/NAMESPACE/NAME:PORT,...?LABEL=VALUE,...`.
 */
export function assumedAlike(...states: readonly ReadonlyMap<string, InstalledGateway>[]): readonly string[] {
  const keys = new Set(states.flatMap((state) => [...state.keys()]));
  return [...keys].flatMap((key) => {
    const own = states.flatMap((state) => state.get(key) ?? []);
    const [first] = own;
    if (first === undefined || own.some(({ installedBy }) => installedBy !== undefined)) return [];
    const [labels, ...otherLabels] = new Set(own.map(labelsOf));
    const ports = new Set(own.flatMap(({ service }) => service.ports.map(({ port }) => port)));
    const isAlike = own.length === states.length && own.every(({ service }) => service.ports.length === ports.size);
    if (isAlike || otherLabels.length > 0) return [];
    const { namespace, name } = first.service;
    return [`Service/${namespace}/${name}:${[...ports].sort((a, b) => a - b).join()}?${labels ?? ''}`];
  });
}

function labelsOf({ workload }: InstalledGateway): string {
  return Object.entries(workload.labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join();
}

function shapeOf(assumed: string): readonly Shape[] {
  const [, namespace, name, ports = '', labels = ''] = ASSUMED.exec(assumed) ?? [];
  if (namespace === undefined || name === undefined) return [];
  return [
    {
      namespace,
      name,
      labels: Object.fromEntries(labels.split(',').map((one) => one.split('=') as [string, string])),
      ports: [...withUsual(ports.split(',').filter(Boolean).map(Number)).values()],
      installedBy: undefined,
    },
  ];
}

function withUsual(asked: Iterable<number>): ReadonlyMap<number, readonly [string, number, number]> {
  const ports = new Map<number, readonly [string, number, number]>(USUAL_PORTS.map((port) => [port[1], port]));
  for (const port of asked) if (!ports.has(port)) ports.set(port, [`tcp-${port}`, port, port]);
  return ports;
}

function selectorOf(gateway: Config): Readonly<Record<string, string>> {
  return strings(gateway.spec.selector);
}

function hostOf(shape: Shape, mesh: MeshConfig): string {
  return `${shape.name}.${shape.namespace}.svc.${mesh.clusterDomain}`;
}
