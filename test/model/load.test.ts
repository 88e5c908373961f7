import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noKnownDocuments } from '../../src/model/documents';
import { InputError, load, loadObjects, loadText } from '../../src/model/load';

function folder(files: Record<string, string | Buffer>): string {
  const root = mkdtempSync(join(tmpdir(), 'mesh-edge-load-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

const entry = (name: string, extra = ''): string =>
  `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n  name: ${name}\n  namespace: app\nspec:\n  hosts:\n    - ${name}.example.com\n${extra}`;

describe('a stream of YAML documents', () => {
  it('gives each object its file, first line, and the line of any field', () => {
    const { manifests } = loadText(`# a comment\n---\n${entry('a')}---\n\n# another\n${entry('b')}`, 'x.yaml');
    expect(manifests.map(({ name, source }) => [name, source.file, source.line])).toEqual([
      ['a', 'x.yaml', 3],
      ['b', 'x.yaml', 14],
    ]);
    expect(manifests[1]?.lineOf(['spec', 'hosts', 0])).toBe(21);
    expect(manifests[1]?.lineOf(['spec', 'ports', 3, 'name'])).toBe(19);
    expect(manifests[1]?.lineOf([])).toBe(14);
  });

  it('reads CRLF, a byte order mark, a comment after `--- `, and empty documents', () => {
    const text = `---\r\n---\r\n# nothing\r\n---\r\n${entry('a').replace(/\n/g, '\r\n')}\r\n--- # of the team\r\n{apiVersion: v1, kind: Namespace, metadata: {name: app}}\r\n...\r\n`;
    const root = folder({ 'a.yaml': `\uFEFF${text}` });
    const { manifests, problems } = load([root]);
    expect(problems).toEqual([]);
    expect(manifests.map(({ kind, namespace, name }) => [kind, namespace, name])).toEqual([
      ['ServiceEntry', 'app', 'a'],
      ['Namespace', '', 'app'],
    ]);
    expect(manifests[0]?.lineOf(['metadata', 'name'])).toBe(8);
  });

  it('does not take `---` inside a block of text for the end of a document', () => {
    const { manifests } = loadText(
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: |\n    ---\n    kind: x\n    --- more\n',
    );
    expect(manifests).toHaveLength(1);
    expect(manifests[0]?.body.data).toHaveProperty('a', '---\nkind: x\n--- more\n');
  });

  it('reads once what two texts write alike, each with lines of its own', () => {
    const known = noKnownDocuments();
    const was = loadText(`${entry('a')}---\n${entry('b')}---\n${entry('c')}`, 'was.yaml', { known });
    const is = loadText(
      `# moved\n---\n${entry('b')}---\n\n${entry('a')}---\n${entry('c')}---\n${entry('b')}`,
      'is.yaml',
      {
        known,
      },
    );
    expect(is.manifests.map(({ name, source }) => [name, source.file, source.line])).toEqual([
      ['b', 'is.yaml', 3],
      ['a', 'is.yaml', 13],
      ['c', 'is.yaml', 22],
      ['b', 'is.yaml', 31],
    ]);
    expect(is.manifests[0]?.body).toBe(was.manifests[1]?.body);
    expect(is.manifests[2]?.lineOf(['spec', 'hosts', 0])).toBe(29);
    expect(is.manifests.map(({ body }) => body)).toEqual(
      loadText(`${entry('b')}---\n${entry('a')}---\n${entry('c')}---\n${entry('b')}`).manifests.map(({ body }) => body),
    );
  });

  it('expands lists and still knows the lines', () => {
    const { manifests } = loadText(
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: b\n',
    );
    expect(manifests.map(({ name, source }) => [name, source.line])).toEqual([
      ['a', 4],
      ['b', 8],
    ]);
    expect(manifests[1]?.lineOf(['metadata', 'name'])).toBe(11);
  });

  it('says file, line and reason of a broken document, and reads the others', () => {
    const { manifests, problems } = loadText(`${entry('a')}---\nkind: Gateway\nspec: [1\n---\n${entry('b')}`, 'x.yaml');
    expect(manifests.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.source).toEqual({ file: 'x.yaml', line: expect.any(Number) });
    expect(problems[0]?.source.line).toBeGreaterThanOrEqual(10);
    expect(problems[0]?.source.line).toBeLessThanOrEqual(12);
  });

  it('refuses a key that is given twice, as Kubernetes does', () => {
    const { problems } = loadText(`${entry('a')}  resolution: DNS\n  resolution: NONE\n`, 'x.yaml');
    expect(problems[0]?.what).toMatch(/duplicate/i);
    expect(problems[0]?.source.line).toBe(10);
  });

  it('reads anchors and merge keys, but not a bomb made of them', () => {
    const fine = loadText(
      'apiVersion: v1\nkind: Service\nmetadata: &m {name: a}\nspec: {<<: {clusterIP: None}, selector: *m}\n',
    );
    expect(fine.manifests[0]?.body.spec).toEqual({ clusterIP: 'None', selector: { name: 'a' } });
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`,
    );
    const bomb = loadText(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nl0: &l0 [x]\n${levels.join('\n')}\n`);
    expect(bomb.manifests).toEqual([]);
    expect(bomb.problems[0]?.what).toContain('anchors and aliases');
  });

  it('refuses what is nested too deeply, in YAML and in JSON', () => {
    const deep = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nspec: ${'['.repeat(50_000)}${']'.repeat(50_000)}\n`;
    expect(loadText(deep).problems).toHaveLength(1);
    const json = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"spec":${'['.repeat(5000)}${']'.repeat(5000)}}`;
    expect(loadText(json).problems.map(({ what }) => what)).toEqual([expect.stringContaining('nested')]);
  });

  it('takes a closing bracket at the indentation of its key, as Kubernetes does', () => {
    const { manifests, problems } = loadText(
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  args: [\n    a, b,\n  ]\n',
    );
    expect(problems).toEqual([]);
    expect(manifests[0]?.body.spec).toHaveProperty('args', ['a', 'b']);
  });

  it('says what is missing of an object that lacks its kind or apiVersion', () => {
    const { problems } = loadText(
      'kind: Gateway\nmetadata: {name: a}\nspec: {}\n---\napiVersion: v1\nmetadata: {name: a}\n',
    );
    expect(problems.map(({ what }) => what)).toEqual([
      'the document has metadata but no apiVersion',
      'the document has metadata but no kind',
    ]);
  });
});

describe('a folder', () => {
  it('is searched through, and YAML that is no manifest is passed over in silence', () => {
    const root = folder({
      'b/two.yml': entry('two'),
      'a/one.json': JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'one' } }),
      'chart/Chart.yaml': 'apiVersion: v2\nname: x\n',
      'chart/templates/x.yaml': entry('{{ .Values.name }}'),
      'other/template.yaml': `{{- if .Values.x }}\n${entry('x')}{{- end }}\n`,
      'other/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n',
      'other/compose.yaml': 'services: {web: {image: x}}\n',
      'other/broken-but-foreign.yaml': 'a: [1\n',
      'other/values.yaml': 'replicaCount: 1\n',
      '.git/config.yaml': entry('hidden'),
      'node_modules/x/y.yaml': entry('foreign'),
      'README.md': entry('text'),
    });
    const { manifests, problems } = load([root]);
    expect(problems).toEqual([]);
    expect(manifests.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(manifests.map(({ index }) => index)).toEqual([0, 1]);
  });

  it('is read without the patches of its kustomizations, unless they are named themselves', () => {
    const root = folder({
      'base/kustomization.yaml': 'resources: [a.yaml]\n',
      'base/a.yaml': entry('a'),
      'prod/kustomization.yaml':
        'resources: [../base, b.yaml]\npatches: [{path: patch.yaml}, {path: ../shared/other.yaml}]\npatchesStrategicMerge: [merge.yaml]\n',
      'prod/b.yaml': entry('b'),
      'prod/patch.yaml': entry('a'),
      'prod/merge.yaml': entry('a'),
      'shared/other.yaml': entry('a'),
    });
    const names = (path: string) =>
      load([path]).manifests.map(({ name, source }) => `${name} ${source.file?.slice(root.length)}`);
    expect(names(root)).toEqual(['a /base/a.yaml', 'b /prod/b.yaml']);
    expect(names(join(root, 'prod/patch.yaml'))).toEqual(['a /prod/patch.yaml']);
  });

  it('may link back to itself', () => {
    const root = folder({ 'a.yaml': entry('a') });
    symlinkSync(root, join(root, 'loop'));
    expect(load([root, join(root, 'a.yaml')]).manifests).toHaveLength(1);
  });

  it('keeps the Helm values of an Istio installation', () => {
    const root = folder({ 'values.yaml': 'meshConfig:\n  outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n' });
    const [values] = load([root]).manifests;
    expect(values?.kind).toBe('HelmValues');
    expect(values?.body).toHaveProperty('meshConfig.outboundTrafficPolicy.mode', 'REGISTRY_ONLY');
  });

  it('says which file is not UTF-8', () => {
    const root = folder({ 'a.yaml': entry('a'), 'b.yaml': Buffer.from('apiVersion: v1\nkind: S\xff\n', 'latin1') });
    const { manifests, problems } = load([root]);
    expect(manifests).toHaveLength(1);
    expect(problems.map(({ what }) => what)).toEqual(['the file is not UTF-8 text']);
  });

  it('says which file cannot be read', () => {
    if (process.getuid?.() === 0) return; // nothing is unreadable for root
    const root = folder({ 'a.yaml': entry('a'), 'b.yaml': entry('b') });
    chmodSync(join(root, 'b.yaml'), 0);
    expect(load([root]).problems.map(({ what }) => what)).toEqual(['the file cannot be read: permission denied']);
  });

  it('takes a construct path from cdk8s only where one single object bears the name', () => {
    const metadata = {
      version: '1.0.0',
      resources: { a: { path: 'edge/A/Resource' }, b: { path: 'edge/B/Resource' } },
    };
    const root = folder({
      'edge.k8s.yaml': `${entry('a')}---\n${entry('b')}---\n${entry('b').replace('ServiceEntry', 'Gateway')}`,
      'construct-metadata.json': JSON.stringify(metadata),
    });
    expect(load([root]).manifests.map(({ source }) => source.construct)).toEqual([
      'edge/A/Resource',
      undefined,
      undefined,
    ]);
  });
});

