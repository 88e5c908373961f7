/** Whether any text fulfils some conditions at once, and which one is the plainest. */
import { evaluate, type Matcher } from '../trace/matcher';
import type { Budget } from './budget';
import { ALL, automaton, DEAD, FIRST, LAST, TooLarge, type Automaton } from './automata';

/** A matcher that holds, or one that does not. */
export interface Literal {
  readonly matcher: Matcher;
  readonly holds: boolean;
  /** What the matcher says of a request that has no such thing. */
  readonly whenAbsent: boolean;
}

export interface Universe {
  /** What all texts fulfil. */
  readonly all: readonly Matcher[];
  readonly none: readonly Matcher[];
  /** Whether a request may do without. */
  readonly mayBeAbsent: boolean;
  /** Texts that people would write, plainest first. */
  readonly plain: readonly string[];
  /** Texts that are none of it, of which there are too many to list. */
  readonly isTaken?: (text: string) => boolean;
  /** Of claims, which are JSON: whether they may be lists of texts, or are one text. */
  readonly claim?: 'text' | 'any';
}

export type Member =
  | { readonly is: 'member'; readonly text: string | undefined }
  | { readonly is: 'none' }
  | { readonly is: 'undecided'; readonly why: string };

const MOST_PLACES = 20_000;

/**
 * The plainest text of a universe that fulfils conditions; no text is one, where a request may do without. What it takes is charged to a
 * budget; once that is used up, nothing that has to be searched for is decided.
 */
export function member(literals: readonly Literal[], universe: Universe, budget?: Budget): Member {
  budget?.spend(literals.length);
  if (universe.mayBeAbsent && literals.every(({ holds, whenAbsent }) => holds === whenAbsent))
    return { is: 'member', text: undefined };
  if (universe.claim !== undefined) return claim(literals, universe, budget);
  const isMember = (text: string): boolean =>
    literals.every(({ matcher, holds }) => evaluate(matcher, text) === holds) && isWithin(text, universe);
  const held = literals.filter(({ holds }) => holds).map(({ matcher }) => matcher);
  for (const one of held)
    if (one.is === 'exact' && one.folds !== true)
      return isMember(one.value) ? { is: 'member', text: one.value } : { is: 'none' };
  const guess = [...held.flatMap(guesses), ...universe.plain].find(isMember);
  return guess === undefined ? search(literals, universe, budget) : { is: 'member', text: guess };
}

/** A claim that fulfils conditions: one text where it has to be one, else a text for each condition that holds. */
function claim(literals: readonly Literal[], universe: Universe, budget: Budget | undefined): Member {
  const { claim: _, ...ofTexts } = universe;
  const own: Universe = { ...ofTexts, mayBeAbsent: false };
  const about = literals.flatMap(({ matcher, ...literal }) => (matcher.is === 'some' ? [{ ...literal, matcher: matcher.of }] : [])); // prettier-ignore
  const failing = about.filter(({ holds }) => !holds);
  const held = about.filter(({ holds }) => holds);
  const asList = literals.find(({ matcher }) => matcher.is === 'list')?.holds;
  if (literals.some(({ matcher, holds }) => matcher.is === 'present' && !holds)) return { is: 'none' };
  if (universe.claim === 'text' || asList === false) {
    if (asList === true) return { is: 'none' };
    const found = member(about, own, budget);
    return found.is === 'member' ? { is: 'member', text: JSON.stringify(found.text) } : found;
  }
  const texts: string[] = [];
  for (const one of held) {
    if (texts.some((text) => evaluate(one.matcher, text))) continue;
    const found = member([one, ...failing], own, budget);
    if (found.is !== 'member') return found;
    texts.push(found.text ?? '');
  }
  const [first] = texts;
  const isText = asList === undefined && texts.length === 1 && first !== undefined && !first.includes(' ');
  return { is: 'member', text: JSON.stringify(isText ? first : texts) };
}

