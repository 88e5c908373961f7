/** Where requests are worth exploring: hosts, on every port and protocol that objects of either set speak of. */
import { ANY_ADDRESS, isAddress } from '../model/addresses';
import { record, texts, type Json } from '../model/fields';
import { isSubsetOf } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { serversOf, type Server } from '../model/merged-gateway';
import type { Port, Service } from '../model/services';
import type { VirtualService } from '../model/virtual-services';
import { Links, streamHost } from './links';
import { wildcardsOver } from './scopes';
import type { TraceRequest } from '../trace/types';
import { partsOfHost, rangesText, unclaimedParts, type Part } from '../traffic/address-parts';
import { requestOf, type Target } from '../traffic/universe';

export interface Probe {
  readonly target: Target;
  /** The plainest request there. */
  readonly request: Pick<TraceRequest, 'request' | 'address' | 'method' | 'headers' | 'tokens' | 'sni'>;
  /** As people see it: the wildcard and not its stand-in, the method if it is not GET, headers and tokens that decide. */
  readonly label: string;
  readonly labelOf: (
    request: Pick<TraceRequest, 'request' | 'address' | 'method' | 'headers' | 'tokens' | 'sni'>,
  ) => string;
  readonly port: number;
}

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
  const wanted = new Map<string, Omit<Place, 'host'>>();
  const want = (scheme: Target['scheme'], port: number, address?: string, part?: Part): void => {
    const key = `${scheme} ${port} ${address ?? ''}`;
    if (port > 0 && !wanted.has(key)) wanted.set(key, { scheme, port, address, part });
  };
  const routes = meshes.flatMap((mesh) => mesh.virtualServices.forHost(host));
  let isKnown = false;
  let isExternal = false;
  for (const mesh of meshes) {
    const named = mesh.services.declaring(host);
    const services = named.length > 0 ? named : wildcardsOver(mesh, host).filter((service) => service.host !== '*');
    const entries = mesh.of('networking.istio.io', 'ServiceEntry').length > 0 ? partsOfHost(mesh, host, meshes) : [];
    for (const service of services.flatMap((one) => behindAlias(mesh, one))) {
      isKnown = true;
      isExternal ||= service.registry === 'External';
      for (const port of service.ports) {
        const scheme = schemeOf(port);
        if (scheme === undefined) continue;
        // Of what is told by names, only addresses that objects tell apart make a difference.
        if (scheme !== 'tcp' || entries.length === 0) want(scheme, port.port);
        for (const { address, part } of entries) if (scheme === 'tcp' || part !== undefined) want(scheme, port.port, address, part); // prettier-ignore
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
  const byName = [...wanted.values()].map((place) => probe({ host, ...place }, meshes));
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
      mesh.workloads.behind(service).some((workload) => workload.membership === 'gateway'),
  );
}

function forMesh(match: { readonly gateways: readonly string[] }, route: VirtualService): boolean {
  return match.gateways.length === 0 ? route.gateways.includes('mesh') : match.gateways.includes('mesh');
}

/** Requests to a host that no object names, which the outbound policy decides, on the ports at hand. */
export function otherHostProbes(ports: ReadonlySet<number>, meshes: readonly Mesh[]): readonly Probe[] {
  const probes: Probe[] = [
    probe({ host: '*', scheme: 'http', port: 80 }, meshes),
    probe({ host: '*', scheme: 'https', port: 443 }, meshes),
  ];
  const [first, ...parts] = unclaimedParts(meshes);
  for (const port of new Set([...(parts.length > 0 ? [443] : []), ...[...ports].sort((a, b) => a - b)])) {
    for (const part of [...(ports.has(port) && first !== undefined ? [first] : []), ...parts])
      probes.push(probe({ host: '*', scheme: 'tcp', port, address: part.address, part }, meshes));
    if (port === 80 || port === 443) continue;
    probes.push(
      probe({ host: '*', scheme: 'http', port }, meshes),
      probe({ host: '*', scheme: 'https', port }, meshes),
    );
  }
  return probes;
}

export interface Place {
  readonly host: string;
  readonly scheme: Target['scheme'];
  readonly port: number;
  readonly address?: string | undefined;
  /** What the address stands for. */
  readonly part?: Part | undefined;
}

export function probe({ host, scheme, port, address, part }: Place, meshes: readonly Mesh[]): Probe {
  const isWild = host.startsWith('*');
  const target: Target = {
    scheme,
    host,
    port,
    ...(address === undefined ? {} : { address }),
    ...(part === undefined ? {} : { parts: [part] }),
    ...(isWild ? { except: (name) => isNamedOtherwise(name, host, meshes) } : {}),
  };
  const isDefault = (scheme === 'http' && port === 80) || (scheme === 'https' && port === 443);
  const name = host === '*' ? (address === undefined ? '(any other host)' : anyAddress(part)) : host;
  const end = isDefault ? '' : `:${port}`;
  const labelOf: Probe['labelOf'] = ({
    request,
    method = 'GET',
    headers = {},
    tokens = {},
    sni,
    address: dialled = address,
  }) => {
    const slash = request.indexOf('/', request.indexOf('://') + 3);
    const path = slash < 0 || (host === '*' && request.slice(slash) === '/') ? '' : request.slice(slash);
    const base = `${scheme}://${shorterIn(request, host) ?? name}${end}`;
    const given = [
      ...(sni === undefined ? [] : [`the SNI ${sni}`]),
      ...Object.entries(headers).map(([key, value]) => `${key}: ${value}`),
      ...Object.entries(tokens).map(([place, claims]) => tokenText(place, claims)),
    ];
    return [
      ...(method === 'GET' ? [] : [method]),
      `${base}${path}`,
      ...(given.length === 0 ? [] : [`with ${given.join(', ')}`]),
      ...(dialled === undefined || (host === '*' && dialled === address) ? [] : [`at ${dialled}`]),
    ].join(' ');
  };
  const { from: _, ...request } = requestOf({ from: '' }, target, new Map());
  return { target, request, label: labelOf(request), labelOf, port };
}

/** A token by its issuer, the claims that are asked about, and where it is if that is not as usual: `request` has all of it. */
function tokenText(place: string, { iss, ...claims }: Json): string {
  const [kind = '', name = ''] = place.split(' ');
  const told = Object.entries(claims).map(([claim, value]) => `${claim} ${typeof value === 'string' ? value : JSON.stringify(value)}`); // prettier-ignore
  return [
    'a token',
    ...(iss === undefined ? [] : [`of ${typeof iss === 'string' ? iss : JSON.stringify(iss)}`]),
    ...(place === 'header authorization Bearer' ? [] : [`in ${kind} ${name}`]),
    ...(told.length === 0 ? [] : [`(${told.slice(0, MOST_CLAIMS).join(', ')}${told.length > MOST_CLAIMS ? ', ...' : ''})`]), // prettier-ignore
  ].join(' ');
}

/** Claims that a label has: people read it. */
const MOST_CLAIMS = 4;

/** A shorter name of a Service that a request has in place of the whole one. */
function shorterIn(request: string, host: string): string | undefined {
  const [, named = ''] = /^\w+:\/\/([^/:?]+)/.exec(request) ?? [];
  return host.startsWith(`${named}.`) ? named : undefined;
}

function anyAddress(part: Part | undefined): string {
  const named = rangesText(part?.ranges ?? []);
  return named === '' ? '(any other address)' : `(any other address in ${named})`;
}

/** Whether a name below a wildcard is an object's own, or below another wildcard that is below this one. */
function isNamedOtherwise(name: string, host: string, meshes: readonly Mesh[]): boolean {
  return meshes.some((mesh) => isAmong(everyName(mesh), name, host));
}

/** Whether a name below a wildcard is one of some names, or below another wildcard among them that is below this one. */
export function isAmong(names: ReadonlySet<string>, name: string, host: string): boolean {
  if (names.has(name)) return true;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const wildcard = `*${name.slice(dot)}`;
    if (wildcard.length <= host.length) return false;
    if (names.has(wildcard)) return true;
  }
  return false;
}

/** Every host and wildcard that an object is about. */
export function everyName(mesh: Mesh): ReadonlySet<string> {
  return mesh.remember(mesh, 'diff: every name', () => namesOf(mesh));
}

function namesOf(mesh: Mesh): ReadonlySet<string> {
  const names = new Set<string>(Links.of(mesh).hosts());
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
