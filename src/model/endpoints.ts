import { isAddress } from './addresses';
import { labelsMatch, number, optionalRecord, record, records, strings, text, type Json } from './fields';
import type { Manifest } from './manifest';
import { networkOf, Networks } from './networks';
import { push } from './objects';
import type { Port, Service } from './services';
import { addressOf, type Workload, type Workloads } from './workloads';

export interface Endpoint {
  /** IP or name to dial; the workload's kind and name where no manifest shows an IP. */
  readonly address: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether it takes Istio's mutual TLS. */
  readonly mutualTls: boolean;
  readonly workload: Workload | undefined;
  /** As the object that gives it says; empty for one that says nothing. */
  readonly network?: string;
  /** Whose policies hold for it; empty for one that a ServiceEntry spells out. */
  readonly namespace: string;
}

export interface EndpointSet {
  readonly endpoints: readonly Endpoint[];
  /** False where the manifests cannot tell: a selector among whose candidates none is shown. */
  readonly known: boolean;
}

function tlsMode(labels: Readonly<Record<string, string>>, fallback: boolean): boolean {
  const mode = labels['security.istio.io/tlsMode'];
  return mode === undefined ? fallback : mode === 'istio';
}

function takesMutualTls(workload: Workload): boolean {
  return tlsMode(workload.labels, workload.membership === 'sidecar');
}

function entryEndpoint(entry: Json, port: Port, workload: Workload | undefined, namespace = ''): Endpoint {
  const labels = strings(entry.labels);
  const named = number(record(entry.ports)[port.name]);
  const network = networkOf(entry);
  return {
    ...(network === '' ? {} : { network }),
    address: text(entry.address),
    port: named || (typeof port.target === 'number' && port.target > 0 ? port.target : port.port),
    labels,
    mutualTls: tlsMode(labels, text(entry.serviceAccount) !== ''),
    workload,
    namespace,
  };
}

/** Endpoints that one object gives one of its ports. */
interface Piece {
  readonly object: Service;
  readonly port: Port;
  readonly set: EndpointSet;
}

/**
 * Endpoints of services: from EndpointSlices where there are any, else from what the selectors select. Objects that give one
 * host in one namespace share their endpoints, as they do in istiod: by port name for clusters that are told their endpoints,
 * by port number for those that look them up.
 */
export class Endpoints {
  private readonly slices = new Map<string, Manifest[]>();
  private readonly workloadEntries = new Map<string, Manifest[]>();
  private readonly workloadGroups = new Map<string, Manifest[]>();
  private readonly groups = new Map<string, Service[]>();
  public readonly networks: Networks;

  public constructor(
    manifests: readonly Manifest[],
    private readonly workloads: Workloads,
    services: readonly Service[],
  ) {
    this.networks = new Networks(manifests);
    for (const manifest of manifests) {
      const service = manifest.labels['kubernetes.io/service-name'];
      if (manifest.kind === 'EndpointSlice' && service !== undefined)
        push(this.slices, `${manifest.namespace}/${service}`, manifest);
      if (manifest.kind === 'WorkloadEntry') push(this.workloadEntries, manifest.namespace, manifest);
      if (manifest.kind === 'WorkloadGroup') push(this.workloadGroups, manifest.namespace, manifest);
    }
    for (const service of services) push(this.groups, `${service.namespace}/${service.host}`, service);
  }

  /** As a cluster that resolves names, or a listener for each endpoint, has them. */
  public of(service: Service, port: Port, subsetLabels: Readonly<Record<string, string>>): EndpointSet {
    const group = this.sharing(service);
    const all = group === undefined ? this.own(service, port) : this.byNumber(group, port.port);
    return {
      known: all.known,
      endpoints: all.endpoints.filter((endpoint) => isOfSubset(endpoint, subsetLabels)),
    };
  }

  /** As a cluster that istiod tells its endpoints has them. */
  public told(service: Service, port: Port, subsetLabels: Readonly<Record<string, string>>): EndpointSet {
    const group = this.sharing(service);
    const pieces =
      group === undefined
        ? [isUntold(service) ? { known: false, endpoints: [] } : this.own(service, port)]
        : this.piecesOf(group)
            .filter((piece) => piece.port.name === port.name)
            .map((piece) => piece.set);
    return {
      known: pieces.every((piece) => piece.known),
      endpoints: pieces
        .flatMap((piece) => piece.endpoints)
        .filter((endpoint) => isEdsEndpoint(endpoint) && isOfSubset(endpoint, subsetLabels)),
    };
  }

  /** The services of a host and namespace if more than one object makes them. */
  private sharing(service: Service): readonly Service[] | undefined {
    const group = this.groups.get(`${service.namespace}/${service.host}`) ?? [];
    const manifest = group[0]?.config.manifest;
    return group.every((one) => one.config.manifest === manifest) ? undefined : group;
  }

