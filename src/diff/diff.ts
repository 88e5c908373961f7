/**
 * Compares two sets of manifests by what requests do in them. Pure: two lists of manifests in, changes of traffic out.
 *
 * Only what a changed object can reach is followed (`reach.ts`), in both meshes, for one client of each class that objects tell
 * apart (`clients.ts`). `exhaustive` follows everything, which is slower and must find the same: the tests hold it to that.
 */
import { record, texts } from '../model/fields';
import { nameOfLeftOut, textOfLeftOut, whoLeavesOut } from '../model/left-out';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import type { MeshOptions } from '../model/mesh-options';
import type { Trace } from '../trace/types';
import { type ClientClass, clientClasses } from '../traffic/clients';
import { partsBeyond } from '../traffic/address-parts';
import { Budget, MOST_WORK } from '../traffic/budget';
import { nameClients } from '../traffic/client-names';
import { regionText } from '../traffic/explore';
import { bothStates } from './both-states';
import { byItself } from './by-itself';
import { compare, type Difference, type Doubt } from './compare';
import { withDefaults } from './defaults';
import { Links } from './links';
import { outOfSight } from './out-of-sight';
import { objectChanges } from './objects';
import { renamedProxies } from './renamed-proxies';
import { sameDoors, withSameDoors } from './same-doors';
import { cover, isAt, isFor, plan, type Covered, type Task } from './plan';
import { isBeyondJudgement, reachOf } from './reach';
import { Doubts, settingsInDoubt } from './doubts';
import {
  EFFECTS,
  type Change,
  type ChangedObject,
  type Diff,
  type Effect,
  type Setting,
  type Undecided,
} from './types';
import type { Probes } from './requests';
import { UNDECLARED } from './undeclared';
import { doubtOf, noteOf, settingsOf } from './settings';
import { PastWaypointDoubts } from './past-waypoints';
import { podPortsInDoubt } from './pod-ports';
import { isBehind, otherDoor, unknownGateways } from './unseen';
import { unseenTarget } from './unseen-targets';
import { effectOf } from './way';

export type * from './types';

export interface DiffOptions {
  readonly mesh?: MeshOptions;
  /** What the new side is judged by, if not by the same: another release. */
  readonly meshAfter?: MeshOptions;
  /** Called now and then with the share of requests that are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Follows every request to every host, whatever the changed objects can reach. */
  readonly exhaustive?: boolean;
  /** What the work is charged to: what is left when it is used up is undecided. @default that of one command */
  readonly budget?: Budget;
  /** Whether Services are among the manifests by which Pods are dialled past their waypoints. */
  readonly isPastWaypoints?: boolean;
}

interface Finding extends Difference {
  readonly task: Task;
  readonly label: string;
  readonly because: readonly ChangedObject[];
}

/** Kinds that say nothing of what servers demand of callers without a proxy: where a client's own proxy sends what. */
const OF_CLIENTS = new Set([
  'VirtualService',
  'DestinationRule',
  'ServiceEntry',
  'Gateway',
  'ListenerSet',
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
  'ReferenceGrant',
  'GatewayClass',
  'SecurityPolicy',
  'ClientTrafficPolicy',
  'BackendTrafficPolicy',
  'ProxyConfig',
  'EnvoyFilter',
]);

const PROGRESS_EVERY = 256;
/** Classes that are told of one change: of more, these are examples. */
const MOST_REGIONS = 50;
/** Classes of requests of one client to one target, and requests of all: beyond them it is said what is not decided. */
const MOST_CLASSES = 1000;
const MOST_REQUESTS = 400_000;
/** Requests that nothing declares. */
const MOST_UNDECLARED = 20_000;

