/**
 * What no manifest tells and both sides of a change have alike: the labels of a namespace, where a client is, whether a password is right. Supposed
 * to be so and not so, it is a dimension as any other; where all that is supposed fares as before, nothing hangs on it.
 */
import { addressAt, ANY_ADDRESS, bitsOf, isAddress, prefixLength } from '../model/addresses';
import type { Ask, Dimension, Supposed } from '../trace/ask';
import { evaluate, PRESENT, type Matcher } from '../trace/matcher';
import type { Condition } from './exploration';
import type { Literal, Member } from './members';
import { APART } from './questions';
import { keyOf, type Values } from './universe';

/** Stands for all addresses that nothing asks about. */
const PLAIN = '0.0.0.1';

export function isSupposed({ kind }: Pick<Dimension, 'kind'>): boolean {
  return kind === 'source' || kind === 'open';
}

/** Answers as the values of a request have them, each told to whoever records. */
export function supposedBy(values: Values, asked: (ask: Ask) => void): Supposed {
  const answer = (dimension: Dimension, matcher: Matcher, plain: string | undefined): boolean => {
    const known = values.get(keyOf(dimension));
    const text = known === undefined ? plain : known.text;
    const holds = text !== undefined && evaluate(matcher, text);
    asked({ dimension, matcher, answer: holds, whenAbsent: false });
    return holds;
  };
  return {
    isSo: (question, about) => answer({ kind: 'open', name: about === undefined ? question : `${question}${APART}${about}` }, PRESENT, undefined), // prettier-ignore
    isWithin: (name, block, except) =>
      answer({ kind: 'source', name }, { is: 'within', ranges: [block], except }, PLAIN),
  };
}

/** An answer, or an address, that fulfils conditions. */
export function supposedMember({ kind }: Dimension, literals: readonly Literal[]): Member {
  const fits = (text: string): boolean => literals.every(({ matcher, holds }) => evaluate(matcher, text) === holds);
  if (kind === 'open') {
    if (literals.every(({ holds }) => !holds)) return { is: 'member', text: undefined };
    return fits('so') ? { is: 'member', text: 'so' } : { is: 'none' };
  }
  // Where nobody speaks of the other family, an address is one of IPv4: `0.0.0.0/0` is all of them.
  const all = [PLAIN, ...literals.flatMap(({ matcher }) => bordersOf(matcher))];
  const found = all.filter((one) => !one.includes(':') || literals.some(({ matcher }) => isOfSix(matcher))).find(fits);
  return found === undefined ? { is: 'none' } : { is: 'member', text: found };
}

function isOfSix(matcher: Matcher): boolean {
  return matcher.is === 'within' && [...matcher.ranges, ...matcher.except].some((one) => one.includes(':'));
}

/** Where what blocks say of addresses may change: at the first of each, and behind its last. One address between any two borders stands for all. */
function bordersOf(matcher: Matcher): readonly string[] {
  if (matcher.is !== 'within') return [];
  return [ANY_ADDRESS, '::', ...[...matcher.ranges, ...matcher.except].flatMap(bordersOfBlock)];
}

function bordersOfBlock(block: string): readonly string[] {
  const [network = ''] = block.split('/');
  if (!isAddress(network)) return [];
  const isV4 = !network.includes(':');
  const width = isV4 ? 32 : 128;
  const size = 1n << BigInt(width - prefixLength(block));
  const first = (bitsOf(network) / size) * size;
  const behind = first + size;
  return [addressAt(first, isV4), ...(behind < 1n << BigInt(width) ? [addressAt(behind, isV4)] : [])];
}

/** Answers of a class: those that its conditions tell, and of what they do not the plain ones. */
export function supposing(region: readonly Condition[]): Supposed | undefined {
  const own = region.filter(({ dimension }) => isSupposed(dimension));
  if (own.length === 0) return undefined;
  const values = new Map<string, { readonly dimension: Dimension; readonly text: string | undefined }>();
  for (const { dimension } of own) {
    const about = keyOf(dimension);
    const found = supposedMember(dimension, own.filter((one) => keyOf(one.dimension) === about)); // prettier-ignore
    if (found.is === 'member') values.set(about, { dimension, text: found.text });
  }
  return supposedBy(values, () => undefined);
}
