/**
 * Rules of routes that no request ever gets to, at any proxy that manifests show or leave open: by what they ask for, or since rules before
 * them have it all. What cannot be decided is said of none.
 */
import { canonicalCidr } from '../model/addresses';
import type { Mesh } from '../model/mesh';
import { push } from '../model/objects';
import {
  MESH_GATEWAY,
  sourceMatches,
  type L4Match,
  type L4Rule,
  type RuleRef,
  type VirtualService,
} from '../model/virtual-services';
import { l4Matches, sniMatches, tcpRuleAt } from '../trace/gateway-listeners';
import type { Condition } from './explore';
import { fates, type Fate, type Space } from './first-match';
import {
  envoyGatewayLists,
  gatewayLists,
  gatewayProxies,
  ownLists,
  placeOf,
  restsAtGateways,
  serversOf,
  type Rest,
  type RouteList,
} from './routes-in-order';

/** A match of a rule, or a rule that has none. */
export interface RouteMatch {
  readonly ref: RuleRef;
  readonly at: number | undefined;
}

/** Why no request gets to a match. */
export type WhyDead =
  /** Its conditions exclude each other, or ask for what no request has. */
  | { readonly is: 'never'; readonly because: readonly Condition[] }
  /** Earlier matches have it all. */
  | { readonly is: 'taken'; readonly by: readonly RouteMatch[] }
  /** No proxy that its VirtualService is for tries it: it asks for other ports, or for labels that their Pods do not have. */
  | { readonly is: 'left out'; readonly asks: WhyLeftOut; readonly ports: readonly number[] };

/** `source`: the gateway's own Pods do not have the labels, or are in another namespace: of who sends to it a gateway knows neither. */
export type WhyLeftOut = 'port' | 'source';

export interface DeadMatch extends RouteMatch {
  readonly why: WhyDead;
  /** Where that is so: `gateway istio-system/public`; undefined for the mesh. */
  readonly place: string | undefined;
  readonly host: string;
}

/** By kind, namespace, name and rule, as `keyOfRule` has it. */
export type DeadMatches = ReadonlyMap<string, readonly DeadMatch[]>;

export function keyOfRule({ kind, namespace, name, rule }: RuleRef): string {
  return `${kind} ${namespace}/${name} ${rule}`;
}

/** The matches that are dead wherever they are tried, by their rules. */
export function deadMatches(mesh: Mesh): DeadMatches {
  return mesh.remember(mesh, 'dead matches', () => {
    const found = new Findings();
    for (const list of gatewayLists(mesh)) found.addList(list);
    for (const rest of restsAtGateways(mesh)) found.addRest(rest);
    for (const list of envoyGatewayLists(mesh)) found.addList(list);
    const tried = triedAt(mesh);
    for (const service of mesh.virtualServices.all)
      for (const gateway of service.gateways)
        if (!(tried.get(gateway)?.has(service) ?? false))
          for (const list of ownLists(mesh, service, gateway)) {
            found.addList(list);
            if (list.rest !== undefined) found.addRest({ ...list, ...list.rest });
          }
    addStreams(mesh, found, tried);
    addLeftOut(mesh, found, tried);
    return found.dead();
  });
}

/** VirtualServices that proxies of a gateway, which are known, see. */
type Tried = ReadonlyMap<string, ReadonlySet<VirtualService>>;

function triedAt(mesh: Mesh): Tried {
  const tried = new Map<string, Set<VirtualService>>();
  for (const { proxy, merged } of gatewayProxies(mesh))
    for (const gateway of new Set(serversOf(merged).map(({ gatewayName }) => gatewayName))) {
      const own = tried.get(gateway) ?? new Set();
      tried.set(gateway, own);
      for (const service of mesh.virtualServices.forGateway(proxy.namespace, gateway)) own.add(service);
    }
  return tried;
}

class Findings {
  private readonly byMatch = new Map<string, DeadMatch | 'live'>();
  private readonly seen = new Set<string>();
  private readonly numbers = new Map<object, number>();

