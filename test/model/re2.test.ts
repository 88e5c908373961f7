import fc from 'fast-check';
import { expression, fullMatch, refusalOf, replaceAll } from '../../src/model/re2';

describe("a regular expression is RE2's", () => {
  it.each([
    ['[[:alpha:]]+', 'abc'],
    ['foo\\-bar', 'foo-bar'],
    ['a\\:b', 'a:b'],
    ['\\Qa.b\\E', 'a.b'],
    ['\\A/abc\\z', '/abc'],
    ['[]abc]+', ']a'],
    ['(?i:/abc)d', '/ABCd'],
    ['/(?i)abc', '/ABC'],
    ['\\pL+', 'é'],
    ['/{id}', '/{id}'],
    ['a{,3}', 'a{,3}'],
    ['(?P<name>x)', 'x'],
  ])('%s takes %s', (pattern, text) => {
    expect(fullMatch(pattern, text)).toBe(true);
    expect(fullMatch(pattern, `${text}\n`)).toBe(false);
  });

  it.each(['(?=a).*', '(a)\\1', '[^]+', 'a{1001}', 'a{1000}{1000}', '*', '('])(
    '%s is refused, with a reason',
    (pattern) => {
      expect(fullMatch(pattern, 'a')).toBeUndefined();
      expect(refusalOf(pattern)).toEqual(expect.stringMatching(/\w/));
    },
  );

  it('takes time that grows with the text, not with the ways to match it', () => {
    const begun = performance.now();
    expect(fullMatch('/(a+)+x', `/${'a'.repeat(5000)}`)).toBe(false);
    expect(fullMatch('(a|aa)*(b|a)+c', 'a'.repeat(5000))).toBe(false);
    expect(fullMatch('a'.repeat(4000), 'a'.repeat(4000))).toBe(true);
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  it('is not followed where its program is too large, and not called refused', () => {
    expect(expression('((a{10}){10}){10}')).toBeDefined();
    for (const large of ['.{1,1000}'.repeat(4), 'a'.repeat(9000)])
      expect([expression(large), refusalOf(large)]).toEqual([undefined, undefined]);
  });
});

describe('a replacement of every match', () => {
  it.each([
    ['/api/v([0-9]+)/(.*)', '/api/v2/users', '/\\2?v=\\1', '/users?v=2'],
    ['/x', '/x/x/y', '', '/y'],
    ['a*', 'baac', '-', '-b-c-'],
    ['(a|ab)(c|bcd)', 'abcd', '[\\1,\\2]', '[a,bcd]'],
    ['^/', '//', '!', '!/'],
    ['(?i)B', 'abB', '\\\\', 'a\\\\'],
  ])('of %s in %s by %s', (pattern, text, replacement, expected) => {
    expect(replaceAll(pattern, text, replacement)).toBe(expected);
  });

  it('is what JavaScript makes of expressions that mean the same there', () => {
    const pattern = fc.stringMatching(/^[abc]{1,3}[*+]?[abc]?$|^\((a|b)\|[abc]{1,2}\)[abc]*$/);
    fc.assert(
      fc.property(pattern, fc.stringMatching(/^[abc]{0,8}$/), (one, text) => {
        expect(replaceAll(one, text, 'x')).toBe(
          // An empty match right after another one is none to RE2, and one to JavaScript.
          text.replace(new RegExp(one, 'g'), (found: string, ...rest: unknown[]) => {
            const at = rest.find((item) => typeof item === 'number') as number;
            const before = [...text.matchAll(new RegExp(one, 'g'))].find(
              (other) => other[0] !== '' && other.index + other[0].length === at,
            );
            return found === '' && before !== undefined ? '' : 'x';
          }),
        );
      }),
      { numRuns: 300 },
    );
  });
});
