/** Ports of Pods that policies are about and no Service leads to: who dials a Pod by its own address meets them, and no request that is followed does. */
import { labelsMatch, record, records, strings, text, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import type { Manifest } from '../model/manifest';
import { selects } from '../model/selectors';
import type { Service } from '../model/services';
import { serviceBindingOf } from '../model/waypoints';
import type { Workload } from '../model/workloads';
import type { Doubt } from './compare';
import type { ObjectChange } from './objects';

/** Whether a changed policy is about ambient Pods whose Services have waypoints: who dials them by name comes from the waypoint, and who dials them by address past it. */
export function isPastWaypoints({ ref, was, is }: ObjectChange, meshes: readonly Mesh[]): boolean {
  if (!OF_PODS.has(ref.kind)) return false;
  const sides = [was, is].filter((side) => side !== undefined);
  return meshes.some((mesh) =>
    sides
      .filter(({ body }) => !targetsOthers(record(record(body).spec)))
      .flatMap((side) => selectedBy(side, mesh))
      .some((workload) => workload.membership === 'ztunnel' && hasWaypoint(workload, mesh)),
  );
}

const OF_PODS = new Set(['AuthorizationPolicy', 'PeerAuthentication', 'NetworkPolicy']);

function targetsOthers({ targetRef, targetRefs }: Json): boolean {
  return targetRef !== undefined || targetRefs !== undefined;
}

function hasWaypoint(workload: Workload, mesh: Mesh): boolean {
  return servicesOf(workload, mesh).some((service) => serviceBindingOf(mesh, service) !== undefined);
}

/** What of a changed policy is not decided: undefined where Services lead to all the ports that it names. */
export function podPortsInDoubt({ ref, was, is }: ObjectChange, meshes: readonly Mesh[]): Doubt | undefined {
  const sides = [was, is].filter((side) => side !== undefined);
  const named = new Set(sides.flatMap(portsNamed));
  if (named.size === 0) return undefined;
  const selected = meshes.flatMap((mesh) => sides.flatMap((side) => selectedBy(side, mesh)));
  // What comes to gateways is followed by their servers.
  if (selected.some(({ membership }) => membership === 'gateway' || membership === 'waypoint')) return undefined;
  const led = new Set(meshes.flatMap((mesh) => selected.flatMap((workload) => portsLedTo(workload, mesh))));
  const left = [...named].filter((port) => !led.has(port)).sort((a, b) => a - b);
  if (left.length === 0) return undefined;
  return {
    what: `connections to port ${left.join(', ')} of the Pods of ${ref.kind} ${ref.namespace}/${ref.name} by their own addresses`,
    why: 'the policy names the port, and no Service that the manifests show leads to it',
  };
}

function portsNamed({ kind, body }: Manifest): readonly number[] {
  const spec = record(record(body).spec);
  const ports: readonly unknown[] =
    kind === 'PeerAuthentication'
      ? Object.keys(record(spec.portLevelMtls))
      : kind === 'NetworkPolicy'
        ? records(spec.ingress).flatMap((rule) => records(rule.ports).map(({ port }) => port))
        : kind === 'AuthorizationPolicy'
          ? records(spec.rules).flatMap((rule) =>
              records(rule.to).flatMap(({ operation }) => {
                const { ports: own, notPorts } = record(operation);
                return [own, notPorts].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
              }),
            )
          : [];
  return ports.map(Number).filter((port) => Number.isInteger(port) && port > 0);
}

function selectedBy({ kind, namespace, body }: Manifest, mesh: Mesh): readonly Workload[] {
  const spec = record(record(body).spec);
  if (kind === 'NetworkPolicy')
    return mesh.workloads.inNamespace(namespace).filter(({ labels }) => selects(record(spec.podSelector), labels));
  const labels = strings(record(spec.selector).matchLabels);
  const all = namespace === mesh.config.rootNamespace ? mesh.workloads.all : mesh.workloads.inNamespace(namespace);
  return all.filter((workload) => labelsMatch(labels, workload.labels));
}

function servicesOf({ namespace, labels }: Pick<Workload, 'namespace' | 'labels'>, mesh: Mesh): readonly Service[] {
  return mesh.services
    .inNamespace(namespace)
    .filter(({ selector }) => Object.keys(selector).length > 0 && labelsMatch(selector, labels));
}

/** Ports of a workload that Services lead to. */
function portsLedTo({ namespace, labels, namedPorts }: Workload, mesh: Mesh): readonly number[] {
  return servicesOf({ namespace, labels }, mesh).flatMap(
    ({ ports }) =>
      ports.map(({ target, port }) => (typeof target === 'number' ? target || port : (namedPorts.get(text(target)) ?? port))), // prettier-ignore
  );
}