  private piecesOf(group: readonly Service[]): readonly Piece[] {
    const byAge = [...new Map(group.map((service) => [service.config.manifest, service])).values()];
    const isEntry = (service: Service): boolean => service.registry === 'External';
    const objects = [...byAge.filter(isEntry), ...byAge.filter((service) => !isEntry(service) && !isUntold(service))];
    const pieces = objects.flatMap((object) =>
      object.ports.map((port) => ({ object, port, set: this.own(object, port) })),
    );
    return pieces.filter((piece) => !isTooLate(piece, pieces));
  }

  private byNumber(group: readonly Service[], number: number): EndpointSet {
    const pieces = this.piecesOf(group);
    let found: readonly Piece[] = [];
    for (const service of group) {
      const own = pieces.filter((piece) =>
        piece.object.registry === 'External'
          ? piece.port.port === number && service.ports.some((port) => port.port === number)
          : service.ports.some((port) => port.port === number && port.name === piece.port.name),
      );
      if (own.some((piece) => piece.set.endpoints.length > 0)) found = own;
    }
    return { known: true, endpoints: found.flatMap((piece) => piece.set.endpoints) };
  }

  private own(service: Service, port: Port): EndpointSet {
    return service.registry === 'Kubernetes' ? this.ofKubernetes(service, port) : this.ofEntry(service, port);
  }

  private ofKubernetes(service: Service, port: Port): EndpointSet {
    const inCluster = this.ofPods(service, port);
    const machines = this.machinesBehind(service);
    if (machines.length === 0)
      return inCluster.endpoints.length === 0 && service.resolution === 'EDS' && this.mayRegister(service)
        ? { known: false, endpoints: [] }
        : inCluster;
    const theirs = machines.flatMap((spec) => this.ofMachine(spec, service, port));
    return { known: true, endpoints: [...inCluster.endpoints, ...theirs] };
  }

  /** WorkloadEntries that a Service with a cluster IP selects like Pods. */
  private machinesBehind(service: Service): readonly Json[] {
    if (service.resolution !== 'EDS' || Object.keys(service.selector).length === 0) return [];
    return (this.workloadEntries.get(service.namespace) ?? [])
      .map((manifest) => record(record(manifest.body).spec))
      .filter((spec) => selectsMachine(service.selector, spec));
  }

  /** Whether machines of a WorkloadGroup would be selected: each makes a WorkloadEntry when it joins, which no manifest has. */
  private mayRegister({ namespace, selector }: Service): boolean {
    return (this.workloadGroups.get(namespace) ?? []).some(({ body }) => {
      const { metadata, template } = record(record(body).spec);
      const labels = { ...strings(record(template).labels), ...strings(record(metadata).labels) };
      return Object.keys(selector).length > 0 && labelsMatch(selector, labels);
    });
  }

  /** A port that the Service names has to be among the machine's own; a numbered one may be, by the Service's name for it. */
  private ofMachine(spec: Json, service: Service, port: Port): readonly Endpoint[] {
    const isNamed = typeof port.target === 'string';
    const own = number(record(spec.ports)[isNamed ? port.target : port.name]);
    if (isNamed && own === 0) return [];
    const endpoint = entryEndpoint(spec, port, this.workloads.at(text(spec.address)), service.namespace);
    return [own === 0 ? endpoint : { ...endpoint, port: own }];
  }

  private ofPods(service: Service, port: Port): EndpointSet {
    const slices = this.slices.get(`${service.namespace}/${service.config.name}`);
    if (slices !== undefined)
      return { known: true, endpoints: slices.flatMap((slice) => this.ofSlice(slice, service, port)) };
    if (Object.keys(service.selector).length === 0) return { known: false, endpoints: [] };
    const selected = this.workloads
      .behind(service)
      .filter((workload) => workload.runs && workload.kind !== 'CronJob' && workload.kind !== 'Job');
    const endpoints = selected
      .filter((workload) => workload.ready || service.config.spec.publishNotReadyAddresses === true)
      .map((workload): Endpoint | undefined => {
        const target =
          typeof port.target === 'string' ? workload.namedPorts.get(port.target) : port.target || port.port;
        if (target === undefined) return undefined;
        return podEndpoint(workload, target);
      })
      .filter((endpoint): endpoint is Endpoint => endpoint !== undefined);
    const known = selected.length > 0 || this.workloads.areShown(service.namespace);
    return { known, endpoints };
  }

