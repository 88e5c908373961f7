/** Good manifests to spoil: the examples of rules, what our own scenarios and examples synthesize. And what else commands read. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { objectsOf } from './text';

const ROOT = join(__dirname, '../..');
const FOLDERS = ['test/valid', 'test/invalid', 'dist', 'examples'];
/** Larger ones say the same once more, and take longer. */
const LARGEST = 40_000;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && !name.startsWith('.'))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesIn(path);
      return /\.(yaml|yml|values)$/.test(entry.name) && statSync(path).size <= LARGEST ? [relative(ROOT, path)] : [];
    });
}

export const SEEDS: readonly string[] = FOLDERS.flatMap((folder) => filesIn(join(ROOT, folder))).sort();

export const textOf = (seed: string): string => EXTRAS[seed] ?? readFileSync(join(ROOT, seed), 'utf8');

const known = new Map<string, readonly unknown[]>();

export function seedObjects(seed: string): readonly unknown[] {
  let objects = known.get(seed);
  if (objects === undefined) known.set(seed, (objects = objectsOf(textOf(seed))));
  return objects;
}

const type = (name: string): string => `type.googleapis.com/envoy.admin.v3.${name}`;
const DUMP = {
  configs: [
    {
      '@type': type('BootstrapConfigDump'),
      bootstrap: {
        node: { id: 'sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local', metadata: { LABELS: { app: 'web' } } },
      },
    },
    {
      '@type': type('ClustersConfigDump'),
      dynamic_active_clusters: [{ cluster: { name: 'outbound|80||a.example.com', type: 'STRICT_DNS' } }],
    },
    {
      '@type': type('ListenersConfigDump'),
      dynamic_listeners: [
        {
          name: '0.0.0.0_80',
          active_state: {
            listener: {
              name: '0.0.0.0_80',
              address: { socket_address: { address: '0.0.0.0', port_value: 80 } },
              filter_chains: [
                {
                  filter_chain_match: { transport_protocol: 'raw_buffer', server_names: ['a.example.com'] },
                  filters: [
                    {
                      typed_config: {
                        '@type':
                          'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                        rds: { route_config_name: '80' },
                      },
                    },
                  ],
                },
              ],
            },
          },
        },
      ],
    },
    {
      '@type': type('RoutesConfigDump'),
      dynamic_route_configs: [
        {
          route_config: {
            name: '80',
            virtual_hosts: [
              {
                name: 'a',
                domains: ['a.example.com', '*'],
                routes: [
                  {
                    match: { safe_regex: { regex: '/a+' }, headers: [{ name: 'x', string_match: { exact: 'y' } }] },
                    route: { cluster: 'outbound|80||a.example.com' },
                  },
                  { match: { prefix: '/' }, redirect: { path_redirect: '/x' } },
                ],
              },
            ],
          },
        },
      ],
    },
  ],
};

/** What commands read besides manifests. */
export const EXTRAS: Readonly<Record<string, string>> = {
  rules: `rules:
  - name: only web reaches the bank
    forbid: { from: { except: [shop/web] }, to: { hosts: ["*.example.com", example.com] } }
  - name: what leaves is encrypted
    require: { from: "*", to: outside, tls: encrypted }
  - name: admin is not public
    forbid: { from: outside, to: { hosts: [shop.example.com], paths: ["/admin", "/admin/*"], methods: [GET] } }
  - name: ranges
    forbid: { from: app, to: { cidrs: [10.0.0.0/8], ports: [443], protocols: [tls] } }
  - name: through the gateway
    require: { from: { labels: { app: web } }, to: outside, through: istio-egress/egress, identity: true }
    vacuous: allowed
`,
  configuration: `istioVersion: "1.30"
gatewayApiVersion: "1.4"
outbound: REGISTRY_ONLY
roots:
  - clusters/*
  - { name: prod, paths: [base, overlays/p] }
ignore: [docs/**]
externals:
  - Gateway istio-ingress/public
  - path: ../platform/*.yaml
severity: { EDGE005: info }
suppress:
  - { rule: EDGE201, reason: the firewall holds it, object: ServiceEntry shop/*, file: envs/** }
charts:
  - { chart: charts/web, release: web, namespace: shop, values: [charts/web/values.yaml] }
`,
  dump: JSON.stringify(DUMP),
  requests: [
    {
      from: 'app/sleep',
      request: 'https://edition.cnn.com/',
      address: '203.0.113.7',
      method: 'GET',
      headers: { 'x-a': 'b', cookie: 'a=b' },
    },
    { from: 'shop', request: 'http://fine.example.com/a?b=c', labels: { app: 'web' }, serviceAccount: 'web' },
    {
      from: 'outside',
      at: 'istio-ingress/public',
      request: 'https://shop.example.com/',
      headers: { authorization: 'Bearer x' },
    },
    { from: 'app', request: 'tcp://10.0.0.1:3306' },
    { from: 'app', request: 'tls://a.example.com:443' },
  ]
    .map((one) => JSON.stringify(one))
    .join('\n---\n'),
  kustomization: `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: prod
namePrefix: a-
nameSuffix: -b
resources: [a.yaml, ../base]
components: [../part]
labels: [{ pairs: { app: web }, includeSelectors: true }]
commonAnnotations: { a: b }
patches:
  - { path: patch.yaml, target: { kind: "VirtualService", name: "w.*", labelSelector: app=web } }
  - { patch: '[{op: replace, path: /spec/hosts/0, value: b}]', target: { kind: ServiceEntry } }
replacements: [{ source: { kind: ConfigMap, name: x, fieldPath: data.a }, targets: [{ select: { kind: Service }, fieldPaths: [metadata.name] }] }]
configMapGenerator: [{ name: x, literals: ["a=b"] }]
images: [{ name: web, newTag: "2" }]
replicas: [{ name: web, count: 2 }]
`,
  flux: `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: apps, namespace: flux-system }
spec:
  path: ./new
  targetNamespace: shop
  postBuild: { substitute: { ns: shop }, substituteFrom: [{ kind: ConfigMap, name: vars }] }
  dependsOn: [{ name: infra }]
  sourceRef: { kind: GitRepository, name: flux-system }
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: { name: all, namespace: argocd }
spec:
  generators: [{ git: { directories: [{ path: "new/*" }] } }, { list: { elements: [{ cluster: a }] } }]
  template:
    metadata: { name: "{{path.basename}}" }
    spec: { source: { path: "{{path}}", repoURL: https://git.example.com/x.git }, destination: { namespace: shop } }
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: web, namespace: shop }
spec: { chart: { spec: { chart: ./charts/web, sourceRef: { kind: GitRepository, name: x } } }, values: { a: 1 } }
`,
};
