import { ANY_ADDRESS, isAddress, isCidr, prefixLength } from './addresses';
import { entry, number, record, records, strings, text, texts, type Json } from './fields';
import { SelectorIndex } from './label-index';
import { type EntryLimit, entryVisibility, limited } from './entry-visibility';
import type { Manifest } from './manifest';
import { compareText, config, push, visibility, VisibilityIndex, type Config, type Visibility } from './objects';
import { parseProtocol, servicePortProtocol, type Protocol } from './protocols';
import type { MeshConfig } from './mesh-config';

export type Resolution = 'EDS' | 'DNS' | 'DNS_ROUND_ROBIN' | 'PASSTHROUGH' | 'ALIAS' | 'DYNAMIC_DNS';

export interface Port {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** Number or name that the port has on the endpoint; 0 for the same number. */
  readonly target: number | string;
  readonly index: number;
}

/**
 * An entry of Istio's registry: a Kubernetes Service, or one host of a ServiceEntry at one of its addresses.
 */
export interface Service {
  readonly host: string;
  readonly namespace: string;
  readonly registry: 'Kubernetes' | 'External';
  readonly created: number;
  /** Name used to order entries of one age. */
  readonly name: string;
  /** IP, CIDR, or `0.0.0.0` for none. */
  readonly address: string;
  /** Further cluster IPs of a dual-stack Service. */
  readonly extraAddresses: readonly string[];
  readonly ports: readonly Port[];
  readonly resolution: Resolution;
  readonly meshExternal: boolean;
  readonly visibility: Visibility;
  /** As written, for telling whether two entries are alike. */
  readonly exportTo: readonly string[];
  /** To whom the mesh limits it, which ztunnel and waypoints hold to whoever else sees it. */
  readonly limit?: EntryLimit;
  readonly labels: Readonly<Record<string, string>>;
  readonly selector: Readonly<Record<string, string>>;
  readonly externalName: string;
  /** Hosts of ExternalName Services that stand for this one. */
  readonly aliases: readonly string[];
  readonly config: Config;
  /** Not in the manifests: made from what an installation usually has. */
  readonly assumed: boolean;
}

const RESOLUTIONS: Readonly<Record<string, Resolution>> = {
  NONE: 'PASSTHROUGH',
  STATIC: 'EDS',
  DNS: 'DNS',
  DNS_ROUND_ROBIN: 'DNS_ROUND_ROBIN',
  DYNAMIC_DNS: 'DYNAMIC_DNS',
};

function kubernetesPort(port: Json, index: number): Port {
  const target = port.targetPort;
  return {
    name: text(port.name),
    port: number(port.port),
    protocol: servicePortProtocol(port),
    target: typeof target === 'string' && !/^\d+$/.test(target) ? target : number(target) || number(port.port),
    index,
  };
}

/** A cluster gives every Service an IP; one whose manifest names none has this stand-in, which no client can spell and nobody takes for a range. */
function clusterAddress(name: string, namespace: string): string {
  return `cluster-ip-of:${name}.${namespace}`;
}

export function fromKubernetes(manifest: Manifest, mesh: MeshConfig, assumed = false): Service {
  const object = config(manifest);
  const { spec } = object;
  const isAlias = spec.type === 'ExternalName' && text(spec.externalName) !== '';
  const headless = spec.clusterIP === 'None';
  const addresses = texts(spec.clusterIPs).length > 1 ? texts(spec.clusterIPs) : [text(spec.clusterIP)];
  const address = headless || isAlias ? ANY_ADDRESS : addresses[0] || clusterAddress(manifest.name, manifest.namespace);
  const exportTo = (manifest.annotations['networking.istio.io/exportTo'] ?? '').split(',').map((entry) => entry.trim());
  return {
    host: `${manifest.name}.${manifest.namespace}.svc.${mesh.clusterDomain}`,
    namespace: manifest.namespace,
    registry: 'Kubernetes',
    created: object.created,
    name: manifest.name,
    address,
    extraAddresses: headless ? [] : addresses.slice(1),
    ports: records(spec.ports).map(kubernetesPort),
    resolution: headless ? 'PASSTHROUGH' : isAlias ? 'ALIAS' : 'EDS',
    meshExternal: isAlias,
    visibility: visibility(
      exportTo.filter((entry) => entry !== ''),
      mesh.defaultServiceExportTo,
      manifest.namespace,
    ),
    exportTo: exportTo.filter((entry) => entry !== ''),
    labels: manifest.labels,
    selector: strings(spec.selector),
    externalName: isAlias ? text(spec.externalName) : '',
    aliases: [],
    config: object,
    assumed,
  };
}

