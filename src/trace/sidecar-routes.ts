import { UNKNOWN_HOSTS } from './sidecar-listeners';
import { isWildcard, overlaps } from '../model/hostnames';
import { push } from '../model/objects';
import { isHttpOrAuto } from '../model/protocols';
import type { Port, Service } from '../model/services';
import type { EgressListener } from '../model/sidecar-scope';
import { MESH_GATEWAY, type VirtualService } from '../model/virtual-services';
import { serviceDomains } from './domains';
import { DomainIndex } from './envoy';
import { clusterName, hasRoutes, routesOf, VirtualHost, type Route } from './http-routes';
import type { ProxyView } from './tcp-routes';

/** Route configuration of a listener: its virtual hosts by domain; a request for none of them goes to the catch-all. */
export interface RouteConfig {
  readonly name: string;
  /** By the host that is asked for, without its port: istiod has Envoy ignore that (`ignore_port_in_host_matching`). */
  readonly match: (host: string) => VirtualHost | undefined;
  /** All of them. */
  readonly hosts: () => readonly VirtualHost[];
  /** The host of the service that it is for, where it is for one alone. */
  readonly onlyFor?: string;
}

/** A service as it takes part in routing on a port: by its host in lower case, with that port alone; on port 0, which is any, as it is. */
interface Routed {
  readonly host: string;
  readonly service: Service;
  readonly ports: readonly Port[];
}

interface Wrapper {
  readonly port: number;
  readonly services: readonly Routed[];
  readonly hosts: readonly string[];
  readonly routes: () => readonly Route[];
}

function servicesOn(egress: EgressListener, port: number): ReadonlyMap<string, Routed> {
  const result = new Map<string, Routed>();
  if (port === 0) {
    for (const service of egress.services)
      result.set(service.host, { host: service.host, service, ports: service.ports });
    return result;
  }
  for (const [service, servicePort] of egress.servicesByPort.get(port) ?? []) {
    const host = service.host.toLowerCase();
    result.set(host, { host, service, ports: [servicePort] });
  }
  return result;
}

/** Off port 80 only VirtualServices of known services count; on 80 any host may be routed. */
function routesOn(
  egress: EgressListener,
  port: number,
  services: ReadonlyMap<string, Routed>,
): readonly VirtualService[] {
  if (port === 80) return egress.virtualServices;
  const wild = [...services.keys()].filter(isWildcard);
  return egress.virtualServices.filter((virtualService) =>
    virtualService.hosts.some((given) => {
      const host = given.toLowerCase();
      if (services.has(host)) return true;
      return isWildcard(host)
        ? [...services.keys()].some((name) => overlaps(host, name))
        : wild.some((name) => overlaps(host, name));
    }),
  );
}

function splitHosts(
  virtualService: VirtualService,
  egress: EgressListener,
  services: ReadonlyMap<string, Routed>,
): { readonly others: readonly string[]; readonly known: readonly Routed[] } {
  const others: string[] = [];
  const known: Routed[] = [];
  const wild: string[] = [];
  for (const host of virtualService.hosts) {
    const lower = host.toLowerCase();
    const service = services.get(lower);
    if (isWildcard(lower)) wild.push(lower);
    else if (service !== undefined) known.push(service);
    else others.push(host);
  }
  for (const host of wild) {
    if (virtualService.semantics === 'gateway-api') {
      others.push(host);
      continue;
    }
    let isKnown = false;
    for (const [name, service] of services) {
      if (!overlaps(name, host)) continue;
      isKnown = true;
      if (egress.virtualServiceOf(name) === virtualService) known.push(service);
    }
    if (!isKnown) others.push(host);
  }
  return { others, known };
}

