/**
 * The whole edge of a mesh: who may reach what, through which proxies, under which TLS. Every flow is a trace; flows that share
 * their clients and their way make one lane of the picture, so that it grows with the ways and not with the hosts.
 */
import { clientClasses, type ClientClass } from '../../traffic/clients';
import { nameClients } from '../../traffic/client-names';
import { Links } from '../../diff/links';
import { fromOutside } from '../../diff/plan';
import { knows } from '../../diff/scopes';
import { otherHostProbes, probesFor, type Probe } from '../../diff/requests';
import type { Mesh } from '../../model/mesh';
import { RequestError, trace, wordsOfNote } from '../../trace/index';
import { noteOfInstalled } from '../../trace/notes';
import type { Trace, TraceRequest } from '../../trace/types';
import { linkBehind, linkOf, pathOf, type Link, type Path } from './path';
import { explore } from '../../traffic/explore';

/** Classes of requests to one host that are looked at for a picture. */
const MOST_CLASSES = 60;

export type Direction = 'egress' | 'ingress';

export interface Flow {
  readonly to: string;
  readonly host: string;
  readonly path: Path;
}

/** Flows of the same clients by the same way. */
export interface Lane {
  readonly direction: Direction;
  readonly from: readonly string[];
  /** Every namespace that a client of the lane is in. */
  readonly namespaces: readonly string[];
  /** What the client speaks: `HTTP on port 80`. */
  readonly speaks: string;
  /** Gateways and other proxies between the client's own and the destination. */
  readonly via: readonly { readonly role: string; readonly name: string }[];
  /** One more than `via`, unless the last proxy refuses. */
  readonly links: readonly Link[];
  readonly outcome: Trace['outcome'];
  /** For what is not delivered: `refused 403 (RBAC)`. */
  readonly end: string;
  /** The service that answers requests from outside; empty for those that leave the mesh. */
  readonly arrives: string;
  /** Whether the client's connection leaves without any proxy. */
  readonly bypasses: boolean;
  readonly flows: readonly Flow[];
}

export interface EdgeMap {
  readonly lanes: readonly Lane[];
  /** What becomes of a host that nobody names, in a sentence for each group of clients. */
  readonly others: readonly { readonly from: readonly string[]; readonly text: string }[];
  readonly hosts: number;
  readonly notes: readonly string[];
}

const CATCH_ALL = new Set(['PassthroughCluster', 'BlackHoleCluster']);

interface Followed {
  readonly client: ClientClass;
  readonly probe: Probe;
  readonly host: string;
  readonly result: Trace;
  readonly request: TraceRequest;
}

export function edgeMap(mesh: Mesh, onProgress?: (done: number, total: number) => void): EdgeMap {
  const links = Links.of(mesh);
  const clients = clientClasses(mesh, mesh);
  const hosts = [...new Set(links.hosts())].filter((host) => host !== '*').sort(byDomain);
  const followed: Followed[] = [];
  const notes = new Set<string>();
  // Of the classes of requests that go the same way, the plainest is drawn.
  const follow = (client: ClientClass, probe: Probe, host: string): readonly Followed[] => {
    try {
      const { classes } = explore(mesh, client.request, probe.target, { mostClasses: MOST_CLASSES });
      const found = new Map<string, Followed>();
      for (const { witness, trace: result } of classes) {
        for (const { proxy } of result.hops) {
          const installed = mesh.installedGateways.get(`${proxy.namespace}/${proxy.workload ?? ''}`);
          if (installed !== undefined) notes.add(wordsOfNote(noteOfInstalled(installed)));
        }
        const one = { client, probe: { ...probe, label: probe.labelOf(witness) }, host, result, request: witness };
        const key = wayKey(one);
        const known = found.get(key);
        if (known === undefined || one.probe.label.length < known.probe.label.length) found.set(key, one);
      }
      return [...found.values()];
    } catch (error) {
      if (error instanceof RequestError) return [];
      throw error;
    }
  };
  const others: { client: ClientClass; text: string }[] = [];
  clients.forEach((client, index) => {
    onProgress?.(index, clients.length);
    if (client.at !== undefined) {
      const tasks = fromOutside(client, new Set(), true, [links, links]);
      const isAlone = tasks.every(({ host }) => host === '*');
      for (const { probe, host } of tasks) {
        const found = follow(client, probe, host);
        // That a gateway has nothing for names which no object has goes without drawing.
        followed.push(
          ...(host === '*' && !isAlone ? found.filter(({ result }) => result.outcome !== 'refused') : found),
        );
      }
      return;
    }
    for (const host of hosts) {
      if (!knows(client, host, [mesh])) continue;
      for (const probe of probesFor(host, [mesh])) {
        followed.push(...follow(client, probe, host).filter((one) => isOfTheEdge(one, mesh)));
      }
    }
    others.push({ client, text: otherHosts(mesh, client) });
  });
  return {
    lanes: lanesOf(followed, clients),
    others: grouped(others, ({ text }) => text).map((group) => ({
      from: nameClients(
        group.map(({ client }) => client),
        clients,
      ),
      text: group[0]?.text ?? '',
    })),
    hosts: new Set(followed.map(({ host }) => host)).size,
    notes: [...notes].sort(),
  };
}

