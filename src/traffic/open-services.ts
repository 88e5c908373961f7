/** Ways by which clients outside the cluster come past all Gateways: types of Services, Ingresses of other controllers, ports of nodes. */
import { labelsMatch, number, optionalRecord, record, records, strings, text, texts } from '../model/fields';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import { podTemplateOf } from '../model/workloads';

export interface OpenService {
  readonly host: string;
  readonly ports: readonly number[];
  readonly name: string;
  /** How it is opened, in words. */
  readonly how: string;
}

export function openServices(mesh: Mesh): readonly OpenService[] {
  return mesh.remember(mesh, 'open services', () => {
    const foreign = mesh.of('networking.k8s.io', 'Ingress').filter((one) => isForeign(mesh, one));
    return mesh.of('', 'Service').flatMap((manifest): readonly OpenService[] => {
      const { namespace, name } = manifest;
      const host = `${name}.${namespace}.svc.${mesh.config.clusterDomain}`;
      const [service] = mesh.services.declaring(host);
      if (service === undefined) return [];
      const ports = service.ports.map(({ port }) => port);
      const leading = foreign.filter((one) => one.namespace === namespace && backendsOf(one).includes(name));
      const own = isOfGateway(mesh, manifest) ? undefined : (howOpen(manifest) ?? onNodes(mesh, manifest));
      return [
        ...(own === undefined ? [] : [own]),
        ...leading.map((one) => `is led to by Ingress ${one.namespace}/${one.name} of ${ingressClassOf(one)}`),
      ].map((how) => ({ host, ports, name: `${namespace}/${name}`, how }));
    });
  });
}

function howOpen({ body }: Manifest): string | undefined {
  const { type, externalIPs } = record(body.spec);
  if (text(type) === 'LoadBalancer' || text(type) === 'NodePort') return `is of type ${text(type)}`;
  return texts(externalIPs).length > 0 ? 'has externalIPs' : undefined;
}

/** Whether its Pods take connections at ports of their nodes. */
function onNodes(mesh: Mesh, { namespace, body }: Manifest): string | undefined {
  const selector = strings(optionalRecord(record(body.spec).selector));
  const ports = mesh.workloads
    .behind({ namespace, selector })
    .flatMap(({ manifest }) => (manifest === undefined ? [] : hostPorts(manifest).map(({ port }) => port)));
  if (ports.length === 0) return undefined;
  return `leads to Pods with hostPort ${[...new Set(ports)].sort((a, b) => a - b).join(', ')}`;
}

export interface HostPort {
  readonly port: number;
  readonly containerPort: number;
  readonly protocol: string;
  readonly address: string;
}

/** Ports of nodes that lead to the Pods of an object. */
export function hostPorts(manifest: Manifest): readonly HostPort[] {
  const spec = record(record(podTemplateOf(manifest)).spec);
  return [...records(spec.containers), ...records(spec.initContainers)]
    .flatMap(({ ports }) => records(ports))
    .filter(({ hostPort }) => number(hostPort) > 0)
    .map((one) => ({
      port: number(one.hostPort),
      containerPort: number(one.containerPort),
      protocol: text(one.protocol) || 'TCP',
      address: text(one.hostIP),
    }));
}

/** Whether an Ingress is another controller's than Istio's. */
export function isForeign({ ingresses }: Mesh, ingress: Manifest): boolean {
  return !ingresses.some(({ manifest }) => manifest === ingress);
}

/** The class of an Ingress, in words. */
export function ingressClassOf({ annotations, body }: Manifest): string {
  const name = text(record(body.spec).ingressClassName) || annotations['kubernetes.io/ingress.class'];
  return name === undefined ? "the cluster's default class" : `class ${name}`;
}

function backendsOf({ body }: Manifest): readonly string[] {
  const { defaultBackend, rules } = record(body.spec);
  const backends = [
    record(defaultBackend),
    ...records(rules).flatMap(({ http }) => records(record(http).paths).map(({ backend }) => record(backend))),
  ];
  return backends.map(({ service }) => text(record(service).name));
}

/** Whether it leads to a gateway, whose Pods may be in no manifest. */
function isOfGateway(mesh: Mesh, { namespace, body }: Manifest): boolean {
  const selector = strings(optionalRecord(record(body.spec).selector));
  const pods = mesh.workloads.behind({ namespace, selector });
  if (pods.length > 0) return pods.every(({ membership }) => membership === 'gateway');
  return [...mesh.gateways, ...mesh.ingresses].some(({ spec }) => {
    const asked = strings(optionalRecord(spec.selector));
    return labelsMatch(asked, selector) || (Object.keys(selector).length > 0 && labelsMatch(selector, asked));
  });
}
