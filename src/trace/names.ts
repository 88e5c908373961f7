import { ANY_ADDRESS, isAddress } from '../model/addresses';
import { autoAddress } from '../model/auto-addresses';
import type { Endpoint } from '../model/endpoints';
import type { Mesh } from '../model/mesh';
import { push } from '../model/objects';
import { proxySettings } from '../model/proxy-config';
import type { Service } from '../model/services';
import { addressOf, type Workload } from '../model/workloads';
import type { Origin } from './client';
import { assumption, type Note } from './notes';
import { ownerOf, podOf } from './walk';

/** What a name or an IP means to a client that dials it. */
export interface Dialled {
  /** IP, or a Service's stand-in for one; null if nothing tells. */
  readonly address: string | null;
  /** The Service of the cluster behind it. */
  readonly service: Service | undefined;
  /** The workload behind it. */
  readonly workload: Workload | undefined;
  readonly notes: readonly Note[];
}

/** The Service of the cluster that a name reaches by the search path of a Pod's DNS. */
export function serviceNamed(mesh: Mesh, host: string, namespace: string): Service | undefined {
  const name = host.replace(/\.$/, '');
  const domain = mesh.config.clusterDomain;
  const at = name.indexOf('.');
  const end = at < 0 ? -1 : name.indexOf('.', at + 1);
  const owner = at < 0 ? namespace : name.slice(at + 1, end < 0 ? undefined : end);
  const serviceOf = (host: string): Service | undefined => {
    const found = mesh.services.named(host).get(owner);
    return found?.registry === 'Kubernetes' ? found : undefined;
  };
  // Names of Services and namespaces have no dots: how many there are says what is left out.
  if (at < 0) return serviceOf(`${name}.${namespace}.svc.${domain}`);
  if (end < 0) return serviceOf(`${name}.svc.${domain}`);
  return serviceOf(name) ?? (name.endsWith('.svc') ? serviceOf(`${name}.${domain}`) : undefined);
}

/** A Pod of a headless Service by its own name: `pod.service.namespace.svc...`. */
function podNamed(mesh: Mesh, host: string, namespace: string): Dialled | undefined {
  const dot = host.indexOf('.');
  if (dot < 0) return undefined;
  const service = serviceNamed(mesh, host.slice(dot + 1), namespace);
  if (service?.resolution !== 'PASSTHROUGH') return undefined;
  const pod = host.slice(0, dot);
  const workload = mesh.workloads
    .behind(service)
    .find((item) => item.name === pod || item.name === pod.replace(/-\d+$/, ''));
  return workload === undefined ? undefined : { address: addressOf(workload), service, workload, notes: [] };
}

export function serviceAt(mesh: Mesh, address: string): Service | undefined {
  const index = mesh.remember(mesh, 'services by address', () => {
    const byAddress = new Map<string, Service>();
    for (const service of mesh.services.all) {
      if (service.registry !== 'Kubernetes' || service.address === ANY_ADDRESS) continue;
      for (const own of [service.address, ...service.extraAddresses]) byAddress.set(own, service);
    }
    return byAddress;
  });
  return index.get(address);
}

/** Addresses that ServiceEntries give a host. */
function entryAddresses(mesh: Mesh, host: string, namespace: string): readonly string[] {
  const index = mesh.remember(mesh, 'entry addresses by host', () => {
    const byHost = new Map<string, Service[]>();
    for (const service of mesh.services.all) {
      if (service.registry !== 'External' || service.address === ANY_ADDRESS) continue;
      byHost.set(service.host, [...(byHost.get(service.host) ?? []), service]);
    }
    return byHost;
  });
  const visible = (index.get(host) ?? []).filter((service) => mesh.services.isVisible(service, namespace));
  return visible.map((service) => service.address);
}

/** One of the addresses with which a sidecar answers for a host, and the object that it is of. */
export interface Answer {
  readonly dialled: Dialled;
  readonly service: Service;
}

/**
 * What the sidecar answers for a host that only ServiceEntries declare, those in its scope together (pkg/dns/server/name_table.go of Istio); nothing
 * where it leaves the answer to the cluster's DNS. An agent gives them in random order, and clients take the first.
 */
export function answersOfProxy(whole: Mesh, host: string, given: string | null, origin: Origin): readonly Answer[] {
  const { namespace, labels, workload } = origin.peer;
  const mesh = whole.servedTo(podOf(origin.peer));
  if (given !== null || !origin.hasSidecar || !proxySettings(mesh, ownerOf(origin.peer)).answersDns) return [];
  const scope = mesh.scopeOf({ type: 'sidecar', namespace, labels, addresses: workload?.addresses ?? [] });
  const name = host.replace(/\.$/, '').toLowerCase();
  const declared = scope.listeners.flatMap(
    (listener) =>
      mesh
        .remember(listener, 'services by name', () => {
          const byName = new Map<string, Service[]>();
          for (const service of listener.services) push(byName, service.host.toLowerCase(), service);
          return byName;
        })
        .get(name) ?? [],
  );
  if (declared.some(({ registry }) => registry === 'Kubernetes')) return [];
  const answers = declared.flatMap((service): readonly Answer[] => {
    const isOwn = service.address !== ANY_ADDRESS && isAddress(service.address);
    const address = isOwn ? service.address : autoAddress(service, !mesh.config.allocatesAddresses);
    if (address === undefined) return [];
    const behind = isOwn ? mesh.workloads.at(address) : undefined;
    return [{ dialled: { address, service: undefined, workload: behind, notes: [] }, service }];
  });
  return [...new Map(answers.map((answer) => [answer.dialled.address, answer])).values()];
}

export function dial(mesh: Mesh, host: string, given: string | null, namespace: string): Dialled {
  if (given !== null) {
    const service = serviceAt(mesh, given);
    return { address: given, service, workload: mesh.workloads.at(given), notes: [] };
  }
  const service = serviceNamed(mesh, host, namespace);
  if (service !== undefined) {
    if (service.resolution === 'ALIAS') return dial(mesh, service.externalName, null, namespace);
    if (service.resolution !== 'PASSTHROUGH')
      return { address: service.address, service, workload: undefined, notes: [] };
    const endpoint = service.ports.flatMap(
      (port): readonly Endpoint[] => mesh.endpoints.of(service, port, {}).endpoints,
    )[0];
    return { address: endpoint?.address ?? null, service, workload: endpoint?.workload, notes: [] };
  }
  const pod = podNamed(mesh, host, namespace);
  if (pod !== undefined) return pod;
  const declared = entryAddresses(mesh, host, namespace);
  const single = declared.find((address) => !address.includes('/'));
  const range = declared.find((address) => address.includes('/'));
  const address = single ?? range?.replace(/\/.*/, '');
  if (address !== undefined) {
    return {
      address,
      service: undefined,
      workload: single === undefined ? undefined : mesh.workloads.at(address),
      notes: [assumption({ kind: 'address-of-entry', host, address: single ?? range ?? address })],
    };
  }
  return { address: null, service: undefined, workload: undefined, notes: [] };
}
