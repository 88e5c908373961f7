/**
 * Listeners that Envoy Gateway calls in conflict, and does not program (validateConflicted… of internal/gatewayapi/validate.go). Where
 * proxies are shared by several Gateways, listeners of one may be in conflict with those of another.
 */
import type { ApiListener } from './gateway-api';
import type { ListenerProblem } from './listener-problems';
import type { EnvoyGatewayBehavior } from './release-behavior';

type Listener = Pick<ApiListener, 'name' | 'port' | 'protocol' | 'hostname' | 'problem' | 'set'>;

/** A Gateway with its listeners, own ones before those of sets. */
export interface Contender {
  /** `namespace/name`. */
  readonly name: string;
  readonly listeners: readonly Listener[];
}

interface Conflict {
  readonly problem: ListenerProblem;
  /** Whether another listener has its hostname in its place. */
  readonly lostHostname?: boolean;
}

type Conflicts = Map<Listener, Conflict>;

/** HTTPS and TLS may share a port, since SNI tells them apart. */
const family = ({ protocol }: Listener): string =>
  protocol === 'HTTPS' || protocol === 'TLS' ? 'HTTPS/TLS' : protocol;

const isStream = ({ protocol }: Listener): boolean => protocol === 'TCP' || protocol === 'UDP';

const setOf = ({ set }: Listener): string => (set === undefined ? '' : `${set.namespace}/${set.name}`);

/** Why listeners are in conflict with others; those that are in none are not in it. */
export function conflictsAmong(
  contenders: readonly Contender[],
  merged: boolean,
  behavior: EnvoyGatewayBehavior,
): ReadonlyMap<Listener, Conflict> {
  const found: Conflicts = new Map();
  // Before 1.8 listeners that are not valid by themselves are in conflict as well.
  const counting = behavior.sparesInvalidListeners
    ? contenders.map((one) => ({ ...one, listeners: one.listeners.filter(({ problem }) => problem === undefined) }))
    : contenders;
  const losers = behavior.comparesProtocolsOfStreams ? protocolConflicts(counting, merged, behavior, found) : new Set();
  for (const { listeners } of counting) {
    const http = listeners.filter((one) => !isStream(one));
    if (!behavior.prefersOwnListeners) mixedFamilies(http, found);
    sameHostnames(behavior.prefersOwnListeners ? http.filter((one) => !losers.has(one)) : http, behavior, found);
    for (const protocol of ['TCP', 'UDP']) laterStreams(listeners, protocol, found);
  }
  if (merged) ofOtherGateways(counting, found);
  return found;
}

function groupBy<K>(listeners: readonly Listener[], key: (listener: Listener) => K): readonly (readonly Listener[])[] {
  const groups = new Map<K, Listener[]>();
  for (const listener of listeners) {
    const group = groups.get(key(listener));
    if (group === undefined) groups.set(key(listener), [listener]);
    else group.push(listener);
  }
  return [...groups.values()];
}

function mixed(listener: Listener, other: Listener, neither: boolean): Conflict {
  const { port, protocol } = listener;
  return { problem: { is: 'other-protocol-on-port', rival: other.name, neither, port, protocol, other: other.protocol } }; // prettier-ignore
}

/** Plain HTTP beside HTTPS or TLS: none is programmed (validateConflictedLayer7Listeners, up to 1.8). */
function mixedFamilies(http: readonly Listener[], found: Conflicts): void {
  for (const sharing of groupBy(http, ({ port }) => port)) {
    for (const listener of sharing) {
      const other = sharing.find((one) => family(one) !== family(listener));
      if (other !== undefined) found.set(listener, mixed(listener, other, true));
    }
  }
}