function wrappersOf(
  view: ProxyView,
  egress: EgressListener,
  virtualService: VirtualService,
  services: ReadonlyMap<string, Routed>,
  port: number,
): readonly Wrapper[] {
  const lookup = (host: string): Service | undefined => {
    const found = services.get(host);
    return found === undefined || port === 0 ? found?.service : { ...found.service, host, ports: found.ports };
  };
  const context = { port, gateway: MESH_GATEWAY, proxy: view.proxy, lookup };
  if (!hasRoutes(virtualService, context)) return [];
  const routes = (): readonly Route[] => routesOf(virtualService, context);
  const { others, known } = splitHosts(virtualService, egress, services);
  if (virtualService.semantics === 'gateway-api') {
    const isAllowed = known.some(
      ({ service }) =>
        service.namespace === virtualService.namespace || view.proxy.namespace === virtualService.namespace,
    );
    if (!isAllowed) return [];
  }
  const byPort = new Map<number, Routed[]>();
  for (const service of known) {
    for (const own of service.ports) {
      if (isHttpOrAuto(own.protocol)) push(byPort, own.port, service);
    }
  }
  if (byPort.size === 0 && port === 80) byPort.set(80, []);
  return [...byPort].map(([own, members]) => ({ port: own, services: members, hosts: others, routes }));
}

function defaultWrapper(service: Routed, port: number): Wrapper {
  const route = (): Route => ({
    name: 'default',
    rule: null,
    match: null,
    clusters: [
      {
        cluster: clusterName(service.host, '', port),
        weight: 0,
        index: 0,
        destination: { host: service.host, subset: '', port, weight: 0, authority: '', headers: {} },
      },
    ],
    gatewaySemantics: false,
  });
  return { port, services: [service], hosts: [], routes: () => [route()] };
}

/** The virtual hosts of a sidecar's port: those of VirtualServices first, then one for each service that has none. */
function sidecarVirtualHosts(view: ProxyView, egress: EgressListener, port: number): readonly VirtualHost[] {
  const services = servicesOn(egress, port);
  const wrappers = routesOn(egress, port, services).flatMap((virtualService) =>
    wrappersOf(view, egress, virtualService, services, port),
  );
  const hosts = new Set<string>();
  for (const wrapper of wrappers) for (const { host } of wrapper.services) hosts.add(host);
  for (const routed of services.values()) {
    if (hosts.has(routed.host) || routed.service.resolution === 'ALIAS') continue;
    for (const own of routed.ports) if (isHttpOrAuto(own.protocol)) wrappers.push(defaultWrapper(routed, own.port));
  }
  for (const wrapper of wrappers) for (const { host } of wrapper.services) hosts.add(host);

  const names = new Set<string>();
  const taken = new Set<string>();
  const result: VirtualHost[] = [];
  const take = (domain: string): boolean => {
    const before = taken.size;
    return taken.add(domain.toLowerCase()).size > before;
  };
  const build = (host: string, wrapper: Wrapper, service: Service | undefined): void => {
    const name = `${host}:${wrapper.port}`;
    const before = names.size;
    if (names.add(name).size === before) return;
    const { all, expanded } =
      service === undefined
        ? { all: [host], expanded: [] }
        : serviceDomains(host, service, '', view.mesh.config.clusterDomain);
    // An expansion gives way to a service of just that name.
    const own = all.filter((domain) => !(hosts.has(domain) && expanded.includes(domain)));
    const bare = own.filter(take);
    // An HTTP proxy's listener has the services of every port: those of others than 80 by name and port alone (mergeAllVirtualHosts of istiod).
    const ported = port === 0 ? own.map((domain) => `${domain}:${wrapper.port}`).filter(take) : [];
    const domains = [...(port === 0 && wrapper.port !== 80 ? [] : bare), ...ported];
    if (domains.length > 0 && (port === 0 || wrapper.port === port))
      result.push(new VirtualHost(name, domains, wrapper.routes, false, service));
  };
  for (const wrapper of wrappers) {
    for (const host of wrapper.hosts) build(host.toLowerCase(), wrapper, undefined);
    for (const { host, service } of wrapper.services) build(host, wrapper, service);
  }
  return result;
}

function egressListenerFor(view: ProxyView, port: number): EgressListener | undefined {
  return view.scope.listeners.find((listener) => listener.port === undefined || listener.port.number === port);
}

function proxyKey(view: ProxyView): string {
  return view.scope.base.dependsOnProxy ? `${view.proxy.namespace} ${JSON.stringify(view.proxy.labels)}` : '';
}

