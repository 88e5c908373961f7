/**
 * Requests whose way hangs on the address that their client dials, where the name says none: a NetworkPolicy lets a block pass, a sidecar
 * captures a range. Such requests are explored once for each part of all addresses that objects tell apart.
 */
import type { Mesh } from '../model/mesh';
import type { Trace } from '../trace/types';
import { partsBeyond, unclaimedParts, type Part } from './address-parts';
import type { Condition, Exploration } from './exploration';
import type { Target } from './universe';

/** Of more parts it stays unknown how requests to a name fare: each is every host once more. Connections by address are followed at each. */
const MOST_PARTS = 16;

const OPEN = new Set(['capture-by-address', 'network-policy-by-address']);

/** Whether a trace ends as it does for want of the address that is dialled. */
export function hangsOnAddress({ outcome, noted }: Trace): boolean {
  return outcome === 'unknown' && noted.some(({ kind }) => OPEN.has(kind));
}

/**
 * @param explore explores a target
 * @param traces those of one class
 */
export function exploreByAddress<T>(
  meshes: readonly Mesh[],
  target: Target,
  explore: (target: Target) => Exploration<T>,
  traces: (followed: T) => readonly Trace[],
): Exploration<T> {
  if (target.address !== undefined) return explore(target);
  if (target.parts?.length === 1) return explore({ ...target, address: target.parts[0]?.address ?? '' });
  if (target.parts !== undefined) {
    const found = together(target.parts.map((part) => exploreAt(part, target, explore)));
    // Those of a host are all followed.
    const further = target.host === '*' ? partsBeyond(meshes) : undefined;
    return further === undefined ? found : { ...found, undecided: [...found.undecided, { ...further, region: [] }] };
  }
  const whole = explore(target);
  if (!isOpen(whole, traces)) return whole;
  const all = unclaimedParts(meshes);
  if (all.length > MOST_PARTS) return whole;
  const parts = all.map((part) => exploreAt(part, target, explore));
  // Where no address helps, what is open is the address of somebody else.
  if (parts.every((one) => isOpen(one, traces))) return whole;
  const found = together(parts);
  return { ...found, followed: whole.followed + found.followed };
}

function isOpen<T>({ classes }: Exploration<T>, traces: (followed: T) => readonly Trace[]): boolean {
  return classes.some(({ followed }) => traces(followed).some(hangsOnAddress));
}

/** Explores a target at one part of its addresses. */
function exploreAt<T>(
  { address, within }: Part,
  target: Target,
  explore: (target: Target) => Exploration<T>,
): Exploration<T> {
  const own: Condition = {
    dimension: { kind: 'address', name: '' },
    matcher: within(),
    holds: true,
    whenAbsent: false,
  };
  const { classes, undecided, ...found } = explore({ ...target, address });
  return {
    ...found,
    classes: classes.map((one) => ({ ...one, region: [own, ...one.region] })),
    undecided: undecided.map((one) => ({ ...one, region: [own, ...one.region] })),
  };
}

function together<T>(parts: readonly Exploration<T>[]): Exploration<T> {
  return {
    classes: parts.flatMap(({ classes }) => classes),
    undecided: parts.flatMap(({ undecided }) => undecided),
    followed: parts.reduce((sum, { followed }) => sum + followed, 0),
    offered: [...new Set(parts.flatMap(({ offered }) => offered))],
    hostAsked: parts.flatMap(({ hostAsked }) => hostAsked),
  };
}