/** Protocols of a port that do not go together, TCP among them (validateConflictedProtocolsListeners, since 1.8). */
function protocolConflicts(
  contenders: readonly Contender[],
  merged: boolean,
  { prefersOwnListeners }: EnvoyGatewayBehavior,
  found: Conflicts,
): ReadonlySet<Listener> {
  const losers = new Set<Listener>();
  const judge = (listeners: readonly Listener[]): void => {
    for (const sharing of groupBy(
      listeners.filter(({ protocol }) => protocol !== 'UDP'),
      ({ port }) => port,
    )) {
      // prettier-ignore
      if (new Set(sharing.map(family)).size < 2) continue;
      const own = sharing.filter(({ set }) => set === undefined);
      const disagree = prefersOwnListeners ? new Set(own.map(family)).size > 1 : own.length > 1;
      const split = (set: string): boolean =>
        prefersOwnListeners && new Set(sharing.filter((one) => setOf(one) === set).map(family)).size > 1;
      let winner = disagree || own[0] === undefined ? undefined : family(own[0]);
      for (const listener of sharing) {
        const unites = listener.set !== undefined && own.length === 0 && split(setOf(listener));
        if (!disagree && !unites) winner ??= family(listener);
        if (!disagree && !unites && family(listener) === winner) continue;
        const other = sharing.find((one) => family(one) !== family(listener)) ?? listener;
        losers.add(listener);
        if (!found.has(listener)) found.set(listener, mixed(listener, other, disagree || unites));
      }
    }
  };
  for (const { listeners } of contenders) judge(listeners);
  if (merged) judge(contenders.flatMap(({ listeners }) => listeners));
  return losers;
}

/** One hostname twice: none is programmed; since 1.8.2 a Gateway's only one goes before those of sets, and else the first of several sets. */
function sameHostnames(
  http: readonly Listener[],
  { prefersOwnHostnames, prefersOwnListeners }: EnvoyGatewayBehavior,
  found: Conflicts,
): void {
  for (const sharing of groupBy(http, ({ port, hostname }) => `${port} ${hostname}`)) {
    if (sharing.length < 2) continue;
    const own = sharing.filter(({ set }) => set === undefined);
    const sets = sharing.filter(({ set }) => set !== undefined).map(setOf);
    const winner = !prefersOwnHostnames || own.length > 1 ? undefined : (own[0] ?? (new Set(sets).size < sets.length ? undefined : sharing[0])); // prettier-ignore
    for (const listener of sharing) {
      if (listener === winner || found.has(listener)) continue;
      const other = winner ?? sharing.find((one) => one !== listener) ?? listener;
      found.set(listener, {
        problem: { is: 'same-hostname-on-port', rival: other.name, neither: winner === undefined, port: listener.port, hostname: listener.hostname }, // prettier-ignore
        ...(winner === undefined || !prefersOwnListeners ? {} : { lostHostname: true }),
      });
    }
  }
}

/** Of TCP, and of UDP, the first of a port counts (validateConflictedLayer4Listeners). */
function laterStreams(listeners: readonly Listener[], protocol: string, found: Conflicts): void {
  for (const [first, ...rest] of groupBy(
    listeners.filter((one) => one.protocol === protocol),
    ({ port }) => port,
  ))
    // prettier-ignore
    for (const listener of rest)
      if (!found.has(listener))
        found.set(listener, { problem: { is: 'port-taken', rival: first?.name ?? '', port: listener.port, protocol } });
}

/** Of listeners with one port, protocol and hostname the first is programmed (validateConflictedMergedListeners). */
function ofOtherGateways(contenders: readonly Contender[], found: Conflicts): void {
  const taken = new Map<string, Contender>();
  for (const contender of contenders) {
    for (const listener of contender.listeners) {
      const { name, port, protocol, hostname } = listener;
      const key = `${protocol} ${port} ${hostname}`;
      const owner = taken.get(key);
      if (owner === undefined) taken.set(key, contender);
      else if (!found.has(listener))
        found.set(listener, { problem: { is: 'same-at-shared-proxies', gateway: owner.name, listener: name, port, protocol, hostname } }); // prettier-ignore
    }
  }
}
