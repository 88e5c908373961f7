/**
 * The register of what may cross the edge: each class of requests of each client is followed, and those that fare alike are one
 * entry. What is refused is left out; what is not known is never left out.
 */
import { copiesOf, splitOf } from '../diff/way';
import { isSubsetOf } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import type { Destination, ObjectRef, Outcome, ProxyRef, TlsKind, Trace, TraceRequest } from '../trace/types';
import { clientClasses, type ClientClass } from '../traffic/clients';
import { Budget, MOST_WORK } from '../traffic/budget';
import { ClientNames } from '../traffic/client-names';
import { explore, regionText, type Target } from '../traffic/explore';
import { followSpellings } from '../traffic/spellings';
import { otherNames } from '../traffic/sni';
import { UNKNOWN_HOST } from '../traffic/universe';
import { assumptionsOf, UNSHOWN_INJECT } from './assumptions';
import { callersOf, type CallerFilter } from './callers';
import { isOutside } from './outside';
import { RequestError, whyUnknown } from '../trace/index';
import { Targets } from './targets';

export interface RegisterHop {
  /** Its namespace and workload are null for the proxy of the caller itself. */
  readonly proxy: Pick<ProxyRef, 'kind'> & { readonly namespace: string | null; readonly workload: string | null };
  /** On the connection that it opens; null where it opens none. */
  readonly tls: TlsKind | null;
  /** `*`: that of whatever host the client dials, or any that no object has. */
  readonly sni: string | null;
  /** Whom the next proxy sees by Istio's mutual TLS: `caller`, a SPIFFE name, or null for nobody. */
  readonly identity: string | null;
}

export interface RegisterEntry {
  readonly from: readonly string[];
  readonly to: { readonly host: string; readonly outside: boolean; readonly destination: Destination | null };
  readonly port: number;
  readonly protocol: Target['scheme'];
  /** The class in words: methods, paths, headers. */
  readonly requests: string;
  readonly path: readonly RegisterHop[];
  /** Other destinations of a weighted route, and where copies go. */
  readonly also: readonly string[];
  readonly by: readonly ObjectRef[];
  readonly outcome: Exclude<Outcome, 'refused'>;
  /** One of the requests, as a line of `trace --requests`. */
  readonly request: TraceRequest;
}

export interface UndecidedEntry {
  readonly from: readonly string[];
  readonly to: string;
  readonly what: string;
  readonly why: string;
}

export interface Register {
  readonly entries: readonly RegisterEntry[];
  readonly complete: boolean;
  readonly undecided: readonly UndecidedEntry[];
  readonly assumptions: readonly string[];
  /** Of the object that was asked about: whether it lets something through, only refuses, or decides no request. */
  readonly object?: ObjectRef & { readonly use: 'lets through' | 'only refuses' | 'none' | 'undecided' };
}

export interface RegisterOptions {
  readonly from?: CallerFilter;
  readonly to?: string;
  readonly by?: ObjectRef;
  readonly onProgress?: (done: number, total: number) => void;
  /** What the work is charged to: what is left when it is used up is undecided. @default that of one command */
  readonly budget?: Budget;
}

type Draft = Omit<RegisterEntry, 'from' | 'requests'> & { readonly regions: string[]; count: number };

interface Merged {
  readonly entry: Omit<RegisterEntry, 'from'>;
  readonly names: Set<string>;
  readonly clients: ClientClass[];
}

interface Followed {
  readonly client: ClientClass;
  readonly target: Target;
  /** For whom it is the same. */
  readonly names: readonly string[];
  readonly clients: readonly ClientClass[];
  /** The same target with other SNIs, which are followed next. */
  readonly others: readonly Target[];
}

/** What is told of a target by now, and what was asked about the Host. */
interface Told {
  readonly keys: ReadonlySet<string>;
  readonly hostAsked: ReturnType<typeof explore>['hostAsked'];
}

type Doubt = Omit<UndecidedEntry, 'from'> & { readonly from: Set<string> };