/** Whether a text is one of a universe. */
export function isWithin(text: string, { all, none, isTaken }: Universe): boolean {
  return (
    all.every((one) => evaluate(one, text)) && !none.some((one) => evaluate(one, text)) && isTaken?.(text) !== true
  );
}

/** Texts that a matcher is likely to be about. */
function guesses(matcher: Matcher): readonly string[] {
  switch (matcher.is) {
    case 'exact':
      return [matcher.value];
    case 'prefix':
      return [matcher.value, `${matcher.value}x`];
    case 'suffix':
      return [matcher.value, `x${matcher.value}`];
    case 'any of':
      return matcher.of.flatMap(guesses);
    default:
      return [];
  }
}

interface Place {
  readonly states: readonly number[];
  readonly text: string;
}

/** A shortest text, found by walking all conditions side by side: if none is found there is none. */
function search(literals: readonly Literal[], { all, none, isTaken }: Universe, budget: Budget | undefined): Member {
  try {
    const holding = [...all, ...literals.filter(({ holds }) => holds).map(({ matcher }) => matcher)].map(automaton);
    const failing = [...none, ...literals.filter(({ holds }) => !holds).map(({ matcher }) => matcher)].map(automaton);
    const walked = [...holding, ...failing];
    const isHolding = walked.map((_one, index) => index < holding.length);
    const alphabet = charactersOf(walked);
    const isHopeless = (states: readonly number[]): boolean =>
      states.some((state, index) => state === (isHolding[index] === true ? DEAD : ALL));
    const start = walked.map((one) => one.start);
    const seen = new Set<string>([start.join()]);
    let open: readonly Place[] = isHopeless(start) ? [] : [{ states: start, text: '' }];
    while (open.length > 0) {
      const next: Place[] = [];
      for (const { states, text } of open) {
        const isFound = states.every(
          (state, index) => (walked[index] as Automaton).accepts(state) === isHolding[index],
        );
        if (isFound && isTaken?.(text) === true)
          return {
            is: 'undecided',
            why: `of the names that it could be, only ${text} was found, which has objects of its own`,
          };
        if (isFound) return { is: 'member', text };
        if (budget?.isSpent === true) return { is: 'undecided', why: budget.why };
        budget?.spend(alphabet.length * walked.length);
        for (const code of alphabet) {
          const onward = states.map((state, index) => (walked[index] as Automaton).step(state, code));
          if (isHopeless(onward)) continue;
          const key = onward.join();
          if (seen.has(key)) continue;
          if (seen.size >= MOST_PLACES)
            return { is: 'undecided', why: `the conditions on it make more than ${MOST_PLACES} cases` };
          seen.add(key);
          next.push({ states: onward, text: text + String.fromCharCode(code) });
        }
      }
      open = next;
    }
    return { is: 'none' };
  } catch (error) {
    if (error instanceof TooLarge) return { is: 'undecided', why: error.message };
    throw error;
  }
}

/** One character of each kind that the automata tell apart, the plainest first. */
function charactersOf(automata: readonly Automaton[]): readonly number[] {
  const cuts = new Set<number>([FIRST]);
  for (const one of automata) for (const cut of one.cuts) if (cut > FIRST && cut <= LAST) cuts.add(cut);
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted
    .map((from, index) => plainest(from, (sorted[index + 1] ?? LAST + 1) - 1))
    .sort((a, b) => plainness(a) - plainness(b) || a - b);
}

function plainest(from: number, to: number): number {
  let best = from;
  for (let code = from; code <= to; code += 1) if (plainness(code) < plainness(best)) best = code;
  return best;
}

function plainness(code: number): number {
  if (code === 120) return 0; // x, which stands for anything
  if (code >= 97 && code <= 122) return 1;
  if (code >= 48 && code <= 57) return 2;
  if (code >= 65 && code <= 90) return 3;
  return code === 45 || code === 46 || code === 47 || code === 95 ? 4 : 5;
}
