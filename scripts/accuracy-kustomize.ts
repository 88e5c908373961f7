/**
 * Random kustomizations, built here and by the real kustomize: the same objects, or a reason why not.
 *
 *     npm run accuracy:kustomize -- [COUNT] [SEED]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compareBuilds, kustomizeProgram } from './kustomize';

const [count = 100, seed = 1] = process.argv.slice(2).map(Number);
let state = seed >>> 0;
/** mulberry32 */
const random = (): number => {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const maybe = (share: number): boolean => random() < share;

const NAMES = ['web', 'api', 'db'];

function object(kind: string, name: string): Record<string, unknown> {
  const metadata = {
    name,
    ...(maybe(0.3) ? { namespace: 'shop' } : {}),
    ...(maybe(0.4) ? { labels: { app: name } } : {}),
  };
  const pod = {
    serviceAccountName: one(NAMES),
    containers: [{ name, image: `${name}:1`, env: [{ name: 'A', value: 'a' }], ports: [{ containerPort: 80 }] }],
    volumes: [{ name: 'v', configMap: { name: one(NAMES) } }],
  };
  switch (kind) {
    case 'Deployment':
      return {
        apiVersion: 'apps/v1',
        kind,
        metadata,
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: name } },
          template: { metadata: { labels: { app: name } }, spec: pod },
        },
      };
    case 'Service':
      return {
        apiVersion: 'v1',
        kind,
        metadata,
        spec: { selector: { app: name }, ports: [{ name: 'http', port: 80 }] },
      };
    case 'ServiceEntry':
      return {
        apiVersion: 'networking.istio.io/v1',
        kind,
        metadata,
        spec: { hosts: [`${name}.example.org`], ports: [{ number: 443, name: 'tls', protocol: 'TLS' }] },
      };
    case 'VirtualService':
      return {
        apiVersion: 'networking.istio.io/v1',
        kind,
        metadata,
        spec: { hosts: [`${name}.example.org`], http: [{ route: [{ destination: { host: one(NAMES) } }] }] },
      };
    case 'Ingress':
      return {
        apiVersion: 'networking.k8s.io/v1',
        kind,
        metadata,
        spec: {
          tls: [{ secretName: one(NAMES) }],
          rules: [
            {
              http: {
                paths: [
                  { path: '/', pathType: 'Prefix', backend: { service: { name: one(NAMES), port: { number: 80 } } } },
                ],
              },
            },
          ],
        },
      };
    case 'RoleBinding':
      return {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind,
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: one(NAMES) },
        subjects: [{ kind: 'ServiceAccount', name: one([...NAMES, 'default']), namespace: 'shop' }],
      };
    case 'NetworkPolicy':
      return {
        apiVersion: 'networking.k8s.io/v1',
        kind,
        metadata,
        spec: {
          podSelector: { matchLabels: { app: name } },
          ingress: [{ from: [{ podSelector: { matchLabels: { app: one(NAMES) } } }] }],
        },
      };
    default:
      return { apiVersion: 'v1', kind, metadata: kind === 'Namespace' ? { name } : metadata };
  }
}

const KINDS = [
  'Deployment',
  'Service',
  'ServiceEntry',
  'VirtualService',
  'Ingress',
  'RoleBinding',
  'NetworkPolicy',
  'ConfigMap',
  'ServiceAccount',
  'Secret',
  'Namespace',
];