export function register(mesh: Mesh, options: RegisterOptions = {}): Register {
  const targets = new Targets(mesh);
  const all = clientClasses(mesh, mesh);
  const callers = callersOf(all, mesh, options.from);
  const merged = new Map<string, Merged>();
  const undecided = new Map<string, Doubt>();
  const notes = new Set<string>();
  const budget = options.budget ?? new Budget(MOST_WORK);
  let refuses = false;
  const doubt = ({ from, to, what, why }: UndecidedEntry): void => {
    const key = JSON.stringify([to, what, why]);
    const known = undecided.get(key) ?? { from: new Set<string>(), to, what, why };
    undecided.set(key, known);
    for (const one of from) known.from.add(one);
  };
  /** Explores what some clients send to a target, and adds what gets through and is not told yet; returns what is. */
  const follow = ({ client, target, names, clients, others }: Followed, told?: ReadonlySet<string>): Told => {
    const url = urlOf(target);
    let found: ReturnType<typeof explore>;
    try {
      found = explore(mesh, client.request, target, { budget });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      doubt({ from: names, to: url, what: 'every request', why: error.message });
      return { keys: new Set(), hostAsked: [] };
    }
    const drafts = new Map<string, Draft>();
    const keys = new Set<string>();
    const isToldAgain = told !== undefined || others.length > 0 || found.hostAsked.length > 0;
    for (const { trace, witness, region, open, decidedBy } of found.classes) {
      if (!isWanted(mesh, client, target, trace, options)) continue;
      const by = withEntries(mesh, trace, decidedBy);
      for (const why of open) doubt({ from: names, to: url, what: regionText(region), why });
      const isOf = options.by === undefined || by.some((one) => isSame(one, options.by));
      if (trace.outcome === 'refused') {
        refuses ||= isOf;
        continue;
      }
      if (trace.outcome === 'unknown')
        doubt({ from: names, to: url, what: regionText(region), why: whyUnknown(trace) });
      if (!isOf) continue;
      if (trace.outcome === 'delivered')
        for (const [at, note] of trace.notes.entries())
          // The namespace that stands for all that no manifest shows has a name that nobody knows.
          notes.add(
            client.isElsewhere && trace.noted[at]?.kind === 'namespace-injects-sidecars' ? UNSHOWN_INJECT : note,
          );
      const draft = draftOf(mesh, target, trace, witness, by);
      const isOnly = found.classes.length === 1 && !isToldAgain;
      const key = isOnly ? '' : JSON.stringify({ ...draft, request: undefined });
      if (isToldAgain) {
        // What the client shows, which no hop of the register tells, may be all that another SNI changes.
        const shown = `${key} ${trace.hops[0]?.receives.tls ?? ''}`;
        const plain = witness.sni === undefined ? shown : shown.replaceAll(JSON.stringify(witness.sni), JSON.stringify(hostOf(witness))); // prettier-ignore
        // More requests may get there by another port in the Host: it is told of each class.
        const ofClass = `${plain} of ${regionText(region)}`;
        keys.add(plain).add(ofClass);
        if (told?.has(target.end === undefined ? plain : ofClass) === true) continue;
      }
      const known = drafts.get(key) ?? { ...draft, regions: [], count: 0 };
      known.regions.push(regionText(region));
      known.count += 1;
      drafts.set(key, known);
    }
    for (const { what, why } of found.undecided) doubt({ from: names, to: url, what, why });
    for (const { regions, count, ...named } of drafts.values()) {
      const draft = withoutNames(named);
      const isAll = count === found.classes.length && found.undecided.length === 0;
      const own = isAll ? 'every request' : [...new Set(regions)].sort(compare).join('; or ');
      const requests = `${own}${sniText(target)}${endText(target)}`;
      const key = JSON.stringify({ ...draft, requests, request: undefined });
      const known = merged.get(key) ?? { entry: { ...draft, requests }, names: new Set<string>(), clients: [] };
      merged.set(key, known);
      for (const one of names) known.names.add(one);
      known.clients.push(...clients);
    }
    return { keys, hostAsked: found.hostAsked };
  };
  // Namespaces that differ from others only by objects of their own stand with the others but for the hosts of these, as in diff.
  const elsewhere = options.from === undefined ? callers.find(({ client }) => client.isElsewhere) : undefined;
  const like = new Set(elsewhere === undefined ? [] : callers.filter(({ client }) => client.likeElsewhere));
  for (const [index, caller] of callers.entries()) {
    const { client } = caller;
    options.onProgress?.(index, callers.length);
    if (budget.isSpent) {
      doubt({ from: caller.names, to: options.to ?? 'every host', what: 'every request', why: budget.why });
      continue;
    }
    const isLike = like.has(caller);
    const asked = targets.of(client, {
      ...(options.to === undefined ? {} : { hosts: [options.to] }),
      isIdle: (host) => isLike && !targets.isOwned(host, client),
    });
    for (const [at, target] of asked.entries()) {
      if (budget.isSpent) {
        const others = asked.length - at - 1;
        const to = `${urlOf(target)}${others === 0 ? '' : ` and ${others} more`}`;
        doubt({ from: caller.names, to, what: 'every request', why: budget.why });
        break;
      }
      if (isLike && !targets.isOwned(target.host, client)) continue;
      const also = caller === elsewhere ? [...like].filter((one) => !targets.isOwned(target.host, one.client)) : [];
      const names = union(caller.names, also.flatMap((one) => one.names)); // prettier-ignore
      const clients = [client, ...also.map((one) => one.client)];
      const others = otherNames(target, [mesh], client.at);
      const { keys, hostAsked } = follow({ client, target, names, clients, others });
      // Whoever dials one name may say another in its TLS, or a shorter one of the same Service: what that does otherwise is told beside it.
      const alsoAs = (other: Target): Told['hostAsked'] =>
        follow({ client, target: other, names, clients, others: [] }, keys).hostAsked;
      followSpellings(target, [mesh], client.request, hostAsked, alsoAs);
      others.forEach(alsoAs);
    }
  }
  const named = new ClientNames(all);
  const entries = [...merged.entries()]
    .map(([key, { entry, names, clients }]): readonly [string, RegisterEntry] => [
      key,
      { ...entry, from: options.from === undefined ? named.of(clients) : [...names].sort(compare) },
    ])
    .sort(([a, one], [b, other]) => compare(orderOf(one), orderOf(other)) || compare(a, b))
    .map(([, { from, to, port, protocol, requests, path, also, by, outcome, request }]) => ({
      from,
      to,
      port,
      protocol,
      requests,
      path,
      also,
      by,
      outcome,
      request, // prettier-ignore
    }));
  const doubts = [...undecided.values()]
    .map((one): UndecidedEntry => ({ ...one, from: [...one.from].sort(compare) }))
    .sort((a, b) => compare(JSON.stringify([a.to, a]), JSON.stringify([b.to, b])));
  const complete = doubts.length === 0 && entries.every(({ outcome }) => outcome !== 'unknown');
  const use = entries.length > 0 ? 'lets through' : !complete ? 'undecided' : refuses ? 'only refuses' : 'none';
  return {
    entries,
    complete,
    undecided: doubts,
    assumptions: [...assumptionsOf(mesh), ...[...notes].sort(compare)],
    ...(options.by === undefined ? {} : { object: { ...options.by, use } }),
  };
}

