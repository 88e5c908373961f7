/** Classes of requests in words. */
import { push } from '../model/objects';
import { rangesText } from './address-parts';
import type { Literal } from './members';
import { keyOf, type About } from './universe';

/** A region in words. */
export function regionText(region: readonly (Literal & { readonly dimension: About })[]): string {
  if (region.length === 0) return 'every request';
  const byDimension = new Map<string, Literal[]>();
  for (const one of region) push(byDimension, isAnswer(one) && !one.holds ? `not ${keyOf(one.dimension)}` : keyOf(one.dimension), one); // prettier-ignore
  return [...byDimension]
    .map(([name, conditions]) =>
      conditions.some(isAnswer) ? name : `${name} ${conditions.map(conditionText).join(' and ')}`,
    )
    .join(', ');
}

/** The question of an answer is a sentence of its own. */
function isAnswer(one: Literal & { readonly dimension?: About }): boolean {
  return one.dimension?.kind === 'open';
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
