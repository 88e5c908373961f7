/** What becomes of every request of one client to one target, before and after. */
import type { Mesh } from '../model/mesh';
import type { Dimension, Recorder } from '../trace/ask';
import { isEndpoint } from '../trace/endpoint-kinds';
import { exact, type Matcher } from '../trace/matcher';
import { whyUnknown } from '../trace/index';
import type { Trace, TraceRequest } from '../trace/types';
import type { Budget } from '../traffic/budget';
import { exploreByAddress } from '../traffic/by-address';
import {
  exploreWith,
  pathsOf,
  readingOfPaths,
  regionText,
  withShares,
  type Client,
  type Condition,
  type Exploration,
  type ExploreOptions,
  type Target,
} from '../traffic/explore';
import { member } from '../traffic/members';
import { followSpellings } from '../traffic/spellings';
import { otherNames } from '../traffic/sni';
import { isSupposed } from '../traffic/supposed';
import { universe, type PathForm } from '../traffic/universe';
import { follow } from './follow';
import type { Task } from './plan';
import type { Way } from './types';
import { renamedProxies } from './renamed-proxies';
import { renamedSubsets } from './renamed-subsets';
import { sameDoors } from './same-doors';
import { unknownGateways } from './unseen';
import { byIdentity, fingerprint, toldApart, wayOf } from './way';

/** A class of requests that fares otherwise than before; of several that change alike, the plainest stands for all. */
export interface Difference {
  readonly request: TraceRequest;
  readonly traces: readonly [Trace, Trace];
  readonly was: Way;
  readonly is: Way;
  readonly key: string;
  /** Whether it is told by the names of proxies alone. */
  readonly isInName: boolean;
  /** Classes of requests that change so: the request is of the first of them. */
  readonly regions: readonly (readonly Condition[])[];
}

export interface Doubt {
  /** The requests. */
  readonly what: string;
  readonly why: string;
}

export interface Compared {
  readonly differences: readonly Difference[];
  readonly doubts: readonly Doubt[];
  readonly followed: number;
}

interface Both {
  readonly traces: readonly [Trace, Trace];
  /** How each side made the path anew. */
  readonly rewrites: readonly [readonly string[], readonly string[]];
}

const PATH: Dimension = { kind: 'path', name: '' };
/** Paths of a class that are followed where both sides make them anew, each in its own way. */
const MORE_PATHS = 2;

const NOTHING: Compared = { differences: [], doubts: [], followed: 0 };

