import { ANY_ADDRESS } from './addresses';
import { ruleForWorkload, type DestinationRule, type DestinationRuleIndex } from './destination-rules';
import { number, optionalRecord, record, records, text, texts, type Json } from './fields';
import { HostIndex, isSubsetOf, isWildcard, overlaps } from './hostnames';
import type { OutboundMode } from './mesh-config';
import { compareAge, compareText, type Config, type Visibility } from './objects';
import { parseProtocol, type Protocol } from './protocols';
import type { IstioBehavior } from './release-behavior';
import type { Port, Service, ServiceRegistry } from './services';
import { destinationsOf, MESH_GATEWAY, VirtualServiceIndex, type VirtualService } from './virtual-services';

export interface Registry {
  readonly services: ServiceRegistry;
  readonly virtualServices: VirtualServiceIndex;
  readonly destinationRules: DestinationRuleIndex;
  readonly config: { readonly istio: IstioBehavior; readonly picksBestNamespace: boolean };
}

/** One `egress` listener of a Sidecar, or the one for everything of a proxy that no Sidecar scopes. */
export interface EgressListener {
  readonly index: number;
  /** Undefined for the listener of all ports. */
  readonly port: { readonly number: number; readonly protocol: Protocol } | undefined;
  readonly bind: string;
  readonly captureMode: string;
  readonly services: readonly Service[];
  readonly servicesByPort: ReadonlyMap<number, readonly (readonly [Service, Port])[]>;
  readonly virtualServices: readonly VirtualService[];
  /** For each service, the VirtualService whose host fits it best. */
  readonly virtualServiceOf: (host: string) => VirtualService | undefined;
}

export interface OutboundPolicy {
  readonly mode: OutboundMode;
  readonly egressProxy: Json | undefined;
}

/** What a proxy may know of: services, routes and rules, by its namespace and the Sidecar that applies to it. */
export interface ProxyScope {
  readonly namespace: string;
  /** The Sidecar that made the scope. */
  readonly sidecar: Config | undefined;
  readonly listeners: readonly EgressListener[];
  /** Services with a cluster, one for each host. */
  readonly service: (host: string) => Service | undefined;
  readonly services: () => Iterable<Service>;
  readonly destinationRule: (host: string, labels: Readonly<Record<string, string>>) => DestinationRule | undefined;
  readonly outbound: OutboundPolicy;
  /** The same object for scopes whose listeners are the same: what is computed of them is kept by it. */
  readonly base: ScopeBase;
}

/** The part of a scope that namespaces can share. */
export interface ScopeBase {
  readonly listeners: readonly EgressListener[];
  readonly services: ReadonlyMap<string, Service>;
  /** Whether configuration depends on labels and namespace of the proxy too. */
  readonly dependsOnProxy: boolean;
  /** Whether there are listeners for single Pods, which leave out the proxy's own. */
  readonly hasHeadless: boolean;
}

interface ImportedHosts {
  readonly exact: ReadonlySet<string>;
  readonly all: readonly string[];
  /** Hosts that are taken away again by `~NAMESPACE/HOST`. */
  readonly excluded: readonly string[];
}

/** What a namespace has of a host that is taken away, by its own name or by that of all namespaces: Services and routes alike. */
function isExcluded(hosts: ReadonlyMap<string, ImportedHosts>, owner: string, host: string): boolean {
  const takesAway = (some: ImportedHosts | undefined): boolean =>
    some !== undefined && some.excluded.length > 0 && some.excluded.some((one) => isSubsetOf(host, one));
  return takesAway(hosts.get(owner)) || takesAway(hosts.get('*'));
}

function importsService(hosts: ImportedHosts, host: string): boolean {
  if (hosts.exact.has(host)) return true;
  const wild = isWildcard(host);
  return hosts.all.some((imported) => (wild || isWildcard(imported)) && isSubsetOf(host, imported));
}

/** @param hosts of the route, that are not taken away */
function importsVirtualService(imports: ImportedHosts, service: VirtualService, hosts: readonly string[]): boolean {
  return hosts.some((host) => {
    if (imports.exact.has(host)) return true;
    const wild = isWildcard(host);
    const fits = service.semantics === 'gateway-api' ? isSubsetOf : overlaps;
    return imports.all.some((imported) => (wild || isWildcard(imported)) && fits(host, imported));
  });
}

