import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../../src/check/check';
import { InputError, load, loadText } from '../../src/model/load';
import { format } from '../../src/report';

const entry = (extra: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n  name: a\n  namespace: app\n${extra}`;

function folder(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'mesh-edge-strange-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

describe('quoted text that goes on no deeper than its key', () => {
  it.each([
    ["  annotations:\n    a: 'one\n    two'\nspec: {}\n", 'one two'],
    ['  annotations:\n    a: "one\n  two \\"\n\nthree"\nspec: {}\n', 'one two "\nthree'],
    ["  annotations:\n    a: 'it''s\n    two'\nspec: {}\n", "it's two"],
  ])('is read as Kubernetes reads it, %j', (extra, text) => {
    const { manifests, problems } = loadText(entry(extra));
    expect(problems).toEqual([]);
    expect(manifests[0]?.annotations.a).toBe(text);
    expect(manifests[0]?.lineOf(['spec'])).toBe(entry(extra).split('\n').indexOf('spec: {}') + 1);
  });

  it('leaves a block of text as it is, which may look like it', () => {
    const { manifests } = loadText(entry("  annotations:\n    b: |\n      x: 'y\n      z'\n    a: 'one\n    two'\n"));
    expect(manifests[0]?.annotations).toEqual({ a: 'one two', b: "x: 'y\nz'\n" });
  });

  it('is read in time when there is much of it', () => {
    const many = Array.from({ length: 2_000 }, (_, index) => `    a${index}: 'one\n    two'\n`).join('');
    const start = Date.now();
    expect(Object.keys(loadText(entry(`  annotations:\n${many}`)).manifests[0]?.annotations ?? {})).toHaveLength(2_000);
    expect(Date.now() - start).toBeLessThan(5_000);
  });
});

describe('a document that cannot be read', () => {
  it.each([
    'spec:\n  a: "{{ request.path }}"\n b: 1\n',
    '# see {{ docs }}\nspec: !!binary no base64\n',
    'spec:\n  a: [1\n  b: "{{ x }}"\n',
  ])('is no template for its braces alone: %j', (extra) => {
    const { problems, leftOut } = loadText(entry(extra), 'a.yaml', { named: false });
    expect([problems.length, leftOut?.length]).toEqual([1, 0]);
  });

  it('is none that has a tag, which kubectl decodes or passes over, whatever its comments hold', () => {
    const { manifests, problems } = loadText(entry('# see {{ docs }}\nspec: { a: !!binary aGVsbG8=, b: !own c }\n'));
    expect(problems).toEqual([]);
    expect(manifests[0]?.body.spec).toEqual({ a: 'hello', b: 'c' });
  });

  it.each([
    '{{- if .Values.on }}\nspec: {}\n{{- end }}\n',
    'spec:\n  a: {{ .Values.a }}\n  b: {{ include "x" . | nindent 4 }}\n',
    'spec:\n{% for x in y %}\n  - {{ x }}\n{% endfor %}\n',
    'spec:\n{{- if a }}\n  a: 1\n{{- else }}\n  a: 2\n{{- end }}\n',
    'spec:\n  a: "{{ .Values.a | default "b" }}"\n',
    'spec:\n<#if config.on == true>\n  a: 1\n</#if>\n  b: 2\n',
    'spec:\n  <%- if on -%>\n  a: 1\n',
  ])('is a template if its actions are what breaks it, and told: %j', (extra) => {
    const { problems, leftOut } = loadText(entry(extra), 'a.yaml', { named: false });
    expect(problems).toEqual([]);
    expect(leftOut).toMatchObject([
      { file: 'a.yaml', line: expect.any(Number) as number, why: 'a template, which is not rendered' },
    ]);
  });

  it('says of a key given twice what becomes of it, in YAML and in JSON', () => {
    const json =
      '{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},\n"spec":{"a":{},"b":[{"\\u0061":1}],"a":2}}';
    for (const text of [entry('spec: {a: 1, a: 2}\n'), json]) {
      const { problems } = loadText(text);
      expect(problems.map(({ what, why }) => `${what} ${why}`)).toEqual([
        expect.stringMatching(/twice|duplicate.*kubectl takes the last/),
      ]);
    }
    expect(
      loadText('{"apiVersion":"v1","kind":"Service","metadata":{"name":"a\\"{,b"},"spec":{"name":[{"x":1},{"x":2}]}}')
        .problems,
    ).toEqual([]);
  });

  it('is one of lists within too many lists', () => {
    let value: unknown = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } };
    for (let depth = 0; depth < 6; depth += 1) value = { apiVersion: 'v1', kind: 'List', items: [value] };
    expect(loadText(JSON.stringify(value)).problems).toHaveLength(1);
  });
});

it('takes stars for aliases only where there are some', () => {
  const items = Array.from(
    { length: 30_000 },
    (_, index) => `- {a: ${index}, exportTo: ['*'], b: {c: [1, 2, 3]}}\n`,
  ).join('');
  const folded = `apiVersion: v1\nkind: X\nmetadata:\n  name: a\n  annotations: &x\n    b: >-\n      folded\nspec:\n${items}`;
  expect(loadText(folded).problems).toEqual([]);
});

it('reads a text of many escapes', () => {
  const { manifests } = loadText(
    `apiVersion: v1\nkind: X\nmetadata: {name: a}\nspec: "${'\\u0041'.repeat(2_000_000)}"\n`,
  );
  expect(manifests[0]?.body.spec).toHaveLength(2_000_000);
});

it('finds the lines of JSON on one line in time by its length', () => {
  const items = Array.from({ length: 20_000 }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `a${index}`, namespace: 'b' },
  }));
  const { manifests } = loadText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const start = Date.now();
  expect(manifests.map((one) => one.lineOf(['metadata', 'name'])).every((line) => line === 1)).toBe(true);
  expect(Date.now() - start).toBeLessThan(8_000);
});

describe('what is passed over', () => {
  it('is told in the summary of every format', () => {
    const root = folder({
      'a.yaml': entry(
        'spec: {hosts: [a.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}\n',
      ),
      '.hidden.yaml': entry(''),
      '.draft/b.yaml': entry(''),
      '.empty/readme.md': '',
      'vendor/c.yaml': entry(''),
      'x.yaml': entry('spec: {{ .Values.spec }}\n'),
    });
    symlinkSync(join(root, 'nowhere'), join(root, 'link.yaml'));
    const loaded = load([root]);
    expect(loaded.problems.map(({ source, what }) => `${source.file?.slice(root.length)} ${what}`)).toEqual([
      '/link.yaml the file cannot be read: no such file or folder',
    ]);
    const result = check(loaded, { suppress: [{ rule: 'EDGE001', reason: 'known', by: 'mesh-edge.yaml' }] });
    expect(result.summary).toMatchObject({ errors: 0, leftOut: 4, suppressed: 1 });
    for (const as of ['text', 'sarif', 'github', 'markdown'] as const) {
      const text = [...format(result, as, { color: false, width: 1_000 })]
        .join('')
        .replaceAll('`', '')
        .replaceAll('\\', '');
      expect(text).toContain('3 files and 1 document left out: ');
      for (const name of ['.hidden.yaml', '.draft', 'vendor', 'x.yaml:1']) expect(text).toContain(name);
      expect(text).not.toContain('.empty');
      expect(text).toContain('1 finding suppressed (mesh-edge.yaml)');
    }
    expect(JSON.parse([...format(result, 'json', { color: false })].join(''))).toMatchObject({
      summary: { leftOut: 4, suppressed: 1 },
      suppressed: [{ id: 'EDGE001', by: 'mesh-edge.yaml', reason: 'known' }],
    });
  });
});

