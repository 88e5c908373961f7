import { FORMS } from './forms';
import { hold } from './held';
import { random } from './worlds';

/** Of each form; `npm run accuracy:changes` holds many more. */
const CHANGES = 4;
/** The first seed, where the first few alter nothing. */
const FIRST: Readonly<Record<string, number>> = { network: 1019 };

describe.each(Object.keys(FORMS))('a change of one field (%s)', (form) => {
  const judged = Array.from({ length: CHANGES }, (_one, index) => (FIRST[form] ?? 1) + index).flatMap((seed) => {
    const change = FORMS[form]?.(random(seed), 30);
    return change === undefined ? [] : [{ seed, how: change.how, ...hold(change.sides, change.requests, change.options) }]; // prettier-ignore
  });
  const seen = (kind: 'missed' | 'false' | 'untold'): readonly unknown[] =>
    judged.filter((one) => one[kind] !== undefined).map((one) => [one.seed, one.how, one[kind]]);

  it('is told where a request fares otherwise, for its host, and with a request that does', () => {
    expect({ missed: seen('missed'), untold: seen('untold'), false: seen('false') }).toEqual({ missed: [], untold: [], false: [] }); // prettier-ignore
    expect(judged.length).toBeGreaterThan(1);
    expect(judged.some(({ alters }) => alters)).toBe(true);
  });
});

/** Changes that were missed once, or told for other hosts only, and what was not followed. */
const ONCE: readonly (readonly [string, number, string])[] = [
  ['policies', 1_013_092, 'a headless Service dialled at another port of its Pods'],
  ['policies', 3_000_728, 'any address on a port whose TCP an entry without an address takes'],
  ['policies', 4_000_475, 'a host of routes alone, on the port of an entry that goes'],
  ['discovery', 1017, 'the port of a headless Service that an entry for the same Pods had opened'],
  ['ingress', 3_000_743, 'a name that routes for TLS ask for, and no host of the server is'],
];

it.each(ONCE)('of %s, seed %i: %s', (form, seed) => {
  const change = FORMS[form]?.(random(seed), 80);
  if (change === undefined) throw new Error('the seed changes nothing any more');
  const held = hold(change.sides, change.requests, change.options);
  expect(held).toMatchObject({ alters: true, missed: undefined, untold: undefined, false: undefined });
});