function importedHosts(
  entries: readonly string[],
  namespace: string,
  excludes: boolean,
): ReadonlyMap<string, ImportedHosts> {
  const names = new Map<string, string[]>();
  const excluded = new Map<string, string[]>();
  for (const entry of entries) {
    const parts = entry.split('/');
    if (parts.length !== 2) continue;
    const scope = parts[0] ?? '';
    const isExclusion = excludes && scope.startsWith('~');
    const named = isExclusion ? scope.slice(1) || '*' : scope;
    const owner = named === '.' ? namespace : named;
    const into = isExclusion ? excluded : names;
    into.set(owner, [...(into.get(owner) ?? []), parts[1] ?? '']);
  }
  return new Map(
    [...new Set([...names.keys(), ...excluded.keys()])].map((owner) => {
      const hosts = names.get(owner) ?? [];
      const exact = new Set(hosts.filter((host) => !isWildcard(host)));
      return [owner, { exact, all: hosts, excluded: excluded.get(owner) ?? [] }];
    }),
  );
}

/** A service cut down to one port, as a Sidecar listener with a port imports it. */
function atPort(service: Service, port: number): Service | undefined {
  const found = service.ports.find((candidate) => candidate.port === port);
  if (found === undefined) return undefined;
  return service.ports.length === 1 ? service : { ...service, ports: [found] };
}

export function atPorts(service: Service, ports: ReadonlySet<number>): Service | undefined {
  if (ports.size === 0 || ports.has(0)) return service;
  const found = service.ports.filter((port) => ports.has(port.port));
  if (found.length === service.ports.length) return service;
  return found.length > 0 ? { ...service, ports: found } : undefined;
}

function isOwnRoute(service: VirtualService, namespace: string): boolean {
  return service.semantics === 'gateway-api' && service.namespace === namespace;
}

function selectVirtualServices(
  registry: Registry,
  namespace: string,
  hosts: ReadonlyMap<string, ImportedHosts>,
): readonly VirtualService[] {
  const candidates = registry.virtualServices.forGateway(namespace, MESH_GATEWAY);
  const everywhere = hosts.get('*');
  const selected = candidates.filter((service) => {
    const own = hosts.get(service.namespace);
    const left = service.hosts.filter((host) => !isExcluded(hosts, service.namespace, host));
    return [own, everywhere].some((some) => some !== undefined && importsVirtualService(some, service, left));
  });
  const groups: Record<'own' | 'exported' | 'public', VirtualService[]> = { own: [], exported: [], public: [] };
  const group = (seenBy: Visibility, service: VirtualService): VirtualService[] =>
    seenBy === 'public' ? groups.public : service.namespace === namespace ? groups.own : groups.exported;
  for (const service of selected) group(service.visibility, service).push(service);
  return [groups.own, groups.exported, groups.public].flatMap((services) => [
    ...services.filter((service) => isOwnRoute(service, namespace)),
    ...services.filter((service) => !isOwnRoute(service, namespace)),
  ]);
}

function selectServices(
  registry: Registry,
  namespace: string,
  hosts: ReadonlyMap<string, ImportedHosts>,
  port: number | undefined,
): readonly Service[] {
  const everywhere = hosts.get('*');
  const trimmed = (imported: ImportedHosts | undefined, service: Service): Service | undefined => {
    if (imported === undefined || !importsService(imported, service.host)) return undefined;
    const matched = port === undefined ? service : atPort(service, port);
    if (matched === undefined || matched.aliases.length === 0) return matched;
    const aliases = matched.aliases.filter((alias) => importsService(imported, alias));
    return aliases.length === matched.aliases.length ? matched : { ...matched, aliases };
  };
  const imported: Service[] = [];
  for (const service of registry.services.seenFrom(namespace)) {
    if (isExcluded(hosts, service.namespace, service.host)) continue;
    const found = trimmed(hosts.get(service.namespace), service) ?? trimmed(everywhere, service);
    if (found !== undefined) imported.push(found);
  }
  const owner = new Map<string, Service>();
  for (const service of imported) {
    const current = owner.get(service.host);
    if (
      current === undefined ||
      service.namespace === namespace ||
      (current.registry === 'External' && service.registry === 'Kubernetes' && current.namespace !== namespace)
    ) {
      owner.set(service.host, service);
    }
  }
  return imported.filter((service) => owner.get(service.host)?.namespace === service.namespace);
}

/** Ports of the egress listeners of a Sidecar that name a service, though they have no port of it: each imports of it that one alone. */
export function portsNaming(
  registry: Registry,
  namespace: string,
  sidecar: Config,
  service: Service,
): readonly number[] {
  return records(sidecar.spec.egress).flatMap(({ port, hosts }) => {
    const listens = number(record(port).number);
    if (listens === 0 || parseProtocol(record(port).protocol) === 'HTTP_PROXY') return [];
    const named = importedHosts(texts(hosts), namespace, registry.config.istio.excludesHostsOfSidecars);
    if (isExcluded(named, service.namespace, service.host)) return [];
    const own = [named.get(service.namespace), named.get('*')];
    return own.some((one) => one !== undefined && importsService(one, service.host)) ? [listens] : [];
  });
}