/** Without a question about a host or an object, what stays inside is no matter of the edge. */
function isWanted(
  mesh: Mesh,
  client: ClientClass,
  { host: named, shortFor: host = named }: Target,
  told: Trace,
  { to, by }: RegisterOptions,
): boolean {
  const crosses =
    client.at !== undefined ||
    (told.destination === null
      ? mesh.services.named(host).size === 0 && !/\.svc(\.|$)/.test(host)
      : isOutside(mesh, told));
  if (to === undefined) return crosses || by !== undefined;
  return [host, told.destination?.host].some(
    (one) => one !== undefined && one !== '*' && (isSubsetOf(one, to) || isSubsetOf(to, one)),
  );
}

function draftOf(
  mesh: Mesh,
  target: Target,
  told: Trace,
  request: TraceRequest,
  by: readonly ObjectRef[],
): Omit<RegisterEntry, 'from' | 'requests'> {
  const caller = told.hops[0]?.identity;
  const isCallers = (index: number, { kind }: ProxyRef): boolean =>
    index === 0 && (kind === 'sidecar' || kind === 'ztunnel' || kind === 'none') && request.at === undefined;
  return {
    to: { host: target.host, outside: isOutside(mesh, told), destination: told.destination },
    port: target.port,
    protocol: target.scheme,
    path: told.hops.map(({ proxy, sends, identity }, index) => ({
      proxy: isCallers(index, proxy)
        ? { kind: proxy.kind, namespace: null, workload: null }
        : { kind: proxy.kind, namespace: proxy.namespace, workload: proxy.workload },
      tls: sends?.tls ?? null,
      sni: sends?.sni ?? null,
      identity: identity === undefined ? null : identity === caller && request.at === undefined ? 'caller' : identity,
    })),
    also: [...splitOf(told), ...copiesOf(told).map((one) => `copies to ${one}`)],
    by: [...by].sort((a, b) => compare(textOf(a), textOf(b))),
    outcome: told.outcome === 'refused' ? 'unknown' : told.outcome,
    request,
  };
}

