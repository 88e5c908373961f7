/** The requests that are worth following to a host: on every port and protocol that objects of either set speak of. */
import { record, records, text, texts, type Json } from '../model/fields';
import { isSubsetOf, isWildcard } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { serversOf, type Server } from '../model/merged-gateway';
import type { Port } from '../model/services';
import type { HttpMatch, VirtualService } from '../model/virtual-services';
import type { TraceRequest } from '../trace/types';

export interface Probe {
  readonly request: Pick<TraceRequest, 'request' | 'address' | 'method' | 'headers'>;
  /** As people see it: the wildcard and not its stand-in, the method if it is not GET, headers that decide. */
  readonly label: string;
  readonly port: number;
}

/** Stands for every host that no object names. */
export const ANY_OTHER_HOST = 'never-registered.example';
/** An address for documentation, which no mesh has. */
const ANY_OTHER_ADDRESS = '203.0.113.251';
export const STAND_IN = 'any-name';
/** Distinct requests by path, method and headers that are followed for one host; further ones are left out and counted. */
const MAX_VARIANTS = 40;

interface Variant {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

const PLAIN: Variant = { path: '/', method: 'GET', headers: {} };

export function schemeOf(port: Port): 'http' | 'https' | 'tcp' | undefined {
  switch (port.protocol) {
    case 'HTTP':
    case 'HTTP2':
    case 'GRPC':
    case 'GRPC-Web':
    case 'HTTP_PROXY':
    case 'AUTO':
      return 'http';
    case 'HTTPS':
    case 'TLS':
      return 'https';
    case 'UDP':
      return undefined;
    default:
      return 'tcp';
  }
}

/** Requests that clients of the mesh may send to a host. */
export function probesFor(host: string, meshes: readonly Mesh[]): readonly Probe[] {
  if (host === '*' || meshes.some((mesh) => isGatewayService(mesh, host))) return [];
  const wanted = new Map<string, { scheme: string; port: number; address: string | undefined }>();
  const want = (scheme: string, port: number, address?: string): void => {
    const key = `${scheme} ${port} ${address ?? ''}`;
    if (port > 0 && !wanted.has(key)) wanted.set(key, { scheme, port, address });
  };
  const routes = meshes.flatMap((mesh) => mesh.virtualServices.forHost(host));
  let isKnown = false;
  let isExternal = false;
  for (const mesh of meshes) {
    const services = mesh.services.named(host);
    const entries = mesh.of('networking.istio.io', 'ServiceEntry').length > 0 ? addressesOf(mesh, host) : [];
    for (const service of services.values()) {
      isKnown = true;
      isExternal ||= service.registry === 'External';
      for (const port of service.ports) {
        const scheme = schemeOf(port);
        if (scheme === undefined) continue;
        if (scheme !== 'tcp' || entries.length === 0) want(scheme, port.port);
        else for (const address of entries) want(scheme, port.port, address);
      }
    }
  }
  if (isExternal || !isKnown) {
    want('http', 80);
    want('https', 443);
  }
  for (const route of routes) {
    for (const rule of route.http)
      for (const match of rule.matches) if (match.port > 0 && forMesh(match, route)) want('http', match.port);
    for (const rule of route.tls)
      for (const match of rule.matches) if (match.port > 0 && forMesh(match, route)) want('https', match.port);
    for (const rule of route.tcp)
      for (const match of rule.matches) if (match.port > 0 && forMesh(match, route)) want('tcp', match.port);
  }
  const variants = variantsOf(routes, meshes);
  return [...wanted.values()].flatMap(({ scheme, port, address }) =>
    scheme === 'http'
      ? variants.map((variant) => probe(host, scheme, port, variant))
      : [probe(host, scheme, port, PLAIN, address)],
  );
}

/** The Service of a gateway is a stop on the way, and no client's destination. */
function isGatewayService(mesh: Mesh, host: string): boolean {
  return [...mesh.services.named(host).values()].some(
    (service) =>
      service.registry === 'Kubernetes' &&
      Object.keys(service.selector).length > 0 &&
      mesh.workloads
        .selected(service.namespace, service.selector)
        .some((workload) => workload.membership === 'gateway'),
  );
}

function forMesh(match: { readonly gateways: readonly string[] }, route: VirtualService): boolean {
  return match.gateways.length === 0 ? route.gateways.includes('mesh') : match.gateways.includes('mesh');
}

/** One address of each range that entries give a host; those of single addresses are what its name resolves to. */
function addressesOf(mesh: Mesh, host: string): readonly string[] {
  const index = mesh.remember(mesh, 'diff: addresses by host', () => {
    const byHost = new Map<string, Set<string>>();
    for (const service of mesh.services.all) {
      if (service.registry !== 'External' || service.address === '0.0.0.0') continue;
      const known = byHost.get(service.host) ?? new Set<string>();
      byHost.set(service.host, known.add(firstAddress(service.address)));
    }
    return byHost;
  });
  return [...(index.get(host) ?? [])];
}

/** An address within a range: the first that a host may have. */
function firstAddress(range: string): string {
  const [network = '', length] = range.split('/');
  if (length === undefined || Number(length) >= 31 || network.includes(':')) return network;
  const parts = network.split('.').map(Number);
  parts[3] = (parts[3] ?? 0) + 1;
  return parts.join('.');
}

/** Requests to a host that no object names, which the outbound policy decides, on the ports at hand. */
export function otherHostProbes(ports: ReadonlySet<number>): readonly Probe[] {
  const label = 'any other host';
  const probes: Probe[] = [
    { request: { request: `http://${ANY_OTHER_HOST}/` }, label: `http://(${label})`, port: 80 },
    { request: { request: `https://${ANY_OTHER_HOST}/` }, label: `https://(${label})`, port: 443 },
  ];
  for (const port of [...ports].sort((a, b) => a - b)) {
    probes.push({
      request: { request: `tcp://${ANY_OTHER_HOST}:${port}`, address: ANY_OTHER_ADDRESS },
      label: `tcp://(any other address):${port}`,
      port,
    });
    if (port === 80 || port === 443) continue;
    probes.push({
      request: { request: `http://${ANY_OTHER_HOST}:${port}/` },
      label: `http://(${label}):${port}`,
      port,
    });
    probes.push({
      request: { request: `https://${ANY_OTHER_HOST}:${port}/` },
      label: `https://(${label}):${port}`,
      port,
    });
  }
  return probes;
}

function probe(host: string, scheme: string, port: number, variant: Variant, address?: string): Probe {
  const name = isWildcard(host) ? `${STAND_IN}${host.slice(1)}` : host;
  const isDefault = (scheme === 'http' && port === 80) || (scheme === 'https' && port === 443);
  const tail = `${isDefault ? '' : `:${port}`}${scheme === 'tcp' ? '' : variant.path}`;
  const about = [
    ...(variant.method === 'GET' ? [] : [variant.method]),
    `${scheme}://${host}${tail}`,
    ...(Object.keys(variant.headers).length === 0
      ? []
      : [
          `with ${Object.entries(variant.headers)
            .map(([key, value]) => `${key}: ${value}`)
            .join(', ')}`,
        ]),
    ...(address === undefined ? [] : [`at ${address}`]),
  ];
  return {
    request: {
      request: `${scheme}://${name}${tail}`,
      ...(variant.method === 'GET' ? {} : { method: variant.method }),
      ...(Object.keys(variant.headers).length === 0 ? {} : { headers: variant.headers }),
      ...(address === undefined ? {} : { address }),
    },
    label: about.join(' '),
    port,
  };
}

/** A request for each condition by which routes and policies choose. */
function variantsOf(routes: readonly VirtualService[], meshes: readonly Mesh[]): readonly Variant[] {
  const variants = new Map<string, Variant>([[JSON.stringify(PLAIN), PLAIN]]);
  const add = (variant: Variant): void => {
    if (variants.size < MAX_VARIANTS) variants.set(JSON.stringify(variant), variant);
  };
  for (const route of routes)
    for (const rule of route.http)
      for (const match of rule.matches) {
        const made = satisfying(match);
        if (made !== undefined) add(made);
      }
  for (const mesh of meshes) for (const variant of policyVariants(mesh)) add(variant);
  return [...variants.values()];
}

/** A request that fulfils a match; undefined if only a regular expression would tell. */
function satisfying(match: HttpMatch): Variant | undefined {
  const value = (condition: Json | undefined): string | undefined => {
    if (condition === undefined) return undefined;
    return text(condition.exact) || text(condition.prefix) || (text(condition.regex) === '' ? '' : '\0');
  };
  const headers: Record<string, string> = {};
  for (const [name, condition] of Object.entries(match.headers)) headers[name] = value(record(condition)) || 'any';
  const path = value(match.uri) ?? '/';
  const query = Object.entries(match.queryParams).map(
    ([name, condition]) => `${name}=${value(record(condition)) || 'any'}`,
  );
  const method = value(match.method) ?? 'GET';
  const made = { path: `${path}${query.length === 0 ? '' : `?${query.join('&')}`}`, method: method || 'GET', headers };
  return JSON.stringify(made).includes('\\u0000') || !made.path.startsWith('/') ? undefined : made;
}

/** Paths and methods that policies at proxies tell apart. */
function policyVariants(mesh: Mesh): readonly Variant[] {
  return mesh.remember(mesh, 'diff: policy variants', () => {
    const variants: Variant[] = [];
    for (const policy of mesh.of('security.istio.io', 'AuthorizationPolicy')) {
      for (const rule of records(record(policy.body.spec).rules)) {
        for (const to of records(rule.to)) {
          const operation = record(to.operation);
          const methods = [...texts(operation.methods), ...texts(operation.notMethods)];
          const paths = [...texts(operation.paths), ...texts(operation.notPaths)].filter((path) =>
            path.startsWith('/'),
          );
          for (const path of paths.length === 0 ? ['/'] : paths)
            for (const method of methods.length === 0 ? ['GET'] : methods)
              variants.push({ path: path.replace(/\{?\*{1,2}\}?/g, 'x'), method, headers: {} });
        }
      }
    }
    return variants.slice(0, MAX_VARIANTS);
  });
}

/** Requests from outside to a host at a gateway: one for each server that admits it. */
export function probesAt(gateway: string, host: string, meshes: readonly Mesh[]): readonly Probe[] {
  const found = new Map<string, Probe>();
  for (const mesh of meshes) {
    const routes = mesh.virtualServices.forHost(host).filter((route) => route.gateways.includes(gateway));
    for (const server of serversAt(mesh, gateway)) {
      if (!server.admits(host)) continue;
      const variants =
        server.scheme === 'http' || server.scheme === 'https'
          ? [...variantsOf(routes, [mesh]), ...routeVariants(mesh, gateway, host)]
          : [PLAIN];
      for (const variant of variants) {
        const one = probe(host, server.scheme, server.port, variant);
        found.set(one.label, one);
      }
    }
  }
  return [...found.values()];
}

/** Paths, methods and headers by which HTTPRoutes and GRPCRoutes of a gateway choose. */
function routeVariants(mesh: Mesh, gateway: string, host: string): readonly Variant[] {
  const variants: Variant[] = [];
  for (const route of mesh.of('gateway.networking.k8s.io', 'HTTPRoute')) {
    const spec = record(route.body.spec);
    const isBound = records(spec.parentRefs).some(
      (parent) => `${text(parent.namespace) || route.namespace}/${text(parent.name)}` === gateway,
    );
    const hostnames = texts(spec.hostnames);
    if (!isBound || (hostnames.length > 0 && !hostnames.some((own) => isSubsetOf(host, own)))) continue;
    for (const match of records(spec.rules).flatMap((rule) => records(rule.matches))) {
      const { type, value } = record(match.path);
      const headers = records(match.headers).filter((header) => text(header.type) !== 'RegularExpression');
      if (type === 'RegularExpression') continue;
      variants.push({
        path: text(value) || '/',
        method: text(match.method) || 'GET',
        headers: Object.fromEntries(headers.map((header) => [text(header.name), text(header.value)])),
      });
    }
  }
  return variants.slice(0, MAX_VARIANTS);
}

export interface Entrance {
  readonly scheme: string;
  readonly port: number;
  readonly hosts: readonly string[];
  readonly admits: (host: string) => boolean;
}

/** Servers of an Istio Gateway, and listeners of one of the Gateway API, alike. */
export function serversAt(mesh: Mesh, gateway: string): readonly Entrance[] {
  const own = [...mesh.gateways, ...mesh.ingresses].find((one) => `${one.namespace}/${one.name}` === gateway);
  const servers = own === undefined ? [] : serversOf(own).map(entranceOf);
  const [namespace = '', name = ''] = gateway.split('/');
  const other = mesh.find('gateway.networking.k8s.io', 'Gateway', namespace, name);
  const listeners = records(record(other?.body.spec).listeners).map((listener): Entrance => {
    const protocol = text(listener.protocol);
    const hostname = text(listener.hostname) || '*';
    return {
      scheme: protocol === 'HTTPS' || protocol === 'TLS' ? 'https' : protocol === 'HTTP' ? 'http' : 'tcp',
      port: Number(listener.port ?? 0),
      hosts: [hostname],
      admits: (host) => isSubsetOf(host, hostname) || isSubsetOf(hostname, host),
    };
  });
  return [...servers, ...listeners];
}

function entranceOf(server: Server): Entrance {
  const hosts = server.hosts.map((host) => host.slice(host.indexOf('/') + 1));
  const scheme =
    server.protocol === 'HTTPS' || server.protocol === 'TLS'
      ? 'https'
      : server.protocol === 'TCP' || server.protocol === 'Mongo'
        ? 'tcp'
        : 'http';
  return {
    scheme,
    port: server.port,
    hosts,
    admits: (host) => hosts.some((own) => isSubsetOf(host, own) || isSubsetOf(own, host)),
  };
}
