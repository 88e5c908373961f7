/** What the sidecar of a server does with connections to its Pod: by what istiod sends it, read as Envoy takes it, and by the manifests. */
import { number, record, records, text, type Json } from '../../../src/model/fields';
import type { Mesh, Proxy } from '../../../src/model/mesh';
import { inboundChain } from '../../../src/trace/inbound';
import { matchFilterChain, type Connection, type FilterChain, type Listener } from '../../../src/trace/envoy';
import type { SentConfig } from '../../../src/verify/config-dump';
import { chainOf } from './sent';

/** Of two filters that look into connections before a chain is chosen: the ports on which they do not. */
type Leaves = (port: number) => boolean;

interface Chain {
  readonly port: number;
  readonly chain: FilterChain;
  readonly cluster: string;
}

/** A port that nothing declares. */
const OTHER_PORT = 9876;
/** The listener's own port: istiod closes what comes to it, lest it should come back for ever. */
const OWN_PORT = 15006;

export class Inbound {
  private readonly chains: readonly Chain[];
  private readonly fallback: FilterChain | null;
  private readonly leftOut: ReadonlyMap<string, Leaves>;
  private readonly endpoints: ReadonlyMap<string, string>;

  public constructor({ listeners, clusters }: SentConfig) {
    const listener = listeners.find(({ name }) => text(name) === 'virtualInbound') ?? {};
    this.chains = records(listener.filter_chains).map((one) => ({
      port: number(record(record(one).filter_chain_match).destination_port),
      chain: chainOf(one),
      cluster: clusterOf(one),
    }));
    this.fallback = listener.default_filter_chain === undefined ? null : chainOf(record(listener.default_filter_chain));
    this.leftOut = new Map(records(listener.listener_filters).map((one) => [text(one.name), leaves(record(one.filter_disabled))])); // prettier-ignore
    this.endpoints = new Map(clusters.map((one) => [text(one.name), endpointOf(one)]));
  }

  public get ports(): readonly number[] {
    return [...new Set([...this.chains.map(({ port }) => port), OTHER_PORT])].filter(
      (port) => port > 0 && port !== OWN_PORT,
    );
  }

  /** What becomes of a connection, in the words of `expectedInbound`. */
  public does(port: number, connection: Connection): string {
    const own = this.chains.filter((one) => one.port === port);
    // Where some chain is for the port, none of the others is tried (findFilterChain of Envoy's filter_chain_manager_impl.cc).
    const among = own.length > 0 ? own : this.chains.filter((one) => one.port === 0);
    const looks = (name: string): boolean => this.leftOut.get(name)?.(port) === false;
    const listener: Listener = {
      name: 'virtualInbound',
      address: '0.0.0.0',
      port,
      chains: among.map(({ chain }) => chain),
      defaultChain: this.fallback,
      tlsInspector: looks('envoy.filters.listener.tls_inspector'),
      httpInspector: looks('envoy.filters.listener.http_inspector'),
      refused: null,
    };
    const chain = matchFilterChain(listener, connection);
    const cluster = among.find((one) => one.chain === chain)?.cluster ?? '';
    if (chain === null || cluster === 'BlackHoleCluster') return 'no chain';
    const isHttp = chain.routeConfig !== null;
    if (chain.terminates === null) {
      // What is inside is Istio's own TLS, which no application takes off.
      if (connection.tls === 'istio') return 'no handshake';
      if (isHttp && (connection.tls !== 'none' || connection.application === 'tcp')) return 'no HTTP';
    } else if (connection.tls === 'none') return 'no chain';
    else if (connection.tls === 'tls') return 'no handshake';
    else if (isHttp && connection.application === 'tcp') return 'no HTTP';
    return inWords(isHttp, chain.terminates !== null, cluster, this.endpoints.get(cluster) || String(port));
  }
}

export function expectedInbound(mesh: Mesh, proxy: Proxy, port: number, connection: Connection): string {
  const found = inboundChain(mesh, proxy, port, connection);
  if (found.is === 'refused') return { NR: 'no chain', UF: 'no handshake', DPE: 'no HTTP' }[found.code];
  if (found.http && connection.application === 'tcp') return 'no HTTP';
  return inWords(found.http, found.terminates, found.cluster, String(found.servedAt));
}

function inWords(isHttp: boolean, terminates: boolean, cluster: string, servedAt: string): string {
  return `${terminates ? "the mesh's TLS, " : ''}${isHttp ? 'HTTP' : 'TCP'} to ${cluster} at ${servedAt}`;
}

function clusterOf(chain: Json): string {
  const configs = records(chain.filters).map((filter) => record(filter.typed_config));
  const tcp = configs.map((one) => text(one.cluster)).find((one) => one !== '');
  const routes = configs.flatMap((one) => records(record(one.route_config).virtual_hosts)).flatMap((host) => records(record(host).routes)); // prettier-ignore
  return tcp ?? routes.map((route) => text(record(route.route).cluster)).find((one) => one !== '') ?? '';
}

/** Empty where it is the port that was dialled. */
function endpointOf(cluster: Json): string {
  const [first] = records(record(cluster.load_assignment).endpoints).flatMap((one) =>
    records(record(one).lb_endpoints),
  );
  const port = number(record(record(record(record(first).endpoint).address).socket_address).port_value);
  return port > 0 ? String(port) : '';
}

/** Envoy's ListenerFilterChainMatchPredicate. */
function leaves(predicate: Json): Leaves {
  if (predicate.any_match === true) return () => true;
  if (predicate.not_match !== undefined) {
    const inner = leaves(record(predicate.not_match));
    return (port) => !inner(port);
  }
  if (predicate.or_match !== undefined) {
    const rules = records(record(predicate.or_match).rules).map(leaves);
    return (port) => rules.some((one) => one(port));
  }
  if (predicate.and_match !== undefined) {
    const rules = records(record(predicate.and_match).rules).map(leaves);
    return (port) => rules.every((one) => one(port));
  }
  const range = record(predicate.destination_port_range);
  const [start, end] = [number(range.start), number(range.end)];
  return (port) => port >= start && port < end;
}
