/**
 * The requests that a change is true of, in words: classes of a decision tree put together again where they differ in one answer, each told by what
 * sets it apart.
 */
import type { RegionCondition } from '../diff/types';
import type { Matcher } from '../trace/matcher';
import { questionOf as openQuestion } from '../traffic/questions';
import { matcherText } from '../traffic/region-text';

/** Classes that are told of one change, and about how much text they may take; of more, it is said that there are more. */
const MOST_CLASSES = 3;
const MOST_TEXT = 240;

type Class = readonly RegionCondition[];

const ALL = 'every request';

/** Empty where it is said already: of connections, of which nothing is asked. */
export function classWords(region: readonly Class[]): string {
  const classes = joined(region);
  if (classes.some((one) => one.length === 0)) return ALL;
  const words = sparingPreflights(classes).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const shown = words.filter((_one, at) => at === 0 || (at < MOST_CLASSES && words.slice(0, at + 1).join().length <= MOST_TEXT)); // prettier-ignore
  const more = words.length - shown.length;
  return `${shown.join('; or ')}${more > 0 ? `; or ${more} more (--format json)` : ''}`;
}

/** What sets all requests apart from a browser's question before one of another origin, which filters let pass by themselves. */
const NO_PREFLIGHT = [
  'any method but "OPTIONS"',
  'no header origin',
  'header origin ""',
  'no header access-control-request-method',
  'header access-control-request-method ""',
];

/** The words of classes; those that only a preflight is none of are one. */
function sparingPreflights(classes: readonly Class[]): string[] {
  const isAbout = ({ of, name }: RegionCondition): boolean => of === 'method' || (of === 'header' && ['origin', 'access-control-request-method'].includes(name)); // prettier-ignore
  const groups = new Map<string, string[]>();
  for (const one of classes) {
    const rest = wordsOf(one.filter((condition) => !isAbout(condition)));
    groups.set(rest, [...(groups.get(rest) ?? []), wordsOf(one.filter(isAbout))]);
  }
  return [...groups].flatMap(([rest, own]) => {
    const isPlain = NO_PREFLIGHT.every((words) => own.includes(words));
    const others = isPlain ? own.filter((words) => !NO_PREFLIGHT.includes(words)) : own;
    const all = [...new Set(others), ...(isPlain ? ['no preflight'] : [])];
    return all.map((words) => [words, rest].filter((one) => one !== ALL).join(', ') || ALL);
  });
}

const questionOf = ({ of, name, claim, matcher }: RegionCondition): string =>
  JSON.stringify([of, name, claim, matcher]);
const answerOf = (one: RegionCondition): string => `${one.holds} ${questionOf(one)}`;

/** What is one class whatever the answer to some question is; and no question that another class has the other answer to already. */
export function joined(region: readonly Class[]): readonly Class[] {
  let classes = [...region];
  for (let isDone = false; !isDone;) {
    isDone = true;
    for (const [at, one] of classes.entries()) {
      const answers = new Set(one.map(answerOf));
      const wider = classes.find((other, index) => index !== at && other.every((condition) => answers.has(answerOf(condition)))); // prettier-ignore
      if (wider !== undefined) {
        classes = classes.filter((_class, index) => index !== at);
        isDone = false;
        break;
      }
      const idle = one.find((condition) => classes.some((other) => other !== one && turns(other, condition, answers)));
      if (idle === undefined) continue;
      classes[at] = one.filter((condition) => condition !== idle);
      isDone = false;
      break;
    }
  }
  return classes;
}

/** Whether a class has the other answer to one question, and else none that is not among some. */
function turns(other: Class, condition: RegionCondition, answers: ReadonlySet<string>): boolean {
  const turned = answerOf({ ...condition, holds: !condition.holds });
  return other.some((one) => answerOf(one) === turned) && other.every((one) => answerOf(one) === turned || answers.has(answerOf(one))); // prettier-ignore
}

function wordsOf(conditions: Class): string {
  const tokens = conditions.filter(({ of }) => of === 'token');
  const told = tokens.flatMap((token) => tokenWords(token, conditions));
  // What stands where a token is, is told with it.
  const places = tokens.map(({ name }) => name.split(' ').slice(0, 2).join(' '));
  const rest = conditions.filter(
    ({ of, name }) => of !== 'token' && of !== 'claim' && !places.includes(`${of} ${name}`),
  );
  const parts = new Map<string, RegionCondition[]>();
  for (const one of rest) {
    const about = aboutText(one);
    parts.set(about, [...(parts.get(about) ?? []), one]);
  }
  return [...[...parts].map(([about, own]) => partWords(about, own)), ...told].join(', ') || ALL;
}

