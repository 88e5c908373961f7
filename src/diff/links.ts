/** What hangs on what in a mesh: from a host, a subset or a gateway to the hosts whose traffic it carries. */
import { isAddress } from '../model/addresses';
import { labelsMatch, optionalRecord, record, records, strings, text, texts, type Json } from '../model/fields';
import { resolveShortName } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { push } from '../model/objects';
import type { Service } from '../model/services';
import {
  authorityOf,
  type HttpRule,
  type L4Rule,
  type RouteDestination,
  type VirtualService,
} from '../model/virtual-services';
import type { Workload } from '../model/workloads';
import { serviceAt, serviceNamed } from '../trace/names';

export class Links {
  private readonly byDestination = new Map<string, VirtualService[]>();
  private readonly bySubset = new Map<string, VirtualService[]>();
  private readonly byGateway = new Map<string, VirtualService[]>();
  private readonly byAuthority = new Map<string, VirtualService[]>();
  private owners: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  private readonly routesByHost = new Map<string, Set<string>>();
  private names: ReadonlyMap<string, readonly string[]> | undefined;

  public static of(mesh: Mesh): Links {
    return mesh.remember(mesh, 'diff: links', () => new Links(mesh));
  }

  private constructor(public readonly mesh: Mesh) {
    for (const service of mesh.virtualServices.all) {
      for (const gateway of service.gateways) push(this.byGateway, gateway, service);
      const seen = new Set<string>();
      const once = (map: Map<string, VirtualService[]>, kind: string, key: string): void => {
        if (seen.has(`${kind} ${key}`)) return;
        seen.add(`${kind} ${key}`);
        push(map, key, service);
      };
      for (const rule of service.http) {
        const rewritten = authorityOf(rule.headers) || String(record(rule.rewrite).authority ?? '');
        if (rewritten !== '') once(this.byAuthority, 'authority', rewritten);
      }
      for (const rule of [...service.http, ...service.tls, ...service.tcp]) {
        for (const destination of destinationsOf(rule)) {
          once(this.byDestination, 'host', destination.host);
          if (destination.subset !== '') once(this.bySubset, 'subset', `${destination.host} ${destination.subset}`);
          if (destination.authority !== '') once(this.byAuthority, 'authority', destination.authority);
        }
      }
    }
  }