export function compare(task: Task, meshes: readonly [Mesh, Mesh], mostClasses: number, budget?: Budget): Compared {
  const { client, probe } = task;
  // What changes behind such a Gateway is told as a whole.
  if (meshes.every((mesh) => unknownGateways([mesh]).has(client.at ?? ''))) return NOTHING;
  const paths = pathsOf(meshes, client.request, probe.target);
  const differences = new Map<string, Difference>();
  const doubts: Doubt[] = [];
  let extra = 0;
  const note = (found: Difference): void => {
    const known = differences.get(found.key);
    const isPlainer = known === undefined || plainness(found.request) < plainness(known.request);
    const [plain, other] = isPlainer ? [found, known] : [known, found];
    differences.set(found.key, { ...plain, regions: [...plain.regions, ...(other?.regions ?? [])] });
  };
  const offers: Offers = [new Set(), new Set()];
  const options = { mostClasses, paths, budget };
  const exploration = exploreBoth(meshes, client.request, probe.target, options, offers);
  let hangsOnMore = false;
  for (const { region, witness, followed, open } of exploration.classes) {
    const found = differenceOf(meshes, witness, followed.traces);
    if (found !== undefined) {
      note({ ...found, regions: [region] });
      continue;
    }
    for (const why of open) doubts.push({ what: regionText(region), why });
    const [before] = followed.traces;
    const [was, is] = followed.traces.map(blocksAssumed);
    if (was !== is || before.outcome === 'unknown') hangsOnMore = true;
    if (followed.rewrites[0].join() === followed.rewrites[1].join()) continue;
    // A path that is made anew may come out alike of one path and not of another.
    const others = otherPaths(region, witness, probe.target, paths);
    const made = others.map((path) => {
      const request = { ...witness, request: withPath(witness.request, path) };
      extra += 1;
      return differenceOf(meshes, request, followBoth(meshes, request).traces);
    });
    const odd = made.find((one) => one !== undefined);
    if (odd !== undefined) note({ ...odd, regions: [region] });
    else if (followed.rewrites.flat().some((how) => how.startsWith('expression')) && others.length > 0)
      doubts.push({ what: regionText(region), why: 'the path is made anew by other regular expressions than before' });
  }
  for (const { what, why } of exploration.undecided) doubts.push({ what, why });
  const [readBefore, readNow] = meshes.map((mesh) => readingOfPaths(mesh, client.request, probe.target));
  if (readBefore !== '' && readNow !== '' && readBefore !== readNow)
    doubts.push({
      what: 'paths with escapes, dots or slashes beside each other',
      why: 'the listener reads them otherwise than before',
    });
  if (hangsOnMore) doubts.push(...onSuppositions(task, meshes, options));
  if (toFollow(offers).length > 0) doubts.push(...ofShares(task, meshes, options, toFollow(offers)));
  const alsoAs = (one: Target): readonly Matcher[] => {
    const { classes, undecided, followed, hostAsked } = exploreBoth(meshes, client.request, one, options);
    const told = new Set(differences.keys());
    extra += followed;
    for (const { region, witness, followed } of classes) {
      const found = differenceOf(meshes, witness, followed.traces);
      // What changes whatever the name is told once.
      if (found !== undefined && !told.has(found.key)) note({ ...found, regions: [region] });
    }
    const as = one.sni !== undefined ? `the SNI ${one.sni}` : one.end !== undefined ? `the Host ${one.host}${one.end}` : `the name ${one.host}`; // prettier-ignore
    for (const { what, why } of undecided) doubts.push({ what: `${as}, ${what}`, why });
    return hostAsked;
  };
  followSpellings(probe.target, meshes, client.request, exploration.hostAsked, alsoAs);
  otherNames(probe.target, meshes, client.request.at).forEach(alsoAs);
  const none = [...differences.values()].some(isHalfUnknown) ? sameHowever(task, meshes, options) : NO_KEYS;
  // A request is told only if it fares otherwise when it is followed by itself, as `trace` would.
  const found = [...differences.values()].filter(({ key }) => !none.has(key));
  const told = found.filter((one) => isSo(meshes, one));
  for (const { request } of found.filter((one) => !told.includes(one)))
    doubts.push({
      what: request.request,
      why: 'followed by itself, the request that was found does not differ in this way',
    });
  return { differences: told, doubts, followed: exploration.followed + extra };
}

/** Whether all that is open is whether a Pod listens: it does before as after, or not. */
function hangsOnListening({ outcome, noted }: Trace): boolean {
  return outcome === 'unknown' && noted.some(({ kind }) => kind === 'port-not-listed');
}

/**
 * What is not decided of requests that end in `unknown` before as after, once what no manifest tells is supposed: that Pods listen where they may,
 * and that a client is in a block, a namespace has a label and a password is right, and that they do not. Where they do not listen, all fare alike
 * who get there alike.
 */
function onSuppositions(
  { client, probe: { target } }: Task,
  meshes: readonly [Mesh, Mesh],
  options: ExploreOptions,
): readonly Doubt[] {
  const doubts = new Map<string, Doubt>();
  const offers: Offers = [new Set(), new Set()];
  const supposing = { ...options, supposes: true };
  const { classes, undecided } = exploreBoth(meshes, client.request, target, supposing, offers, true);
  let listening = '';
  const note = (what: string, why: string): void => {
    doubts.set(`${what} ${why}`, { what, why: `${listening}${why}` });
  };
  for (const { region, witness, followed, open } of classes) {
    const asItIs = followBoth(meshes, witness).traces;
    const [was, is] = asItIs.map(blocksAssumed);
    const isOpen = asItIs.some(({ outcome }) => outcome === 'unknown') || was !== is;
    if (!isOpen || differenceOf(meshes, witness, asItIs) !== undefined) continue;
    listening = asItIs.some(hangsOnListening) ? 'if something listens there: ' : '';
    const what = regionText(region);
    const found = differenceOf(meshes, witness, followed.traces);
    const unseen = region.some(({ dimension }) => isSupposed(dimension)) ? '; no manifest tells which these are' : '';
    if (found !== undefined) note(what, `before: ${found.was.text}; now: ${found.is.text}${unseen}`);
    for (const why of open) note(what, why);
    const [before, after] = followed.traces.map(whyUnknown);
    if (followed.traces[0].outcome === 'unknown' && found === undefined)
      note(what, before === after ? before : `${before}; and now ${after}`);
    if (followed.rewrites[0].join() !== followed.rewrites[1].join())
      note(what, 'the path is made anew otherwise than before');
  }
  listening = '';
  for (const { what, why } of undecided) note(what, why);
  if (toFollow(offers).some(isEndpoint)) note('every request', 'endpoints that fare apart were not followed each');
  return [...doubts.values()];
}

