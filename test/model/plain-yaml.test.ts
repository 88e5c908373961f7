import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { dump } from 'js-yaml';
import { stringify } from 'yaml';
import { toYaml } from '../../src/core/yaml';
import { type PlainDocument, PlainReader } from '../../src/model/plain-yaml';
import { readYamlDocument } from '../../src/model/yaml-values';

/** What a document says, where kubectl and kustomize read the same. */
function byLibrary(text: string): unknown {
  const value = readYamlDocument(text, 'kubectl');
  expect(readYamlDocument(text, 'kustomize')).toStrictEqual(value);
  return value;
}

/** What the reader says of the first document of a text, having been held to the library wherever it says anything. */
function agreed(text: string): PlainDocument | undefined {
  const found = new PlainReader(text).read(0, 1);
  if (found === undefined) return undefined;
  const own = text.slice(0, found.end);
  if (found.value === undefined) {
    expect(own.split('\n').filter((line) => !/^ *(#.*)?$/.test(line))).toEqual([]);
    return found;
  }
  expect(text.slice(found.end)).toMatch(/^(---|\.\.\.)\s|^(---|\.\.\.)$|^$/);
  expect(found.value).toStrictEqual(byLibrary(own));
  const lines = own.split('\n');
  expect(found.firstLine).toBe(lines.findIndex((line) => /^[^ #]/.test(line)) + 1);
  expect(found.endLine).toBe(found.end === text.length && !text.endsWith('\n') ? lines.length + 1 : lines.length);
  return found;
}

const ODD = [
  '~', 'null', 'Null', 'NULL', 'nUll', 'true', 'True', 'TRUE', 'tRUE', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', 'Yes', 'NO',
  '0', '-0', '+1', '00', '007', '08', '0o17', '0O17', '0x1F', '0X1F', '-0x1', '0b11', '1_000', '1e3', '1E-3', '1.', '.5', '-.5', '1.5.2', '.',
  '..', '.inf', '-.INF', '.Inf', '.nan', '.NaN', '.nAn', '1e', 'e1', '1e400', '12:30', '12:30:45', '190:20:30', '2026-11-21', '2026-11-21T10:00:00Z',
  '9007199254740993', '123456789012345', '1234567890123456', '10.0.0.1', '10.0.0.0/8', '1.25', '1.10', '0.1e2', '-', '--', '---', '-a', '- a', '-1', '+', '=', '<<',
  '<', '*a', '&a', '!a', '!!str a', '%a', '@a', '`a', '|', '>', '|-', '|2', '>-', '?', '? a', ':', ':a', 'a:', 'a: b', 'a :b', 'a:b', 'a #b', 'a#b', '#b', 'a\tb',
  "'a'", "'it''s'", "'", "''", '"a"', '"a\\nb"', '"\\u00e9"', '"\\x41"', '"\\q"', '"', '""', '"a" b', "'a' # c", 'é', '日本', '\u0085', '\u00a0', '\u2028', '\uFEFF', '\u0007', '\0',
  '[]', '{}', '[a, b]', '[a, ]', '[,]', '[a: b]', '[a b, c]', '[-]', '[- a]', '[a', '[a]]', '[a] b', '[a] # c', '{a: b}', '{a: }', '{a}', '{a:b}', '{"a":b}', '{"a": b}', '{a: b, a: c}',
  '{a: [b, {c: d}]}', '{80: a}', '[80, 1.5, true, ~]', '{a: b} c', '{{a}}', '{a: b#c}', '{a: b #c}', '[a#b, http://x:80/]', '[a,b]', '[a:, b]', 'a, b', 'a]b', '${A}', '$(A)', '(a)', '/a/b', '^a', ';', 'a\\b',
  'constructor', '__proto__', 'toString', 'a  ', '  ', 'HTTP', 'h1.example.com', 'x'.repeat(90),
]; // prettier-ignore

const scalar = fc.oneof(
  fc.constantFrom(...ODD),
  fc.string({ unit: fc.constantFrom(...' abn01-.:#,[]{}\'"\\|>&*!%@`?=<~_+eE/\t'), maxLength: 8 }),
  fc.string({ maxLength: 6 }),
);
const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'name', 'spec', 'app.kubernetes.io/name', '.x', '_x', '/x', 'a b', '"a"', "'b'", '"80"', '"__proto__"', '80', '?', '- a'),
  fc.constantFrom(...ODD),
); // prettier-ignore
const indent = fc.oneof(fc.nat({ max: 4 }).map((n) => ' '.repeat(n * 2)), fc.nat({ max: 5 }).map((n) => ' '.repeat(n)), fc.constantFrom('\t', ' \t')); // prettier-ignore
const comment = fc.constantFrom('', '', '', '', ' # c', ' #', '# c', '  ', '\t', ' # \t é');

/** Lines that look like YAML, at any indentation. */
const line = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(indent, fc.constantFrom('', '', '- ', '-  ', '- - '), key, fc.constantFrom(': ', ':', ':  ', ' : '), scalar, comment).map((parts) => parts.join('')) },
  { weight: 4, arbitrary: fc.tuple(indent, key, fc.constantFrom(':', ': |', ': |-', ': >', ': |+', ':  '), comment).map((parts) => parts.join('')) },
  { weight: 3, arbitrary: fc.tuple(indent, fc.constantFrom('- ', '-', '-  '), scalar, comment).map((parts) => parts.join('')) },
  { weight: 2, arbitrary: fc.tuple(indent, scalar).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.constantFrom('', '', '   ', '# c', '  # c', '---', '...', '--- # c', '--- a', '%YAML 1.2', '---a', '\t') },
); // prettier-ignore
const newline = fc.constantFrom('\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\r\n', '\r');
const soup = fc
  .array(fc.tuple(line, newline), { maxLength: 9 })
  .chain((lines) => fc.boolean().map((isEnded) => lines.flat().slice(0, isEnded ? undefined : -1).join(''))); // prettier-ignore

/** Well-formed nests of lines, of which more is read. */
const tidy = fc.letrec<{ node: (column: number) => string; mapping: (column: number) => string }>((tie) => {
  const entryKey = fc.constantFrom('a', 'b', 'c', 'd', 'name', 'hosts', '"q"', 'x/y.z-1');
  const leaf = fc.oneof(scalar, ...Array(5).fill(fc.constantFrom('h1', 'HTTP', '80', "''", '"x y"', '[]', '[a, b]', '{a: 1}', '::/0')) as fc.Arbitrary<string>[]);
  return {
    node: fc.oneof(
      { maxDepth: 4 },
      fc.tuple(leaf, comment).map(([value, end]) => () => ` ${value}${end}\n`),
      fc.array(fc.constantFrom('x', '', '  y', '# z', 'a: b', '---', 'é', '\tt'), { minLength: 1, maxLength: 4 }).chain((lines) =>
        fc.constantFrom(' |', ' |-', ' |+', ' >').map((head) => (column: number) => `${head}\n${lines.map((text) => (text === '' ? '\n' : `${' '.repeat(column + 2)}${text}\n`)).join('')}`),
      ),
      tie('mapping').map((make) => (column: number) => `\n${make(column + 2)}`),
      fc.tuple(fc.array(tie('node'), { minLength: 1, maxLength: 3 }), fc.constantFrom(0, 2)).map(([items, more]) => (column: number) =>
        `\n${items.map((item) => `${' '.repeat(column + more)}-${item(column + more)}`).join('')}`),
      fc.tuple(fc.array(tie('mapping'), { minLength: 1, maxLength: 3 }), fc.constantFrom(0, 2)).map(([items, more]) => (column: number) =>
        `\n${items.map((item) => `${' '.repeat(column + more)}- ${item(column + more + 2).trimStart()}`).join('')}`),
    ),
    mapping: fc.uniqueArray(fc.tuple(entryKey, tie('node')), { minLength: 1, maxLength: 4, selector: ([name]) => name })
      .map((entries) => (column: number) => entries.map(([name, value]) => `${' '.repeat(column)}${name}:${value(column)}`).join('')),
  };
}).mapping.map((make) => make(0)); // prettier-ignore

const json = fc.dictionary(
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom('a', 'b', 'spec', 'hosts') }, fc.string({ maxLength: 5 })),
  fc.oneof(
    fc.jsonValue({ maxDepth: 4, stringUnit: fc.constantFrom(...'abc 01-.:#\'"\n{[') }) as fc.Arbitrary<unknown>,
    fc.constantFrom(...ODD),
    fc.string(),
    fc.lorem(),
    fc.double(),
    fc.integer(),
  ),
  { minKeys: 1, maxKeys: 5 },
);

function yamlFilesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
    .map((entry) => join(entry.parentPath, entry.name));
}

const dist = yamlFilesBelow(join(__dirname, '..', '..', 'dist'));

describe('what the reader of plain YAML reads', () => {
  it('is what the library reads, in lines of any kind', () => {
    fc.assert(
      fc.property(soup, (text) => void agreed(text)),
      { numRuns: 4000 },
    );
  });

  it('is what the library reads, in nests of scalars of any kind', () => {
    let read = 0;
    fc.assert(
      fc.property(tidy, (text) => void (agreed(text) && (read += 1))),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(150);
  });

  it('is what the library reads, in values as their writers write them', () => {
    let read = 0;
    const write = fc.constantFrom<(value: unknown) => string>(
      (value) => toYaml(value),
      (value) => dump(value, { lineWidth: -1 }),
      (value) => dump(value),
      (value) => dump(value, { flowLevel: 2, lineWidth: -1 }),
      (value) => stringify(value),
      (value) => stringify(value, { indentSeq: false, lineWidth: 0 }),
    );
    fc.assert(
      fc.property(json, write, (value, toText) => void (agreed(toText(value)) && (read += 1))),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(250);
  });

  it('is what the library reads, in manifests with some characters changed', () => {
    const documents = dist.flatMap((file) => readFileSync(file, 'utf8').split(/^---\n/m)).filter((text) => text !== '');
    const edit = fc.record({ at: fc.nat(), without: fc.nat({ max: 4 }), insert: fc.oneof(scalar, newline, indent) });
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.array(edit, { minLength: 1, maxLength: 3 }), (document, edits) => {
        let text = document;
        for (const { at, without, insert } of edits) {
          const begin = at % (text.length + 1);
          text = `${text.slice(0, begin)}${insert}${text.slice(begin + without)}`;
        }
        agreed(text);
      }),
      { numRuns: 3000 },
    );
  });

  it('is every manifest that this repository synthesizes', () => {
    for (const file of dist) {
      const text = readFileSync(file, 'utf8');
      const reader = new PlainReader(text);
      for (let start = 0, line = 1; start < text.length;) {
        const found = reader.read(start, line);
        if (found === undefined) throw new Error(`${file}:${line}: this document is not read`);
        if (found.value !== undefined) expect(found.value).toStrictEqual(byLibrary(text.slice(start, found.end)));
        start = found.end + '---'.length;
        line = found.endLine;
      }
    }
  });
});

