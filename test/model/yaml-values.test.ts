import { loadText } from '../../src/model/load';
import type { YamlReader } from '../../src/model/yaml-scalars';

const HEAD = 'apiVersion: example.org/v1\nkind: X\nmetadata: { name: x }\nspec:\n';
const UNREAD = Symbol('not read');

function read(text: string, by: YamlReader): unknown {
  const { manifests, problems } = loadText(text, undefined, { by });
  return problems.length > 0 ? UNREAD : manifests.map(({ body }) => body.spec);
}

/** As sigs.k8s.io/yaml 1.6.0 (kubectl 1.34.2) and kustomize 5.7.1 read them; test/mesh/yaml-readers.test.ts asks these. */
describe('a value that is written plain', () => {
  it.each<readonly [string, unknown, unknown]>([
    ['yes', true, 'yes'],
    ['No', false, 'No'],
    ['ON', true, 'ON'],
    ['off', false, 'off'],
    ['y', true, 'y'],
    ['N', false, 'N'],
    ['oN', 'oN', 'oN'],
    ['"yes"', 'yes', 'yes'],
    ['!!str yes', 'yes', 'yes'],
    ['!!bool "yes"', true, UNREAD],
    ['0755', 493, 493],
    ['0899', 899, 899],
    ['0o17', 15, 15],
    ['0x1F', 31, 31],
    ['0x1ffffffffffffffff', '0x1ffffffffffffffff', '0x1ffffffffffffffff'],
    ['0b11', 3, 3],
    ['1_000', 1000, 1000],
    ['-_1', -1, -1],
    ['1_0.5', 10.5, 10.5],
    ['._5', '._5', '._5'],
    ['+5', 5, 5],
    ['-017', -15, -15],
    ['0', 0, 0],
    ['1:30', '1:30', '1:30'],
    ['1e3', 1000, 1000],
    ['1e400', '1e400', '1e400'],
    ['.inf', UNREAD, UNREAD],
    ['.NaN', UNREAD, UNREAD],
    ['10.0.0.1', '10.0.0.1', '10.0.0.1'],
    ['2001-01-01', '2001-01-01', '2001-01-01T00:00:00Z'],
    ['2001-12-14t21:59:43.10-05:00', '2001-12-14t21:59:43.10-05:00', '2001-12-14T21:59:43.1-05:00'],
    ['2001-2-29', '2001-2-29', '2001-2-29'],
    ['!!binary aGVsbG8=', 'hello', 'hello'],
    ['!!binary x', UNREAD, UNREAD],
    ['!own 5', '5', '5'],
    ['! 5', '5', 5],
    ['!!set {a}', { a: null }, { a: '' }],
    ['"\\/"', UNREAD, UNREAD],
    ['"\\uD83D\\uDE00"', UNREAD, UNREAD],
  ])('%s', (written, toKubectl, toKustomize) => {
    const expected = (value: unknown): unknown => (value === UNREAD ? UNREAD : [{ a: value }]);
    expect(read(`${HEAD}  a: ${written}\n`, 'kubectl')).toEqual(expected(toKubectl));
    expect(read(`${HEAD}  a: ${written}\n`, 'kustomize')).toEqual(expected(toKustomize));
    // Anchors are read by the library alone.
    if (toKubectl === UNREAD) return;
    expect(read(`${HEAD}  b: &b 1\n  a: ${written}\n`, 'kubectl')).toEqual([{ a: toKubectl, b: 1 }]);
  });
});

