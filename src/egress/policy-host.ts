import { createHash } from 'node:crypto';
import { nameOfHost } from '../core/hostname';
import { shorten } from '../core/names';
import { HttpEgress } from './egress-ways';
import { ExternalPort } from './external-port';
import { Grant, grouped, sourceOf, wayKey } from './policy-grant';

/** One thing that a gateway does with the plain HTTP of a host, and for whom. */
export interface HostWay {
  readonly way: HttpEgress | undefined;
  readonly grants: readonly Grant[];
  /** The Host under which it reaches the gateway. */
  readonly authority: string;
  /** The subset of the host's DestinationRule; none where the host has one way only. */
  readonly subset?: string;
}

/** A port whose traffic the proxies don't read, and the hop that carries it in mutual TLS with an SNI of the mesh's own. */
export interface OpaquePort {
  readonly port: ExternalPort;
  readonly grants: readonly Grant[];
  readonly hop: OpaqueHop;
}

/** A hop for what the proxies don't read. */
export interface OpaqueHop {
  /** The name of the subset and of the gateway's server. */
  readonly name: string;
  /** The SNI of the hop's mutual TLS. */
  readonly sni: string;
}

/** All that is granted of one host through one gateway, whoever the callers are. */
export interface HostPlan {
  readonly host: string;
  readonly http: readonly HostWay[];
  readonly httpPort?: ExternalPort;
  readonly opaque: readonly OpaquePort[];
}

/**
 * The plan for a host. Callers that have the gateway do different things with one host (a credential of their own, say) can't be told
 * apart there by host, so each way gets a Host of its own for the hop, and the host's name again behind it.
 */
export function hostPlan(host: string, grants: readonly Grant[]): HostPlan {
  const http = grants.filter(({ port }) => port.isHttp);
  const ways = [...grouped(http, ({ way }) => wayKey(way)).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const opaque = grouped(
    grants.filter(({ port }) => !port.isHttp),
    ({ port }) => String(port.number),
  );
  return {
    host,
    httpPort: http[0]?.port,
    http: ways.map(([key, mine]) => {
      const { way } = mine[0];
      if (ways.length === 1) return { way, grants: mine, authority: host };
      const stem = `${nameOfHost(way?.credential?.name ?? 'tls')}-${digest(key)}`;
      return { way, grants: mine, authority: `${shorten(stem)}.${host}`, subset: shorten(stem) };
    }),
    opaque: [...opaque.values()]
      .map((mine) => ({ port: mine[0].port, grants: mine, hop: hopOf(host, mine) }))
      .sort((a, b) => a.port.number - b.port.number),
  };
}

/**
 * TCP carries no name, so each host and port has a hop of its own. TLS that applications make carries one inside, so all hosts with the same
 * callers share a hop: it tells the gateway who may come in, and the SNI inside tells it where they go.
 */
function hopOf(host: string, grants: readonly Grant[]): OpaqueHop {
  const { port } = grants[0];
  if (port.isTcp) return { name: shorten(`tcp-${port.number}-${nameOfHost(host)}`), sni: `tcp-${port.number}.${host}` };
  const callers = [...new Set(grants.map((grant) => JSON.stringify(sourceOf(grant))))].sort();
  const words = [
    ...new Set(grants.map(({ from }) => [from.namespace, ...from.serviceAccounts].map(nameOfHost).join('-'))),
  ];
  // Names are cut and joined, so the digest keeps two sets of callers from ever sharing a hop.
  const name = `${shorten(`tls-${port.number}-from-${words.sort().join('-')}`, 50)}-${digest(callers.join())}`;
  return { name, sni: `${name}.mesh-edge.invalid` };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}

/** The first of the ports on which a gateway takes TLS from itself. */
const INNER_PORTS = 20000;

/**
 * A port of the gateway's own for each TLS hop: behind it, the hop's mutual TLS is off, and the application's TLS is routed by its SNI.
 * Ports follow from names, so that a hop that comes or goes moves no other, but in the rare case that two names want one port.
 */
export function innerPorts(names: Iterable<string>): Map<string, number> {
  const ports = new Map<string, number>();
  const taken = new Set<number>();
  for (const name of [...names].sort()) {
    let port = INNER_PORTS + (createHash('sha256').update(name).digest().readUInt32BE() % 10000);
    while (taken.has(port)) port++;
    taken.add(port);
    ports.set(name, port);
  }
  return ports;
}
