/** What a plain scalar stands for, by the core schema of YAML 1.2 with Go's numbers; undefined where the library must say (`yaml-schema.ts`). */
import type { Interned } from './string-table';

/** With a leading zero they are octal to Kubernetes: `yaml-schema.ts` says it. */
const DIGITS = /^(?:0|[1-9][0-9]{0,14})$/;
const DECIMAL = /^[0-9]{1,10}\.[0-9]{1,10}$/;
/** Whatever might be a number to any reader; most of it is not, but that is for the library to say. */
const NUMBER_LIKE =
  /^[-+]?(?:\.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]*)?|0[xobXOB][0-9a-fA-F_]*|\.[a-zA-Z]{3})$/;
const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...['~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);
const LONGEST_WORD = 5;
const NINE = 57;

export function resolvePlain(source: string): Interned {
  const first = source.charCodeAt(0);
  if (first <= NINE) {
    if (DIGITS.test(source) || DECIMAL.test(source)) return Number(source);
    return NUMBER_LIKE.test(source) ? undefined : source;
  }
  if (source.length > LONGEST_WORD) return source;
  const word = WORDS.get(source);
  return word === undefined ? source : word;
}
