/** Matchers as deterministic automata over characters, made state by state as they are walked: no product is ever built whole. */
import { consumes, expression, holds, isWord, OP, type Instruction } from '../model/re2';
import type { Matcher } from '../trace/matcher';

/** No text from here on is taken. */
export const DEAD = -1;
/** Every text from here on is taken. */
export const ALL = -2;

export interface Automaton {
  readonly start: number;
  readonly step: (state: number, code: number) => number;
  readonly accepts: (state: number) => boolean;
  /** Characters at which it may begin to treat characters otherwise than those before. */
  readonly cuts: readonly number[];
}

/** A matcher that cannot be walked, and why. */
export class TooLarge extends Error {}

const MOST_STATES = 4000;
/** Instructions of one expression that are looked at, all its states together. */
const MOST_INSTRUCTIONS = 20_000_000;

const known = new Map<string, Automaton>();
const MOST_KNOWN = 2000;

/** @throws TooLarge */
export function automaton(matcher: Matcher): Automaton {
  const key = JSON.stringify(matcher);
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= MOST_KNOWN) known.clear();
  const made = make(matcher);
  known.set(key, made);
  return made;
}

function make(matcher: Matcher): Automaton {
  switch (matcher.is) {
    case 'present':
      return { start: ALL, step: () => ALL, accepts: () => true, cuts: [] };
    case 'exact':
      return ofText(matcher.value, matcher.folds === true, false);
    case 'prefix':
      return ofText(matcher.value, matcher.folds === true, true);
    case 'suffix':
      return ofSuffix(matcher.value, matcher.folds === true);
    case 'regex':
      return ofExpression(matcher.pattern);
    case 'any of':
      return ofAny(matcher.of.map(automaton));
    case 'some':
    case 'list':
      throw new TooLarge('a claim is no text that could be walked');
    case 'within':
      throw new TooLarge('an address is no text that could be walked');
    case 'rewritten':
      return ofRewritten(automaton(matcher.of), matcher.drop, matcher.put);
  }
}

function fold(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}

/** The characters themselves, and those after them: what is between two cuts is alike. */
function cutsOf(text: string, folds: boolean): readonly number[] {
  const cuts: number[] = [];
  for (const char of folds ? text.toLowerCase() + text.toUpperCase() : text) {
    const code = char.charCodeAt(0);
    cuts.push(code, code + 1);
  }
  return cuts;
}

function ofText(given: string, folds: boolean, isPrefix: boolean): Automaton {
  const text = folds ? given.toLowerCase() : given;
  const end = isPrefix ? ALL : text.length;
  return {
    start: text.length === 0 ? end : 0,
    step: (state, code) => {
      if (state < 0) return state;
      if (text.charCodeAt(state) !== (folds ? fold(code) : code)) return DEAD;
      return state + 1 === text.length ? end : state + 1;
    },
    accepts: (state) => state === end,
    cuts: cutsOf(text, folds),
  };
}

/** How much of the suffix the text ends with so far (Knuth, Morris, Pratt). */
function ofSuffix(given: string, folds: boolean): Automaton {
  const text = folds ? given.toLowerCase() : given;
  if (text === '') return automaton({ is: 'present' });
  const borders = [0];
  for (let at = 1, border = 0; at < text.length; at += 1) {
    while (border > 0 && text[at] !== text[border]) border = borders[border - 1] ?? 0;
    if (text[at] === text[border]) border += 1;
    borders.push(border);
  }
  return {
    start: 0,
    step: (state, given) => {
      const code = folds ? fold(given) : given;
      let at = state === text.length ? (borders[state - 1] ?? 0) : state;
      while (at > 0 && text.charCodeAt(at) !== code) at = borders[at - 1] ?? 0;
      return text.charCodeAt(at) === code ? at + 1 : 0;
    },
    accepts: (state) => state === text.length,
    cuts: cutsOf(text, folds),
  };
}

/** States that are found as they are walked, each by its key. */
class States<T> {
  private readonly numbers = new Map<string, number>();
  private readonly states: T[] = [];
  private readonly steps: Map<number, number>[] = [];

  public number(key: string, make: () => T): number {
    const found = this.numbers.get(key);
    if (found !== undefined) return found;
    if (this.states.length >= MOST_STATES) throw new TooLarge(`an expression makes more than ${MOST_STATES} states`);
    this.states.push(make());
    this.steps.push(new Map());
    this.numbers.set(key, this.states.length - 1);
    return this.states.length - 1;
  }

  public at(state: number): T {
    return this.states[state] as T;
  }

  public step(state: number, code: number, make: () => number): number {
    const steps = this.steps[state] as Map<number, number>;
    const found = steps.get(code);
    if (found !== undefined) return found;
    const made = make();
    steps.set(code, made);
    return made;
  }
}

interface Places {
  /** Instructions before what consumes nothing has been followed: some of that hangs on the next character. */
  readonly at: readonly number[];
  readonly before: number;
}

