/** CustomResourceDefinitions are recognized by their first lines, and read when somebody asks; what is read is the same as if it had been at once. */
import { CORE_SCHEMA, load as parse } from 'js-yaml';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { isUnread } from '../../src/model/unread';
import { findWorlds } from '../../src/model/worlds';

const crd = (
  plural = 'widgets',
  more = '',
  first = 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition',
): string =>
  `${first}
metadata:
  name: ${plural}.example.org
  annotations: { note: "one: two" }
spec:
  group: example.org
  names: { kind: Widget, plural: ${plural} }
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        description: |-
          A text, with

          a blank line and # no comment
        type: object
${more}`;

const FORMS: readonly (readonly [string, string])[] = [
  ['as generators write it', crd()],
  [
    'kind first, in quotes',
    crd('widgets', '', 'kind: "CustomResourceDefinition"\napiVersion: \'apiextensions.k8s.io/v1\''),
  ],
  ['after comments and blank lines', `# Source: crds\n\n  # again\n${crd()}`],
  ['with a status', crd('widgets', 'status:\n  acceptedNames: { kind: Widget, plural: widgets }\n')],
  ['with lines that end as Windows ends them', crd().replace(/\n/g, '\r\n')],
  ['with a comment at its end', crd('widgets', '# that was all\n')],
];

describe('a CustomResourceDefinition', () => {
  test.each(FORMS)('%s is read when its spec is asked for, as if it had been at once', (_form, text) => {
    const [manifest, next] = loadText(
      `${text}---\napiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n`,
    ).manifests;
    expect(manifest).toMatchObject({ kind: 'CustomResourceDefinition', namespace: '', name: 'widgets.example.org' });
    expect(isUnread(manifest?.body)).toBe(true);
    expect(next?.source.line).toBe(text.split('\n').length + 1);
    expect(manifest?.body).toEqual(parse(text, { schema: CORE_SCHEMA }));
    expect(isUnread(manifest?.body)).toBe(false);
    expect(manifest?.lineOf(['spec', 'scope'])).toBe(text.split('\n').findIndex((line) => line.includes('scope:')) + 1);
  });

  test('stays unread through check, unless it is of a kind of the mesh', () => {
    const gateway = crd('gateways').replace(/example\.org/g, 'gateway.networking.k8s.io');
    const loaded = loadText(`${crd()}---\n${crd('others')}---\n${gateway}`);
    check(loaded);
    expect(loaded.manifests.map(({ body }) => isUnread(body))).toEqual([true, true, false]);
  });

  test.each([
    ['in tabs', crd().replace('\n  scope', '\n\tscope'), 'the document cannot be read'],
    ['with two specs', `${crd()}spec: {}\n`, 'duplicated mapping key'],
    [
      'with metadata that is none',
      crd().replace(/metadata:\n(.*\n){2}/, 'metadata: [\n'),
      'the document cannot be read',
    ],
  ])('that cannot be read is told: %s', (_what, text, what) => {
    expect(
      loadText(text)
        .problems.map((problem) => problem.what)
        .join(),
    ).toContain(what);
  });

  test('that is there twice is told by what it says, and not by where its lines break', () => {
    const wrapped = crd().replace('A text, with', 'A text,\n          with');
    const other = crd().replace('Namespaced', 'Cluster');
    const found = (text: string): readonly string[] => check(loadText(text)).findings.filter(({ id }) => id === 'EDGE005').map(({ what }) => what); // prettier-ignore
    expect(found(`${crd()}---\n# copied\n${wrapped}`)).toEqual([]);
    expect(found(`${crd()}---\n${other}`)).toHaveLength(1);
  });

  describe('in a kustomization', () => {
    const home = mkdtempSync(join(tmpdir(), 'definitions-'));
    afterAll(() => rmSync(home, { recursive: true, force: true }));
    const put = (path: string, text: string): void => {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    };

    test('is patched when it is read, each overlay its own', () => {
      put('base/crd.yaml', crd());
      put('base/kustomization.yaml', 'resources: [crd.yaml]\ncommonAnnotations: { by: base }\n');
      for (const name of ['one', 'two'])
        put(
          `${name}/kustomization.yaml`,
          `resources: [../base]
patches:
  - patch: |-
      apiVersion: apiextensions.k8s.io/v1
      kind: CustomResourceDefinition
      metadata: { name: widgets.example.org, labels: { of: ${name} } }
      spec: { preserveUnknownFields: false, conversion: { strategy: ${name} } }
`,
        );
      put('three/kustomization.yaml', 'resources: [../base]\npatches: [{ path: patch.yaml }]\n');
      put(
        'three/patch.yaml',
        crd()
          .replace(/spec:[^]*$/, '')
          .replace('metadata:', 'metadata:\n  labels: { of: three }'),
      );
      const bodies = findWorlds([home]).flatMap(({ loaded }) => loaded.manifests.map(({ body }) => body));
      expect(bodies.map(isUnread)).toEqual([true, true, true]);
      const plain = parse(crd(), { schema: CORE_SCHEMA }) as Record<string, Record<string, unknown>>;
      expect(bodies).toEqual(
        ['one', 'three', 'two'].map((name) => ({
          ...plain,
          metadata: { ...plain.metadata, annotations: { note: 'one: two', by: 'base' }, labels: { of: name } },
          spec: {
            ...plain.spec,
            ...(name === 'three' ? {} : { preserveUnknownFields: false, conversion: { strategy: name } }),
          },
        })),
      );
    });

    test('has the namespace of its webhook changed, wherever that was said', () => {
      const webhook = '{ strategy: Webhook, webhook: { clientConfig: { service: { name: a, namespace: old } } } }';
      put('hooks/crd.yaml', crd());
      put('hooks/patch.yaml', `${crd().replace(/spec:[^]*$/, '')}spec: { conversion: ${webhook} }\n`);
      put('hooks/kustomization.yaml', 'namespace: shop\nresources: [crd.yaml]\npatches: [{ path: patch.yaml }]\n');
      const [world] = findWorlds([join(home, 'hooks')]);
      expect(world?.loaded.manifests[0]?.body).toMatchObject({
        spec: {
          scope: 'Namespaced',
          conversion: { webhook: { clientConfig: { service: { name: 'a', namespace: 'shop' } } } },
        },
      });
    });
  });
});
