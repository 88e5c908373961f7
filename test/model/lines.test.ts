import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import { readDocuments } from '../../src/model/documents';
import { lineLocator } from '../../src/model/lines';
import type { FieldPath } from '../../src/model/manifest';

const ODD = `# forms that few write
apiVersion: v1
? kind
: List
items:
- metadata: &m
    name: a
    "na\\u006de\\"": 'b'
  spec:
    hosts:
    -
    - |

      literal
    - >-
      folded
      text
    -   # a comment

      late
    - &anchored {
      x: 1 }
    - !!map {
      y: 1 }
    - !!str &both z
    ports: [ {number: 80,
      name: http}, *anchored,
      <<, [ ], {} ]
- metadata: *m
  <<: *m
  443: {
    a: b,

    c: d }
  "quoted key": 1
`;

/** Each field of a document with its line, as a library knows it that keeps a node for everything. */
function fieldsWithLines(text: string, line: number): { field: FieldPath; at: number }[] {
  const counter = new LineCounter();
  const found: { field: FieldPath; at: number }[] = [];
  const add = (node: unknown, field: FieldPath, value: unknown): void => {
    if (!isNode(node) || !node.range) return;
    found.push({ field, at: line + counter.linePos(node.range[0]).line - 1 });
    walk(value, field);
  };
  const walk = (node: unknown, field: FieldPath): void => {
    if (isMap(node)) {
      for (const { key, value } of node.items)
        if (isScalar(key)) add(key, [...field, key.source ?? String(key.value)], value);
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => add(item, [...field, index], item));
    }
  };
  const { contents } = parseDocument(text, { lineCounter: counter, merge: true });
  add(contents, [], contents);
  return found;
}

describe('the line of a field', () => {
  it('is known wherever the field stands, in everything that is synthesized', () => {
    const root = join(__dirname, '../../dist');
    const files = readdirSync(root, { recursive: true }).filter((file) => String(file).endsWith('.yaml'));
    let fields = 0;
    for (const file of files) {
      for (const document of readDocuments(readFileSync(join(root, String(file)), 'utf8'))) {
        const lineOf = lineLocator(document);
        for (const { field, at } of fieldsWithLines(document.text, document.line)) {
          fields += 1;
          if (lineOf(field) !== at) expect([file, field, lineOf(field)]).toEqual([file, field, at]);
        }
      }
    }
    expect(fields).toBeGreaterThan(5_000);
  });

  it('is known in forms that few write', () => {
    const fields = fieldsWithLines(ODD, 11);
    const lineOf = lineLocator({ text: ODD, line: 11 });
    expect(fields.map(({ field }) => [field, lineOf(field)])).toEqual(fields.map(({ field, at }) => [field, at]));
    expect(fields.length).toBeGreaterThan(30);
  });

  it('is that of the nearest ancestor where the field is not written', () => {
    const lineOf = lineLocator({ text: ODD, line: 11 });
    expect(lineOf(['items', 0, 'nothing', 'metadata'])).toBe(lineOf(['items', 0]));
    expect(lineOf(['items', 0, 'spec', 'hosts', 7, 'x'])).toBe(lineOf(['items', 0, 'spec', 'hosts']));
    expect(lineOf(['items', 1, 'metadata', 'name'])).toBe(lineOf(['items', 1, 'metadata']));
  });

  it('is known in lines that are no deeper than their key, and stays known when asked again in a long document', () => {
    const text = `hosts: [\n  a,\n  b\n]\nname: "${'x'.repeat(3_000)}"\nlast:\n  - 1\n`;
    const lineOf = lineLocator({ text: `spec:\n  hosts: [\n    a\n  ]\n  name: x\n`, line: 1 });
    expect([lineOf(['spec', 'hosts', 0]), lineOf(['spec', 'name'])]).toEqual([3, 5]);
    const quoted = lineLocator({ text: `spec:\n  a: 'x\n  y'\n  b: 1\n`, line: 1 });
    expect([quoted(['spec', 'a']), quoted(['spec', 'b'])]).toEqual([2, 4]);
    const long = lineLocator({ text, line: 1 });
    expect([long(['last', 0]), long(['hosts', 1]), long(['last', 0])]).toEqual([7, 3, 7]);
  });
});

describe('how a field is written', () => {
  const { written } = lineLocator({
    text: 'a: no\nb: [1.10, 0755, "no", 2]\nc: {d: yes, e: true, f: no way}\n',
    line: 1,
  });

  it('is told where a number or boolean does not read as it is written', () => {
    expect(written?.(['a'])).toBe('no');
    expect([0, 1, 2, 3].map((index) => written?.(['b', index]))).toEqual(['1.10', '0755', undefined, undefined]);
    expect(['d', 'e', 'f', 'g'].map((key) => written?.(['c', key]))).toEqual(['yes', undefined, undefined, undefined]);
    expect(written?.(['a', 'b'])).toBeUndefined();
  });
});