const NO_KEYS: ReadonlySet<string> = new Set();

const isHalfUnknown = ({ was, is }: Difference): boolean => (was.outcome === 'unknown') !== (is.outcome === 'unknown');

/** What is unknown on one side, and none on whatever is supposed of it: blocks that cover all addresses, and the one block that does. */
function sameHowever(
  { client, probe: { target } }: Task,
  meshes: readonly [Mesh, Mesh],
  options: ExploreOptions,
): ReadonlySet<string> {
  const { classes, undecided } = exploreBoth(meshes, client.request, target, { ...options, supposes: true });
  if (undecided.length > 0) return NO_KEYS;
  const keys = new Set<string>();
  const others = new Set<string>();
  for (const { witness, followed, open } of classes) {
    const asItIs = differenceOf(meshes, witness, followBoth(meshes, witness).traces);
    if (asItIs === undefined || !isHalfUnknown(asItIs)) continue;
    const isSame =
      open.length === 0 &&
      followed.traces.every(({ outcome }) => outcome !== 'unknown') &&
      followed.rewrites[0].join() === followed.rewrites[1].join() &&
      differenceOf(meshes, witness, followed.traces) === undefined;
    (isSame ? keys : others).add(asItIs.key);
  }
  return new Set([...keys].filter((key) => !others.has(key)));
}

/** Blocks of clients' addresses that NetworkPolicies let in, which no request says that its client is in. */
function blocksAssumed({ noted }: Trace): string {
  return noted.flatMap((note) => (note.kind === 'network-policies-let-client-in' ? note.blocks : [])).join(', ');
}

/** Clusters that shares go to on each side, and endpoints, that were not followed. */
type Offers = readonly [Set<string>, Set<string>];

/** Shares that both sides have: a new one is told as such. An endpoint of another kind on one side fares there as none did on the other. */
function toFollow([was, is]: Offers): readonly string[] {
  return [...new Set([...was, ...is])].filter((one) => isEndpoint(one) || (was.has(one) && is.has(one)));
}

/**
 * The other shares of weighted routes, and copies, that both sides have: `trace` follows the greatest share, and so a difference of
 * another is told as what it is, and not as a request that fares otherwise.
 */
function ofShares(
  { client, probe: { target } }: Task,
  meshes: readonly [Mesh, Mesh],
  options: ExploreOptions,
  shares: readonly string[],
): readonly Doubt[] {
  const doubts = new Map<string, Doubt>();
  const note = (prefers: ReadonlySet<string>, what: string, why: string): void => {
    const told = {
      what,
      why: `of the requests that go to ${[...prefers].join(', then ')} (${howChosen(prefers)}): ${why}`,
    };
    if (!doubts.has(told.why)) doubts.set(told.why, told);
  };
  withShares(
    (prefers) => {
      if (prefers.size === 0) return shares;
      const offers: Offers = [new Set(), new Set()];
      const { classes, undecided } = exploreBoth(meshes, client.request, target, { ...options, prefers }, offers);
      for (const { witness, region, followed, open } of classes) {
        for (const why of open) note(prefers, regionText(region), why);
        const found = differenceOf(meshes, witness, followed.traces);
        // What is told of the greatest share is not told again.
        if (found === undefined || differenceOf(meshes, witness, followBoth(meshes, witness).traces) !== undefined)
          continue;
        if (found.isInName && [...prefers].some(isEndpoint)) continue;
        note(prefers, regionText(region), `before: ${found.was.text}; now: ${found.is.text}`);
      }
      for (const { what, why } of undecided) note(prefers, what, why);
      return toFollow(offers);
    },
    (why) => doubts.set(why, { what: 'every request', why }),
  );
  return [...doubts.values()];
}

function howChosen(prefers: ReadonlySet<string>): string {
  const ways = [...prefers].map((one) => (isEndpoint(one) ? 'one of several' : 'by weight, or as copies'));
  return [...new Set(ways)].join(', ');
}

function exploreBoth(
  meshes: readonly [Mesh, Mesh],
  client: Client,
  target: Target,
  options: ExploreOptions,
  offers?: Offers,
  listens = false,
): Exploration<Both> {
  return exploreByAddress(
    meshes,
    target,
    (one) =>
      exploreWith((request, recorder) => followBoth(meshes, request, recorder, offers, listens), client, one, options),
    ({ traces }) => traces,
  );
}