describe('input that cannot be used', () => {
  it('is a path that does not exist', () => {
    expect(() => load(['no/such/path.yaml'])).toThrow(
      new InputError('cannot read no/such/path.yaml: no such file or folder'),
    );
  });

  it('is a folder without manifests', () => {
    expect(() => load([folder({ 'a.txt': '' })])).toThrow(/there is no .yaml, .yml, .json or .values file in/);
  });

  it('is a file of which no document can be read, and the message says why', () => {
    expect(() => load([join(folder({ 'a.yaml': 'kind: [1\n' }), 'a.yaml')])).toThrow(
      /a\.yaml:\d+: the document cannot be read/,
    );
  });
});

describe('objects in memory', () => {
  it('become manifests with the source that the caller knows', () => {
    const { manifests } = loadObjects([{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } }], () => ({
      construct: 'app/A',
    }));
    expect(manifests[0]?.source).toEqual({ construct: 'app/A' });
    expect(manifests[0]?.namespace).toBe('default');
  });
});

describe('a document that is an array', () => {
  const OBJECT = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}';

  it.each([
    ['of JSON', `[${OBJECT}, ${OBJECT}]`],
    ['of YAML', `- ${OBJECT}\n- ${OBJECT}\n`],
  ])('%s is refused if it holds objects, as kubectl refuses it, and those beside it are read', (_, array) => {
    const { manifests, problems } = loadText(`${OBJECT}\n---\n${array}`);
    expect(manifests.map(({ name }) => name)).toEqual(['a']);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.why).toContain('cannot unmarshal array');
  });

  it('is not ours if it holds none', () => {
    expect(loadText('[1, {"name": "a"}]')).toMatchObject({ manifests: [], problems: [] });
  });
});
