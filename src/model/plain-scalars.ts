/** What a plain scalar stands for, as `yaml-scalars.ts` has it; undefined where that must say. */
import type { Interned } from './string-table';

/** With a leading zero they are octal to Kubernetes: `yaml-scalars.ts` says it. */
const DIGITS = /^(?:0|[1-9][0-9]{0,14})$/;
const DECIMAL = /^[0-9]{1,10}\.[0-9]{1,10}$/;
/** Whatever might be a number to any reader; most of it is not, but that is for the library to say. */
const NUMBER_LIKE =
  /^[-+]?_*(?:\.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]*)?|0[xobXOB][0-9a-fA-F_]*|\.[a-zA-Z]{3})$/;
const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...['~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);
const LONGEST_WORD = 5;
/** What is a boolean to kubectl alone. */
const OLD_BOOLEAN = /^(?:[yY]|[nN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/;
/** What is a point in time to kustomize. */
const DAY = /^[0-9]{4}-/;
const NINE = 57;

export function resolvePlain(source: string): Interned {
  const first = source.charCodeAt(0);
  if (first <= NINE) {
    if (DIGITS.test(source) || DECIMAL.test(source)) return Number(source);
    return NUMBER_LIKE.test(source) || DAY.test(source) ? undefined : source;
  }
  if (source.length > LONGEST_WORD) return source;
  const word = WORDS.get(source);
  return word === undefined ? (OLD_BOOLEAN.test(source) ? undefined : source) : word;
}
