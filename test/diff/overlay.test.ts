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

describe('what a prune would delete', () => {
  const of = (name: string, metadata: Body): Body => given(entry(`${name}.example.com`, { metadata }, name));
  const flux = { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux' } };
  const argo = { annotations: { 'argocd.argoproj.io/tracking-id': 'web:networking.istio.io/ServiceEntry:shop/x' } };
  const notes = (...live: Body[]): readonly string[] =>
    layOver(manifests(...live), manifests(entry('kept.example.com', {}, 'kept'))).notes;

  it.each([
    ['Flux', flux, 'Kustomization flux/apps'],
    ['Argo CD', argo, 'Application web'],
    ['Helm', { annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' } }, 'Helm release shop/web'],
  ])('is named where %s applied it with what Git has', (_tool, marks, owner) => {
    expect(notes(of('kept', marks), of('gone', marks))).toEqual([
      expect.stringContaining(`ServiceEntry shop/gone is of ${owner}, as others that NEW has, and not in NEW`),
    ]);
  });

  it('is nothing of others, and nothing that controllers make', () => {
    const other = { labels: { ...flux.labels, 'kustomize.toolkit.fluxcd.io/name': 'infra' } };
    const made = { ...flux, ownerReferences: [{ kind: 'Deployment', name: 'x' }] };
    expect(notes(of('kept', flux), of('theirs', other), of('made', made), of('by-hand', {}))).toEqual([]);
  });
}); // prettier-ignore

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

  describe('in lists', () => {
    const policy = (rule: Body): Body => ({
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { rules: [rule] },
    });
    const narrow = policy({ from: [{ source: { namespaces: ['a'] } }], to: [{ operation: { methods: ['GET'] } }] });
    const wide = policy({ from: [{ source: { namespaces: ['a'] } }] });

    it.each([
      ['was applied before', lastApplied(narrow)],
      ['somebody wrote by hand', lastApplied({ ...narrow, spec: wide.spec })],
      ['nobody knows the origin of', narrow],
    ])('lose what an item has that %s, since they are replaced as a whole', (_which, live) => {
      const { after } = overlay([namespace, given({ ...live, spec: narrow.spec })], [wide]);
      expect(after.at(-1)?.spec).toEqual(wide.spec);
    });

    it('have the default of the schema again where a field is left out', () => {
      const gateway = (listener: Body): Body => ({
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata: { name: 'web', namespace: 'shop' },
        spec: { gatewayClassName: 'istio', listeners: [{ name: 'http', port: 80, protocol: 'HTTP', ...listener }] },
      });
      const [all, same] = ['All', 'Same'].map((from) => gateway({ allowedRoutes: { namespaces: { from } } })) as [Body, Body]; // prettier-ignore
      expect(overlay([given(lastApplied(all))], [gateway({})]).after.at(-1)?.spec).toEqual(same.spec);
      expect(overlay([given(same)], [gateway({})]).found.summary.objects).toMatchObject({ changed: 0 });
    });

    it('of Kubernetes\u2019 own kinds are merged item by item, as the kind has it', () => {
      const service = (ports: Body[]): Body => ({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: 'shop' },
        spec: { ports },
      });
      const live = {
        ...lastApplied(service([{ port: 80, name: 'http', appProtocol: 'http' }, { port: 81 }])),
        spec: {
          clusterIP: '10.96.0.7',
          ports: [
            { port: 80, name: 'http', appProtocol: 'http', protocol: 'TCP', targetPort: 80, nodePort: 30080 },
            { port: 81, protocol: 'TCP' },
            { port: 82, protocol: 'TCP', name: 'added' },
          ],
        },
      };
      expect(overlay([live], [service([{ port: 80, name: 'http' }])]).after.at(-1)?.spec).toEqual({
        clusterIP: '10.96.0.7',
        ports: [
          { port: 80, name: 'http', protocol: 'TCP', targetPort: 80, nodePort: 30080 },
          { port: 82, protocol: 'TCP', name: 'added' },
        ],
      });
      const owner = {
        manager: 'flux',
        operation: 'Apply',
        fieldsV1: { 'f:spec': { 'f:ports': { 'k:{"port":82,"protocol":"TCP"}': { 'f:name': {} } } } },
      };
      const owned = { ...live, metadata: { name: 'web', namespace: 'shop', managedFields: [owner] } };
      expect(overlay([owned], [service([{ port: 80, name: 'http' }])]).after.at(-1)?.spec.ports).toHaveLength(2);
    });

    it('of NetworkPolicies are replaced, with the protocol filled in', () => {
      const network = (egress: Body): Body => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'out', namespace: 'shop' },
        spec: { podSelector: {}, policyTypes: ['Egress'], egress: [egress] },
      });
      const to = [{ ipBlock: { cidr: '192.0.2.0/24' } }];
      const live = network({ ports: [{ port: 443, protocol: 'TCP' }], to });
      expect(overlay([live], [network({ ports: [{ port: 443 }] })]).after.at(-1)?.spec.egress[0]).not.toHaveProperty('to'); // prettier-ignore
      expect(overlay([live], [network({ ports: [{ port: 443 }], to })]).found.summary.objects.changed).toBe(0);
    });
  });

  describe('have controllers make of it what is to be', () => {
    const labelled = (app: string): Body => ({ metadata: { labels: { app } }, spec: { containers: [{ name: 'app', image: 'x' }] } }); // prettier-ignore
    const deployment = (app: string, more: Body = {}): Body => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: app, namespace: 'shop' },
      spec: { selector: { matchLabels: { app } }, template: labelled(app), ...more },
    });
    const pod = (app: string, ip: string, proxies: Body[] = [{ name: 'istio-proxy', image: 'proxyv2' }]): Body => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${app}-5f-x`,
        generateName: `${app}-5f-`,
        namespace: 'shop',
        uid: ip,
        labels: { app, 'pod-template-hash': '5f', 'security.istio.io/tlsMode': 'istio' },
        ownerReferences: [{ kind: 'ReplicaSet', name: `${app}-5f`, controller: true }],
      },
      spec: { containers: [{ name: 'app', image: 'x' }, ...proxies] },
      status: { phase: 'Running', podIP: ip },
    });
    const service = (app: string): Body => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { clusterIP: '10.96.0.7', selector: { app }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    });
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'web-x',
        namespace: 'shop',
        labels: { 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' }, // prettier-ignore
      },
      ports: [{ name: 'http', port: 8080 }],
      endpoints: [{ addresses: ['10.1.0.1'], targetRef: { kind: 'Pod', namespace: 'shop', name: 'old-5f-x' } }],
    };
    const closed = {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'old', namespace: 'shop' },
      spec: { selector: { matchLabels: { app: 'old' } } },
    };
    const live = [namespace, deployment('old'), deployment('new'), pod('old', '10.1.0.1'), pod('new', '10.1.0.2'), service('old'), slice, closed]; // prettier-ignore
    const effects = (git: Body[]): string[] =>
      overlay(live, git).found.changes.map(({ effect, to }) => `${effect} ${to}`);

    it('endpoints of a Service that selects others', () => {
      expect(effects([service('new')])).toEqual(
        expect.arrayContaining([expect.stringMatching(/^widened http:\/\/web\./)]),
      );
    });

    it('endpoints of a Service with a workload that was not there', () => {
      const also = { ...deployment('also'), spec: { ...deployment('also').spec, template: labelled('old') } };
      expect(overlay(live, [also]).after.map(({ kind }) => kind)).not.toContain('EndpointSlice');
      expect(effects([])).toEqual([]);
    });

    it('no Pods of what is scaled to nothing', () => {
      const names = overlay(live, [deployment('old', { replicas: 0 })]).after.map(({ metadata }) => metadata.name);
      expect(names).not.toContain('old-5f-x');
      expect(names).toContain('new-5f-x');
    });

    it('policies hold for Pods whose template changes', () => {
      const changed = { ...labelled('old'), spec: { containers: [{ name: 'app', image: 'y' }] } };
      expect(effects([deployment('old', { template: changed })])).toEqual([]);
    });

    it('no sidecars for Pods that run when their namespace gets another label, and say that this is not the end of it', () => {
      const { after, doubts } = layOver(manifests(...live), manifests({ ...namespace, metadata: { name: 'shop', labels: { 'istio-injection': 'disabled' } } })); // prettier-ignore
      expect(after.map(({ name }) => name)).toContain('old-5f-x');
      expect(doubts.map(({ what }) => what)).toEqual([
        'Pods of namespace shop that run (2) keep their sidecars, whatever its labels become',
      ]);
      const bare = [{ ...namespace, metadata: { name: 'shop' } }, pod('old', '10.1.0.1', [])];
      expect(layOver(manifests(...bare), manifests(namespace)).doubts[0]?.what).toMatch(/\(1\) get no sidecars/);
      expect(layOver(manifests(...live), manifests(namespace)).doubts).toEqual([]);
    });

    it('ports of the Service that istiod made for a Gateway', () => {
      const listener = (port: number): Body => ({ name: `p${port}`, port, protocol: 'HTTP' });
      const gateway = (...ports: number[]): Body => ({
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata: { name: 'web', namespace: 'shop' },
        spec: { gatewayClassName: 'istio', listeners: ports.map(listener) },
      });
      const made = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web-istio', namespace: 'shop', labels: { 'gateway.networking.k8s.io/gateway-name': 'web' } },
        spec: { clusterIP: '10.96.0.8', ports: [{ name: 'status-port', port: 15021 }, { name: 'p80', port: 80, nodePort: 30080 }] }, // prettier-ignore
      };
      const ports = (...after: number[]): unknown =>
        overlay([gateway(80), made], [gateway(...after)])
          .after.at(1)
          ?.spec.ports.map(({ port }: Body) => port);
      expect(ports(80, 8080)).toEqual([15021, 80, 8080]);
      expect(ports(8080)).toEqual([15021, 8080]);
      expect(ports(80)).toEqual([15021, 80]);
    });
  });
});
