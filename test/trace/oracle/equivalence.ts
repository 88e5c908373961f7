/**
 * Whether the configuration that the manifests say and the one that istiod sends do the same, for all requests: each connection that one of
 * them tells apart is led through both, and each class of requests of a chain of HTTP through both route configurations.
 */
import { isIP } from 'node:net';
import { contains } from '../../../src/model/addresses';
import type { Mesh, Proxy } from '../../../src/model/mesh';
import {
  matchFilterChain,
  hostWithoutPort,
  type Connection,
  type FilterChain,
  type Listener,
} from '../../../src/trace/envoy';
import { firstRoute, type HttpRequest } from '../../../src/trace/http-routes';
import { parseRequest } from '../../../src/trace/request';
import type { RouteConfig } from '../../../src/trace/sidecar-routes';
import type { TraceRequest } from '../../../src/trace/types';
import { exploreWith, type Target } from '../../../src/traffic/explore';
import { actionOf, expectedOf, type Expected } from '../../../src/verify/expected';
import { configured, type Configured } from './config';
import { expectedInbound, Inbound } from './inbound';
import type { Oracle } from './process';
import { readSent, type Sent, type SentRoutes } from './sent';
import { endpointsExpected, endpointsSent } from './told';
import type { GeneratedMesh } from './vocabulary';
import { Waypoint, type Arrival, type Taken } from './waypoints';

export interface Disagreement {
  readonly proxy: string;
  /** The connection or the request. */
  readonly of: unknown;
  readonly manifests: string;
  readonly istiod: string;
}

export interface Equivalence {
  readonly proxies: number;
  readonly connections: number;
  /** Classes of requests that were led through both. */
  readonly classes: number;
  readonly clusters: number;
  readonly endpoints: number;
  readonly disagreements: readonly Disagreement[];
  readonly undecided: readonly string[];
  readonly failure: string | undefined;
}

const NONE: Equivalence = {
  proxies: 0,
  connections: 0,
  classes: 0,
  clusters: 0,
  endpoints: 0,
  disagreements: [],
  undecided: [],
  failure: undefined,
};

/** How often istiod is asked anew before it is told that it never answers so. */
export const TRIES = 12;

/**
 * What istiod answers by chance (of two entries with one address, whose services come in no order) is no disagreement: it is one only if istiod,
 * asked again, never says what the manifests do.
 */
export async function equivalence(oracle: Oracle, generated: GeneratedMesh): Promise<Equivalence> {
  const first = await once(oracle, generated);
  let left = first.disagreements;
  for (let tried = 1; tried < TRIES && left.length > 0; tried += 1) {
    const again = new Set((await once(oracle, generated)).disagreements.map(keyOf));
    left = left.filter((one) => again.has(keyOf(one)));
  }
  return { ...first, disagreements: left };
}

const keyOf = ({ proxy, of }: Disagreement): string => JSON.stringify([proxy, of]);

async function once(oracle: Oracle, generated: GeneratedMesh): Promise<Equivalence> {
  const found = await configured(oracle, generated);
  if ('failure' in found) return { ...NONE, failure: found.failure };
  const all = found.proxies.map((one) => new Comparison(found.mesh, one).made());
  const sum = (of: 'proxies' | 'connections' | 'classes' | 'clusters' | 'endpoints'): number =>
    all.reduce((total, one) => total + one[of], 0);
  return {
    proxies: sum('proxies'),
    connections: sum('connections'),
    classes: sum('classes'),
    clusters: sum('clusters'),
    endpoints: sum('endpoints'),
    disagreements: all.flatMap(({ disagreements }) => disagreements),
    undecided: all.flatMap(({ undecided }) => undecided),
    failure: undefined,
  };
}

const OTHER_ADDRESS = '203.0.113.251';
const ALLOTTED = '240.240.0.0/16';
const OTHER_NAME = 'never-registered.example';
const ANY = '0.0.0.0';

class Comparison {
  private readonly expected: Expected;
  private readonly waypoint: Waypoint | undefined;
  private readonly sent: Sent;
  private readonly isSidecar: boolean;
  private readonly explored = new Set<string>();
  private readonly clusters = new Set<string>();
  private readonly disagreements: Disagreement[] = [];
  private readonly undecided: string[] = [];
  private connections = 0;
  private classes = 0;
  private endpoints = 0;

  public constructor(
    private readonly mesh: Mesh,
    private readonly proxy: Configured['proxies'][number],
  ) {
    this.expected = expectedOf(mesh, proxy.running);
    this.sent = readSent(proxy.sent);
    this.isSidecar = proxy.running.type === 'sidecar';
    this.waypoint = proxy.running.type === 'waypoint' ? new Waypoint(mesh, proxy.running, proxy.sent) : undefined;
  }