  public live({ ref, at }: RouteMatch): void {
    this.byMatch.set(`${keyOfRule(ref)} ${at}`, 'live');
  }

  public dead(): DeadMatches {
    const found = new Map<string, DeadMatch[]>();
    for (const one of this.byMatch.values()) if (one !== 'live') push(found, keyOfRule(one.ref), one);
    return found;
  }

  public add(one: DeadMatch): void {
    const key = `${keyOfRule(one.ref)} ${one.at}`;
    if (!this.byMatch.has(key)) this.byMatch.set(key, one);
  }

  public knows({ ref, at }: RouteMatch): boolean {
    return this.byMatch.has(`${keyOfRule(ref)} ${at}`);
  }

  /** Whether a match is reached already, and so what becomes of it elsewhere says nothing new. */
  private isLive({ ref, at }: { readonly ref: RuleRef | undefined; readonly at: number | undefined }): boolean {
    return ref === undefined || this.byMatch.get(`${keyOfRule(ref)} ${at}`) === 'live';
  }

  /** What comes after a match that takes everything. */
  public addRest({ by, routes, place, host }: Rest & Pick<RouteList, 'place' | 'host'>): void {
    const taker: readonly RouteMatch[] = by.ref === undefined ? [] : [{ ref: by.ref, at: by.at }];
    for (const { ref, at } of routes)
      if (ref !== undefined) this.add({ ref, at, place, host, why: { is: 'taken', by: taker } });
  }

  private numberOf(of: object): number {
    let found = this.numbers.get(of);
    if (found === undefined) this.numbers.set(of, (found = this.numbers.size));
    return found;
  }

  public addList(list: RouteList): void {
    const { routes, place, host } = list;
    if (routes.every((one) => this.isLive(one))) return;
    const [only] = routes;
    if (routes.length === 1 && only?.ref !== undefined && only.takesAll)
      return this.live({ ref: only.ref, at: only.at });
    // Many hosts have the same rules, which fare alike where none asks for the name.
    const key = routes.map(({ of }) => this.numberOf(of)).join();
    const isNamed = routes.some(({ asksHost }) => asksHost);
    const whole = isNamed ? `${place} ${host}\n${key}` : key;
    if (this.seen.has(whole)) return;
    this.seen.add(whole);
    const own = both(list);
    for (const [index, { ref, at }] of routes.entries()) {
      if (ref === undefined) continue;
      const fate = own[index] as Fate;
      if (fate.is === 'reached' || fate.is === 'unclear') this.live({ ref, at });
      else if (fate.is === 'never') this.add({ ref, at, place, host, why: fate });
      else {
        const by = fate.by.flatMap((one): RouteMatch[] => {
          const taker = routes[one];
          return taker?.ref === undefined ? [] : [{ ref: taker.ref, at: taker.at }];
        });
        this.add({ ref, at, place, host, why: { is: 'taken', by } });
      }
    }
  }
}

/** A request may come as HTTP or as HTTPS where a route asks for that. */
function both({ routes, paths, authority, asksScheme }: RouteList): readonly Fate[] {
  const within = (scheme: Space['scheme']): readonly Fate[] => fates(routes, { paths, authority, scheme });
  const plain = within('http');
  if (!asksScheme) return plain;
  const encrypted = within('https');
  return plain.map((one, index) => {
    const other = encrypted[index] as Fate;
    return one.is === 'reached' || one.is === 'unclear' ? one : one.is === 'taken' && other.is === 'never' ? one : other; // prettier-ignore
  });
}

