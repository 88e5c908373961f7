/** Git laid over a live cluster: what applying it would change, and nothing else. */
import { diff } from '../../src/diff/diff';
import { layOver } from '../../src/diff/overlay';
import { loadObjects } from '../../src/model/load';

type Body = Record<string, any>;
const entry = (host: string, more: Body = {}, name = 'site'): Body => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'ServiceEntry',
  metadata: { name, namespace: 'shop', ...more.metadata },
  spec: {
    hosts: [host],
    location: 'MESH_EXTERNAL',
    resolution: 'DNS',
    ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
    ...more.spec,
  },
  ...(more.status === undefined ? {} : { status: more.status }),
});
const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } },
};
const given = (body: Body): Body => ({
  ...body,
  metadata: {
    ...body.metadata,
    uid: 'b7',
    resourceVersion: '9',
    creationTimestamp: '2026-01-02T03:04:05Z',
    generation: 2,
  },
});
const lastApplied = (body: Body): Body => ({
  ...body,
  metadata: {
    ...body.metadata,
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(body) },
  },
});
const manifests = (...bodies: Body[]) => loadObjects(bodies).manifests;
const overlay = (live: Body[], git: Body[]) => {
  const { before, after } = layOver(manifests(...live), manifests(...git));
  const found = diff(before, after, { mesh: { outbound: 'REGISTRY_ONLY' } });
  return { found, after: after.map(({ body }) => body as Body) };
};

describe('manifests laid over a live cluster', () => {
  it('change nothing where the cluster has what they say, with all that it filled in', () => {
    const service = (spec: Body) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec,
    });
    const live = [
      namespace,
      given(lastApplied(entry('a.example.com', { status: { addresses: [{ value: '240.240.0.1' }] } }))),
      given(
        service({ clusterIP: '10.96.0.7', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }], type: 'ClusterIP' }),
      ),
      given(entry('only.example.com', {}, 'not-in-git')),
    ];
    const { found } = overlay(live, [namespace, entry('a.example.com'), service({ ports: [{ port: 80 }] })]);
    expect(found.changes).toEqual([]);
    expect(found.summary.objects).toEqual({ added: 0, removed: 0, changed: 0, withoutEffect: 0 });
  });

  it('tell what applying them would open and close', () => {
    const { found } = overlay([namespace, given(lastApplied(entry('a.example.com')))], [entry('b.example.com')]);
    expect(found.summary.objects).toMatchObject({ changed: 1, removed: 0, added: 0 });
    expect(found.changes.map(({ effect, to }) => `${effect} ${to}`)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/widened https:\/\/b\./),
        expect.stringMatching(/narrowed https:\/\/a\./),
      ]),
    );
  });

  it('remove a field that was applied before, by kubectl or by a field owner', () => {
    const git = entry('a.example.com');
    const wide = entry('a.example.com', { spec: { exportTo: ['.'] } });
    const owner = {
      manager: 'argocd',
      operation: 'Apply',
      fieldsV1: { 'f:spec': { 'f:exportTo': {}, 'f:hosts': {} } },
    };
    const byServer = given({ ...wide, metadata: { ...wide.metadata, managedFields: [owner] } });
    for (const live of [given(lastApplied(wide)), byServer])
      expect(overlay([namespace, live], [git]).after.at(-1)?.spec).not.toHaveProperty('exportTo');
  });

  it('keep what somebody else wrote, and status', () => {
    const live = given({
      ...lastApplied(entry('a.example.com')),
      spec: { ...entry('a.example.com').spec, exportTo: ['.'] },
      status: { addresses: [{ value: '240.240.0.1' }] },
    });
    const [, after] = overlay(
      [namespace, live],
      [entry('b.example.com', { metadata: { labels: { team: 'x' } } })],
    ).after;
    expect(after).toMatchObject({
      metadata: { uid: 'b7', labels: { team: 'x' } },
      spec: { hosts: ['b.example.com'], exportTo: ['.'] },
      status: { addresses: [{ value: '240.240.0.1' }] },
    });
  });

  it('take names such as __proto__ for names', () => {
    const live = JSON.parse(
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"shop"},"data":{"__proto__":"1"}}',
    ) as Body;
    const git = JSON.parse(
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"shop"},"data":{"constructor":"2"}}',
    ) as Body;
    const [after] = overlay([live], [git]).after;
    expect(Object.keys(after?.data as object).sort()).toEqual(['__proto__', 'constructor']);
  });
});
