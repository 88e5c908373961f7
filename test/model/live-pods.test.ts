import { loadObjects, loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';
import { layOver } from '../../src/diff/overlay';
import { diff } from '../../src/diff/diff';

const namespace = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});

const deployment = (name: string, extra: Record<string, string> = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name, ...extra } }, spec: { containers: [{ name: 'app', image: 'a' }] } },
  },
});

const pod = (
  owner: string,
  kind: string,
  id: string,
  { injected = true, labels = {} as Record<string, string>, controller = true } = {},
) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `${owner}-${id}`,
    generateName: `${owner}-`,
    namespace: 'shop',
    labels: { app: owner.replace(/-5d9c7b8f6$|-\d{8}$/, ''), ...labels },
    ownerReferences: [{ apiVersion: 'apps/v1', kind, name: owner, uid: 'u', controller }],
  },
  spec: {
    nodeName: 'n',
    containers: [{ name: 'app', image: 'a' }, ...(injected ? [{ name: 'istio-proxy', image: 'p' }] : [])],
  },
  status: { phase: 'Running', podIP: `10.0.0.${id.length}` },
});

const entry = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'ServiceEntry',
  metadata: { name: 'api', namespace: 'shop' },
  spec: { hosts: ['api.example.com'], ports: [{ number: 443, name: 'tls', protocol: 'TLS' }], resolution: 'DNS' },
};

const hash = { 'pod-template-hash': '5d9c7b8f6' };
const meshOf = (...objects: object[]) =>
  buildMesh(loadObjects([namespace('shop', { 'istio-injection': 'enabled' }), ...objects]).manifests, {
    outbound: 'REGISTRY_ONLY',
  });
const sent = (mesh: ReturnType<typeof meshOf>, from: string) => {
  const { outcome, hops } = trace(mesh, { from, request: 'https://unlisted.example.com/' });
  return { outcome, by: hops[0]?.proxy };
};

describe('Pods of a live cluster', () => {
  it.each([
    ['ReplicaSet', 'web-5d9c7b8f6', hash, 'web'],
    ['ReplicaSet', 'web-5d9c7b8f6', {}, 'web-5d9c7b8f6'],
    ['ReplicaSet', 'web-abc', { 'rollouts-pod-template-hash': 'abc' }, 'web'],
    ['StatefulSet', 'db', {}, 'db'],
    ['DaemonSet', 'agent', {}, 'agent'],
    ['Job', 'report-27891234', {}, 'report'],
    ['Job', 'migrate', {}, 'migrate'],
    ['ReplicationController', 'old-3', { deploymentconfig: 'old' }, 'old'],
  ])('are known by their controller as Istio knows them: %s %s', (kind, owner, labels, name) => {
    const mesh = meshOf(pod(owner, kind, 'x', { labels: labels as Record<string, string> }));
    expect(mesh.workloads.find('shop', name)?.name).toBe(`${owner}-x`);
    expect(sent(mesh, `shop/${name}`)).toMatchObject({ outcome: 'refused', by: { kind: 'sidecar', workload: name } });
  });

  it('are what their controller is, where none of those that run is what it would make today', () => {
    const stale = pod('web-5d9c7b8f6', 'ReplicaSet', 'x', { injected: false, labels: hash });
    expect(sent(meshOf(deployment('web'), stale), 'shop/web')).toMatchObject({
      outcome: 'delivered',
      by: { kind: 'none' },
    });
    expect(sent(meshOf(stale, deployment('web')), 'shop/web')).toMatchObject({
      outcome: 'delivered',
      by: { kind: 'none' },
    });
    const fresh = pod('web-5d9c7b8f6', 'ReplicaSet', 'yy', { labels: hash });
    expect(sent(meshOf(deployment('web'), stale, fresh), 'shop/web')).toMatchObject({
      outcome: 'refused',
      by: { kind: 'sidecar' },
    });
    expect(sent(meshOf(deployment('web'), { ...stale, status: { phase: 'Succeeded' } }), 'shop/web')).toMatchObject({
      outcome: 'refused',
    });
  });

  it('make way for those of a changed template, when manifests are laid over a cluster', () => {
    const live = loadObjects([
      namespace('shop', { 'istio-injection': 'enabled' }),
      deployment('web'),
      pod('web-5d9c7b8f6', 'ReplicaSet', 'x', { injected: false, labels: hash }),
    ]).manifests;
    const over = (applied: object) => layOver(live, loadObjects([applied]).manifests).after.map(({ kind }) => kind);
    expect(over(deployment('web'))).toEqual(['Namespace', 'Deployment', 'Pod']);
    expect(over(deployment('web', { version: 'v2' }))).toEqual(['Namespace', 'Deployment']);
  });

  it('are known by the Deployment whatever of its ReplicaSets comes first, which stands for it where nothing else is shown', () => {
    const set = (id: string, replicas: number) => ({
      ...deployment('web'),
      kind: 'ReplicaSet',
      metadata: {
        name: `web-${id}`,
        namespace: 'shop',
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'u', controller: true }],
      },
      spec: { ...deployment('web').spec, replicas },
    });
    const sets = [set('old', 0), set('new', 2)];
    const own = pod('web-new', 'ReplicaSet', 'x', { labels: { 'pod-template-hash': 'new' } });
    const names = (...objects: object[]) => meshOf(...objects).workloads.all.map(({ kind, name }) => `${kind} ${name}`);
    expect(names(...sets, deployment('web'))).toEqual(['Deployment web']);
    expect(names(...sets, own)).toEqual(['Pod web-new-x']);
    for (const some of [sets, [...sets].reverse()]) {
      expect(names(...some)).toEqual(['ReplicaSet web']);
      expect(meshOf(...some).workloads.find('shop', 'web')?.runs).toBe(true);
    }
  });

  it('are the same clients after a restart, even where their proxies are not what the template shows', () => {
    const read = (hash: string, ip: string) => [
      namespace('shop'),
      deployment('web'),
      {
        ...pod(`web-${hash}`, 'ReplicaSet', `x${hash}`, { labels: { 'pod-template-hash': hash } }),
        status: { phase: 'Running', podIP: ip, conditions: [{ type: 'Ready', status: 'True', lastProbeTime: ip }] },
      },
      entry,
    ];
    const [old, now] = [read('aaa', '10.0.0.1'), read('bbb', '10.0.0.2')].map((all) => loadObjects(all).manifests);
    const found = diff(old ?? [], now ?? [], { mesh: { outbound: 'REGISTRY_ONLY' } });
    expect([found.changes, found.undecided]).toEqual([[], []]);
  });

  it('and their statuses are no difference between two reads of one state', () => {
    const read = (seen: string) => [
      namespace('shop'),
      {
        ...deployment('web'),
        status: { observedGeneration: 1, conditions: [{ type: 'Available', lastUpdateTime: seen }] },
      },
      { ...entry, status: { conditions: [{ type: 'x', lastTransitionTime: seen }] } },
    ];
    const [old, now] = [read('1'), read('2')].map((all) => loadObjects(all).manifests);
    expect(diff(old ?? [], now ?? []).summary.objects).toEqual({ added: 0, removed: 0, changed: 0, withoutEffect: 0 });
  });

  it('of raw lists of an API server have the kind of their list', () => {
    const list = {
      apiVersion: 'v1',
      kind: 'PodList',
      items: [{ metadata: { name: 'a', namespace: 'shop' }, spec: {} }],
    };
    for (const loaded of [loadObjects([list]), loadText(JSON.stringify(list))])
      expect(loaded.manifests.map(({ kind, apiVersion, name }) => [kind, apiVersion, name])).toEqual([
        ['Pod', 'v1', 'a'],
      ]);
  });

  it('are told apart in time that grows with their number', () => {
    const mesh = (host: string) =>
      meshOf(
        ...Array.from({ length: 6_000 }, (_, at) =>
          pod(`web${at % 40}-5d9c7b8f6`, 'ReplicaSet', `p${at}`, { labels: hash }),
        ),
        {
          apiVersion: 'networking.istio.io/v1',
          kind: 'ServiceEntry',
          metadata: { name: 'api', namespace: 'shop' },
          spec: { hosts: [host], ports: [{ number: 443, name: 'tls', protocol: 'TLS' }], resolution: 'DNS' },
        },
      ).manifests;
    const [old, now] = [mesh('a.example.com'), mesh('b.example.com')];
    const begin = performance.now();
    expect(diff(old, now, { mesh: { outbound: 'REGISTRY_ONLY' } }).changes.length).toBeGreaterThan(0);
    expect(performance.now() - begin).toBeLessThan(15_000);
  });
});

