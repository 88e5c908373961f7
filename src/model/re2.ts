/**
 * Regular expressions as Envoy evaluates them: RE2's syntax and meaning, in time linear in the text. No text from manifests is ever
 * compiled by JavaScript's own RegExp, whose syntax differs and whose time is exponential.
 */
import { RE2JS } from '@bufbuild/re2';

/** One instruction of a compiled expression, as RE2 numbers them. */
export interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly matchRune: (code: number) => boolean;
}

export const OP = {
  alternative: 1,
  alternativeMatch: 2,
  capture: 3,
  emptyWidth: 4,
  fail: 5,
  match: 6,
  nothing: 7,
  rune: 8,
  rune1: 9,
  any: 10,
  anyButNewline: 11,
} as const;

/** Conditions of an instruction that consumes nothing. */
export const WIDTH = {
  beginLine: 1,
  endLine: 2,
  beginText: 4,
  endText: 8,
  wordBoundary: 16,
  noWordBoundary: 32,
} as const;

export interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
}

export interface Expression {
  readonly pattern: string;
  readonly program: Program;
  /** Whether it matches the whole of a text. */
  readonly matches: (text: string) => boolean;
}

/** Longer texts are no expression that anybody wrote by hand; instructions beyond this make every step slow. */
const LONGEST = 8192;
const MOST_INSTRUCTIONS = 5000;

interface Refused {
  readonly why: string;
  /** RE2 takes it: it is we who do not follow it. */
  readonly isTooLarge: boolean;
}

const compiled = new Map<string, Expression | Refused>();
const MOST_REMEMBERED = 4096;

/** An expression; undefined for what RE2 refuses, and for what is too large to follow. */
export function expression(pattern: string): Expression | undefined {
  const known = compile(pattern);
  return 'why' in known ? undefined : known;
}

/** Why RE2 refuses an expression; undefined for one that it takes. */
export function refusalOf(pattern: string): string | undefined {
  const known = compile(pattern);
  return 'why' in known && !known.isTooLarge ? known.why : undefined;
}

function compile(pattern: string): Expression | Refused {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (compiled.size >= MOST_REMEMBERED) compiled.clear();
  const made = compileAnew(pattern);
  compiled.set(pattern, made);
  return made;
}

function compileAnew(pattern: string): Expression | Refused {
  if (pattern.length > LONGEST) return { why: `it is longer than ${LONGEST} characters`, isTooLarge: true };
  try {
    const made = RE2JS.compile(pattern);
    const { inst, start } = made.re2().prog;
    if (inst.length > MOST_INSTRUCTIONS)
      return { why: `it makes a program of ${inst.length} instructions`, isTooLarge: true };
    const answers = new Map<string, boolean>();
    return {
      pattern,
      program: { instructions: inst, start },
      matches: (text) => {
        const known = answers.get(text);
        if (known !== undefined) return known;
        if (answers.size >= MOST_REMEMBERED) answers.clear();
        const answer = made.matches(text);
        answers.set(text, answer);
        return answer;
      },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    return { why, isTooLarge: false };
  }
}

/** Whether an expression matches the whole of a text; undefined if RE2 refuses it. */
export function fullMatch(pattern: string, text: string): boolean | undefined {
  return expression(pattern)?.matches(text);
}

interface Thread {
  readonly pc: number;
  readonly captures: readonly number[];
}

/** Every match replaced, leftmost and preferred first as RE2's GlobalReplace does; `\1` in the replacement is the first group. */
export function replaceAll(pattern: string, text: string, replacement: string): string | undefined {
  const program = expression(pattern)?.program;
  if (program === undefined) return undefined;
  let made = '';
  let at = 0;
  let lastEnd = -1;
  while (at <= text.length) {
    const found = firstMatch(program, text, at);
    if (found === undefined) break;
    const [from = 0, to = 0] = found;
    made += text.slice(at, from);
    if (from === to && from === lastEnd) {
      // An empty match right after another match is none.
      made += text.charAt(from);
      at = from + 1;
      continue;
    }
    made += replacement.replace(/\\([0-9\\])/g, (_whole, digit: string) =>
      digit === '\\' ? '\\' : text.slice(found[2 * Number(digit)] ?? 0, found[2 * Number(digit) + 1] ?? 0),
    );
    lastEnd = to;
    if (from === to) {
      made += text.charAt(to);
      at = to + 1;
    } else at = to;
  }
  return made + text.slice(at);
}

/** Start and end of the leftmost match and of its groups. */
function firstMatch({ instructions, start }: Program, text: string, from: number): readonly number[] | undefined {
  let best: readonly number[] | undefined;
  let current: Thread[] = [];
  for (let at = from; at <= text.length; at += 1) {
    const seen = new Set<number>();
    const threads: Thread[] = [];
    for (const thread of current) follow(instructions, text, at, thread, seen, threads);
    if (best === undefined) follow(instructions, text, at, { pc: start, captures: [at] }, seen, threads);
    current = [];
    for (const { pc, captures } of threads) {
      const one = instructions[pc] as Instruction;
      if (one.op === OP.match) {
        const made = captures.slice();
        made[1] = at;
        best = made;
        break;
      }
      if (at < text.length && consumes(one, text.charCodeAt(at))) current.push({ pc: one.out, captures });
    }
    if (current.length === 0 && best !== undefined) return best;
  }
  return best;
}

/** Where a thread stands once it has taken every step that consumes nothing, preferred ones first. */
function follow(
  instructions: readonly Instruction[],
  text: string,
  at: number,
  first: Thread,
  seen: Set<number>,
  into: Thread[],
): void {
  const open = [first];
  for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
    const { pc, captures } = thread;
    if (seen.has(pc)) continue;
    seen.add(pc);
    const one = instructions[pc] as Instruction;
    if (one.op === OP.alternative || one.op === OP.alternativeMatch)
      open.push({ pc: one.arg, captures }, { pc: one.out, captures });
    else if (one.op === OP.nothing) open.push({ pc: one.out, captures });
    else if (one.op === OP.capture) {
      const own = captures.slice();
      own[one.arg] = at;
      open.push({ pc: one.out, captures: own });
    } else if (one.op === OP.emptyWidth) {
      if (holds(one.arg, text.charCodeAt(at - 1), text.charCodeAt(at))) open.push({ pc: one.out, captures });
    } else if (one.op !== OP.fail) into.push(thread);
  }
}

export function consumes(one: Instruction, code: number): boolean {
  if (one.op === OP.any) return true;
  if (one.op === OP.anyButNewline) return code !== 10;
  return (one.op === OP.rune || one.op === OP.rune1) && one.matchRune(code);
}

/** Whether a condition between two characters holds; NaN stands for the ends of the text. */
export function holds(condition: number, before: number, after: number): boolean {
  const isBegin = Number.isNaN(before);
  const isEnd = Number.isNaN(after);
  const isBoundary = isWord(before) !== isWord(after);
  return (
    ((condition & WIDTH.beginText) === 0 || isBegin) &&
    ((condition & WIDTH.endText) === 0 || isEnd) &&
    ((condition & WIDTH.beginLine) === 0 || isBegin || before === 10) &&
    ((condition & WIDTH.endLine) === 0 || isEnd || after === 10) &&
    ((condition & WIDTH.wordBoundary) === 0 || isBoundary) &&
    ((condition & WIDTH.noWordBoundary) === 0 || !isBoundary)
  );
}

export function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}
