import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { checkWorlds } from '../../src/check/worlds';
import { renderChart } from '../../src/cli/helm';
import { type World, findWorlds } from '../../src/model/worlds';

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'mesh-edge-tools-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

const named = (root: string, worlds: readonly World[]): Record<string, string[]> =>
  Object.fromEntries(
    worlds.map(({ name, loaded }) => [
      name.startsWith('cluster ') ? name : relative(root, name) || '.',
      loaded.manifests.map(({ kind, namespace, name: own }) => `${kind} ${namespace}/${own}`),
    ]),
  );

const entry = (name: string, host = `${name}.example.org`): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name} }
spec: { hosts: ["${host}"], ports: [{ number: 443, name: tls, protocol: TLS }] }
`;

const application = (
  name: string,
  source: string,
  destination = 'namespace: shop',
): string => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: ${name}, namespace: argocd }
spec:
  source: { repoURL: https://git.example.org/fleet, ${source} }
  destination: { server: https://kubernetes.default.svc, ${destination} }
`;

const kustomization = (name: string, spec: string): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: ${name}, namespace: flux-system }
spec: { ${spec} }
`;

describe('Applications of Argo CD', () => {
  it('bring what lies at their path, in the namespace of their destination', () => {
    const root = tree({
      'argo/bank.yaml': application('bank', 'path: apps/bank'),
      'apps/bank/entry.yaml': entry('bank'),
      'apps/bank/deep/entry.yaml': entry('deep'),
      'apps/web/kustomization.yaml': 'resources: [entry.yaml]\n',
      'apps/web/entry.yaml': entry('web'),
      'argo/web.yaml': application('web', 'path: apps/web, kustomize: { namePrefix: my- }'),
    });
    const worlds = named(root, findWorlds([root]));
    expect(worlds.argo).toEqual([
      'Application argocd/bank',
      'ServiceEntry shop/bank',
      'Application argocd/web',
      'ServiceEntry shop/my-web',
    ]);
    // Without recurse, folders below are not applied by it.
    expect(worlds).toEqual({ argo: worlds.argo, 'apps/bank': ['ServiceEntry default/deep'] });
  });

  it('of other clusters are worlds of their own, and apps of apps are one', () => {
    const root = tree({
      'root.yaml': application('root', 'path: apps, directory: { recurse: true }'),
      'apps/one.yaml': application('one', 'path: one'),
      'apps/two.yaml': application('two', 'path: two').replace(
        'https://kubernetes.default.svc',
        'https://two.example.org',
      ),
      'one/entry.yaml': entry('one'),
      'two/entry.yaml': entry('two'),
    });
    expect(named(root, findWorlds([root]))).toEqual({
      '.': ['Application argocd/root', 'Application argocd/one', 'ServiceEntry shop/one', 'Application argocd/two'],
      'cluster https://two.example.org': ['ServiceEntry shop/two'],
    });
  });

  it('that a kustomization holds and that apply it make one world, with each object once', () => {
    const root = tree({
      'argocd/kustomization.yaml': 'resources: [root.yaml, shop.yaml]\n',
      'argocd/root.yaml': application('root', 'path: argocd', 'namespace: argocd'),
      'argocd/shop.yaml': application('shop', 'path: shop'),
      'shop/entry.yaml': entry('bank'),
    });
    expect(named(root, findWorlds([root]))).toEqual({
      argocd: ['Application argocd/root', 'Application argocd/shop', 'ServiceEntry shop/bank'],
    });
  });

  it('are made by ApplicationSets from lists and from folders of the repository', () => {
    const set = (
      name: string,
      generators: string,
      path: string,
      isGo = false,
    ): string => `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: { name: ${name}, namespace: argocd }
spec:
  goTemplate: ${isGo}
  generators: [${generators}]
  template:
    metadata: { name: any }
    spec:
      source: { repoURL: https://git.example.org/fleet, path: '${path}' }
      destination: { name: in-cluster, namespace: '${isGo ? '{{.path.basename}}' : '{{env}}'}' }
`;
    const root = tree({
      'sets/list.yaml': set('list', '{ list: { elements: [{ env: dev }, { env: prod }] } }', 'envs/{{env}}'),
      'sets/git.yaml': set(
        'git',
        '{ git: { repoURL: x, directories: [{ path: apps/* }, { path: apps/old, exclude: true }] } }',
        '{{.path.path}}',
        true,
      ),
      'sets/clusters.yaml': set('clusters', '{ clusters: {} }', 'envs/dev'),
      'envs/dev/entry.yaml': entry('bank'),
      'envs/prod/entry.yaml': entry('bank'),
      'apps/web/entry.yaml': entry('web'),
      'apps/old/entry.yaml': entry('old'),
    });
    const worlds = findWorlds([root]);
    expect(named(root, worlds)['.']).toEqual([
      'ServiceEntry default/old',
      'ApplicationSet argocd/clusters',
      'ApplicationSet argocd/git',
      'ServiceEntry web/web',
      'ApplicationSet argocd/list',
      'ServiceEntry dev/bank',
      'ServiceEntry prod/bank',
    ]);
    expect(worlds.find(({ by }) => by === 'argo')?.remote).toEqual([
      'ApplicationSet argocd/clusters (clusters generator)',
    ]);
  });
});

describe('Kustomizations of Flux', () => {
  it('take values from ConfigMaps among the manifests, and leave those of Secrets unknown', () => {
    const root = tree({
      'cluster/apps.yaml': kustomization(
        'apps',
        'path: ./apps, postBuild: { substitute: { ENV: prod }, substituteFrom: [{ kind: ConfigMap, name: settings }, { kind: Secret, name: hidden }] }',
      ),
      'cluster/settings.yaml': `apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: flux-system }
