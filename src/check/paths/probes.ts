/** Requests that manifests speak of: each host and port of a ServiceEntry, each rule of a VirtualService. */
import type { FieldPath, Manifest } from '../../model/manifest';
import { type CheckContext, defineIndex } from '../context';
import {
  MESH,
  type RuleMatch,
  type VirtualServiceView,
  ruleMatches,
  serviceEntries,
  virtualServices,
  fullHost,
} from '../edge';
import { policiesOf } from '../credentials';
import { isHeldTo } from '../destination-rules';
import { isSubsetOf } from '../../model/hostnames';
import { push } from '../../model/objects';
import type { Service } from '../../model/services';
import { type HttpMatch, NETWORKING, type ServiceEntrySpec, specOf, type TcpMatch } from '../istio';
import { ANY_ADDRESS, contains, isAddress } from '../../model/addresses';
import { isHttpOrAuto, isTcp, isTls as modelIsTls } from '../../model/protocols';
import { isHttp, isTls } from '../protocol';
import type { TraceRequest } from '../../trace';
import { type Client, clients } from './clients';

export interface Probe {
  readonly scheme: 'http' | 'https' | 'tcp';
  /** As objects name it, also where an address is dialled. */
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The object that speaks of it, and where. */
  readonly manifest: Manifest;
  readonly field: FieldPath;
  /** The gateway at which it comes in from outside, `NAMESPACE/NAME`. */
  readonly at?: string;
  /** The API of that gateway. */
  readonly atGroup?: TraceRequest['atGroup'];
  /** Whether its URL has an address in place of a name: it may be that nobody writes one. */
  readonly isByAddress?: boolean;
  /** Which clients of the mesh it is for. */
  readonly isFor: (client: Client) => boolean;
  /** Which of those are meant to arrive; all of them if left out. */
  readonly isMeantFor?: (client: Client) => boolean;
}

/** A name that a wildcard stands for. */
const SAMPLE = 'sample';

export function probesOf(context: CheckContext): Probe[] {
  const probes = new Map<string, Probe>();
  const add = (probe: Probe): void => {
    const key = `${probe.url} ${probe.method ?? ''} ${JSON.stringify(probe.headers ?? {})} ${probe.manifest.kind === 'ServiceEntry' ? '' : probe.manifest.index}`;
    if (!probes.has(key)) probes.set(key, probe);
  };
  for (const { manifest, spec } of context.index(serviceEntries)) {
    // An entry without endpoints may be there to hold those whom no rule leads; one that looks for workloads is not.
    const isHeld = spec.workloadSelector === undefined;
    for (const probe of entryProbes(manifest, spec))
      add(isHeld ? { ...probe, isMeantFor: callersOf(context, probe.host) } : probe);
  }
  for (const service of context.index(virtualServices)) {
    for (const probe of ruleProbes(context, service)) add(probe);
  }
  for (const manifest of context.of(NETWORKING, 'DestinationRule'))
    for (const probe of tlsProbes(context, manifest)) add(probe);
  return [...probes.values()];
}

/**
 * Whoever says what TLS is spoken to a Service of the mesh speaks of requests to it: to its workloads, since those to gateways are for
 * whoever a route leads there, and so are subsets.
 */
function* tlsProbes(context: CheckContext, manifest: Manifest): Generator<Probe> {
  const spec = specOf('DestinationRule', manifest);
  const spoken = [...policiesOf({ trafficPolicy: spec.trafficPolicy })].find(
    ({ policy }) => policy.tls?.mode !== undefined,
  );
  const named = fullHost(context, spec.host ?? '', manifest.namespace);
  if (spoken === undefined) return;
  const field = [...spoken.field, 'tls', 'mode'];
  for (const { registry, namespace, selector, ports, host } of servicesOf(context, named)) {
    if (registry !== 'Kubernetes') continue;
    const workloads = context.mesh.workloads.selected(namespace, selector);
    if (!workloads.some(({ membership }) => membership !== 'gateway')) continue;
    // All other namespaces get the rule alike: one of them stands for them.
    const near = [manifest.namespace, namespace];
    const other = context.index(clients).find((client) => !near.includes(client.namespace));
    const isFor = (client: Client): boolean =>
      (client === other || near.includes(client.namespace)) && isHeldTo(context, manifest, host, client);
    for (const { port, protocol } of ports) {
      const scheme = isHttp(protocol) ? 'http' : 'tcp';
      if (protocol !== 'UDP' && !modelIsTls(protocol))
        yield { scheme, host, port, url: `${scheme}://${host}:${port}${scheme === 'http' ? '/' : ''}`, manifest, field, isFor }; // prettier-ignore
    }
  }
}