  /** Namespaces with an object about a host, or about one that its routes send to: for their clients, these may come first. */
  public ownersOf(host: string): ReadonlySet<string> {
    this.owners ??= ownersByHost(this.mesh);
    const found = new Set<string>();
    const add = (name: string): void => {
      for (const namespace of this.owners?.get(name) ?? []) found.add(namespace);
      for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1))
        for (const namespace of this.owners?.get(`*${name.slice(dot)}`) ?? []) found.add(namespace);
      for (const namespace of this.owners?.get('*') ?? []) found.add(namespace);
    };
    add(host);
    for (const route of this.mesh.virtualServices.forHost(host))
      for (const rule of [...route.http, ...route.tls, ...route.tcp])
        for (const one of destinationsOf(rule)) add(one.host);
    return found;
  }

  /** The host itself, and every host that routes bring to it. */
  public via(host: string): ReadonlySet<string> {
    const known = this.routesByHost.get(host);
    if (known !== undefined) return known;
    const found = new Set<string>();
    const open = [host];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(...(this.otherNames().get(next) ?? []));
      for (const route of [...(this.byDestination.get(next) ?? []), ...(this.byAuthority.get(next) ?? [])]) {
        open.push(...hostsOf(route));
        // A gateway passes TCP on without knowing the name that the client asked for: it may be any that comes to it.
        if (route.tcp.length > 0)
          for (const gateway of route.gateways) if (gateway !== 'mesh') open.push(...this.comingTo(gateway));
      }
    }
    this.routesByHost.set(host, found);
    return found;
  }

  /**
   * By what a host comes to: Services of type ExternalName by the host that they stand for, names by the backends of their routes of the
   * Gateway API, and entries by the Service that an endpoint of theirs is, or by a Pod and its namespace (`pod shop/web`, `pods of shop`).
   */
  private otherNames(): ReadonlyMap<string, readonly string[]> {
    this.names ??= namesOf(this.mesh);
    return this.names;
  }

  /** Hosts of the routes bound to a gateway, and the Services of its Pods. */
  private comingTo(gateway: string): readonly string[] {
    const own = this.mesh.gateways.find((one) => `${one.namespace}/${one.name}` === gateway);
    const selector = own === undefined ? undefined : strings(optionalRecord(own.spec.selector));
    const pods = this.mesh.workloads.all.filter(
      ({ membership, labels }) => selector !== undefined && membership === 'gateway' && labelsMatch(selector, labels),
    );
    return [
      ...(this.byGateway.get(gateway) ?? []).flatMap(hostsOf),
      ...pods.flatMap((workload) => this.servicesOf(workload).map((service) => service.host)),
    ];
  }

  public viaSubset(host: string, subset: string): ReadonlySet<string> {
    return this.viaAll((this.bySubset.get(`${host} ${subset}`) ?? []).flatMap(hostsOf));
  }

  /** Hosts of the routes bound to a gateway, `namespace/name`. */
  public atGateway(gateway: string): ReadonlySet<string> {
    return this.viaAll((this.byGateway.get(gateway) ?? []).flatMap(hostsOf));
  }

  /** Hosts that a gateway's Pods carry: of routes bound to the Gateways that select them, and of routes to their Services. */
  public through(workload: Workload): ReadonlySet<string> {
    const bound = this.mesh.gateways
      .filter((gateway) => labelsMatch(strings(optionalRecord(gateway.spec.selector)), workload.labels))
      .flatMap((gateway) => [...this.atGateway(`${gateway.namespace}/${gateway.name}`)]);
    return this.viaAll([...bound, ...this.hostsAt(workload)]);
  }

  /** Hosts that may come through a Gateway: of routes bound to it, and of routes to the Services of its Pods. */
  public throughGateway(gateway: string): ReadonlySet<string> {
    const own = this.mesh.gateways.find((one) => `${one.namespace}/${one.name}` === gateway);
    const hosts = own === undefined ? [] : this.servicesOfGateway(strings(own.spec.selector));
    return new Set([...this.atGateway(gateway), ...this.viaAll(hosts)]);
  }

  /** The Services, and entries, of the Pods that a Gateway selects. */
  public servicesOfGateway(selector: Readonly<Record<string, string>>): readonly string[] {
    return this.mesh.workloads.all
      .filter(({ membership, labels }) => membership === 'gateway' && labelsMatch(selector, labels))
      .flatMap((workload) => this.hostsAt(workload));
  }

  /** Hosts whose endpoints a workload is among. */
  public hostsAt(workload: Pick<Workload, 'namespace' | 'name' | 'labels'>): readonly string[] {
    const entries = this.otherNames().get(podOf(workload.namespace, workload.name)) ?? [];
    return [...this.servicesOf(workload).map((service) => service.host), ...entries];
  }

  public servicesOf(workload: Pick<Workload, 'namespace' | 'labels'>): readonly Service[] {
    return this.mesh.services
      .inNamespace(workload.namespace)
      .filter((service) => Object.keys(service.selector).length > 0 && labelsMatch(service.selector, workload.labels));
  }

  /** Whatever reaches a namespace: its Services, what its gateways carry, and routes that lead there. */
  public into(namespace: string): ReadonlySet<string> {
    const own = this.mesh.services.inNamespace(namespace).map((service) => service.host);
    const gateways = this.mesh.workloads.inNamespace(namespace).filter((workload) => workload.membership === 'gateway');
    const entries = this.otherNames().get(podsOf(namespace)) ?? [];
    return this.viaAll([...own, ...entries, ...gateways.flatMap((workload) => [...this.through(workload)])]);
  }

  public hasGateway(namespace: string): boolean {
    return this.mesh.workloads.inNamespace(namespace).some((workload) => workload.membership === 'gateway');
  }

  /** VirtualServices that take in a delegate. */
  public rootsOf(namespace: string, name: string): readonly VirtualService[] {
    return this.mesh.virtualServices.all.filter((service) =>
      records(service.config.spec.http).some((rule) => {
        const delegate = optionalRecord(rule.delegate);
        return delegate?.name === name && (delegate.namespace ?? service.namespace) === namespace;
      }),
    );
  }

  public viaAll(hosts: Iterable<string>): ReadonlySet<string> {
    const found = new Set<string>();
    for (const host of hosts) if (!found.has(host)) for (const one of this.via(host)) found.add(one);
    return found;
  }

  /** Every host that any object of the mesh names. */
  public *hosts(): Iterable<string> {
    for (const service of this.mesh.services.all) yield service.host;
    for (const route of this.mesh.virtualServices.all) yield* hostsOf(route);
  }
}