data: { DOMAIN: example.org, PORT: "8443", TOKEN: plain }
---
apiVersion: v1
kind: Secret
metadata: { name: hidden, namespace: flux-system }
stringData: { TOKEN: ENC }
`,
      'apps/entry.yaml': `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: bank }
spec:
  hosts: ["\${ENV}.\${DOMAIN}"]
  ports:
    - number: \${PORT}
      name: \${TOKEN}
      protocol: \${PROTOCOL:=TLS}
`,
    });
    const [world] = findWorlds([root]);
    const found = world?.loaded.manifests.find(({ kind }) => kind === 'ServiceEntry');
    expect(found?.body.spec).toEqual({
      hosts: ['prod.example.org'],
      ports: [{ number: 8443, name: '${TOKEN}', protocol: 'TLS' }],
    });
  });

  it('make a cluster of the folder that it was bootstrapped with, and of folders that cannot be one', () => {
    const cluster = (name: string): Record<string, string> => ({
      [`clusters/${name}/flux-system/sync.yaml`]: kustomization('flux-system', `path: ./clusters/${name}`),
      [`clusters/${name}/apps.yaml`]: kustomization('apps', `path: ./apps/${name}`),
      [`apps/${name}/entry.yaml`]: entry(name),
    });
    const root = tree({ ...cluster('dev'), ...cluster('prod') });
    const worlds = named(root, findWorlds([root]));
    expect(Object.keys(worlds).sort()).toEqual(['clusters/dev', 'clusters/prod']);
    expect(worlds['clusters/dev']).toContain('ServiceEntry default/dev');
    expect(worlds['clusters/dev']).not.toContain('ServiceEntry default/prod');
  });

  it.each([
    ['beside what it applies', 'clusters/dev/flux-system', './clusters/dev', '[sync.yaml]'],
    ['above what it applies', 'clusters/dev', './clusters/dev', '[sync.yaml, apps]'],
  ])('that a kustomization holds, %s, make one world, with each object once', (_where, own, path, resources) => {
    const root = tree({
      [`${own}/kustomization.yaml`]: `resources: ${resources}\n`,
      [`${own}/sync.yaml`]: kustomization('flux-system', `path: ${path}`),
      'clusters/dev/apps/kustomization.yaml': 'resources: [apps.yaml]\n',
      'clusters/dev/apps/apps.yaml': kustomization('apps', 'path: ./apps'),
      'apps/entry.yaml': entry('bank'),
    });
    const [world, ...others] = Object.values(named(root, findWorlds([root])));
    expect(others).toEqual([]);
    expect([...(world ?? [])].sort()).toEqual([
      'Kustomization flux-system/apps',
      'Kustomization flux-system/flux-system',
      'ServiceEntry default/bank',
    ]);
  });

  it('that take up one component may mark its objects each as its own', () => {
    const app = (name: string, host: string): Record<string, string> => ({
      [`cluster/${name}.yaml`]: kustomization(name, `path: ./${name}, targetNamespace: shop, commonMetadata: { labels: { app: ${name} } }`), // prettier-ignore
      [`${name}/kustomization.yaml`]: `components: [../component]\npatches: [{ target: { kind: ServiceEntry }, patch: '[{ op: replace, path: /spec/hosts/0, value: ${host} }]' }]\n`,
    });
    const found = (one: string, other: string): readonly string[] => {
      const root = tree({
        ...app('a', one),
        ...app('b', other),
        'component/kustomization.yaml':
          'kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: [entry.yaml]\n',
        'component/entry.yaml': entry('bank'),
      });
      const { findings } = checkWorlds(findWorlds([root]));
      return findings.filter(({ id }) => id === 'EDGE005').map(({ severity }) => severity);
    };
    expect(found('bank.example.org', 'bank.example.org')).toEqual([]);
    expect(found('bank.example.org', 'bank.example.com')).toEqual(['warning']);
  });

  it('that apply one another in a circle are there, by the first', () => {
    const root = tree({
      'a/kustomization.yaml': 'resources: [b.yaml]\n',
      'a/b.yaml': kustomization('b', 'path: ./b'),
      'b/kustomization.yaml': 'resources: [a.yaml, entry.yaml]\n',
      'b/a.yaml': kustomization('a', 'path: ./a'),
      'b/entry.yaml': entry('bank'),
    });
    const worlds = named(root, findWorlds([root]));
    expect(Object.keys(worlds)).toEqual(['a']);
    expect(worlds.a).toContain('ServiceEntry default/bank');
  });

  it('find their path in the part of the repository that an artifact is made of', () => {
    const below = (kind: string): string =>
      `path: ./apps, targetNamespace: shop, sourceRef: { kind: ${kind}, name: all }`;
    const files = (kind: string): Record<string, string> => ({
      'kubernetes/clusters/prod/apps.yaml': kustomization('apps', below(kind)),
      'kubernetes/apps/entry.yaml': entry('bank'),
    });
    const artifact = tree(files('OCIRepository'));
    expect(Object.values(named(artifact, findWorlds([artifact]))).flat()).toContain('ServiceEntry shop/bank');
    // A path of a Git repository is one from its top, and this repository may be another.
    const git = tree(files('GitRepository'));
    expect(findWorlds([git]).flatMap(({ remote }) => remote)).toEqual(['./apps (Kustomization flux-system/apps)']);
  });

  it('that wait for one of another repository leave a world that is not whole', () => {
    const root = tree({
      'apps.yaml': kustomization('apps', 'path: ./apps, dependsOn: [{ name: platform }]'),
      'apps/entry.yaml': entry('bank'),
    });
    expect(findWorlds([root]).map(({ remote }) => remote)).toEqual([['Kustomization flux-system/platform']]);
  });
});

describe('charts', () => {
  const chart = (name: string): Record<string, string> => ({
    [`charts/${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`,
    [`charts/${name}/templates/entry.yaml`]: entry(name).replace('hosts', 'hostz'),
  });

  it('are counted and named, and nothing of their templates is judged', () => {
    const root = tree({ ...chart('web'), ...chart('api'), 'entry.yaml': entry('bank') });
    const { findings, summary } = checkWorlds(findWorlds([root]));
    expect(findings.map(({ id, severity }) => [id, severity])).toEqual([['EDGE009', 'info']]);
    expect(findings[0]?.what).toMatch(/^2 charts are not rendered: .*charts\/api, .*charts\/web$/);
    expect(findings[0]?.fix).toMatch(/helm template api .*charts\/api --namespace default \| mesh-edge check -/);
    expect(summary.objects).toBe(1);
  });

  it('are rendered by the helm of the user with the values of who installs them', () => {
    const root = tree({
      ...chart('web'),
      'release.yaml': `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: web, namespace: shop }
