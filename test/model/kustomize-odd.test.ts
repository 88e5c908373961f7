import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Kustomizer } from '../../src/model/kustomize-build';
import { NotBuilt } from '../../src/model/kustomize-resource';
import { loadText } from '../../src/model/load';

/** What `kustomize build` v5.7.1 makes of each of these was compared by hand with scripts/kustomize.ts. */
function build(files: Readonly<Record<string, string>>): any[] | string {
  const root = mkdtempSync(join(tmpdir(), 'mesh-edge-odd-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  try {
    const read = (text: string, file: string): ReturnType<typeof loadText> =>
      loadText(text, file, { named: false, by: 'kustomize' });
    return new Kustomizer(read).build(root).resources.map(({ body }) => body);
  } catch (error) {
    if (error instanceof NotBuilt) return error.message.replaceAll(root, '');
    throw error;
  }
}

const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }\n';
const ROUTE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec: { hosts: [web], http: [{ timeout: 5s, route: [{ destination: { host: web, port: { number: 80 } } }] }] }
`;
const MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: cm }\ndata: { host: x.example.org, port: '8080' }\n";
const one = (content: string): Readonly<Record<string, string>> => ({
  'kustomization.yaml': 'resources: [x.yaml]\n',
  'x.yaml': content,
});
const all = (rest: string, more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  'kustomization.yaml': `resources: [web.yaml, vs.yaml, cm.yaml]\n${rest}`,
  'web.yaml': SERVICE,
  'vs.yaml': ROUTE,
  'cm.yaml': MAP,
  ...more,
});

describe('what kustomize refuses', () => {
  it.each([
    ['a list among resources', one('- a\n'), 'no object'],
    ['values of a chart', one('replicas: 2\n'), 'no metadata.name'],
    ['a text', one('hello\n'), 'no object'],
    ['a text behind an object', one(`${SERVICE}---\nhello\n`), 'no object'],
    [
      'an object with generateName alone',
      one('apiVersion: batch/v1\nkind: Job\nmetadata: { generateName: a- }\n'),
      'no metadata.name',
    ],
    [
      'a kustomization named as a file',
      { 'kustomization.yaml': 'resources: [s/kustomization.yaml]\n', 's/kustomization.yaml': 'resources: [x.yaml]\n' },
      'no metadata.name',
    ],
    ['a field that it does not know', all('foo: bar\n'), 'foo, which is no field'],
    ['a text where a list is due', { 'kustomization.yaml': 'resources: x.yaml\n', 'x.yaml': SERVICE }, 'resources of'],
    ['a number for a label', all('commonLabels: { v: 1 }\n'), 'commonLabels of'],
    ['another kind', all('kind: Foo\n'), 'of kind Foo'],
    [
      'a Kustomization of Flux',
      { 'kustomization.yaml': 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {}\n' },
      'has apiVersion',
    ],
    [
      'two of them in a folder',
      all('', { 'kustomization.yml': 'resources: [web.yaml]\n' }),
      'holds kustomization.yaml and',
    ],
    [
      'a component among resources',
      {
        'kustomization.yaml': 'resources: [c]\n',
        'c/kustomization.yaml': 'kind: Component\nresources: [x.yaml]\n',
        'c/x.yaml': SERVICE,
      },
      'taken up as resources',
    ],
    [
      'no component among components',
      {
        'kustomization.yaml': 'components: [c]\n',
        'c/kustomization.yaml': 'resources: [x.yaml]\n',
        'c/x.yaml': SERVICE,
      },
      'no component',
    ],
    [
      'a part that the source of a replacement has not',
      all(
        'replacements: [{ source: { kind: ConfigMap, fieldPath: data.host, options: { delimiter: ".", index: 9 } }, targets: [{ select: { kind: Service }, fieldPaths: [spec.ports.0.port] }] }]\n',
      ),
      'no part 9',
    ],
    [
      'a var of no object',
      all('vars: [{ name: A, objref: { kind: Service, name: nix, apiVersion: v1 } }]\n'),
      'the var A',
    ],
    [
      'data that is merged into nothing',
      all('configMapGenerator: [{ name: c, behavior: merge, literals: [b=2] }]\n'),
      'there is none',
    ],
    ['a literal without a value', all('configMapGenerator: [{ name: c, literals: [b] }]\n'), 'no NAME=value'],
    ['a key twice', all('configMapGenerator: [{ name: c, literals: [b=1, b=2] }]\n'), 'b twice'],
    [
      'several patches for one target',
      all(`patches: [{ target: { kind: Service }, path: p.yaml }]\n`, { 'p.yaml': `${SERVICE}---\n${SERVICE}` }),
      'is several',
    ],
    [
      'a selector that is none',
      all('patches: [{ target: { labelSelector: "a in b" }, path: p.yaml }]\n', { 'p.yaml': SERVICE }),
      'is none',
    ],
    [
      'fields that configurations set, not done here',
      all('configurations: [c.yaml]\n', { 'c.yaml': 'commonLabels: [{ path: spec/a, create: true }]\n' }),
      'not done here',
    ],
  ])('%s', (_name, files, why) => {
    expect(build(files)).toContain(why);
  });
});

describe('what kustomize makes', () => {
  const route = (files: Readonly<Record<string, string>>): any => {
    const built = build(files);
    return typeof built === 'string' ? built : built.find(({ kind }) => kind === 'VirtualService').spec;
  };

  it('follows names into fields that configurations name', () => {
    const files = all('namePrefix: p-\nconfigurations: [c.yaml]\n', {
      'c.yaml':
        'nameReference: [{ kind: Service, version: v1, fieldSpecs: [{ kind: VirtualService, path: spec/http/route/destination/host }] }]\n',
    });
    expect(route(files).http[0].route[0].destination.host).toBe('p-web');
    expect(route(all('namePrefix: p-\n')).http[0].route[0].destination.host).toBe('web');
  });

  it('fills in vars in the fields that may hold them alone', () => {
    const vars =
      'vars: [{ name: HOST, objref: { kind: Service, name: web, apiVersion: v1 } }]\npatches: [{ target: { kind: VirtualService }, patch: "[{ op: replace, path: /spec/hosts/0, value: $(HOST).example }]" }]\n';
    expect(route(all(vars)).hosts).toEqual(['$(HOST).example']);
    const more = { 'c.yaml': 'varReference: [{ kind: VirtualService, path: spec/hosts }]\n' };
    expect(route(all(`${vars}configurations: [c.yaml]\n`, more)).hosts).toEqual(['web.example']);
  });

  it('writes a number where a number was', () => {
    const files = all(
      'replacements: [{ source: { kind: ConfigMap, fieldPath: data.port }, targets: [{ select: { kind: VirtualService }, fieldPaths: [spec.http.0.route.0.destination.port.number] }] }]\n',
    );
    expect(route(files).http[0].route[0].destination.port.number).toBe(8080);
  });

  it('sets the namespace in fields that configurations name', () => {
    const files = all('namespace: shop\nconfigurations: [c.yaml]\n', {
      'c.yaml': 'namespace: [{ kind: VirtualService, path: spec/at, create: true }]\n',
    });
    expect(route(files).at).toBe('shop');
  });

  it.each([
    ['{ name: ".*nginx", newTag: "3" }', 'reg.example:5000/nginx:3'],
    ['{ name: reg.example:5000/nginx, newName: a/b, tagSuffix: -x }', 'a/b:1-x'],
    ['{ name: nginx, newTag: "3" }', 'reg.example:5000/nginx:1'],
  ])('changes images by %s', (image, wanted) => {
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: reg.example:5000/nginx:1 }] }\n';
    const built = build({ 'kustomization.yaml': `resources: [x.yaml]\nimages: [${image}]\n`, 'x.yaml': pod });
    expect(built).toMatchObject([{ spec: { containers: [{ image: wanted }] } }]);
  });
});