/** A host of the edge, on a port that is declared: not a service among the mesh's own, and not what the catch-all takes. */
function isOfTheEdge({ result, host }: Followed, mesh: Mesh): boolean {
  const [first] = result.hops;
  if (first?.cluster != null && CATCH_ALL.has(first.cluster)) return false;
  if (result.refusal?.code === 'BlackHoleCluster' && first?.cluster == null && result.hops.length <= 1) return false;
  if (first?.proxy.kind === 'none') return false;
  const services = [...mesh.services.named(host).values()];
  const isOurs = services.length > 0 && services.every((service) => service.registry === 'Kubernetes');
  return !isOurs || result.hops.some(({ proxy }) => proxy.kind === 'egress-gateway' || proxy.kind === 'waypoint');
}

function otherHosts(mesh: Mesh, client: ClientClass): string {
  const [plain, secure] = otherHostProbes(new Set(), [mesh]).map((probe) => {
    try {
      return trace(mesh, { ...client.request, ...probe.request });
    } catch (error) {
      if (error instanceof RequestError) return undefined;
      throw error;
    }
  });
  const word = (one: Trace | undefined): string =>
    one?.outcome === 'delivered'
      ? one.hops.some((hop) => hop.proxy.kind !== 'none' && hop.proxy.kind !== 'sidecar')
        ? 'pass through a gateway'
        : one.hops[0]?.proxy.kind === 'none'
          ? 'pass with no proxy'
          : 'pass'
      : one?.outcome === 'answered'
        ? `are answered (${one.answer?.status ?? ''})`
        : one?.outcome === 'refused'
          ? `are blocked${one.refusal?.status == null ? '' : ` (${one.refusal.status})`}`
          : 'unknown';
  const [http, https] = [word(plain), word(secure)];
  return http.split(' (')[0] === https.split(' (')[0] ? http : `${http} as HTTP, and ${https} as HTTPS`;
}

function lanesOf(followed: readonly Followed[], clients: readonly ClientClass[]): readonly Lane[] {
  // First the clients that share a flow, then the flows that share clients and way.
  const shared = grouped(followed, (one) => JSON.stringify([one.probe.label, wayKey(one), one.client.at ?? '']));
  const named = shared.map((group) => {
    const first = group[0] as Followed;
    const from =
      first.client.at === undefined
        ? nameClients(
            group.map(({ client }) => client),
            clients,
          )
        : ['outside'];
    return { first, from, namespaces: group.flatMap(({ client }) => [...client.namespaces]) };
  });
  const lanes = grouped(named, ({ first, from }) => JSON.stringify([from, wayKey(first), first.client.at ?? '']));
  return lanes.map((group): Lane => laneOf(group)).sort(byWay);
}