function groupByPort(services: readonly Service[]): ReadonlyMap<number, readonly (readonly [Service, Port])[]> {
  const result = new Map<number, (readonly [Service, Port])[]>();
  for (const service of services) {
    for (const port of service.ports) {
      const group = result.get(port.port);
      if (group === undefined) result.set(port.port, [[service, port]]);
      else group.push([service, port]);
    }
  }
  return result;
}

function makeListener(registry: Registry, namespace: string, egress: Json, index: number): EgressListener {
  const port = optionalRecord(egress.port);
  const protocol = parseProtocol(port?.protocol);
  const listenPort = number(port?.number);
  const hosts = importedHosts(texts(egress.hosts), namespace, registry.config.istio.excludesHostsOfSidecars);
  const services = selectServices(
    registry,
    namespace,
    hosts,
    listenPort !== 0 && protocol !== 'HTTP_PROXY' ? listenPort : undefined,
  );
  return {
    index,
    port: port === undefined ? undefined : { number: listenPort, protocol },
    bind: text(egress.bind),
    captureMode: text(egress.captureMode),
    ...contentOf(services, selectVirtualServices(registry, namespace, hosts)),
  };
}

type Content = Pick<EgressListener, 'services' | 'servicesByPort' | 'virtualServices' | 'virtualServiceOf'>;

function contentOf(services: readonly Service[], virtualServices: readonly VirtualService[]): Content {
  const byHost = new HostIndex<VirtualService>();
  for (const service of virtualServices) for (const host of service.hosts) byHost.setIfAbsent(host, service);
  return {
    services,
    servicesByPort: groupByPort(services),
    virtualServices,
    virtualServiceOf: (host) => byHost.mostSpecific(host),
  };
}

/** The base of a scope that is these services and routes, one listener for all ports; destinations are services that routes may send to. */
export function baseOf(
  services: readonly Service[],
  virtualServices: readonly VirtualService[],
  destinations: readonly Service[],
): ScopeBase {
  const listeners = [{ index: 0, port: undefined, bind: '', captureMode: '', ...contentOf(services, virtualServices) }];
  const set = new ServiceSet();
  for (const service of [...services, ...destinations]) set.add(service);
  return { listeners, services: set.byHost, ...dependenciesOf(listeners) };
}

function dependenciesOf(listeners: readonly EgressListener[]): Pick<ScopeBase, 'dependsOnProxy' | 'hasHeadless'> {
  return {
    dependsOnProxy: listeners.some(
      (listener) => VirtualServiceIndex.dependsOnSource(listener.virtualServices) || listener.services.some(hasAliases),
    ),
    hasHeadless: listeners.some((listener) => listener.services.some(isHeadless)),
  };
}

function sameKeys(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function samePorts(a: readonly Port[], b: readonly Port[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every((port, i) => port.port === b[i]?.port && port.name === b[i]?.name && port.protocol === b[i]?.protocol))
  );
}

/** The services that get clusters: the first of a host wins, ports of its equals are joined, Kubernetes outranks entries. */
class ServiceSet {
  public readonly byHost = new Map<string, Service>();

  public add(service: Service): void {
    const existing = this.byHost.get(service.host);
    if (existing === undefined) {
      this.byHost.set(service.host, service);
      return;
    }
    if (existing === service || (existing.registry === 'Kubernetes' && service.registry === 'External')) return;
    if (existing.registry === 'External' && service.registry === 'Kubernetes') {
      this.byHost.set(service.host, service);
      return;
    }
    if (samePorts(existing.ports, service.ports) || !canMerge(existing, service)) return;
    const known = new Set(existing.ports.map((port) => port.port));
    this.byHost.set(service.host, {
      ...existing,
      ports: [...existing.ports, ...service.ports.filter((port) => !known.has(port.port))],
    });
  }
}

function canMerge(a: Service, b: Service): boolean {
  return (
    a.namespace === b.namespace &&
    a.resolution === b.resolution &&
    a.registry === b.registry &&
    sameKeys(a.labels, b.labels) &&
    sameKeys(a.selector, b.selector) &&
    a.exportTo.join() === b.exportTo.join()
  );
}

/** The service that a route of a proxy's scope may send to by a host: the one of the proxy's namespace, whoever it is exported to. */
export function destinationFor(registry: Registry, host: string, namespace: string): Service | undefined {
  const candidates = registry.services.named(host);
  const own = candidates.get(namespace);
  if (own !== undefined) return own;
  const compare = registry.config.picksBestNamespace ? byRegistryAndAge : byNamespace;
  return [...candidates.values()].filter((service) => registry.services.isVisible(service, namespace)).sort(compare)[0];
}