/** Domains of all virtual hosts of a port, as a client of a namespace without services of its own has them. */
function domainsOf(view: ProxyView, egress: EgressListener, port: number): DomainIndex<VirtualHost> {
  return view.mesh.remember(egress, `domains ${port} ${proxyKey(view)}`, () => {
    const domains = new DomainIndex<VirtualHost>();
    for (const virtualHost of virtualHostsOf(view, egress, port)) {
      for (const domain of virtualHost.domains) domains.add(domain.toLowerCase(), virtualHost);
    }
    return domains;
  });
}

function virtualHostsOf(view: ProxyView, egress: EgressListener, port: number): readonly VirtualHost[] {
  return view.mesh.remember(egress, `virtual hosts ${port} ${proxyKey(view)}`, () =>
    sidecarVirtualHosts(view, egress, port),
  );
}

/** The virtual hosts of services by each of their full names, whichever virtual host takes requests for that name itself. */
function byServiceName(view: ProxyView, egress: EgressListener, port: number): ReadonlyMap<string, VirtualHost> {
  return view.mesh.remember(egress, `virtual hosts by service ${port} ${proxyKey(view)}`, () => {
    const owners = new Map<string, VirtualHost>();
    for (const virtualHost of virtualHostsOf(view, egress, port)) {
      const { service } = virtualHost;
      for (const name of service === undefined ? [] : [service.host.toLowerCase(), ...service.aliases])
        if (!owners.has(name)) owners.set(name, virtualHost);
    }
    return owners;
  });
}

/**
 * A service of the client's own namespace by the name that its DNS search path completes; a Pod of it if it is headless. A VirtualService for the
 * full name of an ExternalName Service takes that name alone: it has no service, whose shorter names would go with it (httproute.go of Istio).
 */
function inOwnNamespace(
  view: ProxyView,
  owners: ReadonlyMap<string, VirtualHost>,
  host: string,
): VirtualHost | undefined {
  const complete = (name: string): VirtualHost | undefined =>
    owners.get(`${name}.${view.proxy.namespace}.svc.${view.mesh.config.clusterDomain}`);
  const dot = host.indexOf('.');
  if (dot < 0) return complete(host);
  const pod = host.slice(dot + 1).includes('.') ? undefined : complete(host.slice(dot + 1));
  return pod?.service?.resolution === 'PASSTHROUGH' && pod.service.registry === 'Kubernetes' ? pod : undefined;
}

/** The route configuration that a listener of the sidecar asks for by name: `80`, or `host:port` for a sniffed service of its own. */
export function sidecarRouteConfig(view: ProxyView, name: string): RouteConfig {
  if (name === UNKNOWN_HOSTS) return { name, match: () => undefined, hosts: () => [] };
  const colon = name.lastIndexOf(':');
  const port = Number(name.slice(colon + 1));
  const egress = egressListenerFor(view, port);
  if (egress === undefined) return { name, match: () => undefined, hosts: () => [] };
  const routedPort = egress.port?.protocol === 'HTTP_PROXY' ? 0 : port;
  if (colon >= 0) {
    const host = name.slice(0, colon);
    const own = virtualHostsOf(view, egress, routedPort).filter((virtualHost) =>
      virtualHost.domains.some((domain) => domain === name || domain === host),
    );
    const domains = new DomainIndex<VirtualHost>();
    for (const virtualHost of own) {
      for (const domain of own.length === 1 ? ['*'] : virtualHost.domains) domains.add(domain, virtualHost);
    }
    return { name, match: (asked) => domains.match(asked), hosts: () => own };
  }
  const domains = domainsOf(view, egress, routedPort);
  const owners = byServiceName(view, egress, routedPort);
  const byOwnName = (asked: string): VirtualHost | undefined => {
    const found = inOwnNamespace(view, owners, asked);
    return routedPort === 0 && found?.service !== undefined && !found.domains.includes(found.service.host)
      ? undefined
      : found;
  };
  return {
    name,
    match: (asked) => domains.matchExact(asked) ?? byOwnName(asked) ?? domains.matchWildcard(asked),
    hosts: () => virtualHostsOf(view, egress, routedPort),
  };
}