function ofExpression(pattern: string): Automaton {
  const program = expression(pattern)?.program;
  if (program === undefined) throw new TooLarge(`the expression ${pattern} cannot be followed`);
  const { instructions } = program;
  const states = new States<Places>();
  let looked = 0;
  const reachedFrom = ({ at, before }: Places, after: number): readonly number[] => {
    const found = reached(instructions, at, before, after);
    looked += found.length + at.length;
    if (looked > MOST_INSTRUCTIONS) throw new TooLarge(`an expression takes more than ${MOST_INSTRUCTIONS} steps`);
    return found;
  };
  // What a step hangs on of the character before is whether there was one, and whether it belongs to a word.
  const place = (at: readonly number[], before: number): number =>
    states.number(`${at.join()} ${Number.isNaN(before) ? '' : isWord(before)}`, () => ({ at, before }));
  return {
    start: place([program.start], NaN),
    step: (state, code) =>
      state < 0
        ? state
        : states.step(state, code, () => {
            const next = new Set<number>();
            for (const pc of reachedFrom(states.at(state), code)) {
              const one = instructions[pc] as Instruction;
              if (one.op !== OP.match && consumes(one, code)) next.add(one.out);
            }
            return next.size === 0
              ? DEAD
              : place(
                  [...next].sort((a, b) => a - b),
                  code,
                );
          }),
    accepts: (state) => {
      if (state < 0) return state === ALL;
      return reachedFrom(states.at(state), NaN).some((pc) => instructions[pc]?.op === OP.match);
    },
    cuts: instructions.flatMap(cutsOfInstruction),
  };
}

/** All instructions that consume a character or end the match, from some before. */
function reached(
  instructions: readonly Instruction[],
  from: readonly number[],
  before: number,
  after: number,
): readonly number[] {
  const seen = new Set<number>();
  const open = [...from];
  const found: number[] = [];
  for (let pc = open.pop(); pc !== undefined; pc = open.pop()) {
    if (seen.has(pc)) continue;
    seen.add(pc);
    const one = instructions[pc] as Instruction;
    if (one.op === OP.alternative || one.op === OP.alternativeMatch) open.push(one.out, one.arg);
    else if (one.op === OP.nothing || one.op === OP.capture) open.push(one.out);
    else if (one.op === OP.emptyWidth) {
      if (holds(one.arg, before, after)) open.push(one.out);
    } else if (one.op !== OP.fail) found.push(pc);
  }
  return found;
}

function cutsOfInstruction(one: Instruction): readonly number[] {
  // Words and letters of either case are asked for in ways that do not show in the instruction.
  if (one.op === OP.emptyWidth) return WORD_CUTS;
  if (one.op !== OP.rune && one.op !== OP.rune1) return [];
  const cuts: number[] = [];
  let was = false;
  for (let code = FIRST; code <= LAST + 1; code += 1) {
    const is = code <= LAST && one.matchRune(code);
    if (is !== was) cuts.push(code);
    was = is;
  }
  return cuts;
}

/** Printable characters of ASCII: of what else there is, requests are not explored. */
export const FIRST = 0x20;
export const LAST = 0x7e;
const WORD_CUTS = [48, 58, 65, 91, 95, 96, 97, 123];

function ofAny(parts: readonly Automaton[]): Automaton {
  const states = new States<readonly number[]>();
  const place = (at: readonly number[]): number => {
    if (at.includes(ALL)) return ALL;
    return at.every((one) => one === DEAD) ? DEAD : states.number(at.join(), () => at);
  };
  return {
    start: place(parts.map(({ start }) => start)),
    step: (state, code) =>
      state < 0
        ? state
        : states.step(state, code, () =>
            place(states.at(state).map((own, index) => (parts[index] as Automaton).step(own, code))),
          ),
    accepts: (state) =>
      state < 0 ? state === ALL : states.at(state).some((own, index) => (parts[index] as Automaton).accepts(own)),
    cuts: parts.flatMap(({ cuts }) => cuts),
  };
}

/** What is dropped is counted; then the other begins, with what is put before the rest behind it. */
function ofRewritten(of: Automaton, drop: number, put: string): Automaton {
  let begun = of.start;
  for (const char of put) begun = of.step(begun, char.charCodeAt(0));
  const offset = drop;
  // States of the other are numbered after those that count.
  const shifted = (state: number): number => (state < 0 ? state : state + offset);
  return {
    start: drop === 0 ? shifted(begun) : 0,
    step: (state, code) => {
      if (state < 0) return state;
      if (state < offset) return state + 1 === drop ? shifted(begun) : state + 1;
      return shifted(of.step(state - offset, code));
    },
    accepts: (state) => {
      if (state < 0) return state === ALL;
      return of.accepts(state < offset ? begun : state - offset);
    },
    cuts: of.cuts,
  };
}