  public made(): Equivalence {
    if (this.isSidecar) {
      this.compare('what no listener is for', this.expected.catchAll, this.sent.catchAll);
      this.inbound(new Inbound(this.proxy.sent));
    }
    if (this.waypoint !== undefined) for (const arrival of this.waypoint.arrivals()) this.arrival(arrival);
    const ports = this.waypoint !== undefined ? [] : new Set([...this.sent.listeners.keys(), ...this.mesh.services.all.flatMap(({ ports: own }) => own.map(({ port }) => port))]); // prettier-ignore
    for (const port of ports) this.port(port);
    for (const name of this.clusters) this.cluster(name);
    const { connections, classes, endpoints, disagreements, undecided } = this;
    return {
      proxies: 1,
      connections,
      classes,
      clusters: this.clusters.size,
      endpoints,
      disagreements,
      undecided,
      failure: undefined,
    };
  }

  private compare(of: unknown, manifests: string, istiod: string): void {
    for (const name of `${manifests} ${istiod}`.matchAll(/(?:outbound|inbound-vip)\|[^ ,;]*/g))
      this.clusters.add(name[0]);
    this.differ(of, manifests, istiod);
  }

  /** Every kind of connection to the Pod itself, on each port that either knows of. */
  private inbound(sent: Inbound): void {
    const { namespace, labels, address } = this.proxy.running;
    const own: Proxy = { type: 'sidecar', namespace, labels, addresses: address.split(',') };
    const declared = this.mesh.serviceTargets(own).map(({ targetPort }) => targetPort);
    for (const port of new Set([...sent.ports, ...declared]))
      for (const application of ['http', 'http2', 'tcp'] as const)
        for (const tls of ['none', 'tls', 'istio'] as const) {
          this.connections += 1;
          const connection: Connection = { address, port, application, tls, sni: tls === 'none' ? null : OTHER_NAME };
          this.compare({ inbound: connection }, expectedInbound(this.mesh, own, port, connection), sent.does(port, connection)); // prettier-ignore
        }
  }

  private arrival({ of, manifests, istiod, routes }: Arrival): void {
    this.connections += 1;
    const words = (taken: Taken): string => (typeof taken === 'string' ? taken : wordsOf(taken));
    this.compare({ arriving: of }, words(manifests), words(istiod));
    if (routes !== undefined) this.requests(routes.manifests, routes.istiod, 'http', of.port);
  }

  private port(port: number): void {
    const [ours, theirs] = [
      this.expected.envoyListeners(port),
      this.sent.listeners.get(port) ?? new Map<string, Listener>(),
    ];
    const all = [...ours.values(), ...theirs.values()];
    const chains = all.flatMap(({ chains, defaultChain }) =>
      defaultChain === null ? chains : [...chains, defaultChain],
    );
    const addresses = new Set([
      ...ours.keys(),
      ...theirs.keys(),
      ...chains.flatMap(({ cidrs }) => cidrs.map(within)),
      OTHER_ADDRESS,
    ]);
    const names = new Set([
      ...chains.flatMap(({ sniHosts }) => sniHosts.map((host) => host.replace(/^\*/, 'any-name'))),
      OTHER_NAME,
    ]);
    addresses.delete(ANY);
    for (const address of addresses)
      for (const application of ['http', 'http2', 'tcp'] as const) {
        this.connection(ours, theirs, { address, port, application, tls: 'none', sni: null });
        for (const tls of ['tls', 'istio'] as const)
          for (const sni of [...names, null]) this.connection(ours, theirs, { address, port, application, tls, sni });
      }
  }

  private connection(
    ours: ReadonlyMap<string, Listener>,
    theirs: ReadonlyMap<string, Listener>,
    connection: Connection,
  ): void {
    this.connections += 1;
    const [one, other] = [chainOf(ours, connection), chainOf(theirs, connection)];
    this.compare(connection, wordsOf(one), wordsOf(other));
    if (one == null || other == null || one.routeConfig === null || other.routeConfig === null) return;
    const key = `${one.routeConfig} ${other.routeConfig} ${connection.port} ${one.terminates !== null}`;
    if (this.explored.has(key)) return;
    this.explored.add(key);
    const theirRoutes = this.sent.routes.get(other.routeConfig);
    if (theirRoutes === undefined) return this.compare(connection, 'routes', 'no such routes');
    this.requests(
      this.expected.routes(one.routeConfig),
      theirRoutes,
      one.terminates === null ? 'http' : 'https',
      connection.port,
    );
  }