describe('a Pod of an ambient namespace', () => {
  const pod = (
    annotations: Readonly<Record<string, string>>,
    more: Readonly<Record<string, unknown>> = {},
  ): unknown => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u', annotations },
    spec: { containers: [{ name: 'web', image: 'web' }] },
    status: { phase: 'Running', podIP: '10.1.0.1' },
    ...more,
  });
  const namespace = (labels: Readonly<Record<string, string>>): unknown => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels },
  });
  const ambient = { 'istio.io/dataplane-mode': 'ambient' };
  const redirected = { 'ambient.istio.io/redirection': 'enabled' };
  const membership = (...objects: readonly unknown[]): string | undefined =>
    buildMesh(loadObjects(objects).manifests).workloads.named('shop', 'web')?.membership;

  it('that runs is in it where the CNI plugin has redirected it, and not by a label alone', () => {
    expect(membership(namespace(ambient), pod(redirected))).toBe('ztunnel');
    expect(membership(namespace(ambient), pod({}))).toBe('none');
    expect(membership(namespace(ambient), pod({ 'ambient.istio.io/redirection': 'pending' }))).toBe('none');
  });

  it('is taken to be redirected where it is still to be made, or to start', () => {
    expect(membership(namespace(ambient), pod({}, { status: undefined }))).toBe('ztunnel');
    expect(membership(namespace(ambient), pod({}, { status: { phase: 'Pending' } }))).toBe('ztunnel');
  });

  it('is redirected at once where its namespace becomes ambient, and no more where that ends', () => {
    const over = (live: readonly unknown[], git: unknown): string | undefined => {
      const { after } = layOver(loadObjects(live).manifests, loadObjects([git]).manifests);
      return buildMesh(after).workloads.named('shop', 'web')?.membership;
    };
    expect(over([namespace({}), pod({})], namespace(ambient))).toBe('ztunnel');
    expect(over([namespace(ambient), pod(redirected)], namespace({ 'istio.io/dataplane-mode': 'none' }))).toBe('none');
  });
});