function servicesOf({ mesh: { services } }: CheckContext, host: string): Iterable<Service> {
  if (!host.startsWith('*')) return isName(host) ? services.named(host).values() : [];
  return services.all.filter((one) => !one.assumed && isName(one.host) && isSubsetOf(one.host, host));
}

function* entryProbes(manifest: Manifest, spec: ServiceEntrySpec): Generator<Probe> {
  const isFor = (): boolean => true;
  for (const [p, port] of (spec.ports ?? []).entries()) {
    const number = port.number ?? 0;
    if (number < 1 || number > 65535 || /^udp$/i.test(port.protocol ?? '')) continue;
    const field = ['spec', 'ports', p];
    if (!isHttp(port.protocol) && !isTls(port.protocol)) {
      const address = (spec.addresses ?? []).find((entry) => !entry.includes('/'));
      const [host] = spec.hosts ?? [];
      if (host === undefined || (address === undefined && !isName(host))) continue;
      yield { scheme: 'tcp', host, port: number, url: `tcp://${bracket(address ?? host)}:${number}`, manifest, field, isFor }; // prettier-ignore
      continue;
    }
    const scheme = isTls(port.protocol) ? 'https' : 'http';
    for (const written of spec.hosts ?? []) {
      const host = sampleOf(written);
      if (!isName(host)) continue;
      yield { scheme, host, port: number, url: `${scheme}://${host}:${number}/`, manifest, field, isFor };
    }
    const [host] = spec.hosts ?? [];
    // An address that an endpoint has too is one that clients know: they may write it into their URLs.
    const known = (spec.addresses ?? []).map((one) => one.replace(/\/(32|128)$/, ''));
    const address = known.find((one) => isAddress(one) && (spec.endpoints ?? []).some((end) => end.address === one));
    if (scheme === 'http' && host !== undefined && address !== undefined)
      yield { scheme, host, port: number, url: `http://${bracket(address)}:${number}/`, manifest, field, isFor, isByAddress: true }; // prettier-ignore
  }
}

function* ruleProbes(context: CheckContext, service: VirtualServiceView): Generator<Probe> {
  const { manifest, spec } = service;
  for (const rule of ruleMatches(service)) {
    if (!rule.gateways.includes(MESH)) continue;
    const { field } = rule;
    if (rule.kind === 'http') {
      const match: HttpMatch = spec.http?.[rule.rule]?.match?.[rule.match ?? 0] ?? {};
      const request = httpRequest(match);
      if (!request) continue;
      for (const written of service.hosts) {
        const host = sampleOf(fullHost(context, written, manifest.namespace));
        if (!isName(host) || !mayReach(match, host)) continue;
        for (const port of rule.port ? [rule.port] : portsOf(context, host, 'http')) {
          const { path, method, headers } = request;
          yield {
            scheme: 'http',
            host,
            port,
            url: `http://${host}:${port}${path}`,
            method,
            headers,
            manifest,
            field,
            isFor: (client) => isSource(match, client),
          };
        }
      }
    } else if (rule.kind === 'tcp') {
      const match: TcpMatch = spec.tcp?.[rule.rule]?.match?.[rule.match ?? 0] ?? {};
      for (const host of service.hosts)
        yield* tcpProbes(context, manifest, rule, match, fullHost(context, host, manifest.namespace));
    } else {
      const match: Source = spec.tls?.[rule.rule]?.match?.[rule.match ?? 0] ?? {};
      for (const written of rule.sniHosts) {
        const host = sampleOf(written);
        if (!isName(host)) continue;
        for (const port of rule.port ? [rule.port] : portsOf(context, host, 'https')) {
          yield {
            scheme: 'https',
            host,
            port,
            url: `https://${host}:${port}/`,
            manifest,
            field,
            isFor: (client) => isSource(match, client),
          };
        }
      }
    }
  }
}

/** A TCP rule goes by address and port: one of the host's own, and among the subnets that the rule names. */
export function* tcpProbes(
  { mesh }: CheckContext,
  manifest: Manifest,
  { port: wanted, field }: Pick<RuleMatch, 'port' | 'field'>,
  match: TcpMatch,
  host: string,
): Generator<Probe> {
  for (const service of mesh.services.declaring(host)) {
    const own = service.address.includes('/') ? service.address.split('/')[0] : service.address;
    const subnets = match.destinationSubnets ?? [];
    const isIn = subnets.length === 0 || subnets.some((subnet) => contains(subnet, own ?? ''));
    const isReachable = service.registry === 'Kubernetes' ? isName(host) : isAddress(own ?? '') && own !== ANY_ADDRESS;
    if (!isIn || !isReachable) continue;
    for (const { port, protocol } of service.ports) {
      if (!isTcp(protocol) || modelIsTls(protocol) || (wanted !== undefined && wanted !== port)) continue;
      const target = service.registry === 'Kubernetes' ? host : (own ?? '');
      yield {
        scheme: 'tcp',
        host,
        port,
        url: `tcp://${bracket(target)}:${port}`,
        manifest,
        field,
        isFor: (client) => isSource(match, client),
      };
    }
  }
}

