/** What istiod's own configuration generation, with Istio's traffic simulation, makes of an example. */
import { type KubeObject } from '../../lab/api';
import { type Oracle, type OracleCall, type OracleConfig, type OracleHop } from '../../trace/oracle/process';
import { worldOf } from './world';

/** One request: `http://`, `https://`, `tls://` and `tcp://` as in `mesh-edge trace`. */
export interface Request {
  readonly from: string;
  readonly url: string;
  /** The address that the client dials; one that nothing declares where not said. */
  readonly address?: string;
  /** The SNI of a connection that carries requests for another host. */
  readonly sni?: string;
  /** Whether the addresses behind a cluster are to be named. */
  readonly named?: boolean;
}

const SOMEWHERE = '203.0.113.99';
const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'tls:': 443, 'tcp:': 80 };

export async function follow(oracle: Oracle, objects: readonly KubeObject[], request: Request): Promise<string> {
  const { yaml, mesh } = worldOf(objects);
  const reply = await oracle.ask(yaml, mesh, [callOf(request)]);
  if (reply.error !== undefined || !reply.results) throw new Error(`the oracle cannot say: ${reply.error ?? ''}`);
  return described(reply.results[0]?.hops ?? [], request.named);
}

/** What istiod sends to a proxy. */
export async function sentTo(oracle: Oracle, objects: readonly KubeObject[], proxy: string): Promise<OracleConfig> {
  const { yaml, mesh } = worldOf(objects);
  const reply = await oracle.ask(yaml, mesh, [], [proxy]);
  const sent = reply.configs?.[proxy];
  if (sent === undefined) throw new Error(`the oracle cannot show ${proxy}: ${reply.error ?? 'no such proxy'}`);
  return sent;
}

function callOf({ from, url, address, sni }: Request): OracleCall {
  const { protocol, hostname, port, pathname } = new URL(url);
  const isTls = protocol === 'https:' || protocol === 'tls:';
  const isHttp = protocol === 'http:' || protocol === 'https:';
  return {
    from,
    host: hostname,
    address: address ?? (protocol === 'tcp:' ? hostname : SOMEWHERE),
    port: Number(port || PORTS[protocol]),
    path: pathname || '/',
    tls: isTls ? 'tls' : 'plaintext',
    protocol: isHttp ? 'http' : 'tcp',
    sni: isTls ? (sni ?? hostname) : '',
  };
}

/** The hops in a line; of a loop, once round. */
function described(hops: readonly OracleHop[], named = false): string {
  const seen: string[] = [];
  for (const hop of hops) {
    const text = `${hop.proxy}: ${outcome(hop, named)}`;
    if (seen.includes(text)) return [...seen, 'and round again'].join(', ');
    seen.push(text);
  }
  return seen.join(', ');
}

function outcome(
  { error, cluster = '', clusterType, layers = [], tunnel, endpoints = [], route = '' }: OracleHop,
  named: boolean,
): string {
  if (error !== undefined && error !== 'UH') return error;
  const by = route === '' || route === 'default' ? '' : ` by route ${route}`;
  // A route that answers by itself has no cluster: what REGISTRY_ONLY says to hosts that it does not know.
  if (cluster === '') return `answered${by}`;
  if (clusterType === undefined) return `${cluster}, which does not exist${by}`;
  if (error === 'UH') return `${cluster}, which has no endpoint${by}`;
  const to = endpoints.length > 0 && (named || !cluster.includes('outbound|')) ? ` at ${endpoints.join(' and ')}` : '';
  const inside = layers.length > 0 ? ` in ${[...layers].reverse().join(' around ')}` : '';
  const through = tunnel === undefined ? '' : ` with a tunnel to ${tunnel}`;
  return `${cluster}${to}${inside}${through}${by}`;
}