/** The name that stands for all that no object has is none of the register's. */
function asAny<Name extends string | null>(name: Name): Name | '*' {
  return name === UNKNOWN_HOST ? '*' : name;
}

function withoutNames<Entry extends Pick<RegisterEntry, 'to' | 'path'>>(entry: Entry): Entry {
  const { destination } = entry.to;
  const to = destination && { ...destination, host: asAny(destination.host), sni: asAny(destination.sni) };
  return {
    ...entry,
    to: { ...entry.to, destination: to },
    path: entry.path.map((hop) => ({ ...hop, sni: asAny(hop.sni) })),
  };
}

/** What decides, and the entries and Services whose host a proxy sends to: without them there would be no such cluster. */
function withEntries(mesh: Mesh, { hops }: Trace, decidedBy: readonly ObjectRef[]): readonly ObjectRef[] {
  const found = new Map(decidedBy.map((one) => [textOf(one), one]));
  for (const { cluster, proxy } of hops) {
    const host = cluster?.startsWith('outbound|') === true ? cluster.slice(cluster.lastIndexOf('|') + 1) : undefined;
    if (host === undefined) continue;
    for (const service of mesh.services.declaring(host)) {
      if (!mesh.services.isVisible(service, proxy.namespace)) continue;
      const { kind, namespace, name } = service.config;
      found.set(`${kind} ${namespace}/${name}`, { kind, namespace, name });
    }
  }
  return [...found.values()];
}

export function textOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}

function isSame(one: ObjectRef, other: ObjectRef | undefined): boolean {
  return other !== undefined && textOf(one) === textOf(other);
}

function urlOf({ scheme, host, port }: Target): string {
  return `${scheme}://${host === '*' ? '(any other host)' : host}:${port}`;
}

function endText({ end }: Target): string {
  return end === undefined ? '' : end === '' ? ' with no port in the Host' : ` with ${end} in the Host`;
}

function sniText({ sni }: Target): string {
  if (sni === undefined) return '';
  return sni === UNKNOWN_HOST ? ' with an SNI that no object has' : ` with the SNI ${sni}`;
}

function hostOf({ request }: TraceRequest): string {
  return /^\w+:\/\/(\[[^\]]*\]|[^/:?]*)/.exec(request)?.[1] ?? '';
}

function orderOf({ from, to, port, protocol }: RegisterEntry): string {
  return [to.host, String(port).padStart(5, '0'), protocol, ...from].join(' ');
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])].sort(compare);
}

/** The same in every locale, so that a committed register changes with the traffic only. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