function aboutText({ of, name }: RegionCondition): string {
  if (of === 'source') return `address of ${name}`;
  return of === 'open' ? openQuestion(name) : [of, name].filter((one) => one !== '').join(' ');
}

function partWords(about: string, conditions: Class): string {
  const held = narrowest(conditions.filter(({ holds }) => holds));
  const failing = conditions.filter((one) => !one.holds && !held.some((other) => excludes(other, one)));
  const isAbsent = failing.some(({ matcher }) => matcher.is === 'present');
  if (isAbsent) return `no ${about}`;
  const not = failing.filter(({ matcher }) => matcher.is !== 'list').map(({ matcher }) => shortText(matcher));
  const end = `${not.length === 0 ? '' : ` but ${not.join(', ')}`}${not.length === failing.length ? '' : ' (no list)'}`;
  if (held.length === 0) return `any ${about}${end}`;
  return `${about} ${held.map(({ matcher }) => shortText(matcher)).join(' and ')}${end}`;
}

/** Without what follows from another: a prefix of a longer prefix, any of an exact text. */
function narrowest(held: Class): Class {
  return held.filter((one) => !held.some((other) => other !== one && follows(other, one)));
}

function follows({ matcher: from }: RegionCondition, { matcher: to }: RegionCondition): boolean {
  if (to.is === 'present') return from.is !== 'present';
  if (from.is === 'exact' && from.folds !== true) return to.is !== 'exact';
  if (to.is !== 'prefix' || to.folds === true) return false;
  if (from.is === 'regex') return (/^[\w/-]*(?![*?{|])/.exec(from.pattern)?.[0] ?? '').startsWith(to.value);
  return from.is === 'prefix' && from.folds !== true && from.value.length > to.value.length;
}

/** Whether what one takes the other cannot take. */
function excludes({ matcher: held }: RegionCondition, { matcher: failing }: RegionCondition): boolean {
  if (held.is === 'exact' && held.folds !== true) return true;
  if (held.is === 'exact' && failing.is === 'prefix')
    return !held.value.toLowerCase().startsWith(failing.value.toLowerCase());
  if (held.is !== 'prefix' || held.folds === true || !('value' in failing) || failing.folds === true) return false;
  if (failing.is === 'exact') return !failing.value.startsWith(held.value);
  return failing.is === 'prefix' && !failing.value.startsWith(held.value) && !held.value.startsWith(failing.value);
}

function shortText(matcher: Matcher): string {
  if (matcher.is === 'some') return shortText(matcher.of);
  if (matcher.is !== 'any of' || matcher.of.length < 3) return matcherText(matcher);
  return `one of (${matcher.of.slice(0, 2).map(matcherText).join(', ')}, ...)`;
}

function tokenWords({ name, holds }: RegionCondition, conditions: Class): readonly string[] {
  const [kind = '', own = ''] = name.split(' ');
  const where = name === 'header authorization Bearer' ? '' : ` in ${kind} ${own}`;
  if (!holds) {
    const isThere = conditions.some((one) => one.of === kind && one.name === own && one.holds);
    return [isThere ? `a token${where} that is not valid` : `no token${where}`];
  }
  const claims = conditions.filter((one) => one.of === 'claim' && one.name === name);
  const issuer = claims.find((one) => one.holds && one.claim?.join('.') === 'iss' && textOfClaim(one) !== undefined);
  const issued = issuer === undefined ? '' : ` of ${textOfClaim(issuer)}`;
  const byClaim = new Map<string, RegionCondition[]>();
  for (const one of claims) {
    const claim = one.claim?.join('.') ?? '';
    if (claim !== 'iss' || issuer === undefined) byClaim.set(claim, [...(byClaim.get(claim) ?? []), one]);
  }
  const said = [...byClaim].map(([claim, about]) => partWords(`claim ${claim}`, about));
  return [[`a token${issued}${where}`, ...said].join(', ')];
}

function textOfClaim({ matcher }: RegionCondition): string | undefined {
  return matcher.is === 'some' && matcher.of.is === 'exact' ? matcher.of.value : undefined;
}