/** Rules for TLS and TCP: a gateway takes the first that fits; sidecars tell by SNI, subnet and port. */
function addStreams(mesh: Mesh, found: Findings, tried: Tried): void {
  for (const { proxy, merged } of gatewayProxies(mesh)) {
    const view = { mesh, proxy };
    for (const port of new Set(merged.groups.map(({ port: { number } }) => number))) {
      const taken = new Map<string, string>();
      const owners = new Map<string, RouteMatch>();
      for (const server of serversOf({ ...merged, groups: merged.groups.filter((one) => one.port.number === port) })) {
        const place = placeOf(server.gatewayName);
        if (server.tls?.mode === 'PASSTHROUGH')
          for (const { rule, match, taken: names } of sniMatches(view, server, taken)) {
            const own: RouteMatch = { ref: rule.ref, at: match.at };
            if (names.length === 0) {
              found.live(own);
              for (const name of match.sniHosts) owners.set(name, own);
            } else {
              const by = [...new Set(names.flatMap((name) => owners.get(name) ?? []))];
              // The same rule at another server of the port.
              if (by.some((one) => one.ref === own.ref && one.at === own.at)) continue;
              found.add({ ...own, place, host: names.join(', '), why: { is: 'taken', by } });
            }
          }
        else if (server.protocol === 'TCP' || server.protocol === 'TLS') addTcpAt(mesh, found, view, server, place);
      }
    }
  }
  for (const service of mesh.virtualServices.all)
    for (const gateway of service.gateways)
      if (gateway !== MESH_GATEWAY && !(tried.get(gateway)?.has(service) ?? false)) {
        for (const rule of [...service.tls, ...service.tcp]) for (const one of matchesOf(rule)) found.live(one);
      } else if (gateway === MESH_GATEWAY) {
        addTlsInMesh(service, found);
        addTcpInMesh(service, found);
      }
}

function matchesOf({ ref, matches }: L4Rule): readonly RouteMatch[] {
  return matches.length === 0 ? [{ ref, at: undefined }] : matches.map(({ at }) => ({ ref, at }));
}

type Server = ReturnType<typeof serversOf>[number];

function addTcpAt(
  mesh: Mesh,
  found: Findings,
  view: Parameters<typeof tcpRuleAt>[0],
  server: Server,
  place: string,
): void {
  const chosen = tcpRuleAt(view, server);
  if (chosen === undefined) return;
  const fitting = ({ ref, matches }: L4Rule): readonly RouteMatch[] =>
    matches.length === 0
      ? [{ ref, at: undefined }]
      : matches.filter((match) => l4Matches(match, server)).map(({ at }) => ({ ref, at }));
  const [first] = fitting(chosen);
  for (const one of fitting(chosen)) found.live(one);
  for (const service of mesh.virtualServices.forGateway(view.proxy.namespace, server.gatewayName))
    for (const rule of service.tcp)
      if (rule !== chosen && first !== undefined)
        for (const one of fitting(rule))
          found.add({ ...one, place, host: `port ${server.port}`, why: { is: 'taken', by: [first] } });
}

interface Client {
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly namespace: string;
}

/** Clients that the matches of some rules tell apart, and a port that none of them names. */
function clientsOf(rules: readonly L4Rule[]): readonly Client[] {
  const matches = rules.flatMap((rule) => rule.matches);
  const named = new Set(matches.map(({ port }) => port));
  let free = 1;
  while (named.has(free)) free += 1;
  const clients = new Map<string, Client>();
  for (const { port, sourceLabels, sourceNamespace } of [
    { port: 0, sourceLabels: {}, sourceNamespace: '' },
    ...matches,
  ]) {
    const client: Client = { port: port || free, labels: sourceLabels, namespace: sourceNamespace };
    clients.set(JSON.stringify(client), client);
  }
  return [...clients.values()];
}

function isFor(match: L4Match, { port, labels, namespace }: Client): boolean {
  if (match.gateways.length > 0 && !match.gateways.includes(MESH_GATEWAY)) return false;
  return (
    (match.port === 0 || match.port === port) &&
    (match.sourceNamespace === '' || match.sourceNamespace === namespace) &&
    Object.entries(match.sourceLabels).every(([key, value]) => labels[key] === value)
  );
}