describe('the reader of plain YAML', () => {
  it.each([
    ['an anchor', 'a: &x 1\nb: 2\n'],
    ['an alias', 'a: *x\n'],
    ['a tag', 'a: !!str 1\n'],
    ['a merge key', '<<: {a: b}\n'],
    ['a key given twice', 'a: 1\nb: 2\na: 3\n'],
    ['a key given twice, the first without a value', 'a:\na: 3\n'],
    ['a key that would set the prototype', '__proto__: {a: b}\n'],
    ['a key that is a number', '80: a\n'],
    ['a complex key', '? a\n: b\n'],
    ['a scalar on two lines', 'a: b\n  c\n'],
    ['a folded block', 'a: >\n  b\n'],
    ['a tab', 'a:\tb\n'],
    ['a carriage return', 'a: b\r\n'],
    ['a bracket that closes on another line', 'a: [\n  b]\n'],
    ['a number that is written oddly', 'a: 0x10\n'],
    ['a word that is a boolean to kubectl', 'a: yes\n'],
    ['a day, which is a point in time to kustomize', 'a: 2026-11-30\n'],
    ['an escape that YAML does not have', 'a: "\\/"\n'],
    ['a key that merges, in quotes', '"<<": a\n'],
    ['a number that doubles do not hold', 'a: 9007199254740993\n'],
    ['a root that is no mapping', '- a\n'],
    ['a directive', '%YAML 1.2\n---\na: b\n'],
    ['nesting that is deep', `a: ${'['.repeat(50)}${']'.repeat(50)}\n`],
  ])('leaves %s to the library', (_, text) => {
    expect(new PlainReader(text).read(0, 1)).toBeUndefined();
  });

  it.each([
    ['block mappings and sequences', 'a:\n  - b: 1\n    c: x\n  - d\ne:\n- f\n', { a: [{ b: 1, c: 'x' }, 'd'], e: ['f'] }],
    ['sequences in sequences', 'a:\n  - - b\n    - c\n  - d\n', { a: [['b', 'c'], 'd'] }],
    ['keys without a value', 'a:\nb: # none\n', { a: null, b: null }],
    ['quoted strings', `a: 'it''s'\nb: "a\\n\\"b\\""\n"c": ''\n`, { a: "it's", b: 'a\n"b"', c: '' }],
    ['literal blocks', 'a: |\n  b\n\n    c # d\nb: |-\n  # e\n', { a: 'b\n\n  c # d\n', b: '# e' }],
    ['flow collections', 'a: [b, "c", {d: 1}]\nb: {}\n', { a: ['b', 'c', { d: 1 }], b: {} }],
    ['comments', '# a\na: b # c\n  # d\nb: c#d\n', { a: 'b', b: 'c#d' }],
    ['words and numbers', 'a: true\nb: ~\nc: 80\nd: 1.5\ne: nope\nf: 1.2.3\n', { a: true, b: null, c: 80, d: 1.5, e: 'nope', f: '1.2.3' }],
  ])('reads %s', (_, text, value) => {
    expect(agreed(text)?.value).toStrictEqual(value);
  }); // prettier-ignore

  it('does not take long for a text of one kind of character', () => {
    for (const part of [' ', '#', '-', '- ', '[', '"', "'", 'a', 'a: ', '\n', ' \n', 'a: |\n', '---\n'])
      agreed(part.repeat(Math.ceil(20_000 / part.length)));
  });
});
