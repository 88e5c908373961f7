/** Conditions on one text of a request, as values: whoever explores requests reads in them what sets requests apart. */
import { contains, prefixLength } from '../model/addresses';
import { list, type Json } from '../model/fields';
import { expression } from '../model/re2';

/** `folds`: letters of either case are alike, as Envoy's `ignore_case` has it. */
export type Matcher =
  | { readonly is: 'exact' | 'prefix' | 'suffix'; readonly value: string; readonly folds?: boolean }
  /** RE2, against the whole. */
  | { readonly is: 'regex'; readonly pattern: string }
  /** Any text, an empty one too. */
  | { readonly is: 'present' }
  | { readonly is: 'any of'; readonly of: readonly Matcher[] }
  /** Of a claim, which is JSON: whether it, or one of its list, is a text that `of` takes; whether it is a list. */
  | { readonly is: 'some'; readonly of: Matcher }
  | { readonly is: 'list' }
  /** Of an address: the narrowest range that it is in, of both lists, is one of `ranges`. */
  | { readonly is: 'within'; readonly ranges: readonly string[]; readonly except: readonly string[] }
  /** What `of` says of the text without its first `drop` characters and with `put` before the rest. */
  | { readonly is: 'rewritten'; readonly drop: number; readonly put: string; readonly of: Matcher };

export const PRESENT: Matcher = { is: 'present' };

export function exact(value: string, folds = false): Matcher {
  return folds ? { is: 'exact', value, folds } : { is: 'exact', value };
}

export function prefix(value: string, folds = false): Matcher {
  return folds ? { is: 'prefix', value, folds } : { is: 'prefix', value };
}

export function suffix(value: string, folds = false): Matcher {
  return folds ? { is: 'suffix', value, folds } : { is: 'suffix', value };
}

export function regex(pattern: string): Matcher {
  return { is: 'regex', pattern };
}

export function anyOf(...of: readonly Matcher[]): Matcher {
  return of.length === 1 && of[0] !== undefined ? of[0] : { is: 'any of', of };
}

/** A path as a prefix by segments takes it: the prefix itself, and what is below it. */
export function pathPrefix(value: string, folds = false): Matcher {
  const plain = value.replace(/\/$/, '');
  return plain === '' ? prefix('/') : anyOf(exact(plain, folds), prefix(`${plain}/`, folds));
}

/** A `StringMatch` of Istio's; undefined for one that says nothing and so takes everything. */
export function stringMatch(match: Json): Matcher | undefined {
  if (typeof match.exact === 'string') return exact(match.exact);
  if (typeof match.prefix === 'string') return prefix(match.prefix);
  return typeof match.regex === 'string' ? regex(match.regex) : undefined;
}

export function evaluate(matcher: Matcher, text: string): boolean {
  switch (matcher.is) {
    case 'exact':
      return folded(matcher, text) === folded(matcher, matcher.value);
    case 'prefix':
      return folded(matcher, text).startsWith(folded(matcher, matcher.value));
    case 'suffix':
      return folded(matcher, text).endsWith(folded(matcher, matcher.value));
    case 'regex':
      return expression(matcher.pattern)?.matches(text) ?? false;
    case 'present':
      return true;
    case 'any of':
      return matcher.of.some((one) => evaluate(one, text));
    case 'some':
      return textsOf(text).some((one) => evaluate(matcher.of, one));
    case 'list':
      return Array.isArray(JSON.parse(text));
    case 'within':
      return isWithinRanges(matcher, text);
    case 'rewritten':
      return evaluate(matcher.of, matcher.put + text.slice(matcher.drop));
  }
}

/** The texts of a claim: its own, or those of its list. */
export function textsOf(claim: string): readonly string[] {
  const value: unknown = JSON.parse(claim);
  return list(Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');
}

function isWithinRanges(
  { ranges, except }: { readonly ranges: readonly string[]; readonly except: readonly string[] },
  address: string,
): boolean {
  const widthIn = (of: readonly string[]): number =>
    Math.max(-1, ...of.filter((range) => contains(range, address)).map(prefixLength));
  const own = widthIn(ranges);
  return own >= 0 && own > widthIn(except);
}

function folded({ folds }: { readonly folds?: boolean }, text: string): string {
  return folds === true ? text.toLowerCase() : text;
}