describe('a mapping', () => {
  it.each<readonly [string, unknown, unknown]>([
    ['yes: v', { true: 'v' }, { yes: 'v' }],
    ['0x1F: v', { '31': 'v' }, UNREAD],
    ['1e6: v', { '1e+06': 'v' }, UNREAD],
    ['123456789.5: v', { '1.2345679e+08': 'v' }, UNREAD],
    ['1000000: v', { '1000000': 'v' }, UNREAD],
    ['.inf: v', { '.inf': 'v' }, UNREAD],
    ['~: v', UNREAD, UNREAD],
    ['!!binary aGVsbG8=: v', { hello: 'v' }, UNREAD],
    ['a: &a {x: 1}\n  b: {x: 2, <<: *a}', { a: { x: 1 }, b: { x: 1 } }, { a: { x: 1 }, b: { x: 2 } }],
    ['a: &a {x: 1}\n  b: {<<: *a, x: 2}', { a: { x: 1 }, b: { x: 2 } }, { a: { x: 1 }, b: { x: 2 } }],
    [
      'a: &a {x: 1}\n  b: {!!merge <<: *a, z: 2}',
      { a: { x: 1 }, b: { x: 1, z: 2 } },
      { a: { x: 1 }, b: { x: 1, z: 2 } },
    ],
    [
      'a: &a {x: 1}\n  b: {!!merge "<<": *a, z: 2}',
      { a: { x: 1 }, b: { x: 1, z: 2 } },
      { a: { x: 1 }, b: { x: 1, z: 2 } },
    ],
    ['a: &a {x: 1}\n  b: {! <<: *a, z: 2}', { a: { x: 1 }, b: { x: 1, z: 2 } }, { a: { x: 1 }, b: { x: 1, z: 2 } }],
    ['a: &a {x: 1}\n  b: {"<<": *a, z: 2}', { a: { x: 1 }, b: { '<<': { x: 1 }, z: 2 } }, UNREAD],
    ['b: {<<: [{x: 1}, {x: 2, z: 3}]}', { b: { x: 1, z: 3 } }, { b: { x: 1, z: 3 } }],
    ['b: {<<: {x: 1}, <<: {x: 2}}', { b: { x: 2 } }, UNREAD],
    ['a: &k v\n  *k : w', { a: 'v', v: 'w' }, { a: 'v', v: 'w' }],
    ['a: &x [*x]', UNREAD, UNREAD],
    ['"__proto__": v\n  b: &b 1', JSON.parse('{"__proto__": "v", "b": 1}'), JSON.parse('{"__proto__": "v", "b": 1}')],
  ])('%s', (written, toKubectl, toKustomize) => {
    const expected = (value: unknown): unknown => (value === UNREAD ? UNREAD : [value]);
    expect(read(`${HEAD}  ${written}\n`, 'kubectl')).toEqual(expected(toKubectl));
    expect(read(`${HEAD}  ${written}\n`, 'kustomize')).toEqual(expected(toKustomize));
  });
});

describe('what tools do not read of a file', () => {
  const twice = (between: string): string => `${HEAD}  a: b\n${between}${HEAD}  c: d\n`;

  it.each([
    ['stands between `...` and the next `---`', twice('...\n'), /pass over what stands between/],
    ['is behind a marker', twice('--- {kind: X}\n---\n'), /no more than a comment behind/],
    ['is behind dashes', twice('-----BEGIN-----\n'), /no more than a comment behind/],
    ['is under a directive', `%YAML 1.2\n---\n${HEAD}  a: b\n`, /read no directives/],
    ['is in a comment that ends before its line does', `${HEAD}  # all\u2028  a: b\n  c: d\n`, /U\+2028/],
  ])('is an error: what %s', (_, text, why) => {
    for (const by of ['kubectl', 'kustomize'] as const)
      expect(loadText(text, undefined, { by }).problems.map(({ what }) => what)).toEqual([
        expect.stringMatching(why) as string,
      ]);
  });

  it('is, for kustomize, what follows the first of several values of JSON', () => {
    const text = ['x', 'y']
      .map((name) => JSON.stringify({ apiVersion: 'v1', kind: 'X', metadata: { name } }))
      .join('\n');
    expect(loadText(text).manifests).toHaveLength(2);
    const { manifests, problems } = loadText(text, undefined, { by: 'kustomize' });
    expect(manifests).toHaveLength(1);
    expect(problems[0]?.what).toMatch(/kustomize takes the first/);
  });

  it('is no trouble in comments behind markers, in text with such line ends, and at the end of a file', () => {
    expect(read(`${HEAD}  a: b\n---# one\n${HEAD}  c: d\n--- # two\n...\n# three\n`, 'kubectl')).toEqual([
      { a: 'b' },
      { c: 'd' },
    ]);
    expect(read(`${HEAD}  # one\u2028# two\n  a: b\n`, 'kubectl')).toEqual([{ a: 'b' }]);
  });
});