function entryAddress(address: string): string | undefined {
  if (isAddress(address)) return address;
  if (!isCidr(address)) return undefined;
  const network = address.slice(0, address.indexOf('/'));
  return prefixLength(address) === prefixLength(network) ? network : address;
}

/** One registry entry for each pair of host and address, as istiod makes them. */
export function fromServiceEntry(
  manifest: Manifest,
  mesh: MeshConfig,
  labelsOf: (namespace: string) => Readonly<Record<string, string>> = () => ({}),
): readonly Service[] {
  const object = config(manifest);
  const { spec } = object;
  const ports = records(spec.ports).map((port, index): Port => ({
    name: text(port.name),
    port: number(port.number),
    protocol: parseProtocol(port.protocol),
    target: number(port.targetPort),
    index,
  }));
  const given = texts(spec.addresses);
  const addresses =
    given.length === 0
      ? [ANY_ADDRESS]
      : given.map(entryAddress).filter((address): address is string => address !== undefined);
  const exportTo = texts(spec.exportTo);
  const limits = mesh.entryVisibility === null ? undefined : entryVisibility(mesh.entryVisibility);
  const limit = limits?.of(manifest.namespace, labelsOf(manifest.namespace));
  const said = visibility(exportTo, mesh.defaultServiceExportTo, manifest.namespace);
  const seenBy = limits?.isForSidecars === true ? limited(said, manifest.namespace, limit) : said;
  const sortedExportTo = exportTo.length < 2 ? exportTo : [...new Set(exportTo)].sort();
  const selector = strings(record(spec.workloadSelector).labels);
  return texts(spec.hosts).flatMap((host) =>
    addresses.map((address): Service => ({
      host,
      namespace: manifest.namespace,
      registry: 'External',
      created: object.created,
      name: host,
      address,
      extraAddresses: [],
      ports,
      resolution: entry(RESOLUTIONS, text(spec.resolution) || 'NONE') ?? 'PASSTHROUGH',
      meshExternal: spec.location !== 'MESH_INTERNAL' && spec.location !== 1,
      visibility: seenBy,
      exportTo: sortedExportTo,
      ...(limit === undefined ? {} : { limit }),
      labels: manifest.labels,
      selector,
      externalName: '',
      aliases: [],
      config: object,
      assumed: false,
    })),
  );
}

/** All services, the oldest first, with indexes for every way in which they are looked up. */
export class ServiceRegistry {
  public readonly all: readonly Service[];
  private readonly byHostInNamespace = new Map<string, Map<string, Service[]>>();
  private readonly byHost = new Map<string, Map<string, Service>>();
  private readonly visible = new VisibilityIndex<Service>();
  private readonly byNamespace = new Map<string, Service[]>();
  /** Services of Kubernetes, by `namespace/name`. */
  private readonly ofKubernetes = new Map<string, Service>();
  private readonly bySelector = new Map<string, SelectorIndex<Service>>();
  private unique: boolean | undefined;
  private declaredTwice: ReadonlySet<string> | undefined;

  public constructor(services: readonly Service[]) {
    const sorted = [...services].sort(
      (a, b) => a.created - b.created || compareText(a.name, b.name) || compareText(a.namespace, b.namespace),
    );
    this.all = withAliases(sorted);
    for (const service of this.all) {
      this.visible.add(service, service.namespace, service.visibility);
      const namespaces = this.byHost.get(service.host) ?? new Map<string, Service>();
      this.byHost.set(service.host, namespaces);
      const existing = namespaces.get(service.namespace);
      if (existing === undefined || (existing.registry === 'External' && service.registry === 'Kubernetes'))
        namespaces.set(service.namespace, service);
      const siblings = this.byNamespace.get(service.namespace);
      if (siblings === undefined) this.byNamespace.set(service.namespace, [service]);
      else siblings.push(service);
      if (service.registry !== 'Kubernetes') continue;
      const key = `${service.namespace}/${service.name}`;
      const namesake = this.ofKubernetes.get(key);
      if (namesake === undefined || (namesake.assumed && !service.assumed)) this.ofKubernetes.set(key, service);
    }
  }

