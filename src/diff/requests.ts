/** Where requests are worth exploring: hosts, on every port and protocol that objects of either set speak of. */
import { ANY_ADDRESS, isAddress, isLoopback } from '../model/addresses';
import { record, texts } from '../model/fields';
import { isSubsetOf } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { serversOf, type Server } from '../model/merged-gateway';
import type { Port, Service } from '../model/services';
import type { VirtualService } from '../model/virtual-services';
import { type Part, claimedRanges, partsOf, toldRanges } from './address-ranges';
import { Links, streamHost } from './links';
import { wildcardsOver } from './scopes';
import type { TraceRequest } from '../trace/types';
import { requestOf, type Target } from '../traffic/universe';

export interface Probe {
  readonly target: Target;
  /** The plainest request there. */
  readonly request: Pick<TraceRequest, 'request' | 'address' | 'method' | 'headers' | 'tokens' | 'sni'>;
  /** As people see it: the wildcard and not its stand-in, the method if it is not GET, headers and tokens that decide. */
  readonly label: string;
  readonly labelOf: (request: Pick<TraceRequest, 'request' | 'method' | 'headers' | 'tokens' | 'sni'>) => string;
  readonly port: number;
}

/** An address for documentation, which no mesh has. */
const ANY_OTHER_ADDRESS = '203.0.113.251';
const ANY_OTHER_ADDRESS_OF_IPV6 = '2001:db8::fb';

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

/** Which requests are followed to a host, to one that no object names, and from outside at a gateway. */
export interface Probes {
  readonly to: (host: string, meshes: readonly Mesh[]) => readonly Probe[];
  readonly elsewhere: (ports: ReadonlySet<number>, meshes: readonly Mesh[]) => readonly Probe[];
  readonly at: (gateway: string, host: string, meshes: readonly Mesh[]) => readonly Probe[];
}

/** Those whose protocol some object declares for the port. */
export const DECLARED: Probes = { to: probesFor, elsewhere: otherHostProbes, at: probesAt };

/** Requests that clients of the mesh may send to a host. */
export function probesFor(host: string, meshes: readonly Mesh[]): readonly Probe[] {
  return meshes.some((mesh) => isGatewayService(mesh, host)) ? [] : probesTo(host, meshes);
}