spec:
  releaseName: front
  chart: { spec: { chart: ./charts/web, sourceRef: { kind: GitRepository, name: fleet } } }
  values: { host: pay.example.org }
`,
      // Prints an object whose host is in the values that it was given, as a chart would.
      helm: `#!/usr/bin/env node
const { readFileSync } = require('node:fs');
const [, , , release, , , namespace, , , values] = process.argv;
const { host } = JSON.parse(readFileSync(values, 'utf8'));
console.log(JSON.stringify({ apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', metadata: { name: release, namespace }, spec: { hosts: [host] } }));
`,
    });
    chmodSync(join(root, 'helm'), 0o755);
    process.env.HELM = join(root, 'helm');
    try {
      const worlds = findWorlds([root], undefined, undefined, { renderChart });
      expect(named(root, worlds)).toEqual({ '.': ['HelmRelease shop/web', 'ServiceEntry shop/front'] });
      expect(worlds[0]?.loaded.manifests[1]?.body.spec).toHaveProperty('hosts', ['pay.example.org']);
    } finally {
      delete process.env.HELM;
    }
  });
});

it('a chart whose HelmRelease takes values that are not read here is not rendered with the others alone', () => {
  const root = mkdtempSync(join(tmpdir(), 'mesh-edge-values-from-'));
  mkdirSync(join(root, 'charts', 'web'), { recursive: true });
  writeFileSync(join(root, 'charts', 'web', 'Chart.yaml'), 'apiVersion: v2\nname: web\nversion: 1.0.0\n');
  const release = (more: string): string => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: web, namespace: shop }
spec: { chart: { spec: { chart: ./charts/web, sourceRef: { kind: GitRepository, name: x } } }${more} }
`;
  const rendered = (more: string): number => {
    writeFileSync(join(root, 'release.yaml'), release(more));
    let asked = 0;
    findWorlds([root], undefined, undefined, {
      renderChart: ({ by }) => {
        if (by !== undefined) asked += 1;
        return { text: '' };
      },
    });
    return asked;
  };
  expect(rendered('')).toBeGreaterThan(0);
  expect(rendered(', valuesFrom: [{ kind: ConfigMap, name: given }]')).toBe(0);
});