  private ofSlice(slice: Manifest, service: Service, port: Port): readonly Endpoint[] {
    const body = record(slice.body);
    const named =
      records(body.ports).find((item) => text(item.name) === port.name) ??
      (service.ports.length === 1 ? records(body.ports)[0] : undefined);
    if (named === undefined) return [];
    return records(body.endpoints).flatMap((endpoint): readonly Endpoint[] => {
      if (record(endpoint.conditions).ready === false) return [];
      const target = optionalRecord(endpoint.targetRef);
      const addresses = Array.isArray(endpoint.addresses) ? endpoint.addresses.map(String) : [];
      const address = addresses[0];
      if (address === undefined) return [];
      const workload =
        (target?.kind === 'Pod'
          ? this.workloads.named(text(target.namespace) || slice.namespace, text(target.name))
          : undefined) ?? this.workloads.at(address);
      return [
        {
          address,
          port: number(named.port),
          labels: workload?.labels ?? {},
          mutualTls: workload !== undefined && takesMutualTls(workload),
          workload,
          namespace: slice.namespace,
        },
      ];
    });
  }

  private ofEntry(service: Service, port: Port): EndpointSet {
    const { spec } = service.config;
    const own = records(spec.endpoints);
    const selector = optionalRecord(spec.workloadSelector);
    const target = typeof port.target === 'number' && port.target > 0 ? port.target : port.port;
    if (own.length > 0)
      return {
        known: true,
        endpoints: own.map((entry) => entryEndpoint(entry, port, this.workloads.at(text(entry.address)))),
      };
    if (selector !== undefined) return this.selectedByEntry(service, port, target);
    if (service.resolution === 'DNS' || service.resolution === 'DNS_ROUND_ROBIN') {
      return {
        known: true,
        endpoints: [
          { address: service.host, port: target, labels: {}, mutualTls: false, workload: undefined, namespace: '' },
        ],
      };
    }
    return { known: true, endpoints: [] };
  }

  private selectedByEntry(service: Service, port: Port, target: number): EndpointSet {
    if (Object.keys(service.selector).length === 0) return { known: true, endpoints: [] };
    const entries = (this.workloadEntries.get(service.namespace) ?? [])
      .map((manifest) => record(record(manifest.body).spec))
      .filter((spec) => labelsMatch(service.selector, strings(spec.labels)))
      .map((spec) => entryEndpoint(spec, port, this.workloads.at(text(spec.address)), service.namespace));
    const pods = this.workloads.behind(service).filter((workload) => workload.runs);
    const fromPods = pods.map((workload) => podEndpoint(workload, target));
    const endpoints = [...entries, ...fromPods];
    return { known: endpoints.length > 0 || !this.mayRegister(service), endpoints };
  }
}

/**
 * Of DNS_ROUND_ROBIN a host has one endpoint on each port: that of the entry which istiod reads first, by its name where it starts (addInstances of the
 * serviceentry registry's store.go).
 */
function isTooLate({ object, port }: Piece, all: readonly Piece[]): boolean {
  if (object.resolution !== 'DNS_ROUND_ROBIN') return false;
  const before = (one: Piece): boolean => one.object.registry === 'External' && one.object.config.name < object.config.name; // prettier-ignore
  return all.some((one) => before(one) && one.port.port === port.port && one.set.endpoints.length > 0);
}

/**
 * Whether it is a Service that is exported to nobody: istiod takes its EndpointSlices only if it read them before the Service (serviceNeedsPush of its
 * endpointSliceController).
 */
function isUntold({ exportTo }: Service): boolean {
  return exportTo.includes('~');
}

/** Whether a selector of a Service takes a WorkloadEntry. */
export function selectsMachine(selector: Readonly<Record<string, string>>, spec: Json): boolean {
  return Object.keys(strings(spec.labels)).length > 0 && labelsMatch(selector, strings(spec.labels));
}

/** Pods that no manifest shows are known by their Service's selector only: they may have any other label. */
function isOfSubset({ labels, workload }: Endpoint, subset: Readonly<Record<string, string>>): boolean {
  if (workload === undefined || workload.manifest !== undefined) return labelsMatch(subset, labels);
  return Object.entries(subset).every(([key, value]) => labels[key] === undefined || labels[key] === value);
}

/** Whether an address is a Unix domain socket, in the proxy's own Pod. */
export function isSocket(address: string): boolean {
  return address.startsWith('unix://');
}

/** `ADDRESS:PORT`; a socket has no port. */
export function endpointText({ address, port }: Pick<Endpoint, 'address' | 'port'>): string {
  return isSocket(address) ? address : `${address}:${port}`;
}

/** EDS carries addresses and sockets only: an endpoint with a name is left out, as istiod leaves it out. */
export function isEdsEndpoint(endpoint: Endpoint): boolean {
  return (
    isAddress(endpoint.address) ||
    isSocket(endpoint.address) ||
    (endpoint.workload !== undefined && endpoint.workload.addresses.length === 0)
  );
}

function podEndpoint(workload: Workload, port: number): Endpoint {
  const { labels, namespace } = workload;
  return { address: addressOf(workload), port, labels, mutualTls: takesMutualTls(workload), workload, namespace };
}