const byNamespace = (a: Service, b: Service): number => compareText(a.namespace, b.namespace);

function byRegistryAndAge(a: Service, b: Service): number {
  const rank = ({ registry }: Service): number => (registry === 'Kubernetes' ? 0 : 1);
  return rank(a) - rank(b) || compareAge(a, b);
}

function makeScope(
  registry: Registry,
  namespace: string,
  sidecar: Config | undefined,
  base: ScopeBase,
  outbound: OutboundPolicy,
): ProxyScope {
  const rules = new Map<string, readonly DestinationRule[]>();
  const { services } = base;
  return {
    namespace,
    sidecar,
    base,
    listeners: base.listeners,
    service: (host) => services.get(host),
    services: () => services.values(),
    destinationRule: (host, labels) => {
      const service = services.get(host);
      if (service === undefined) return undefined;
      let candidates = rules.get(host);
      if (candidates === undefined) {
        candidates = registry.destinationRules.find(service, namespace);
        rules.set(host, candidates);
      }
      return ruleForWorkload(candidates, namespace, labels);
    },
    outbound,
  };
}

/** Whether a namespace that no Sidecar scopes sees exactly what others like it see. */
export function hasCommonScope(registry: Registry, namespace: string): boolean {
  return (
    registry.services.hostsAreUnique &&
    !registry.virtualServices.prefersOwn &&
    registry.services.seesOnlyPublic(namespace) &&
    registry.virtualServices.seesOnlyPublic(namespace, MESH_GATEWAY) &&
    // What it hides from itself it has all the same where a route that it sees sends there (collectImportedServices of pilot/pkg/model/sidecar.go).
    registry.services.inNamespace(namespace).every((service) => registry.services.isVisible(service, namespace))
  );
}

function hasAliases(service: Service): boolean {
  return service.aliases.length > 0;
}

function isHeadless(service: Service): boolean {
  return service.resolution === 'PASSTHROUGH' && service.address === ANY_ADDRESS;
}

/** Listeners and services of a sidecar: what its Sidecar imports, plus the destinations of the routes among that. */
export function sidecarBase(registry: Registry, namespace: string, sidecar: Config | undefined): ScopeBase {
  const egress = records(sidecar?.spec.egress);
  const listeners = (egress.length === 0 ? [{ hosts: ['*/*'] }] : egress).map((item, index) =>
    makeListener(registry, namespace, item, index),
  );
  const set = new ServiceSet();
  for (const listener of listeners) {
    for (const service of listener.services) set.add(service);
    const port =
      listener.port !== undefined && listener.port.number !== 0 && listener.port.protocol !== 'HTTP_PROXY'
        ? listener.port.number
        : undefined;
    const added = new Set<string>();
    for (const virtualService of listener.virtualServices) {
      for (const [host, ports] of destinationsOf(virtualService, namespace)) {
        // Thousands of routes may send to one port of one gateway.
        const before = added.size;
        if (added.add(`${host} ${[...ports].join()}`).size === before) continue;
        const found = destinationFor(registry, host, namespace);
        const matched =
          found === undefined ? undefined : port === undefined ? atPorts(found, ports) : atPort(found, port);
        if (matched !== undefined) set.add(matched);
      }
    }
  }
  return { listeners, services: set.byHost, ...dependenciesOf(listeners) };
}

/** Scope of a sidecar. */
export function sidecarScope(
  registry: Registry,
  namespace: string,
  sidecar: Config | undefined,
  meshMode: OutboundPolicy['mode'],
  base: ScopeBase,
): ProxyScope {
  const policy = optionalRecord(sidecar?.spec.outboundTrafficPolicy);
  return makeScope(registry, namespace, sidecar, base, {
    mode:
      policy === undefined
        ? meshMode
        : policy.mode === 'ALLOW_ANY' || policy.mode === 1
          ? 'ALLOW_ANY'
          : 'REGISTRY_ONLY',
    egressProxy: optionalRecord(record(policy).egressProxy),
  });
}

/** Scope of a gateway: everything that its namespace may see; Sidecars do not apply to it. */
export function gatewayScope(registry: Registry, namespace: string): ProxyScope {
  const set = new ServiceSet();
  for (const service of registry.services.seenFrom(namespace)) set.add(service);
  const base: ScopeBase = { listeners: [], services: set.byHost, dependsOnProxy: true, hasHeadless: true };
  return makeScope(registry, namespace, undefined, base, { mode: 'ALLOW_ANY', egressProxy: undefined });
}