function followBoth(
  meshes: readonly [Mesh, Mesh],
  request: TraceRequest,
  recorder?: Recorder,
  offers?: Offers,
  listens = false,
): Both {
  const rewrites: [string[], string[]] = [[], []];
  // Subsets that have another name than before go by the new one.
  const named = renamedSubsets(meshes);
  const doors = sameDoors(meshes);
  const { prefers } = recorder ?? {};
  const traces = meshes.map((mesh, side) =>
    follow(mesh, doors.on(request, side), {
      asked: (ask) => recorder?.asked(ask),
      opened: (dimension, why) => recorder?.opened(dimension, why),
      rewrote: (how) => rewrites[side === 0 ? 0 : 1].push(how),
      offered: (clusters) => {
        for (const one of clusters) for (const name of side === 0 ? [one, named.now(one)] : [one]) offers?.[side === 0 ? 0 : 1].add(name); // prettier-ignore
      },
      ...(listens ? { listens } : {}),
      ...(prefers === undefined ? {} : { prefers: side === 0 ? named.before(prefers) : prefers }),
      ...(recorder?.supposed === undefined ? {} : { supposed: recorder.supposed }),
    }),
  );
  return { traces: [traces[0] as Trace, traces[1] as Trace], rewrites };
}

function differenceOf(
  meshes: readonly [Mesh, Mesh],
  request: TraceRequest,
  traces: readonly [Trace, Trace],
): Difference | undefined {
  const host = hostOf(request);
  const [was, is] = [wayOf(meshes[0], traces[0], host), wayOf(meshes[1], traces[1], host)];
  const isSame = fingerprint(was) === fingerprint(is) || isSameUnderOtherNames(meshes, traces[0], host, is);
  const ways = isSame ? byIdentity([was, is], traces, renamedProxies(meshes).identity) : toldApart(was, is);
  if (ways === undefined) return undefined;
  const [told, now] = ways;
  // Paths and addresses of single requests are no part of what changes.
  const written = `${keyOf(was)}\n${keyOf(is)}${isSame ? `\n${told.text}\n${now.text}` : ''}`;
  const key =
    request.sni === undefined ? written : written.replaceAll(JSON.stringify(request.sni), JSON.stringify(host));
  return { request, traces, was: told, is: now, key, isInName: was.text === is.text, regions: [] };
}

function isSameUnderOtherNames(meshes: readonly [Mesh, Mesh], before: Trace, host: string, is: Way): boolean {
  const [named, proxies] = [renamedSubsets(meshes), renamedProxies(meshes)];
  const isAny = named.isAny || proxies.isAny;
  return isAny && fingerprint(wayOf(meshes[0], before, host, named.now, proxies.now)) === fingerprint(is);
}

function isSo(meshes: readonly [Mesh, Mesh], { request, key }: Difference): boolean {
  return differenceOf(meshes, request, followBoth(meshes, request).traces)?.key === key;
}

function keyOf(way: Way): string {
  const { answer } = way;
  return fingerprint({
    ...way,
    asks: way.asks === null ? null : '*',
    ...(answer === undefined ? {} : { answer: { ...answer, location: null } }),
  });
}

/** The fewer words a request takes, the plainer it is. */
function plainness({ request, method, headers = {}, tokens = {} }: TraceRequest): number {
  return (
    request.length +
    (method === undefined ? 0 : 10) +
    JSON.stringify(headers).length * 2 +
    Object.keys(tokens).reduce((sum, place) => sum + (place.startsWith('header ') ? 100 : 200), 0) +
    JSON.stringify(tokens).length +
    (request.includes('?') ? 10 : 0)
  );
}

function hostOf({ request }: TraceRequest): string {
  return (
    /^\w+:\/\/(?:\[([^\]]*)\]|([^/:?]*))/
      .exec(request)
      ?.slice(1)
      .find((one) => one !== undefined) ?? ''
  );
}

function withPath(request: string, path: string): string {
  const [, origin = '', query = ''] = /^(\w+:\/\/[^/?]*)[^?]*(.*)$/.exec(request) ?? [];
  return `${origin}${path}${query}`;
}

function otherPaths(
  region: readonly Condition[],
  { request }: TraceRequest,
  target: Task['probe']['target'],
  form: PathForm,
): readonly string[] {
  const own = region.filter(({ dimension }) => dimension.kind === 'path');
  const found = [/^\w+:\/\/[^/?]*([^?]*)/.exec(request)?.[1] ?? '/'];
  while (found.length <= MORE_PATHS) {
    const others = found.map((path) => ({ matcher: exact(path), holds: false, whenAbsent: false }));
    const next = member([...own, ...others], universe(PATH, target, form));
    if (next.is !== 'member' || next.text === undefined) break;
    found.push(next.text);
  }
  return found.slice(1);
}
