import fc from 'fast-check';
import { loadText } from '../../src/model/load';
import type { YamlReader } from '../../src/model/yaml-scalars';
import { yamlReaders } from '../lab/build';
import { askTools } from '../yaml/process';

const SEED = 20261130;
const TEXTS = 3000;
const HEAD = 'apiVersion: example.org/v1\nkind: X\nmetadata: { name: x }\nspec:\n';

const word = fc.constantFrom(
  ...['yes', 'Yes', 'YES', 'no', 'On', 'OFF', 'off', 'y', 'N', 'n', 'true', 'False', 'null', '~', 'nope', 'oN', 'a', 'web', '1.2.3', '10.0.0.0/8'],
  ...['.inf', '-.Inf', '.NaN', '1:30', '2001-01-01', '2001-1-31', '2001-2-30', '2001-12-14t21:59:43.10-05:00', '2001-12-14 21:59:43', '2001-12-14T1:2:3Z'],
); // prettier-ignore
const number = fc.string({ unit: fc.constantFrom(...'0012789_.-+exobXfE'), minLength: 1, maxLength: 7 });
const large = fc.constantFrom('9223372036854775808', '18446744073709551616', '-9223372036854775809', '0xffffffffffffffff', '0x1ffffffffffffffff', '01777777777777777777777', '02000000000000000000000'); // prettier-ignore
const tag = fc.constantFrom('', '', '', '', '', '!!str ', '!!int ', '!!float ', '!!bool ', '!!null ', '!!binary ', '!!timestamp ', '!own ', '! ', '&a '); // prettier-ignore
const quoted = fc.constantFrom('"yes"', "'no'", '"0x1F"', '"\\x41"', '"\\/"', '"\\u00e9"', '"\\uD83D\\uDE00"', "'it''s'", 'aGVsbG8=', '"5"', '""', "'<<'"); // prettier-ignore
/** Scalars that begin or end like something else are for the syntax, which is the library's. */
const scalar = fc
  .tuple(tag, fc.oneof(word, number, large, quoted))
  .map(([kind, text]) => `${kind}${text}`)
  .filter((text) => !/^[-?:.]*$|^-{3}|:$|^(?:! )?[-?:] /.test(text.replace(/^(?:!\S* |&a )/, '')));
const key = fc.oneof(fc.constantFrom('a', 'b', 'c'), word, number, quoted).filter((text) => !/^[-?:.]*$|:$/.test(text));

const flow = fc.oneof(
  fc.array(scalar, { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { minLength: 1, maxLength: 3 }).chain((keys) =>
    fc.tuple(...keys.map((name) => scalar.map((value) => `${name}: ${value}`))).map((entries) => `{${entries.join(', ')}}`),
  ),
  fc.constantFrom('{s}', '{s: }', '[s: ]', '[~]'),
); // prettier-ignore
const merges = fc.shuffledSubarray(['<<: {x: 1, z: 3}', 'x: 2', '<<: [{x: 4}, {x: 5, w: 6}]', 'v: 7'], {
  minLength: 1,
});
const merged = merges.map((entries) => `{${entries.join(', ')}}`);

const text = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(scalar, flow).map(([one, two]) => `${HEAD}  a: ${one}\n  b: ${two}\n`) },
  { weight: 2, arbitrary: key.map((name) => `${HEAD}  ${name}: v\n`) },
  { weight: 2, arbitrary: merged.map((value) => `${HEAD}  a: ${value}\n`) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('---', '--- # c', '---# c', '--- ', '---\t', '---a', '--- {a: b}', '...\n---', '...')
      .map((marker) => `${HEAD}  a: b\n${marker}\n${HEAD}  c: d\n`),
  },
); // prettier-ignore

/** Of bytes that are no text each becomes a sign of its own there, and one sign of several here. */
const sorted = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replace(/\uFFFD+/g, '\uFFFD');
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [two]) => (one < two ? -1 : 1))
      .map(([name, item]) => [name, sorted(item)]),
  );
};

/** kubectl and Istio read with one library, kustomize and Flux with another: both are asked. */
describe('what a manifest says', () => {
  let program: string;
  beforeAll(async () => {
    program = await yamlReaders();
  }, 900_000);

  it.each<YamlReader>(['kubectl', 'kustomize'])(
    `is what %s reads, in ${TEXTS} texts`,
    (by) => {
      const texts = fc.sample(text, { numRuns: TEXTS, seed: SEED });
      let read = 0;
      const differences: unknown[] = [];
      for (const [index, { documents, error }] of askTools(program, by, texts).entries()) {
        const own = texts[index] ?? '';
        const { manifests, problems } = loadText(own, undefined, { by });
        const here = problems.length > 0 ? 'refused' : JSON.stringify(sorted(manifests.map(({ body }) => body)));
        const there = error === undefined ? JSON.stringify(sorted(documents)) : 'refused';
        if (here !== 'refused') read += 1;
        // What is passed over in silence is refused here: documents behind `...`, and what kustomize loses.
        const isPassedOver = here === 'refused' && /^\.\.\.$|["']<<["']:/m.test(own);
        if (here !== there && !isPassedOver) differences.push({ text: own.slice(HEAD.length), here, there });
      }
      expect(differences).toEqual([]);
      expect(read).toBeGreaterThan(TEXTS / 3);
    },
    120_000,
  );
});