export function diff(was: readonly Manifest[], is: readonly Manifest[], options: DiffOptions = {}): Diff {
  const changes = objectChanges(was, is);
  if (changes.length === 0 && options.exhaustive !== true) return result([], [], new Set(), [], 0, []);
  const states = bothStates(was, is, options.mesh, options.meshAfter);
  const { meshes } = states;
  const both = [Links.of(meshes[0]), Links.of(meshes[1])] as const;
  const refused = meshes.map(
    ({ leftOut }) =>
      new Set(
        leftOut
          .filter(({ field, isFollowed }) => field === undefined && isFollowed !== true)
          .map(({ manifest }) => manifest),
      ),
  );
  const kept = (one: Manifest | undefined, side: 0 | 1): Manifest | undefined =>
    one !== undefined && refused[side]?.has(one) === true ? undefined : one;
  // An object that is refused on one side comes or goes as a whole.
  const reached = changes
    .filter((change) => (kept(change.was, 0) ?? kept(change.is, 1)) !== undefined)
    .map((change) => ({
      change,
      reach: reachOf({ ...change, was: kept(change.was, 0), is: kept(change.is, 1) }, ...both),
    }));
  const covered = cover(reached, both);
  const clients = withSameDoors(
    clientClasses(...meshes, options.meshAfter !== undefined || changes.some(({ ref }) => !OF_CLIENTS.has(ref.kind))),
    sameDoors(meshes),
  );
  const { hosts: renamed } = renamedProxies(meshes);
  const findings: Finding[] = [];
  const doubts = new Doubts(clients);
  const inDoubt = new Set<ChangedObject>();
  const notes: string[] = [];
  let compared = 0;
  const budget = options.budget ?? new Budget(MOST_WORK);
  const follow = (task: Task, left: number): void => {
    const {
      differences,
      doubts: own,
      followed,
    } = compare(task, meshes, Math.max(1, Math.min(MOST_CLASSES, left)), budget);
    compared += followed;
    for (const one of own) {
      doubts.add(task, one);
      for (const { change } of near(task, covered)) inDoubt.add(change.ref);
    }
    for (const one of differences)
      findings.push({
        ...one,
        task,
        label: task.probe.labelOf(one.request),
        because: reasons(task, one.traces, covered),
      });
  };
  const isGone = (client: ClientClass): boolean => hasComeOrGone(client, meshes);
  const planned = (wanted?: Probes): readonly Task[] => allPlanned(wanted).filter(({ host }) => !renamed.has(host));
  const allPlanned = (wanted?: Probes): readonly Task[] =>
    options.exhaustive === true
      ? [
          ...plan(
            everything(covered),
            clients.filter((one) => !isGone(one)),
            both,
            wanted,
          ),
          ...plan(covered, clients.filter(isGone), both, wanted),
        ]
      : plan(covered, clients, both, wanted);
  const tasks = planned();
  tasks.forEach((task, index) => {
    if (index % PROGRESS_EVERY === 0) options.onProgress?.(index, tasks.length);
    follow(task, MOST_REQUESTS - compared);
  });
  options.onProgress?.(tasks.length, tasks.length);
  if (findings.length === 0) {
    const most = compared + MOST_UNDECLARED;
    for (const task of planned(UNDECLARED)) {
      if (compared >= most) break;
      follow(task, most - compared);
    }
    if (compared >= most)
      notes.push(
        'Requests in another protocol than some object declares for the port were followed in part: there are too many of them',
      );
  }
  const further = tasks.some(({ host }) => host === '') ? partsBeyond(meshes) : undefined;
  if (further !== undefined) doubts.everywhere(further);
  const refs = changes.map(({ ref }) => ref);
  const beyond = new Set(changes.filter(isBeyondJudgement).map(({ ref }) => ref));
  for (const { kind, namespace, name, change } of beyond)
    doubts.everywhere({
      what: `${kind} ${namespace}/${name} is ${change}`,
      why: "it edits the proxies' configuration itself, so what it does to traffic cannot be told from manifests",
    });
  for (const one of new Map(
    meshes.flatMap(({ leftOut }) => leftOut.map((left) => [nameOfLeftOut(left), left])),
  ).values())
    notes.push(
      one.isFollowed === true
        ? textOfLeftOut(one)
        : `${nameOfLeftOut(one)} is left out where ${whoLeavesOut(one)}: ${one.why}. Compared is what a cluster would have without it`,
    );
  const grouped = group(withoutCases(withoutEchoes(findings)), clients)
    .map((change) => ({ ...change, request: byItself(change.request, states) }))
    .map(onAssumption);
  const effective = new Set(grouped.flatMap(({ because }) => because));
  const past = new PastWaypointDoubts(meshes, (added) =>
    diff([...was, ...added[0]], [...is, ...added[1]], { ...options, onProgress: undefined, isPastWaypoints: true }),
  );
  for (const change of changes) {
    const ofPods = (): Doubt | undefined => podPortsInDoubt(change, meshes) ?? (options.isPastWaypoints === true ? undefined : past.of(change)); // prettier-ignore
    const doubt = effective.has(change.ref) ? undefined : ofPods();
    if (doubt === undefined) continue;
    doubts.everywhere(doubt);
    beyond.add(change.ref);
  }
  for (const change of changes) {
    const doubt = otherDoor(change, meshes);
    if (doubt === undefined) continue;
    doubts.everywhere(doubt);
    if (!effective.has(change.ref)) beyond.add(change.ref);
  }
  const nobodys = unknownGateways(meshes);
  for (const change of changes) {
    const { kind, namespace, name, change: how } = change.ref;
    if (effective.has(change.ref) || beyond.has(change.ref) || !isBehind(nobodys, change)) continue;
    doubts.everywhere({
      what: `${kind} ${namespace}/${name} is ${how}`,
      why: "it is for a Gateway whose class no manifest shows to be Istio's or Envoy Gateway's, so what that does to traffic cannot be told",
    });
    beyond.add(change.ref);
  }
  const sides = [{ manifests: was, options: options.mesh }, { manifests: is, options: options.meshAfter ?? options.mesh }] as const; // prettier-ignore
  const settings = settingsOf(
    withDefaults(
      changes.filter(({ ref }) => !beyond.has(ref)),
      sides,
    ),
    effective,
  );
  for (const one of settings) {
    if (one.decided) notes.push(noteOf(one));
    else doubts.everywhere(doubtOf(one));
  }
  for (const change of changes) {
    const doubt = effective.has(change.ref) ? undefined : (outOfSight(change) ?? unseenTarget(change, changes, meshes));
    if (doubt === undefined) continue;
    doubts.everywhere(doubt);
    inDoubt.add(change.ref);
  }
  for (const one of settingsInDoubt(changes, meshes)) {
    doubts.everywhere(one.doubt);
    inDoubt.add(one.change);
  }
  return result(grouped, refs, beyond, notes, compared, doubts.told(), inDoubt, settings);
}