function wayKey({ result, probe, client }: Followed): string {
  const { hops, outcome, refusal, answer, destination } = result;
  return JSON.stringify([
    outcome,
    probe.request.request.split(':')[0],
    probe.port,
    refusal?.code ?? '',
    refusal?.status ?? answer?.status ?? '',
    client.at === undefined
      ? ''
      : outcome === 'unknown'
        ? (hops[hops.length - 1]?.cluster ?? '')
        : `${destination?.host ?? ''}:${destination?.port ?? ''}`,
    ...hops.map((hop, index) => [
      hop.proxy.kind,
      index === 0 && hop.proxy.kind === 'sidecar' ? '' : `${hop.proxy.namespace}/${hop.proxy.workload ?? ''}`,
      hop.sends?.tls ?? '',
      hop.sends?.protocol ?? '',
      hop.sends?.port ?? '',
    ]),
  ]);
}

interface Shared {
  readonly first: Followed;
  readonly from: readonly string[];
  readonly namespaces: readonly string[];
}

function laneOf(group: readonly Shared[]): Lane {
  const { first, from, namespaces } = group[0] as Shared;
  const { result } = first;
  const own = result.hops[0]?.proxy.kind;
  const isOutside = first.client.at !== undefined;
  const skipped = own === 'sidecar' || own === 'none' ? 1 : 0;
  const server = result.hops.length > 1 && result.hops[result.hops.length - 1]?.proxy.kind === 'sidecar' ? 1 : 0;
  const hops = result.hops.slice(0, result.hops.length - server);
  const stops = pathOf(result, first.request).stops.slice(
    1 + skipped,
    1 + hops.length + (result.destination?.through === undefined ? 0 : 1),
  );
  const links: Link[] = isOutside && hops[0] !== undefined ? [linkOf(hops[0].receives)] : [];
  for (const hop of hops) if (hop.sends !== null) links.push(linkOf(hop.sends));
  if (result.destination?.through !== undefined) links.push(linkBehind(result.destination));
  const { refusal, answer } = result;
  return {
    direction: isOutside ? 'ingress' : 'egress',
    from,
    namespaces: [...new Set(namespaces)].sort(),
    speaks: speech(first.probe),
    via: stops.map(({ role, name }) => ({ role, name })),
    links,
    outcome: result.outcome,
    end:
      answer !== undefined
        ? `answered ${answer.status}${answer.code === 'redirect' ? ' (redirect)' : answer.code === 'oidc' ? ' (login)' : ''}`
        : refusal !== null
          ? `refused${refusal.status === null ? '' : ` ${refusal.status}`} (${refusal.code})`
          : result.outcome === 'unknown'
            ? 'unknown'
            : '',
    arrives: isOutside && result.destination !== null ? `${result.destination.host}:${result.destination.port}` : '',
    bypasses: own === 'none',
    flows: group.map(({ first: one, from: who }) => ({
      to: one.probe.label,
      host: one.host,
      path: pathOf(one.result, {
        ...one.request,
        from: one.client.at === undefined ? who.join(', ') : 'outside',
        request: one.probe.label,
      }),
    })),
  };
}

function speech(probe: Probe): string {
  const [scheme = ''] = probe.request.request.split(':');
  return `${scheme.toUpperCase()} on port ${probe.port}`;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** Delivered before refused, through gateways before direct, so that lanes of one gateway lie together. */
function byWay(a: Lane, b: Lane): number {
  const key = (lane: Lane): string =>
    [
      lane.direction === 'egress' ? 0 : 1,
      lane.via.length > 0 ? 0 : 1,
      lane.via.map(({ name }) => name).join(),
      lane.outcome === 'delivered' ? 0 : 1,
      lane.from.join(),
      lane.speaks,
    ].join('\n');
  return key(a) < key(b) ? -1 : 1;
}

/** By domain, the last label first, so that hosts of one owner lie together. */
function byDomain(a: string, b: string): number {
  const key = (host: string): string => host.split('.').reverse().join('.');
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
}
