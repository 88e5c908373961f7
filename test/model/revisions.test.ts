/** Several revisions of istiod in one cluster: each has a ConfigMap of its own, and a namespace says which one serves it. */
import { loadObjects } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';

const configMap = (name: string, revision: string, mode: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'istio-system', labels: { 'istio.io/rev': revision } },
  data: { mesh: `outboundTrafficPolicy:\n  mode: ${mode}\n` },
});
const namespace = (name: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const tag = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'istio-revision-tag-stable', labels: { 'istio.io/tag': 'stable', 'istio.io/rev': 'canary' } },
};
const cluster = [
  namespace('old', { 'istio-injection': 'enabled' }),
  namespace('new', { 'istio.io/rev': 'canary' }),
  namespace('tagged', { 'istio.io/rev': 'stable' }),
  tag,
];
const outcomes = (objects: readonly object[], options = {}) => {
  const mesh = buildMesh(loadObjects(objects).manifests, options);
  return ['old', 'new', 'tagged'].map(
    (from) => trace(mesh, { from, request: 'https://unlisted.example.com/' }).outcome,
  );
};

it.each([1, -1])('each namespace has the outbound mode of its revision, in whatever order they are read', (order) => {
  const maps = [configMap('istio', 'default', 'REGISTRY_ONLY'), configMap('istio-canary', 'canary', 'ALLOW_ANY')];
  expect(outcomes([...cluster, ...maps.slice().sort(() => order)])).toEqual(['refused', 'delivered', 'delivered']);
  expect(outcomes([...maps.reverse(), ...cluster])).toEqual(['refused', 'delivered', 'delivered']);
});

it('one revision alone, or an option, decides for all', () => {
  expect(outcomes([...cluster, configMap('istio-canary', 'canary', 'REGISTRY_ONLY')])).toEqual(
    Array(3).fill('refused'),
  );
  const both = [configMap('istio', 'default', 'REGISTRY_ONLY'), configMap('istio-canary', 'canary', 'ALLOW_ANY')];
  expect(outcomes([...cluster, ...both], { outbound: 'ALLOW_ANY' })).toEqual(Array(3).fill('delivered'));
});

it('what the injector has iptables told is read from its ConfigMap', () => {
  const injector = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio-sidecar-injector', namespace: 'istio-system' },
    data: { config: 'templates: {}', values: '{"global":{"proxy":{"excludeOutboundPorts":"443"}}}' },
  };
  const { capture } = buildMesh(loadObjects([injector]).manifests, {}).config;
  expect(capture).toMatchObject({ includeRanges: '*', excludePorts: '443' });
});