/** A way in through a Gateway that no manifest shows is one only if that Gateway takes it. */
function onAssumption(change: Change): Change {
  const { at, assumed = [] } = change.request;
  if (at === undefined || !assumed.some((one) => one.endsWith(`/${at}`))) return change;
  return { ...change, from: change.from.map((one) => `${one}, if that Gateway takes it`) };
}

/** A workload that comes or goes sends nothing on the other side: what it sends to others has no before and after. */
function hasComeOrGone({ members }: ClientClass, meshes: readonly Mesh[]): boolean {
  return members.every(
    ({ namespace, name }) =>
      name !== null && new Set(meshes.map((mesh) => mesh.workloads.called(namespace, name) !== undefined)).size > 1,
  );
}

function everything(covered: readonly Covered[]): readonly Covered[] {
  return [
    ...covered,
    {
      change: { ref: { kind: '', namespace: '', name: '', change: 'changed' }, was: undefined, is: undefined },
      reach: { hosts: 'all', clients: 'all', ports: new Set(), otherHosts: true },
      hosts: 'all',
      doors: new Set(),
    },
  ];
}

/** Changed objects that can reach a request. */
function near(task: Task, covered: readonly Covered[]): readonly Covered[] {
  return covered.filter(
    ({ reach, hosts, doors }) =>
      isFor(reach, task.client) &&
      (hosts === 'all' ||
        hosts.has(task.host) ||
        isAt(task.client, doors) ||
        (task.host === '' && (reach.otherHosts || reach.ports.size > 0))),
  );
}

/** Changed objects that the traces name, or that name the host; if there are none, those that can reach it. */
function reasons(task: Task, traces: readonly Trace[], covered: readonly Covered[]): readonly ChangedObject[] {
  const decided = new Set<string>();
  for (const { hops, refusal } of traces) {
    for (const hop of hops) {
      if (hop.route !== null) decided.add(`${hop.route.kind} ${hop.route.namespace}/${hop.route.name}`);
      for (const one of hop.decidedBy) decided.add(`${one.kind} ${one.namespace}/${one.name}`);
    }
    if (refusal?.by != null) decided.add(`${refusal.by.kind} ${refusal.by.namespace}/${refusal.by.name}`);
  }
  const all = near(task, covered);
  const named = all.filter(({ change }) => {
    const { kind, namespace, name } = change.ref;
    return decided.has(`${kind} ${namespace}/${name}`) || names(change.was, task.host) || names(change.is, task.host);
  });
  return (named.length > 0 ? named : all).map(({ change }) => change.ref);
}

/** An entry makes a host known without being named by a trace. */
function names(manifest: Manifest | undefined, host: string): boolean {
  return (
    manifest?.kind === 'ServiceEntry' && host !== '' && texts(record(record(manifest.body).spec).hosts).includes(host)
  );
}

/**
 * What changes for connections to an address is not told again of requests that somebody sends there under a name that nobody has, as long
 * as it is the same change. One port stands for all of an address.
 */
