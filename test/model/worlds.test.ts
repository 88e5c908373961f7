import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { checkWorlds } from '../../src/check/worlds';
import { type World, findWorlds } from '../../src/model/worlds';

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'mesh-edge-worlds-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

const named = (root: string, worlds: readonly World[]): Record<string, string[]> =>
  Object.fromEntries(
    worlds.map(({ name, loaded }) => [
      relative(root, name) || '.',
      loaded.manifests.map(({ kind, namespace, name: own }) => `${kind} ${namespace}/${own}`),
    ]),
  );

const bodies = (files: Readonly<Record<string, string>>): any[] =>
  findWorlds([tree(files)]).flatMap(({ loaded }) => loaded.manifests.map(({ body }) => body));

const ENTRY = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: bank }
spec:
  hosts: [api.bank.example]
  exportTo: ['.']
  ports: [{ number: 443, name: tls, protocol: TLS }]
`;
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      serviceAccountName: web
      containers:
        - { name: web, image: web:1, env: [{ name: A, value: a }] }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: web }
`;

describe('the worlds of a folder', () => {
  it('are one where there is no kustomization', () => {
    const root = tree({ 'a/se.yaml': ENTRY, 'b/se.yaml': ENTRY });
    expect(named(root, findWorlds([root]))).toEqual({
      '.': ['ServiceEntry default/bank', 'ServiceEntry default/bank'],
    });
  });

  it('are the kustomizations that no other takes up, and the files beside them', () => {
    const root = tree({
      'base/kustomization.yaml': 'resources: [se.yaml]\n',
      'base/se.yaml': ENTRY,
      'overlays/dev/kustomization.yaml': 'namespace: dev\nresources: [../../base]\n',
      'overlays/prod/kustomization.yaml': 'namespace: prod\nnameSuffix: -x\nresources: [../../base]\n',
      'other/se.yaml': ENTRY,
    });
    expect(named(root, findWorlds([root]))).toEqual({
      'overlays/dev': ['ServiceEntry dev/bank'],
      'overlays/prod': ['ServiceEntry prod/bank-x'],
      other: ['ServiceEntry default/bank'],
    });
  });

  it('hold what Flux applies for them, in its namespace and with its values', () => {
    const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: bank, namespace: flux-system }
spec:
  path: ./apps/bank
  targetNamespace: payments
  postBuild: { substitute: { BANK: api.bank.example } }
`;
    const root = tree({
      'clusters/one/kustomization.yaml': 'resources: [bank.yaml]\n',
      'clusters/one/bank.yaml': flux,
      'apps/bank/kustomization.yaml': 'resources: [se.yaml]\n',
      'apps/bank/se.yaml': ENTRY.replace('api.bank.example', '"${BANK}"'),
    });
    const worlds = findWorlds([root]);
    expect(named(root, worlds)).toEqual({
      'clusters/one': ['Kustomization flux-system/bank', 'ServiceEntry payments/bank'],
    });
    expect(worlds[0]?.loaded.manifests[1]?.body.spec).toHaveProperty('hosts', ['api.bank.example']);
  });

  it('are judged each by itself, and what several show is said once', () => {
    const broken = ENTRY.replace('exportTo', 'exportToo');
    const root = tree({
      'base/kustomization.yaml': 'resources: [se.yaml]\n',
      'base/se.yaml': broken,
      'dev/kustomization.yaml': 'resources: [../base, web.yaml]\n',
      'dev/web.yaml': DEPLOYMENT,
      'prod/kustomization.yaml': 'resources: [../base, web.yaml]\n',
      'prod/web.yaml': DEPLOYMENT.replace('web:1', 'web:2'),
    });
    const { findings } = checkWorlds(findWorlds([root]));
    expect(findings.map(({ id, severity, worlds }) => [id, severity, worlds])).toEqual([
      ['EDGE002', 'error', undefined],
    ]);
  });

  it('that cannot be built are named, and nothing of them is judged', () => {
    const root = tree({
      'kustomization.yaml': 'resources: [se.yaml]\nhelmCharts: [{ name: web }]\n',
      'se.yaml': ENTRY.replace('exportTo', 'exportToo'),
    });
    const { findings } = checkWorlds(findWorlds([root]));
    expect(findings.map(({ id, severity }) => [id, severity])).toEqual([['EDGE009', 'info']]);
    expect(findings[0]?.what).toMatch(/helmCharts, which render charts/);
  });

  it('of one reason, many that cannot be built are one finding', () => {
    const files = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name): [string, string] => [
      `${name}/kustomization.yaml`,
      'helmCharts: [{ name: web }]\n',
    ]);
    const root = tree({
      ...Object.fromEntries(files),
      'h/kustomization.yaml': 'resources: [none.yaml]\n',
      'i/se.yaml': ENTRY,
    });
    const { findings } = checkWorlds(findWorlds([root]));
    expect(findings.map(({ what }) => what.replaceAll(root, ''))).toEqual([
      expect.stringMatching(
        /^\/a is not built here: .* has helmCharts, .*; nor are \/b, \/c, \/d, \/e, \/f and 1 more, for the same reason$/,
      ),
      expect.stringMatching(/^\/h is not built here/),
    ]);
  });

  it('say what they take up from elsewhere', () => {
    const root = tree({
      'kustomization.yaml': 'resources: [se.yaml, https://example.org/crds.yaml]\n',
      'se.yaml': ENTRY,
    });
    expect(findWorlds([root])[0]?.remote).toEqual(['https://example.org/crds.yaml']);
  });
});

describe('a kustomization', () => {
  it('follows the names that it changes', () => {
    const [deployment, account] = bodies({
      'kustomization.yaml': 'namePrefix: my-\nresources: [web.yaml]\n',
      'web.yaml': DEPLOYMENT,
    });
    expect([deployment.metadata.name, deployment.spec.template.spec.serviceAccountName, account.metadata.name]).toEqual(
      ['my-web', 'my-web', 'my-web'],
    );
  });

  it('merges lists of built-in kinds by their keys, and replaces those of others', () => {
    const patches = `resources: [web.yaml, se.yaml]
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web }
      spec: { template: { spec: { containers: [{ name: web, env: [{ name: B, value: b }] }] } } }
  - target: { kind: ServiceEntry }
    patch: |
      kind: any
      metadata: { name: any }
      spec: { hosts: [other.example] }
`;
    const [deployment, , entry] = bodies({ 'kustomization.yaml': patches, 'web.yaml': DEPLOYMENT, 'se.yaml': ENTRY });
    expect(deployment.spec.template.spec.containers).toEqual([
      {
        name: 'web',
        image: 'web:1',
        env: [
          { name: 'B', value: 'b' },
          { name: 'A', value: 'a' },
        ],
      },
    ]);
    expect([entry.kind, entry.metadata.name, entry.spec.hosts]).toEqual(['ServiceEntry', 'bank', ['other.example']]);
  });

  it('applies JSON patches to what their target selects', () => {
    const patches = `resources: [se.yaml]
patches:
  - target: { kind: ServiceE.*, name: ba.k }
    patch: '[{"op": "add", "path": "/spec/hosts/-", "value": "b.example"}, {"op": "remove", "path": "/spec/exportTo"}]'
`;
    const [entry] = bodies({ 'kustomization.yaml': patches, 'se.yaml': ENTRY });
    expect(entry.spec).toEqual({
      hosts: ['api.bank.example', 'b.example'],
      ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
    });
  });

  it('copies values by replacements, and labels selectors where it is told to', () => {
    const kustomization = `resources: [web.yaml, se.yaml]
labels: [{ pairs: { team: a }, includeSelectors: true }]
replacements:
  - source: { kind: Deployment, fieldPath: metadata.name }
    targets:
      - select: { kind: ServiceEntry }
        fieldPaths: [spec.hosts.0]
        options: { delimiter: ., index: 0 }
`;
    const [deployment, , entry] = bodies({
      'kustomization.yaml': kustomization,
      'web.yaml': DEPLOYMENT,
      'se.yaml': ENTRY,
    });
    expect(entry.spec.hosts).toEqual(['web.bank.example']);
    expect(deployment.spec.selector.matchLabels).toEqual({ app: 'web', team: 'a' });
    expect(deployment.spec.template.metadata.labels).toEqual({ app: 'web', team: 'a' });
  });

  it('follows accounts in role bindings by the namespaces that they were in, as kustomize does', () => {
    const binding = `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reads }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
subjects: [{ kind: ServiceAccount, name: web, namespace: shop }]
`;
    const account = DEPLOYMENT.slice(DEPLOYMENT.indexOf('---') + 4);
    const subjects = (files: Readonly<Record<string, string>>): unknown =>
      bodies({ 'kustomization.yaml': 'namespace: shop\nnamePrefix: my-\nresources: [all.yaml]\n', ...files }).find(
        ({ kind }) => kind === 'RoleBinding',
      ).subjects;
    expect(subjects({ 'all.yaml': `${binding}---\n${account}` })).toEqual([
      { kind: 'ServiceAccount', name: 'my-web', namespace: 'shop' },
    ]);
    // Something was in shop before: only what was there too is meant.
    const other = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: other, namespace: shop }\n';
    expect(subjects({ 'all.yaml': `${binding}---\n${account}---\n${other}` })).toEqual([
      { kind: 'ServiceAccount', name: 'web', namespace: 'shop' },
    ]);
  });

  it('puts the elements of a patch before the others of a list', () => {
    const [deployment] = bodies({
      'kustomization.yaml': `resources: [web.yaml]
patches:
  - patch: '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"template":{"spec":{"containers":[{"name":"log"},{"name":"web","image":"web:2"}]}}}}'
`,
      'web.yaml': DEPLOYMENT,
    });
    expect(deployment.spec.template.spec.containers.map(({ name, image }: any) => [name, image])).toEqual([
      ['log', undefined],
      ['web', 'web:2'],
    ]);
  });

  it('adds by JSON patches what is replaced and not there, and annotations of any object', () => {
    const [deployment] = bodies({
      'kustomization.yaml': `resources: [web.yaml]
patches:
  - target: { kind: Deployment }
    patch: |-
      - { op: replace, path: /spec/template/spec/serviceAccount, value: other }
      - { op: add, path: /metadata/annotations/example.org~1a, value: b }
  - target: { kind: ServiceAccount }
    patch: '[{ op: add, path: /automountServiceAccountToken, value: false }]'
`,
      'web.yaml': DEPLOYMENT,
    });
    expect(deployment.spec.template.spec.serviceAccount).toBe('other');
    expect(deployment.metadata.annotations).toEqual({ 'example.org/a': 'b' });
    const [, account] = bodies({
      'kustomization.yaml': `resources: [web.yaml]
patches: [{ target: { kind: ServiceAccount }, patch: '[{ op: add, path: /automountServiceAccountToken, value: false }]' }]
`,
      'web.yaml': DEPLOYMENT,
    });
    expect(account).toEqual({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web' }, automountServiceAccountToken: false }); // prettier-ignore
  });

  it('changes images of custom resources where configurations name their fields', () => {
    const [storage] = bodies({
      'kustomization.yaml': `resources: [storage.yaml]
configurations: [fields.yaml]
images: [{ name: reader, newName: registry.example/reader, newTag: '2' }]
`,
      'fields.yaml': 'images: [{ kind: Storage, path: spec/container/image }]\n',
      'storage.yaml': `apiVersion: example.org/v1
kind: Storage
metadata: { name: s }
spec: { container: { image: "reader:1" }, other: { image: "reader:1" } }
`,
    });
    expect(storage.spec).toEqual({ container: { image: 'registry.example/reader:2' }, other: { image: 'reader:1' } });
  });

  it('merges webhooks by their names, so that replacements find their fields', () => {
    const [webhooks] = bodies({
      'kustomization.yaml': `resources: [hooks.yaml]
patches: [{ path: patch.yaml }]
replacements: [{ sourceValue: shop, targets: [{ select: { kind: MutatingWebhookConfiguration }, fieldPaths: [webhooks.*.clientConfig.service.namespace] }] }]
`,
      'hooks.yaml': `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: { name: hooks }
webhooks:
  - { name: a.example.org, clientConfig: { service: { name: a, namespace: NOT_YET } } }
  - { name: b.example.org, clientConfig: { service: { name: b, namespace: NOT_YET } } }
`,
      'patch.yaml': `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: { name: hooks }
webhooks: [{ name: a.example.org, failurePolicy: Fail }]
`,
    });
    expect(webhooks.webhooks).toEqual([
      { name: 'a.example.org', clientConfig: { service: { name: 'a', namespace: 'shop' } }, failurePolicy: 'Fail' },
      { name: 'b.example.org', clientConfig: { service: { name: 'b', namespace: 'shop' } } },
    ]);
  });

  it('makes no list of claims where there is none', () => {
    const [stateful] = bodies({
      'kustomization.yaml': 'commonLabels: { team: a }\nresources: [web.yaml]\n',
      'web.yaml': 'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: web }\nspec: { serviceName: web }\n',
    });
    expect(Object.keys(stateful.spec).sort()).toEqual(['selector', 'serviceName', 'template']);
  });

  it('generates ConfigMaps of files, variables and literals, and merges into others, as kustomize does', () => {
    const maps = bodies({
      'base/kustomization.yaml': `namespace: shop
configMapGenerator:
  - { name: a, envs: [v.env], files: [f.txt, k=f.txt], literals: ['q="x y"', "s='z'", e=, eq=a=b] }
  - { name: b, literals: [one=1, two=2] }
`,
      'base/v.env': '  A=1 \n# no\n\nB\nC=x=y\r\nD="q"\n',
      'base/f.txt': 'hello\n',
      'over/kustomization.yaml': `resources: [../base]
configMapGenerator:
  - { name: a, behavior: merge, literals: [q=new, n=1] }
  - { name: b, behavior: replace, literals: [three=3] }
`,
    });
    // kubectl kustomize over
    expect(maps.map(({ data }) => data)).toEqual([
      {
        A: '1 ',
        B: '',
        C: 'x=y',
        D: '"q"',
        e: '',
        eq: 'a=b',
        'f.txt': 'hello\n',
        k: 'hello\n',
        n: '1',
        q: 'new',
        s: 'z',
      },
      { three: '3' },
    ]);
  });

  it.each([
    [
      'one another',
      {
        'a/kustomization.yaml': 'resources: [se.yaml, ../b]\n',
        'b/kustomization.yaml': 'resources: [../a]\n',
        'a/se.yaml': '',
      },
    ],
    [
      'themselves',
      { 'kustomization.yaml': 'resources: [.]\n', 'se.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\n' },
    ],
  ])('is not built, and its files are not judged as they are, where kustomizations take up %s', (_what, files) => {
    const worlds = findWorlds([tree(files)]).filter(({ by }) => by === 'kustomize');
    expect(
      worlds.map(({ notBuilt, loaded }) => [notBuilt?.replace(/^.* takes/, 'takes'), loaded.manifests.length]),
    ).toEqual([['takes up itself', 0]]);
  });

  it('makes no world of what a component alone takes up that nobody uses', () => {
    const root = tree({
      'kustomization.yaml': 'configMapGenerator: [{ name: a }]\n',
      'part/kustomization.yaml': 'kind: Component\nresources: [../base]\n',
      'base/kustomization.yaml': 'configMapGenerator: [{ name: b }]\n',
    });
    expect(findWorlds([root])).toHaveLength(1);
  });

  it('is not built where a file that it generates from is not there', () => {
    const root = tree({ 'kustomization.yaml': 'configMapGenerator: [{ name: a, files: [gone.txt] }]\n' });
    expect(findWorlds([root])[0]?.notBuilt).toMatch(/gone\.txt is not there/);
  });

  it('hands what it generates on: the mesh configuration, and values of replacements', () => {
    const [config, entry] = bodies({
      'kustomization.yaml': `namespace: shop
resources: [bank.yaml]
configMapGenerator: [{ name: vars, envs: [vars.env] }]
replacements: [{ source: { kind: ConfigMap, name: vars, fieldPath: data.host }, targets: [{ select: { kind: ServiceEntry }, fieldPaths: [spec.hosts.0] }] }]
`,
      'vars.env': 'host=other.example\n',
      'bank.yaml': ENTRY,
    }).sort((a, b) => a.kind.localeCompare(b.kind));
    expect(config.data).toEqual({ host: 'other.example' });
    expect(entry.spec.hosts).toEqual(['other.example']);
  });
});
