/**
 * Two revisions of istiod with different settings in one cluster: what a proxy is told is said by the one whose webhook injected it, by the selectors of
 * Istio's own webhooks, and a hop by the revision of each proxy on the way.
 */
import { loadObjects } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace, type Trace } from '../../src/trace';

type Labels = Record<string, string>;

const settings = (revision: string, mesh: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: revision === 'default' ? 'istio' : `istio-${revision}`,
    namespace: 'istio-system',
    labels: { 'istio.io/rev': revision },
  },
  data: { mesh },
});
const namespace = (name: string, labels: Labels = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const deployment = (owner: string, name: string, labels: Labels = {}, annotations: Labels = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: owner },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, ...labels }, annotations },
      spec: { serviceAccountName: name, containers: [{ name: 'app', ports: [{ containerPort: 8080 }] }] },
    },
  },
});
const service = (owner: string, name: string, port: object = { name: 'http', port: 80, targetPort: 8080 }) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: owner },
  spec: { selector: { app: name }, ports: [port] },
});
const tag = (name: string, revision: string) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: `istio-revision-tag-${name}`, labels: { 'istio.io/tag': name, 'istio.io/rev': revision } },
});
const ask = (objects: readonly object[], from: string, request: string, options = {}): Trace =>
  trace(buildMesh(loadObjects(objects).manifests, options), { from, request });

const STRICT = 'outboundTrafficPolicy: { mode: REGISTRY_ONLY }';
const OPEN = 'outboundTrafficPolicy: { mode: ALLOW_ANY }';
const both = [settings('default', STRICT), settings('canary', OPEN)];
const isOpen = (objects: readonly object[], from: string): boolean =>
  ask([...both, ...objects], from, 'https://unlisted.example.com/').outcome === 'delivered';

describe('which revision serves a Pod', () => {
  const canary = { 'istio.io/rev': 'canary' };

  it('its own label, where its namespace has none', () => {
    const objects = [namespace('shop'), deployment('shop', 'new', canary), deployment('shop', 'old', { 'sidecar.istio.io/inject': 'true' })]; // prettier-ignore
    expect([isOpen(objects, 'shop/new'), isOpen(objects, 'shop/old')]).toEqual([true, false]);
  });

  it('the label of its namespace, whatever its own says', () => {
    const old = [namespace('shop', { 'istio-injection': 'enabled' }), deployment('shop', 'web', canary)];
    const fresh = [namespace('shop', canary), deployment('shop', 'web', { 'istio.io/rev': 'default' })];
    expect([isOpen(old, 'shop/web'), isOpen(fresh, 'shop/web')]).toEqual([false, true]);
  });

  it('istio-injection before a revision, where a namespace has both', () => {
    expect(isOpen([namespace('shop', { 'istio-injection': 'enabled', ...canary })], 'shop')).toBe(false);
  });

  it('a tag stands for its revision, on Pods too, and the tag "default" for what istio-injection asks for', () => {
    const pod = [tag('stable', 'canary'), namespace('shop'), deployment('shop', 'web', { 'istio.io/rev': 'stable' })];
    expect(isOpen(pod, 'shop/web')).toBe(true);
    const named = [
      settings('1-28', STRICT),
      settings('1-29', OPEN),
      namespace('shop', { 'istio-injection': 'enabled' }),
    ];
    const outcome = (revision: string) =>
      ask([...named, tag('default', revision)], 'shop', 'https://unlisted.example.com/').outcome;
    expect([outcome('1-28'), outcome('1-29')]).toEqual(['refused', 'delivered']);
  });

  it('a tag is also what a Service of Istio 1.28, values of Helm and the Sail operator say', () => {
    const tags: readonly object[] = [
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'istiod-revision-tag-stable', namespace: 'istio-system', labels: { 'istio.io/tag': 'stable', 'istio.io/rev': 'canary' } }, spec: { ports: [] } }, // prettier-ignore
      { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', metadata: { name: 'istiod', namespace: 'istio-system' }, spec: { values: { revision: 'canary', revisionTags: ['stable'] } } }, // prettier-ignore
      { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', metadata: { name: 'platform', namespace: 'istio-system' }, spec: { values: { istiod: { revision: 'canary', revisionTags: ['stable'] } } } }, // prettier-ignore
      { apiVersion: 'sailoperator.io/v1', kind: 'IstioRevisionTag', metadata: { name: 'stable' }, spec: { targetRef: { kind: 'IstioRevision', name: 'canary' } } }, // prettier-ignore
    ];
    for (const one of tags) expect(isOpen([one, namespace('shop', { 'istio.io/rev': 'stable' })], 'shop')).toBe(true);
    expect(isOpen([namespace('shop', { 'istio.io/rev': 'stable' })], 'shop')).toBe(false);
  });

  it('of a Pod that runs, the revision that injected it, which has written its name on it', () => {
    const pod = (marks: object) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'shop', labels: { app: 'web', ...canary }, ...marks },
      spec: { containers: [{ name: 'app' }, { name: 'istio-proxy' }] },
    });
    const place = namespace('shop', { 'istio.io/rev': 'default' });
    expect(isOpen([place, pod({ uid: 'a1' })], 'shop/web')).toBe(true);
    expect(isOpen([place, pod({})], 'shop/web')).toBe(false);
  });

  it('IstioOperators with a revision each have their own settings', () => {
    const operator = (revision: string | undefined, mode: string) => ({
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: { name: `install-${revision ?? 'plain'}`, namespace: 'istio-system' },
      spec: { ...(revision === undefined ? {} : { revision }), meshConfig: { outboundTrafficPolicy: { mode } } },
    });
    const objects = [operator('canary', 'ALLOW_ANY'), operator(undefined, 'REGISTRY_ONLY'), namespace('old', { 'istio-injection': 'enabled' }), namespace('new', canary)]; // prettier-ignore
    const outcome = (from: string) => ask(objects, from, 'https://unlisted.example.com/').outcome;
    expect([outcome('old'), outcome('new')]).toEqual(['refused', 'delivered']);
  });
});