/** The same, of gateways' Services too. */
export function probesTo(host: string, meshes: readonly Mesh[]): readonly Probe[] {
  if (host === '*') return [];
  const wanted = new Map<string, { scheme: Target['scheme']; port: number; address: string | undefined }>();
  const want = (scheme: Target['scheme'], port: number, address?: string): void => {
    const key = `${scheme} ${port} ${address ?? ''}`;
    if (port > 0 && !wanted.has(key)) wanted.set(key, { scheme, port, address });
  };
  const routes = meshes.flatMap((mesh) => mesh.virtualServices.forHost(host));
  let isKnown = false;
  let isExternal = false;
  for (const mesh of meshes) {
    const named = mesh.services.declaring(host);
    const services = named.length > 0 ? named : wildcardsOver(mesh, host).filter((service) => service.host !== '*');
    const entries = mesh.of('networking.istio.io', 'ServiceEntry').length > 0 ? addressesOf(mesh, host, meshes) : [];
    for (const service of services.flatMap((one) => behindAlias(mesh, one))) {
      isKnown = true;
      isExternal ||= service.registry === 'External';
      for (const port of service.ports) {
        const scheme = schemeOf(port);
        if (scheme === undefined) continue;
        // Of what is told by names, only addresses that objects tell apart make a difference.
        if (scheme !== 'tcp' || entries.length === 0) want(scheme, port.port);
        for (const { address, isPart } of entries) if (scheme === 'tcp' || isPart) want(scheme, port.port, address);
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
  const byName = [...wanted.values()].map(({ scheme, port, address }) => probe({ host, scheme, port, address }, meshes)); // prettier-ignore
  // A route for the whole name of a Service that stands for another leaves its shorter names to that (byServiceName in sidecar-routes.ts).
  const isAlias = routes.length > 0 && meshes.some((mesh) => mesh.services.declaring(host).some(({ resolution }) => resolution === 'ALIAS')); // prettier-ignore
  const shorter = isAlias ? byName.filter(({ target }) => target.scheme === 'http').map(({ port }) => probe({ host: host.split('.').slice(0, 2).join('.'), scheme: 'http', port }, meshes)) : []; // prettier-ignore
  return [...byName, ...shorter, ...byAddress(host, meshes)];
}

/** What a Service of type ExternalName stands for, whose ports are its own; the Service itself where nothing declares that. */
function behindAlias(mesh: Mesh, service: Service): readonly Service[] {
  const seen = new Set<string>();
  let found: readonly Service[] = [service];
  for (let one = service; one.resolution === 'ALIAS' && !seen.has(one.host);) {
    seen.add(one.host);
    const next = mesh.services.declaring(one.externalName);
    const [first] = next;
    if (first === undefined) return [{ ...service, registry: 'External' }];
    found = next;
    one = first;
  }
  return found;
}

/** Requests in plain HTTP whose Host is an address that an entry claims: proxies know the host by that name too. */
function byAddress(host: string, meshes: readonly Mesh[]): readonly Probe[] {
  const wanted = new Map<string, Place>();
  for (const mesh of meshes)
    for (const { registry, address, ports } of mesh.services.declaring(host)) {
      if (registry !== 'External' || !isAddress(address) || address === ANY_ADDRESS) continue;
      for (const port of ports)
        if (schemeOf(port) === 'http') wanted.set(`${address} ${port.port}`, { host: address, scheme: 'http', port: port.port }); // prettier-ignore
    }
  return [...wanted.values()].map((place) => probe(place, meshes));
}

/** The Service of a gateway is a stop on the way, and no client's destination. */
export function isGatewayService(mesh: Mesh, host: string): boolean {
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

/** An address of each part that objects tell apart in the ranges which entries give a host; those of single addresses are what its name resolves to. */
function addressesOf(
  mesh: Mesh,
  host: string,
  meshes: readonly Mesh[],
): readonly { readonly address: string; readonly isPart: boolean }[] {
  const index = mesh.remember(mesh, 'diff: ranges by host', () => {
    const byHost = new Map<string, Set<string>>();
    for (const { registry, address, host: name } of mesh.services.all) {
      if (registry !== 'External' || address === ANY_ADDRESS) continue;
      const known = byHost.get(name) ?? new Set<string>();
      byHost.set(name, known.add(address));
    }
    return byHost;
  });
  return [...(index.get(host) ?? [])].flatMap((range) => {
    // Most of what entries claim is one address.
    if (isAddress(range)) return { address: range, isPart: false };
    const parts = partsOf(range, toldRanges(meshes));
    return parts.map(({ address }) => ({ address, isPart: parts.length > 1 }));
  });
}

/** Requests to a host that no object names, which the outbound policy decides, on the ports at hand. */
export function otherHostProbes(ports: ReadonlySet<number>, meshes: readonly Mesh[]): readonly Probe[] {
  const probes: Probe[] = [
    probe({ host: '*', scheme: 'http', port: 80 }, meshes),
    probe({ host: '*', scheme: 'https', port: 443 }, meshes),
  ];
  const parts = otherParts(meshes).slice(0, MOST_PARTS);
  for (const port of new Set([...(parts.length > 0 ? [443] : []), ...[...ports].sort((a, b) => a - b)])) {
    if (ports.has(port)) probes.push(probe({ host: '*', scheme: 'tcp', port, address: ANY_OTHER_ADDRESS }, meshes));
    for (const { address, ranges } of parts) probes.push(probe({ host: '*', scheme: 'tcp', port, address, ranges }, meshes)); // prettier-ignore
    if (port === 80 || port === 443) continue;
    probes.push(
      probe({ host: '*', scheme: 'http', port }, meshes),
      probe({ host: '*', scheme: 'https', port }, meshes),
    );
  }
  return probes;
}

const MOST_RANGES_NAMED = 6;

/** Parts that are followed: each is every port once more. */
const MOST_PARTS = 64;

/** Addresses that no entry claims, one for each part of the rest that objects tell apart from the others. */
function otherParts(meshes: readonly Mesh[]): readonly Part[] {
  const [first] = meshes;
  return first === undefined ? [] : first.remember(meshes, 'diff: parts that nobody claims', () => partsNobodyClaims(meshes)); // prettier-ignore
}

function partsNobodyClaims(meshes: readonly Mesh[]): readonly Part[] {
  // Who says nothing of IPv6 but that all of it is meant is not asked about it.
  const told = toldRanges(meshes).filter(({ range }) => range !== '::/0');
  if (told.length === 0) return [];
  const claimed = [...new Set(meshes.flatMap(claimedRanges))];
  const standing = [ANY_OTHER_ADDRESS, ANY_OTHER_ADDRESS_OF_IPV6];
  return ['0.0.0.0/0', '::/0']
    .flatMap((all) => partsOf(all, told, { claimed, standing }))
    .filter(({ address, ranges }) => ranges.length > 0 && address !== ANY_OTHER_ADDRESS && !isLoopback(address));
}

/** How many parts of the addresses that no entry claims are not followed: there are too many of them. */
export function partsBeyond(meshes: readonly Mesh[]): number {
  return Math.max(0, otherParts(meshes).length - MOST_PARTS);
}

export interface Place {
  readonly host: string;
  readonly scheme: Target['scheme'];
  readonly port: number;
  readonly address?: string | undefined;
  /** What the address stands for, where it is of no host. */
  readonly ranges?: readonly string[] | undefined;
}

export function probe({ host, scheme, port, address, ranges }: Place, meshes: readonly Mesh[]): Probe {
  const isWild = host.startsWith('*');
  const target: Target = {
    scheme,
    host,
    port,
    ...(address === undefined ? {} : { address }),
    ...(isWild ? { except: (name) => isNamedOtherwise(name, host, meshes) } : {}),
  };
  const isDefault = (scheme === 'http' && port === 80) || (scheme === 'https' && port === 443);
  const name = host === '*' ? (address === undefined ? '(any other host)' : anyAddress(ranges)) : host;
  const base = `${scheme}://${name}${isDefault ? '' : `:${port}`}`;
  const labelOf: Probe['labelOf'] = ({ request, method = 'GET', headers = {}, tokens = {}, sni }) => {
    const slash = request.indexOf('/', request.indexOf('://') + 3);
    const path = slash < 0 || (host === '*' && request.slice(slash) === '/') ? '' : request.slice(slash);
    const given = [
      ...(sni === undefined ? [] : [`the SNI ${sni}`]),
      ...Object.entries(headers).map(([key, value]) => `${key}: ${value}`),
      ...Object.entries(tokens).map(([place, claims]) => `a token in ${place} (${JSON.stringify(claims)})`),
    ];
    return [
      ...(method === 'GET' ? [] : [method]),
      `${base}${path}`,
      ...(given.length === 0 ? [] : [`with ${given.join(', ')}`]),
      ...(address === undefined || host === '*' ? [] : [`at ${address}`]),
    ].join(' ');
  };
  const { from: _, ...request } = requestOf({ from: '' }, target, new Map());
  return { target, request, label: labelOf(request), labelOf, port };
}

function anyAddress(ranges: readonly string[] = []): string {
  if (ranges.length === 0) return '(any other address)';
  const named = ranges.slice(0, MOST_RANGES_NAMED).join(', ');
  const more = ranges.length - MOST_RANGES_NAMED;
  return `(any other address in ${named}${more > 0 ? ` and ${more} more ranges` : ''})`;
}

/** Whether a name below a wildcard is an object's own, or below another wildcard that is below this one. */
function isNamedOtherwise(name: string, host: string, meshes: readonly Mesh[]): boolean {
  return meshes.some((mesh) => {
    const names = everyName(mesh);
    if (names.has(name)) return true;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const wildcard = `*${name.slice(dot)}`;
      if (wildcard.length <= host.length) return false;
      if (names.has(wildcard)) return true;
    }
    return false;
  });
}

/** Every host and wildcard that an object is about. */
export function everyName(mesh: Mesh): ReadonlySet<string> {
  return mesh.remember(mesh, 'diff: every name', () => namesOf(mesh));
}

function namesOf(mesh: Mesh): ReadonlySet<string> {
  const names = new Set<string>(new Links(mesh).hosts());
  for (const gateway of [...mesh.gateways, ...mesh.ingresses])
    for (const server of serversOf(gateway)) for (const host of entranceOf(server).hosts) names.add(host);
  for (const kind of ['HTTPRoute', 'GRPCRoute', 'TLSRoute'])
    for (const route of mesh.of('gateway.networking.k8s.io', kind))
      for (const host of texts(record(route.body.spec).hostnames)) names.add(host);
  return names;
}

/** Requests from outside to a host at a gateway: one for each server that admits it. */
export function probesAt(gateway: string, host: string, meshes: readonly Mesh[]): readonly Probe[] {
  const found = new Map<string, Probe>();
  for (const mesh of meshes)
    for (const server of serversAt(mesh, gateway)) {
      if (!server.admits(host)) continue;
      const one = probe({ host, scheme: server.scheme, port: server.port }, meshes);
      found.set(one.label, one);
    }
  return [...found.values()];
}

export interface Entrance {
  readonly scheme: Target['scheme'];
  readonly port: number;
  readonly hosts: readonly string[];
  readonly admits: (host: string) => boolean;
}

/** Servers of an Istio Gateway, and listeners of one of the Gateway API, alike. */
export function serversAt(mesh: Mesh, gateway: string): readonly Entrance[] {
  const own = [...mesh.gateways, ...mesh.ingresses].find((one) => `${one.namespace}/${one.name}` === gateway);
  const passed = own === undefined ? [] : namesPassedOn(mesh, gateway);
  const servers = own === undefined ? [] : serversOf(own).map((server) => entranceOf(server, passed));
  const [namespace = '', name = ''] = gateway.split('/');
  // Those of sets are among them.
  const listeners = (mesh.gatewayApi.find(namespace, name)?.listeners ?? [])
    // No request of ours is UDP.
    .filter(({ protocol }) => protocol !== 'UDP')
    .map(({ protocol, port, hostname }): Entrance => {
      const stream = streamHost(gateway);
      if (protocol === 'TCP') return { scheme: 'tcp', port, hosts: [stream], admits: (host) => host === stream };
      return {
        scheme: protocol === 'HTTPS' || protocol === 'TLS' ? 'https' : protocol === 'HTTP' ? 'http' : 'tcp',
        port,
        hosts: [hostname],
        admits: (host) => host !== stream && (isSubsetOf(host, hostname) || isSubsetOf(hostname, host)),
      };
    });
  return [...servers, ...listeners];
}

/** Names that routes for TLS have a gateway pass on: what a VirtualService asks as `sniHosts` need not be hosts of the server. */
function namesPassedOn(mesh: Mesh, gateway: string): readonly string[] {
  return mesh.virtualServices.all
    .filter(({ gateways }) => gateways.includes(gateway))
    .flatMap(({ tls }) => tls.flatMap(({ matches }) => matches.flatMap(({ sniHosts }) => sniHosts)));
}

function entranceOf(server: Server, passed: readonly string[] = []): Entrance {
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
    admits: (host) =>
      (server.protocol === 'TLS' && passed.includes(host)) ||
      hosts.some((own) => isSubsetOf(host, own) || isSubsetOf(own, host)),
  };
}
