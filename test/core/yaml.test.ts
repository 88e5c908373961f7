import fc from 'fast-check';
import { toYaml, toYamlByLibrary } from '../../src/core/yaml';

const tricky = fc.constantFrom(
  'yes',
  'on',
  'Off',
  'y',
  'n',
  'E0',
  'e',
  '0777',
  '1_000',
  '1:30',
  '2001-01-01',
  '~',
  'null',
  '.',
  '=',
  '<<',
  '1e3',
  '.inf',
  '0x1f',
  '0X1F',
  '0B11',
  '0O17',
  '-0X1F',
  '0X_1F',
  '-0o7',
  '...',
  'a: b',
  'a #b',
  '- a',
  '*.example.com',
  'a.b.',
  'TRUE',
  '',
  ' ',
  'a ',
  '@x',
  'outbound|80||a',
  'default/*',
  'x'.repeat(200),
);
const scalar = fc.oneof(
  fc.string(),
  tricky,
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie('tree')),
    fc.dictionary(fc.oneof(fc.string(), tricky), tie('tree'), { noNullPrototype: true }),
  ),
}));

describe('the YAML of a manifest', () => {
  it('quotes what Go alone takes for a number', () => {
    for (const text of ['0X1F', '0B11', '0O17', '-0X1F', '+0x1F', '0X_1F', '-0o7', '...'])
      for (const write of [toYaml, toYamlByLibrary]) expect(write({ a: text })).toMatch(/^a: ['"]/);
    expect(toYaml({ a: '0xyz' })).toBe(toYamlByLibrary({ a: '0xyz' }));
  });

  it('writes the sign for what cannot be read in place of half a character, which no reader takes', () => {
    expect(toYaml({ a: 'x\ud800y', '\udc00': ['\ud83d\udca5', 'a\n\ud800'] })).toBe(
      toYaml({ a: 'x\ufffdy', '\ufffd': ['\ud83d\udca5', 'a\n\ufffd'] }),
    );
    expect(toYaml({ a: '\\ud800' })).toBe('a: \\ud800\n');
  });

  it('is what the library writes, byte for byte', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(toYaml(value)).toBe(toYamlByLibrary(value));
      }),
      { numRuns: 2000 },
    );
  });
});
