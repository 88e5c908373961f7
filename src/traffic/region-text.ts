/** Classes of requests in words. */
import { push } from '../model/objects';
import { rangesText } from './address-parts';
import type { Literal } from './members';
import { APART, questionOf } from './questions';
import { keyOf, type About } from './universe';

/** A region in words. */
export function regionText(region: readonly (Literal & { readonly dimension: About })[]): string {
  if (region.length === 0) return 'every request';
  const byDimension = new Map<string, Literal[]>();
  for (const one of region) push(byDimension, isAnswer(one) && !one.holds ? `not ${keyOf(one.dimension)}` : keyOf(one.dimension), one); // prettier-ignore
  const words = [...byDimension]
    .filter(([, conditions]) => conditions.some(isAnswer))
    .map(([name]) => questionOf(name));
  return [...byDimension]
    .map(([name, conditions]) =>
      conditions.some(isAnswer) ? answerText(name, words) : `${name} ${conditionsText(conditions)}`,
    )
    .join(', ');
}

/** An answer; of two questions with the same words each has all that sets them apart. */
function answerText(name: string, words: readonly string[]): string {
  const own = questionOf(name);
  const plain = own.replace(/^not /, '');
  return words.filter((one) => one.replace(/^not /, '') === plain).length === 1 ? own : name.replace(APART, ', ');
}

/** The question of an answer is a sentence of its own. */
function isAnswer(one: Literal & { readonly dimension?: About }): boolean {
  return one.dimension?.kind === 'open';
}

/** What holds comes first. */
function conditionsText(conditions: readonly Literal[]): string {
  return [...conditions].sort((a, b) => Number(b.holds) - Number(a.holds)).map(conditionText).join(' and '); // prettier-ignore
}

function conditionText({ matcher, holds }: Literal): string {
  return `${holds ? '' : 'not '}${matcherText(matcher)}`;
}

export function matcherText(matcher: Literal['matcher']): string {
  switch (matcher.is) {
    case 'exact':
      return `${JSON.stringify(matcher.value)}${inAnyCase(matcher)}`;
    case 'prefix':
      return `${matcher.value}*${inAnyCase(matcher)}`;
    case 'suffix':
      return `*${matcher.value}${inAnyCase(matcher)}`;
    case 'regex':
      return `matching ${matcher.pattern}`;
    case 'present':
      return 'present';
    case 'any of':
      return `one of (${matcher.of.map(matcherText).join(', ')})`;
    case 'some':
      return matcherText(matcher.of);
    case 'list':
      return 'a list';
    case 'within':
      return withinText(rangesText(matcher.ranges), rangesText(matcher.except));
    case 'rewritten':
      return `becoming ${matcherText(matcher.of)} with ${JSON.stringify(matcher.put)} for its first ${matcher.drop} characters`;
  }
}

function inAnyCase({ folds = false }: { readonly folds?: boolean }): string {
  return folds ? ' in any case' : '';
}

function withinText(ranges: string, except: string): string {
  const parts = [...(ranges === '' ? [] : [`in ${ranges}`]), ...(except === '' ? [] : [`outside of ${except}`])];
  return parts.join(' and ') || 'of any range';
}