describe('several values of JSON, one after the other', () => {
  const service = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'app' },
    spec: { ports: [] },
  });
  const names = (text: string) => loadText(text).manifests.map(({ name }) => name);

  it('are as many documents, as kubectl reads them: one a line, indented, side by side, with lists among them', () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [service('c'), service('d')] };
    expect(names(`${JSON.stringify(service('a'))}\n${JSON.stringify(service('b'))}\n`)).toEqual(['a', 'b']);
    expect(names(`${JSON.stringify(service('a'), null, 4)}${JSON.stringify(list)}\n\n`)).toEqual(['a', 'c', 'd']);
    expect(names(`${JSON.stringify(service('}{"'))}\n---\n${JSON.stringify(service('b'))}`)).toEqual(['}{"', 'b']);
  });

  it('have each their own lines', () => {
    const text = `${JSON.stringify(service('a'))}\n\n${JSON.stringify(service('b'), null, 2)}`;
    const [, second] = loadText(text).manifests;
    expect(second?.source.line).toBe(3);
    expect(second?.lineOf(['metadata', 'name'])).toBe(7);
  });

  it('are judged without the broken one among them, which is a problem of its own with its line', () => {
    const text = `${JSON.stringify(service('a'))}\n{"kind": "Service", "metadata": {"name" "x"}}\n${JSON.stringify(service('b'))}\n{"kind": "Serv`;
    const { manifests, problems } = loadText(text);
    expect(manifests.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(problems.map(({ source }) => source.line)).toEqual([2, 4]);
  });

  it('take time by their length', () => {
    const text = Array.from({ length: 20_000 }, (_, at) => JSON.stringify(service(`s${at}`))).join('\n');
    const begin = performance.now();
    expect(names(text)).toHaveLength(20_000);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});

describe('byte order marks', () => {
  const object = (name: string): string =>
    `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: app }\n`;

  it('are no text where a document begins, as in files that were joined from others', () => {
    const text = `\uFEFF${object('a')}---\n\uFEFF${object('b')}--- # more\r\n\uFEFF# one\n${object('c')}`;
    const { manifests, problems } = load([folder({ 'a.yaml': text })]);
    expect([manifests.map(({ name }) => name), problems]).toEqual([['a', 'b', 'c'], []]);
  });

  it('are text elsewhere', () => {
    expect(() => load([folder({ 'a.yaml': `apiVersion: v1\n\uFEFFkind: Service\n` })])).toThrow(InputError);
  });
});

describe('a pointer of Git LFS', () => {
  it('is told, since another file is applied than the one that is there', () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 1\n`;
    const { manifests, problems } = load([folder({ 'a.yaml': pointer, 'b.yaml': entry('spec: {}\n') })]);
    expect(manifests).toHaveLength(1);
    expect(problems.map(({ what }) => what)).toEqual([
      'the file is a pointer of Git LFS, and what it stands for is left out of the judgement',
    ]);
  });
});