  /** Every request to every host. */
  private requests(ours: RouteConfig, theirs: SentRoutes, scheme: 'http' | 'https', port: number): void {
    const named = [
      ...theirs.domains,
      ...ours.hosts().flatMap(({ domains }) => domains.map((domain) => domain.toLowerCase())),
    ];
    const domains = new Set(named.map((domain) => domain.replace(/:\d+$/, '')).filter((domain) => !/[/:]/.test(domain) || domain.startsWith('['))); // prettier-ignore
    const names = [...new Set([...domains, '*'])].map((domain) => domain.replace(/^\[(.*)\]$/, '$1'));
    const exactNames = new Set(names.filter((name) => !name.startsWith('*')));
    const wild = names.filter((name) => name.startsWith('*.'));
    const families = new Set(this.proxy.running.address.split(',').map(isIP));
    for (const host of names) {
      // A Pod without an address of a family dials none.
      if (isIP(host) !== 0 && !families.has(isIP(host))) continue;
      // Which address istiod allots to which host no manifest says.
      if (isIP(host) !== 0 && contains(ALLOTTED, host)) continue;
      const except = (name: string): boolean =>
        exactNames.has(name) || wild.some((one) => one.length > host.length && name.endsWith(one.slice(1)));
      const target: Target = { scheme, host, port, ...(host.startsWith('*') ? { except } : {}) };
      const { classes, undecided } = exploreWith(
        (request, recorder) => this.answers(ours, theirs, parseRequest(request, recorder).http as HttpRequest),
        { from: this.proxy.name },
        target,
      );
      this.classes += classes.length;
      for (const { witness, followed, open } of classes) {
        this.compare(shortly(witness), followed[0], followed[1]);
        for (const why of open) this.undecided.push(`${this.proxy.name} ${witness.request}: ${why}`);
      }
      for (const { what, why } of undecided) this.undecided.push(`${this.proxy.name} ${host}: ${what}: ${why}`);
    }
  }

  private answers(ours: RouteConfig, theirs: SentRoutes, http: HttpRequest): readonly [string, string] {
    return [this.ours(ours, http), answerOf(theirs, http)];
  }

  private ours(rules: RouteConfig, http: HttpRequest): string {
    const host = rules.match(hostWithoutPort(http.authority.name));
    if (host === undefined) {
      if (!this.isSidecar || rules.name.includes(':')) return 'no host';
      return this.expected.catchAll === 'BlackHoleCluster' ? 'answers 502' : `to ${this.expected.catchAll}`;
    }
    if (host.requireTls && http.scheme === 'http') return 'redirects to https';
    const first = firstRoute(host.routes, http);
    return first === undefined ? 'no route' : first.isOpen ? 'unread' : actionOf(first.route);
  }

  private cluster(name: string): void {
    const [ours, theirs] = [(this.waypoint ?? this.expected).cluster(name), this.proxy.running.clusters.get(name)];
    const words = (one: typeof theirs): string => (one === undefined ? 'no such cluster' : `${one.type}, ${one.tls}`);
    this.differ(name, words(ours), words(theirs));
    const expected = endpointsExpected(ours?.whole);
    if (expected === undefined) return;
    const sent = endpointsSent(this.proxy.sent.clusters.find((one) => one.name === name), this.proxy.endpoints.get(name)); // prettier-ignore
    this.endpoints += sent.length;
    this.differ({ endpoints: name }, expected.join(', '), sent.join(', '));
  }

  private differ(of: unknown, manifests: string, istiod: string): void {
    if (manifests !== istiod) this.disagreements.push({ proxy: this.proxy.name, of, manifests, istiod });
  }
}

/** Undefined where no listener takes it, null where the listener has no chain for it. */
function chainOf(listeners: ReadonlyMap<string, Listener>, connection: Connection): FilterChain | null | undefined {
  for (const bind of [connection.address ?? ANY, ANY]) {
    const listener = listeners.get(bind);
    if (listener?.refused === null) return matchFilterChain(listener, connection);
  }
  return undefined;
}

const DEMANDS = new Set(['MUTUAL', 'ISTIO_MUTUAL']);

function wordsOf(chain: FilterChain | null | undefined): string {
  if (chain === undefined) return 'no listener';
  if (chain === null) return 'no chain';
  const tls =
    chain.terminates === null ? '' : DEMANDS.has(chain.terminates.mode) ? 'TLS with a certificate, ' : 'TLS, ';
  if (chain.routeConfig !== null) return `${tls}HTTP`;
  const clusters = chain.tcp?.clusters ?? [];
  const shares =
    clusters.length === 1
      ? clusters.map(({ cluster }) => cluster)
      : clusters.map(({ cluster, weight }) => `${cluster} (${weight})`);
  return `${tls}TCP to ${shares.join(', ')}${chain.tcp?.tunnel == null ? '' : `, by CONNECT ${chain.tcp.tunnel}`}`;
}

function answerOf(routes: SentRoutes, http: HttpRequest): string {
  const host = routes.match(http.authority.name);
  if (host === undefined) return 'no host';
  if (host.requireTls && http.scheme === 'http') return 'redirects to https';
  return host.routes.find(({ takes }) => takes(http))?.action ?? 'no route';
}

function shortly({ from: _, ...request }: TraceRequest): unknown {
  return request;
}

/** An address of a block. */
function within(cidr: string): string {
  return cidr.split('/')[0] ?? cidr;
}