function withoutEchoes(findings: readonly Finding[]): readonly Finding[] {
  const keyOf = ({ task, request: { address = '' }, was, is }: Finding): string =>
    JSON.stringify([task.client.index, address, effectOf(was, is)]);
  const isOther = ({ task, request }: Finding): boolean => task.host === '' && request.address !== undefined;
  const connections = new Set(
    findings.filter((one) => isOther(one) && one.task.probe.target.scheme === 'tcp').map(keyOf),
  );
  return findings.filter(
    (one) => !isOther(one) || one.task.probe.target.scheme === 'tcp' || !connections.has(keyOf(one)),
  );
}

/** A host that objects write in several cases is one host: names are compared without it (RFC 4343). */
function withoutCases(findings: readonly Finding[]): readonly Finding[] {
  const kept = new Map<string, Finding>();
  for (const one of findings) {
    const plain = one.label.replace(/\w+:\/\/[^/ ]+/, (host) => host.toLowerCase());
    const key = JSON.stringify([one.task.client.index, plain, one.key]);
    if (one.label === plain || !kept.has(key)) kept.set(key, one);
  }
  return [...kept.values()];
}

/** One change for all the clients that see the same of a request. */
function group(findings: readonly Finding[], clients: readonly ClientClass[]): readonly Change[] {
  const groups = new Map<string, Finding[]>();
  for (const found of findings) {
    const isOutside = found.task.client.at !== undefined;
    const key = `${found.label}\n${isOutside ? 'outside' : ''}\n${found.key}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [found]);
    else known.push(found);
  }
  const changes: Change[] = [];
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const because = new Map(
      group.flatMap((one) => one.because).map((one) => [`${one.kind} ${one.namespace}/${one.name}`, one]),
    );
    changes.push({
      effect: effectOf(first.was, first.is),
      from: nameClients(
        group.flatMap(({ task }) => [task.client, ...task.also]),
        clients,
      ),
      to: first.label,
      request: first.request,
      ...told(group.flatMap(({ regions }) => regions)),
      was: first.was,
      is: first.is,
      because: [...because.values()].sort(byName),
    });
  }
  return changes.sort(
    (a, b) =>
      EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect) ||
      compareText(a.to.replace(/^\w+:\/\//, ''), b.to.replace(/^\w+:\/\//, '')) ||
      compareText(a.to, b.to) ||
      compareText(a.from.join(), b.from.join()),
  );
}

/** The classes in words and as data. */
function told(regions: Difference['regions']): Pick<Change, 'requests' | 'region'> {
  const unique = [...new Map(regions.map((region) => [regionText(region), region]))].slice(0, MOST_REGIONS);
  return {
    requests: unique.map(([words]) => words).join('; or '),
    region: unique.map(([, region]) =>
      region.map(({ dimension: { kind, name, claim }, matcher, holds }) => ({
        of: kind,
        name,
        ...(claim === undefined ? {} : { claim }),
        matcher,
        holds,
      })),
    ),
  };
}

function byName(a: ChangedObject, b: ChangedObject): number {
  return compareText(`${a.kind} ${a.namespace} ${a.name}`, `${b.kind} ${b.namespace} ${b.name}`);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function result(
  changes: readonly Change[],
  objects: readonly ChangedObject[],
  beyond: ReadonlySet<ChangedObject>,
  notes: readonly string[],
  requestsCompared: number,
  undecided: readonly Undecided[],
  inDoubt: ReadonlySet<ChangedObject> = new Set(),
  settings: readonly Setting[] = [],
): Diff {
  const effective = new Set(
    changes.flatMap((change) => change.because).map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
  );
  const set = new Set(settings.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`));
  const withoutEffect = objects
    .filter(
      (object) =>
        !beyond.has(object) &&
        !inDoubt.has(object) &&
        !set.has(`${object.kind} ${object.namespace}/${object.name}`) &&
        !effective.has(`${object.kind} ${object.namespace}/${object.name}`),
    )
    .sort(byName);
  const count = (effect: Effect): number => changes.filter((change) => change.effect === effect).length;
  const of = (change: ChangedObject['change']): number => objects.filter((object) => object.change === change).length;
  return {
    changes,
    summary: {
      objects: {
        added: of('added'),
        removed: of('removed'),
        changed: of('changed'),
        withoutEffect: withoutEffect.length,
      },
      requestsCompared,
      widened: count('widened'),
      weakened: count('weakened'),
      narrowed: count('narrowed'),
      rerouted: count('rerouted'),
      unclear: count('unclear'),
      refusedOtherwise: count('refused-otherwise'),
    },
    withoutEffect,
    complete: undecided.length === 0 && beyond.size === 0,
    undecided,
    settings,
    notes,
  };
}