/** Sidecars have a filter chain for each set of names: of two for the same, the first; the narrower name wins, whatever comes first. */
function addTlsInMesh({ tls }: VirtualService, found: Findings): void {
  for (const client of clientsOf(tls)) {
    const owners = new Map<string, RouteMatch>();
    for (const { ref, matches } of tls)
      for (const match of matches) {
        if (!isFor(match, client)) continue;
        const own: RouteMatch = { ref, at: match.at };
        const key = `${[...new Set(match.sniHosts)].sort().join()} ${subnets(match.destinationSubnets)}`;
        const owner = owners.get(key);
        if (owner === undefined) owners.set(key, own);
        if (owner === undefined) found.live(own);
        else
          found.add({ ...own, place: undefined, host: match.sniHosts.join(', '), why: { is: 'taken', by: [owner] } });
      }
  }
}

function subnets(cidrs: readonly string[]): string {
  return [...new Set(cidrs.map(canonicalCidr))].sort().join();
}

/** The first rule without subnets takes what no rule before it has a subnet for. */
function addTcpInMesh({ tcp }: VirtualService, found: Findings): void {
  for (const client of clientsOf(tcp)) {
    let whole: RouteMatch | undefined;
    const owners = new Map<string, RouteMatch>();
    for (const rule of tcp) {
      const fitting = rule.matches.filter((match) => isFor(match, client));
      const own = rule.matches.length === 0 ? [{ ref: rule.ref, at: undefined }] : fitting.map(({ at }) => ({ ref: rule.ref, at })); // prettier-ignore
      const [first] = own;
      if (first === undefined) continue;
      const ranges = fitting.some(({ destinationSubnets }) => destinationSubnets.length === 0) ? [] : fitting.flatMap(({ destinationSubnets }) => destinationSubnets); // prettier-ignore
      const key = subnets(ranges);
      const owner = whole ?? (ranges.length === 0 ? undefined : owners.get(key));
      for (const one of own)
        if (owner === undefined) found.live(one);
        else found.add({ ...one, place: undefined, host: `port ${client.port}`, why: { is: 'taken', by: [owner] } });
      if (owner !== undefined) continue;
      if (ranges.length === 0) whole = first;
      else owners.set(key, first);
    }
  }
}

/** Matches that no proxy tries, of VirtualServices that are for gateways alone whose proxies are known. */
function addLeftOut(mesh: Mesh, found: Findings, tried: Tried): void {
  const proxies = gatewayProxies(mesh);
  for (const service of mesh.virtualServices.all) {
    if (service.semantics !== 'istio' || !service.gateways.every((one) => tried.get(one)?.has(service) ?? false))
      continue;
    const own = proxies
      .map((one) => ({
        ...one,
        servers: serversOf(one.merged).filter(({ gatewayName }) => service.gateways.includes(gatewayName)),
      })) // prettier-ignore
      .filter(({ servers }) => servers.length > 0);
    const ports = [...new Set(own.flatMap(({ servers }) => servers.map((server) => server.port)))].sort(
      (a, b) => a - b,
    );
    const place = service.gateways.map(placeOf).join(' and ');
    for (const rule of service.http)
      for (const match of rule.matches) {
        const one: RouteMatch = { ref: rule.ref, at: match.at };
        // A gateway that the VirtualService is not bound to is told of where it is named.
        if (
          one.at === undefined ||
          found.knows(one) ||
          !match.gateways.every((name) => service.gateways.includes(name))
        )
          continue;
        const add = (asks: WhyLeftOut): void =>
          found.add({ ...one, place, host: service.hosts[0] ?? '*', why: { is: 'left out', asks, ports } });
        if (match.port !== 0 && !ports.includes(match.port)) add('port');
        else if (
          match.gateways.length === 0 &&
          own.every(({ proxy, isShown }) => isShown && !sourceMatches(match, proxy))
        )
          add('source');
      }
  }
}