/** What a request must be like to meet a match; nothing if that cannot be said without solving a regular expression. */
export function httpRequest(match: HttpMatch): (Pick<Probe, 'method' | 'headers'> & { path: string }) | undefined {
  if (
    match.uri?.regex ||
    match.method?.regex ||
    match.authority ||
    match.scheme ||
    match.queryParams ||
    match.withoutHeaders ||
    Object.keys(match.headers ?? {}).some((name) => name.startsWith('@request.auth'))
  )
    return undefined;
  const path = match.uri?.exact ?? match.uri?.prefix ?? '/';
  if (!path.startsWith('/')) return undefined;
  const values = Object.entries(match.headers ?? {}).map(([name, { exact }]): [string, string | undefined] => [name, exact]); // prettier-ignore
  if (values.some(([, value]) => value === undefined)) return undefined;
  const headers = Object.fromEntries(values) as Readonly<Record<string, string>>;
  return {
    path,
    ...(match.method?.exact ? { method: match.method.exact } : {}),
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
  };
}

function mayReach(match: HttpMatch, host: string): boolean {
  return !match.authority || match.authority.exact === host;
}

type Source = Pick<HttpMatch, 'sourceLabels' | 'sourceNamespace'>;

function isSource({ sourceLabels, sourceNamespace }: Source, client: Client): boolean {
  if (sourceNamespace && sourceNamespace !== client.namespace) return false;
  return Object.entries(sourceLabels ?? {}).every(([key, value]) => client.labels[key] === value);
}

/** Where every rule for a host names the workloads that it is for, all others are meant to be refused. */
function callersOf(context: CheckContext, host: string): (client: Client) => boolean {
  const sources = context.index(sourcesByHost).get(host) ?? [];
  const isNamed = sources.length > 0 && sources.every(({ sourceLabels }) => Object.keys(sourceLabels ?? {}).length > 0);
  return isNamed ? (client) => sources.some((source) => isSource(source, client)) : () => true;
}

/** Whom the rules of the mesh are for, by host. A rule without a match is for everybody. */
const sourcesByHost = defineIndex('sources by host', (context): ReadonlyMap<string, readonly Source[]> => {
  const byHost = new Map<string, Source[]>();
  for (const service of context.index(virtualServices)) {
    for (const { kind, rule, match, gateways } of ruleMatches(service)) {
      if (!gateways.includes(MESH)) continue;
      const source: Source = (match === undefined ? undefined : service.spec[kind]?.[rule]?.match?.[match]) ?? {};
      for (const host of service.hosts) push(byHost, fullHost(context, host, service.manifest.namespace), source);
    }
  }
  return byHost;
});

/** Ports on which a host is called, as what declares it says; the usual one if nothing does. */
export function portsOf(context: CheckContext, host: string, scheme: 'http' | 'https'): number[] {
  const ports = new Set<number>();
  for (const service of context.mesh.services.declaring(host)) {
    for (const { port, protocol } of service.ports)
      if (scheme === 'http' ? isHttpOrAuto(protocol) : isTls(protocol)) ports.add(port);
  }
  if (ports.size === 0) {
    for (const { spec } of context.index(serviceEntries)) {
      if (!(spec.hosts ?? []).some((entry) => entry.includes('*') && isSubsetOf(host, entry))) continue;
      for (const { number = 0, protocol } of spec.ports ?? [])
        if (scheme === 'http' ? isHttp(protocol) : isTls(protocol)) ports.add(number);
    }
  }
  return [...ports].filter((port) => port > 0 && port <= 65535);
}

export function sampleOf(host: string): string {
  return host === '*' ? `${SAMPLE}.example` : host.startsWith('*') ? `${SAMPLE}${host.slice(1)}` : host;
}

/** Names below `invalid` are reserved for what is never called. */
export function isName(host: string): boolean {
  if (host.endsWith('.invalid')) return false;
  return /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/i.test(host) || /^[0-9a-f.:]+$/i.test(host);
}

function bracket(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
