/**
 * Listeners that istiod leaves out because another one of their Gateway has their place (ComputeGatewayListenerConflicts of
 * pilot/pkg/config/kube/gatewaycommon/listener_conflict.go): the Gateway's own go before those of sets, older sets before newer ones.
 */
import type { ApiListener } from './gateway-api';
import type { ListenerProblem } from './listener-problems';
import { config } from './objects';

const isStream = ({ protocol }: ApiListener): boolean => protocol === 'TCP' || protocol === 'UDP';

/** The listeners of a Gateway, its own first, each with what it lost its place to. */
export function withConflictsInIstio(listeners: readonly ApiListener[]): readonly ApiListener[] {
  const kept: ApiListener[] = [];
  const lost = new Map<ApiListener, ListenerProblem>();
  for (const listener of [...listeners].sort(byAgeOfSets)) {
    const rival = kept.find((other) => !areDistinct(listener, other));
    if (rival === undefined) kept.push(listener);
    else lost.set(listener, conflict(listener, rival));
  }
  return lost.size === 0 ? listeners : listeners.map((one) => ({ ...one, problem: lost.get(one) ?? one.problem }));
}

function byAgeOfSets({ set: a }: ApiListener, { set: b }: ApiListener): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const nameOf = ({ namespace, name }: typeof a): string => `${namespace}/${name}`;
  return config(a).created - config(b).created || (nameOf(a) < nameOf(b) ? -1 : 1);
}

function areDistinct(a: ApiListener, b: ApiListener): boolean {
  if (a.port !== b.port) return true;
  // What is told by its hostname, and what is not, do not share a port.
  return !isStream(a) && !isStream(b) && a.hostname !== b.hostname;
}

function conflict({ port, protocol, hostname }: ApiListener, rival: ApiListener): ListenerProblem {
  const set = rival.set === undefined ? null : `${rival.set.namespace}/${rival.set.name}`;
  return { is: 'lost-in-istio', rival: rival.name, set, port, hostname, protocol, other: rival.protocol };
}
