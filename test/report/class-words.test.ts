import type { RegionCondition } from '../../src/diff/types';
import { classWords, joined } from '../../src/report/class-words';
import { exact, prefix, PRESENT, regex, type Matcher } from '../../src/trace/matcher';
import { random, type Random } from '../traffic/worlds';

const on = (of: RegionCondition['of'], name: string, matcher: Matcher, holds = true): RegionCondition => ({ of, name, matcher, holds }); // prettier-ignore
const path = (matcher: Matcher, holds = true): RegionCondition => on('path', '', matcher, holds);

/** Some leaves of a random tree of answers to a few questions. */
function leaves(next: Random, questions: readonly string[]): RegionCondition[][] {
  const [first, ...rest] = questions;
  if (first === undefined || next() < 0.2) return next() < 0.5 ? [[]] : [];
  const skip = next() < 0.3 ? rest : undefined;
  return [true, false].flatMap((holds) =>
    leaves(next, skip ?? rest).map((one) => [on('header', first, PRESENT, holds), ...one]),
  );
}

describe('classes in words', () => {
  it('are the same requests, put together', () => {
    const questions = ['a', 'b', 'c', 'd', 'e'];
    for (let seed = 1; seed <= 300; seed += 1) {
      const region = leaves(random(seed), questions);
      const together = joined(region);
      expect(together.length).toBeLessThanOrEqual(region.length);
      const takes = (classes: readonly (readonly RegionCondition[])[], bits: number): boolean =>
        classes.some((one) => one.every(({ name, holds }) => (bits & (1 << questions.indexOf(name))) > 0 === holds));
      const all = Array.from({ length: 2 ** questions.length }, (_one, bits) => bits);
      const differs = all.filter((bits) => takes(together, bits) !== takes(region, bits));
      expect([seed, differs]).toEqual([seed, []]);
    }
  });

  it('say what sets the requests apart, and nothing that follows from it', () => {
    expect(classWords([[]])).toBe('every request');
    expect(classWords([[path(prefix('/a'), false)], [path(prefix('/a'))]])).toBe('every request');
    expect(classWords([[path(prefix('/api/'), false), path(prefix('/pub')), path(exact('/pub/a'), false)]])).toBe('path /pub* but "/pub/a"'); // prettier-ignore
    expect(classWords([[path(prefix('/v2')), path(regex('/v2/[^/]+/x'))]])).toBe('path matching /v2/[^/]+/x');
    expect(classWords([[path(exact('/old', true)), path(exact('/old'), false), path(prefix('/api'), false)]])).toBe('path "/old" in any case but "/old"'); // prettier-ignore
    expect(classWords([[on('header', 'x', PRESENT), on('header', 'x', exact('1'), false)]])).toBe('header x present but "1"'); // prettier-ignore
    expect(classWords([[on('method', '', exact('GET'))], [on('method', '', exact('GET'), false), on('method', '', exact('PUT'))]])).toBe('method "GET"; or method "PUT"'); // prettier-ignore
  });

  it('tell a token by its issuer and claims', () => {
    const place = 'header authorization Bearer';
    const claim = (name: string, value: string, holds = true): RegionCondition => ({ of: 'claim', name: place, claim: [name], matcher: { is: 'some', of: exact(value) }, holds }); // prettier-ignore
    expect(classWords([[on('token', place, PRESENT), claim('iss', 'https://issuer.example'), claim('role', 'admin')]])).toBe('a token of https://issuer.example, claim role "admin"'); // prettier-ignore
    expect(classWords([[on('token', place, PRESENT, false), on('header', 'authorization', prefix('Bearer '), false)]])).toBe('no token'); // prettier-ignore
    expect(classWords([[on('token', place, PRESENT, false), on('header', 'authorization', prefix('Bearer '))]])).toBe('a token that is not valid'); // prettier-ignore
  });

  it('have one word for what only a preflight is none of', () => {
    const origin = (matcher: Matcher, holds = true): RegionCondition => on('header', 'origin', matcher, holds);
    const asked = (matcher: Matcher, holds = true): RegionCondition => on('header', 'access-control-request-method', matcher, holds); // prettier-ignore
    const [options, none] = [on('method', '', exact('OPTIONS')), exact('')];
    expect(
      classWords([
        [on('method', '', exact('OPTIONS'), false)],
        [options, origin(PRESENT, false)],
        [options, origin(PRESENT), origin(none)],
        [options, origin(PRESENT), origin(none, false), asked(PRESENT, false)],
        [options, origin(PRESENT), origin(none, false), asked(PRESENT), asked(none)],
      ]),
    ).toBe('no preflight');
  });
});