describe('what differs by revision', () => {
  const places = [
    namespace('old', { 'istio-injection': 'enabled' }),
    namespace('new', { 'istio.io/rev': 'canary' }),
    deployment('old', 'client'),
    deployment('new', 'client'),
  ];
  const meet = (mesh: readonly [string, string], ...objects: readonly object[]) => [
    settings('default', mesh[0]),
    settings('canary', mesh[1]),
    ...places,
    ...objects,
  ];

  it('what a revision leaves unsaid is the default, and not what another one says', () => {
    const config = buildMesh(loadObjects(meet(['{}', 'trustDomain: td2'])).manifests, {}).config;
    expect(config.trustDomain).toBe('cluster.local');
  });

  describe('trust domains', () => {
    const server = [deployment('new', 'server'), service('new', 'server')];
    const request = 'http://server.new/';

    it('identities are of the domain of who sends', () => {
      const objects = meet(['trustDomain: td1', 'trustDomain: td2'], ...server);
      expect(ask(objects, 'new/client', request).hops[0]?.identity).toBe('td2/ns/new/sa/client');
      expect(ask(objects, 'old/client', request).hops[0]?.identity).toBe('td1/ns/old/sa/client');
    });

    it('strangers do not get through the handshake, and those that list each other do', () => {
      const apart = meet(['trustDomain: td1', 'trustDomain: td2'], ...server);
      expect(ask(apart, 'old/client', request)).toMatchObject({ outcome: 'refused', refusal: { code: 'UF', reason: { kind: 'trust-domains-differ', client: 'td1', server: 'td2', refusedBy: 'server' } } }); // prettier-ignore
      expect(ask(apart, 'new/client', request).outcome).toBe('delivered');
      const half = meet(['trustDomain: td1', 'trustDomain: td2\ntrustDomainAliases: [td1]'], ...server);
      expect(ask(half, 'old/client', request).refusal?.reason).toMatchObject({ refusedBy: 'client' });
      const joined = meet(['trustDomain: td1\ntrustDomainAliases: [td2]', 'trustDomain: td2\ntrustDomainAliases: [td1]'], ...server); // prettier-ignore
      expect(ask(joined, 'old/client', request).outcome).toBe('delivered');
    });

    it('policies read principals by the domains of who serves', () => {
      const policy = (principal: string) => ({
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: 'callers', namespace: 'new' },
        spec: {
          selector: { matchLabels: { app: 'server' } },
          rules: [{ from: [{ source: { principals: [principal] } }] }],
        },
      });
      const domains = ['trustDomain: td1\ntrustDomainAliases: [td2]', 'trustDomain: td2\ntrustDomainAliases: [td1]'] as const; // prettier-ignore
      const outcome = (principal: string) => ask(meet(domains, ...server, policy(principal)), 'old/client', request).outcome; // prettier-ignore
      expect(['td1', 'td2', 'cluster.local', 'td3'].map((domain) => outcome(`${domain}/ns/old/sa/client`))).toEqual(['delivered', 'delivered', 'delivered', 'refused']); // prettier-ignore
    });
  });

  it('defaultConfig: whose sidecar nothing is led to, sends past it', () => {
    const objects = meet([STRICT, `${STRICT}\ndefaultConfig: { interceptionMode: NONE }`]);
    const outcome = (from: string) => ask(objects, from, 'https://unlisted.example.com/').outcome;
    expect([outcome('old/client'), outcome('new/client')]).toEqual(['refused', 'delivered']);
  });

  it('extensionProviders: a CUSTOM policy is by those of who serves', () => {
    const provider = 'extensionProviders: [{ name: sso, envoyExtAuthzHttp: { service: sso.auth, port: 80 } }]';
    const policy = (owner: string) => ({
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'sso', namespace: owner },
      spec: { action: 'CUSTOM', provider: { name: 'sso' }, rules: [{}] },
    });
    const servers = ['old', 'new'].flatMap((owner) => [
      deployment(owner, 'server'),
      service(owner, 'server'),
      policy(owner),
    ]);
    const objects = meet([provider, 'extensionProviders: []'], ...servers);
    expect(ask(objects, 'old/client', 'http://server.old/').outcome).not.toBe('refused');
    expect(ask(objects, 'old/client', 'http://server.new/')).toMatchObject({
      outcome: 'refused',
      refusal: { status: 403 },
    });
  });

  it('discoverySelectors: who looks at a namespace knows its Services', () => {
    const objects = meet(
      [`${STRICT}\ndiscoverySelectors: [{ matchLabels: { istio-injection: enabled } }]`, STRICT],
      deployment('new', 'server'),
      service('new', 'server'),
    );
    const outcome = (from: string) => ask(objects, from, 'http://server.new/').outcome;
    expect([outcome('old/client'), outcome('new/client')]).toEqual(['refused', 'delivered']);
  });

  it('pathNormalization: what a policy sees is what the revision of who serves makes of it', () => {
    const policy = {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'no-admin', namespace: 'istio-system' },
      spec: { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin/*'] } }] }] },
    };
    const servers = ['old', 'new'].flatMap((owner) => [deployment(owner, 'server'), service(owner, 'server')]);
    const objects = meet(['pathNormalization: { normalization: BASE }', 'pathNormalization: { normalization: MERGE_SLASHES }'], ...servers, policy); // prettier-ignore
    const outcome = (to: string) => ask(objects, 'old/client', `http://server.${to}//admin/x`).outcome;
    expect([outcome('old'), outcome('new')]).toEqual(['delivered', 'refused']);
  });

  it('defaultVirtualServiceExportTo: who is shown a route', () => {
    const route = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'teapot', namespace: 'routes' },
      spec: { hosts: ['teapot.example.com'], http: [{ directResponse: { status: 418 } }] },
    };
    const entry = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'teapot', namespace: 'routes' },
      spec: {
        hosts: ['teapot.example.com'],
        ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
        resolution: 'DNS',
      },
    };
    const objects = meet(['defaultVirtualServiceExportTo: ["."]', '{}'], route, entry);
    const outcome = (from: string) => ask(objects, from, 'http://teapot.example.com/').outcome;
    expect([outcome('old/client'), outcome('new/client')]).toEqual(['delivered', 'refused']);
  });

  it('an object that is labelled for a revision is read by that one alone', () => {
    const entry = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'api', namespace: 'old', labels: { 'istio.io/rev': 'canary' } },
      spec: { hosts: ['api.example.com'], ports: [{ number: 443, name: 'tls', protocol: 'TLS' }], resolution: 'DNS' },
    };
    const objects = meet([STRICT, STRICT], entry);
    const outcome = (from: string) => ask(objects, from, 'https://api.example.com/').outcome;
    expect([outcome('old/client'), outcome('new/client')]).toEqual(['refused', 'delivered']);
    // Where no installation is shown, nobody knows whose label that is.
    expect(ask([...places, entry], 'old/client', 'https://api.example.com/', { outbound: 'REGISTRY_ONLY' }).outcome).toBe('delivered'); // prettier-ignore
  });

  it('the release, by which a proxy is told more or less', () => {
    const istiod = (name: string, revision: string, version: string) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'istio-system', labels: { app: 'istiod', 'istio.io/rev': revision } },
      spec: { template: { metadata: { labels: { app: 'istiod', 'istio.io/rev': revision } }, spec: { containers: [{ name: 'discovery', image: `docker.io/istio/pilot:${version}` }] } } }, // prettier-ignore
    });
    const mesh = buildMesh(
      loadObjects(meet([STRICT, STRICT], istiod('istiod', 'default', '1.28.3'), istiod('istiod-canary', 'canary', '1.31.0'))).manifests, // prettier-ignore
      {},
    );
    const release = (owner: string) => mesh.servedTo({ namespace: owner, labels: {} }).config.releases.istio.release;
    expect([release('old'), release('new')]).toEqual(['1.28', '1.31']);
  });
});