function layer(resources: readonly string[], deployed: readonly string[]): Record<string, unknown> {
  const patches = [
    {
      target: { kind: 'ServiceEntry' },
      patch: JSON.stringify([{ op: 'replace', path: '/spec/hosts/0', value: 'other.example.org' }]),
    },
    {
      target: { kind: 'Deployment' },
      patch: JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'any' },
        spec: {
          replicas: 3,
          template: { spec: { containers: [{ name: one(NAMES), env: [{ name: 'B', value: 'b' }] }] } },
        },
      }),
    },
    {
      target: { kind: 'Service|VirtualService', name: `${one(NAMES)}.*` },
      patch: JSON.stringify([{ op: 'add', path: '/metadata/annotations', value: { a: 'b' } }]),
    },
    {
      target: { kind: 'NetworkPolicy' },
      patch: JSON.stringify({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'any' },
        spec: { ingress: null },
      }),
    },
    {
      target: { kind: 'Secret' },
      patch: JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'any' }, $patch: 'delete' }),
    },
  ];
  return {
    resources,
    ...(maybe(0.5) ? { namespace: one(['shop', 'payments']) } : {}),
    ...(maybe(0.4) ? { namePrefix: 'my-' } : {}),
    ...(maybe(0.3) ? { nameSuffix: '-v2' } : {}),
    ...(maybe(0.3) ? { commonLabels: { team: 'a' } } : {}),
    ...(maybe(0.3) ? { labels: [{ pairs: { tier: 'b' }, includeSelectors: maybe(0.5), includeTemplates: true }] } : {}),
    ...(maybe(0.3) ? { commonAnnotations: { note: 'c' } } : {}),
    ...(maybe(0.5) ? { patches: patches.filter(() => maybe(0.4)) } : {}),
    ...(maybe(0.3) ? { images: [{ name: one(NAMES), newName: 'registry.example/x', newTag: '2' }] } : {}),
    ...(maybe(0.3) && deployed.length > 0 ? { replicas: [{ name: one(deployed), count: 5 }] } : {}),
    ...(maybe(0.3)
      ? {
          replacements: [
            {
              sourceValue: 'r.example.org',
              targets: [{ select: { kind: 'ServiceEntry' }, fieldPaths: ['spec.hosts.0'] }],
            },
          ],
        }
      : {}),
  };
}

function write(root: string, file: string, value: unknown): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(
    join(root, file),
    Array.isArray(value) ? value.map((item) => JSON.stringify(item)).join('\n---\n') : JSON.stringify(value),
  );
}

const program = kustomizeProgram();
const tally = { same: 0, 'both refuse': 0, 'not built here': 0, 'built here only': 0, different: 0 };
for (let at = 0; at < count; at += 1) {
  const root = mkdtempSync(join(tmpdir(), 'mesh-edge-kustomize-'));
  const wanted = KINDS.flatMap((kind) =>
    NAMES.filter(() => maybe(kind === 'Namespace' ? 0.12 : 0.35)).map((name) => object(kind, name)),
  );
  write(root, 'base/all.yaml', wanted);
  const deployed = wanted
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ metadata }) => (metadata as { readonly name: string }).name);
  const generators = maybe(0.3)
    ? {
        configMapGenerator: [{ name: 'made', literals: ['a=b', 'c=d'] }],
        generatorOptions: { disableNameSuffixHash: true },
      }
    : {};
  write(root, 'base/kustomization.yaml', { ...layer(['all.yaml'], deployed), ...generators });
  const alpha = { apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' };
  const { resources: _none, ...part } = layer([], deployed);
  write(root, 'part/kustomization.yaml', { ...alpha, ...part, ...(maybe(0.5) ? { resources: ['more.yaml'] } : {}) });
  write(root, 'part/more.yaml', [object('ServiceEntry', 'extra'), object('Service', 'extra')]);
  write(root, 'middle/kustomization.yaml', {
    ...layer(['../base'], deployed),
    ...(maybe(0.4) ? { components: ['../part'] } : {}),
  });
  // Two overlays of one base beside each other, as tenants have them.
  write(root, 'other/kustomization.yaml', { ...layer(['../base'], deployed), namePrefix: 'other-' });
  write(root, 'top/kustomization.yaml', layer(['../middle', ...(maybe(0.2) ? ['../other'] : [])], deployed));
  const { verdict, reason, said, here, there } = compareBuilds(program, join(root, 'top'));
  tally[verdict] += 1;
  if (verdict === 'same' || verdict === 'both refuse') {
    rmSync(root, { recursive: true });
    continue;
  }
  process.stdout.write(`${root}: ${verdict} ${reason} ${said.slice(-300)}\n`);
  for (const text of here.slice(0, 2)) process.stdout.write(`  here  ${text}\n`);
  for (const text of there.slice(0, 2)) process.stdout.write(`  there ${text}\n`);
}
process.stdout.write(`${JSON.stringify(tally)}\n`);
process.exitCode = tally.different + tally['built here only'] === 0 ? 0 : 1;