/** Where requests of a rule go, and copies of them. */
function destinationsOf(rule: HttpRule | L4Rule): readonly RouteDestination[] {
  return 'mirrors' in rule ? [...rule.route, ...rule.mirrors.map(({ destination }) => destination)] : rule.route;
}

/** Hosts of a route, SNI hosts among them. */
export function hostsOf(route: VirtualService): readonly string[] {
  if (route.tls.length === 0) return route.hosts;
  return [
    ...new Set([...route.hosts, ...route.tls.flatMap((rule) => rule.matches.flatMap((match) => match.sniHosts))]),
  ];
}

/** Hosts of a Gateway's server, without the namespaces they are for. */
export function serverHosts(server: unknown): readonly string[] {
  return texts(record(server).hosts).map((host) => host.slice(host.indexOf('/') + 1));
}

const podsOf = (namespace: string): string => `pods of ${namespace}`;
const podOf = (namespace: string, name: string): string => `pod ${namespace}/${name}`;

function namesOf(mesh: Mesh): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const pods = new Map(mesh.workloads.all.flatMap((pod) => pod.addresses.map((address) => [address, pod])));
  for (const { host, registry, namespace, config, resolution, externalName } of mesh.services.all) {
    if (resolution === 'ALIAS') push(found, externalName, host);
    if (registry !== 'External') continue;
    for (const { address: written } of records(config.spec.endpoints)) {
      const address = text(written);
      const pod = pods.get(address);
      if (pod !== undefined) for (const key of [podsOf(pod.namespace), podOf(pod.namespace, pod.name)]) push(found, key, host); // prettier-ignore
      const service = isAddress(address) ? serviceAt(mesh, address) : serviceNamed(mesh, address, namespace);
      if (service !== undefined && service.host !== host) push(found, service.host, host);
    }
  }
  byRoutes(mesh, (host, name) => push(found, host, name));
  return found;
}

/** Kinds of routes of the Gateway API that lead from one name to another. */
const ROUTES = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const;

/** By the host of each backend of a route, the names that lead there: its hostnames, else those of its listeners, and Services that it is for. */
function byRoutes(mesh: Mesh, push: (host: string, name: string) => void): void {
  const { clusterDomain } = mesh.config;
  const serviceHost = (ref: Json, namespace: string): string =>
    text(ref.kind) === 'Hostname' ? text(ref.name) : `${text(ref.name)}.${text(ref.namespace) || namespace}.svc.${clusterDomain}`; // prettier-ignore
  for (const kind of ROUTES)
    for (const { body, namespace } of mesh.of('gateway.networking.k8s.io', kind)) {
      const spec = record(body.spec);
      const own = texts(spec.hostnames);
      const names = records(spec.parentRefs).flatMap((parent) => {
        if (text(parent.kind) === 'Service') return [serviceHost(parent, namespace)];
        if (own.length > 0 && kind !== 'TCPRoute') return own;
        const [at, gateway] = [text(parent.namespace) || namespace, text(parent.name)];
        const listeners = records(record(mesh.find('gateway.networking.k8s.io', 'Gateway', at, gateway)?.body.spec).listeners); // prettier-ignore
        return [streamHost(`${at}/${gateway}`), ...listeners.map(({ hostname }) => text(hostname) || '*')];
      });
      for (const rule of records(spec.rules)) {
        const mirrors = records(rule.filters).map(({ requestMirror }) => record(record(requestMirror).backendRef));
        for (const backend of [...records(rule.backendRefs), ...mirrors])
          if (text(backend.name) !== '') for (const name of names) push(serviceHost(backend, namespace), name);
      }
    }
}

/** What stands for the host of a connection to a listener for TCP, which knows of none: the Gateway itself. */
export function streamHost(gateway: string): string {
  const [namespace = '', name = ''] = gateway.split('/');
  return `${name}.${namespace}`;
}

function ownersByHost(mesh: Mesh): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const add = (host: string, namespace: string): void => {
    const known = found.get(host);
    if (known === undefined) found.set(host, new Set([namespace]));
    else known.add(namespace);
  };
  for (const service of mesh.services.all) add(service.host, service.namespace);
  for (const route of mesh.virtualServices.all) for (const host of hostsOf(route)) add(host, route.namespace);
  for (const rule of mesh.of('networking.istio.io', 'DestinationRule')) {
    const host = String(record(rule.body.spec).host ?? '');
    add(resolveShortName(host, rule.namespace, mesh.config.clusterDomain), rule.namespace);
  }
  return found;
}