  public seesOnlyPublic(namespace: string): boolean {
    return this.visible.seesOnlyPublic(namespace);
  }

  /** Whether no host has entries in several namespaces, between which a client's own would decide. */
  public get hostsAreUnique(): boolean {
    this.unique ??= [...this.byHost.values()].every((namespaces) => namespaces.size === 1);
    return this.unique;
  }

  /** Hosts that several objects declare. */
  public get doubled(): ReadonlySet<string> {
    if (this.declaredTwice !== undefined) return this.declaredTwice;
    const first = new Map<string, Manifest>();
    const found = new Set<string>();
    for (const {
      host,
      config: { manifest },
    } of this.all) {
      // prettier-ignore
      const known = first.get(host);
      if (known === undefined) first.set(host, manifest);
      else if (known !== manifest) found.add(host);
    }
    this.declaredTwice = found;
    return found;
  }

  /** Services that a namespace may see: private, exported to it, public. */
  public seenFrom(namespace: string): readonly Service[] {
    return this.visible.seenFrom(namespace);
  }

  /** Those that the namespace sees and not everyone. */
  public ownTo(namespace: string): readonly Service[] {
    return this.visible.ownTo(namespace);
  }

  public get everyones(): readonly Service[] {
    return this.visible.everyones;
  }

  /** The Service object of that name; one that a manifest shows, before one that is assumed. */
  public ofCluster(namespace: string, name: string): Service | undefined {
    return this.ofKubernetes.get(`${namespace}/${name}`);
  }

  public inNamespace(namespace: string): readonly Service[] {
    return this.byNamespace.get(namespace) ?? [];
  }

  /** Services of a namespace that select something with these labels. */
  public selecting(namespace: string, labels: Readonly<Record<string, string>>): readonly Service[] {
    let index = this.bySelector.get(namespace);
    if (index === undefined) {
      index = new SelectorIndex(this.inNamespace(namespace), ({ selector }) => selector);
      this.bySelector.set(namespace, index);
    }
    return index.selecting(labels);
  }

  /** What each object that declares a host makes of it: several of one namespace, where that splits a host's ports over them. */
  public declaring(host: string): readonly Service[] {
    const named = this.named(host);
    if (named.size === 0) return NO_SERVICES;
    return [...named.keys()].flatMap((namespace) => {
      let byHost = this.byHostInNamespace.get(namespace);
      if (byHost === undefined) {
        byHost = new Map();
        for (const service of this.inNamespace(namespace)) push(byHost, service.host, service);
        this.byHostInNamespace.set(namespace, byHost);
      }
      return byHost.get(host) ?? [];
    });
  }

  /** One service of a host in each namespace: that of the cluster, else the first. */
  public named(host: string): ReadonlyMap<string, Service> {
    return this.byHost.get(host) ?? NONE;
  }

  public isVisible(service: Service, namespace: string): boolean {
    const { visibility: seenBy } = service;
    if (seenBy === 'public') return true;
    if (seenBy === 'private') return service.namespace === namespace;
    return seenBy !== 'none' && seenBy.includes(namespace);
  }
}

const NONE: ReadonlyMap<string, Service> = new Map();
const NO_SERVICES: readonly Service[] = [];

/** Gives each service the ExternalName Services that stand for it, followed through chains of them. */
function withAliases(services: readonly Service[]): readonly Service[] {
  const target = new Map(
    services.filter((service) => service.resolution === 'ALIAS').map((service) => [service.host, service.externalName]),
  );
  if (target.size === 0) return services;
  const aliases = new Map<string, string[]>();
  for (const [alias, first] of target) {
    const seen = new Set([alias]);
    let concrete = first;
    while (target.has(concrete) && !seen.has(concrete)) {
      seen.add(concrete);
      concrete = target.get(concrete) ?? concrete;
    }
    if (!target.has(concrete)) aliases.set(concrete, [...(aliases.get(concrete) ?? []), alias]);
  }
  return services.map((service) => {
    const names = aliases.get(service.host);
    return names === undefined ? service : { ...service, aliases: names.sort(compareText) };
  });
}
