import { ApiObject, Chart, Testing } from 'cdk8s';
import {
  AccessLog,
  AccessLogFormat,
  AccessTarget,
  Audience,
  AuthorizationPolicy,
  ClassicIngress,
  EgressGateway,
  EgressLockdown,
  EgressTrafficPolicy,
  ExternalService,
  HttpIngressRoute,
  IngressBackend,
  IngressClass,
  IngressGateway,
  IngressListener,
  MeshBoundary,
  MeshMembership,
  MeshNamespace,
  MirrorTarget,
  OutboundMode,
  OutboundTrafficPolicy,
  PeerAuthentication,
  PeerScope,
  RequestAuthentication,
  Workloads,
} from '../../src';

function edge(): Chart {
  const chart = new Chart(Testing.app(), 'edge', { namespace: 'shop' });
  new MeshNamespace(chart, 'Shop', { name: 'shop' });
  return chart;
}

/** What synthesis would report of namespaces that nobody has. */
function unknown(chart: Chart): string[] {
  const found = chart.node.root.node.findAll().flatMap((node) => node.node.validate());
  return found.filter((problem) => problem.includes('no MeshNamespace'));
}

function policyFor(chart: Chart, namespace: string): void {
  const gateway = new EgressGateway(chart, 'Gateway');
  const stripe = new ExternalService(chart, 'Stripe', { hosts: ['api.stripe.com'] });
  new EgressTrafficPolicy(chart, 'Policy', { gateway, rules: [{ from: [Workloads.in(namespace)], to: [stripe] }] });
}

describe('a namespace that is named, and that nobody has', () => {
  it('is refused with what was meant, and with how to say that it is somebody else’s', () => {
    const chart = edge();
    policyFor(chart, 'shp');
    const [problem, ...more] = unknown(chart);
    expect(more).toEqual([]);
    expect(problem).toContain('at edge/Policy: `from` names namespace "shp", which no MeshNamespace of this app has');
    expect(problem).toContain('did you mean "shop"?');
    expect(problem).toContain('MeshNamespace.fromName(this, "Shp", "shp")');
    expect(problem).toMatch(/at: .*namespace-names\.test\.ts:\d+/);
  });

  it('is not called somebody else’s where no namespace can have the name', () => {
    const chart = edge();
    policyFor(chart, 'Shop');
    expect(unknown(chart)[0]).toContain('fix: did you mean "shop"?\n');
  });

  it('is taken where it is said to be another repository’s', () => {
    const chart = edge();
    policyFor(chart, 'shp');
    const foreign = MeshNamespace.fromName(chart, 'Shp', 'shp');
    expect(unknown(chart)).toEqual([]);
    expect(foreign.name).toBe('shp');
    expect(chart.toJson()).not.toContainEqual(expect.objectContaining({ metadata: { name: 'shp' } }));
  });

  it.each([
    ['a MeshNamespace', (chart: Chart) => new MeshNamespace(chart, 'Data', { name: 'data' })],
    [
      'a Namespace of another library',
      (chart: Chart) =>
        new ApiObject(chart, 'Data', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'data' } }),
    ],
    [
      'a workload of the app that runs there',
      (chart: Chart) =>
        new ApiObject(chart, 'Data', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'data' } }),
    ],
  ])('is known by %s, whichever is made first', (_, make) => {
    const chart = edge();
    policyFor(chart, 'data');
    expect(unknown(chart)).toHaveLength(1);
    make(chart);
    expect(unknown(chart)).toEqual([]);
  });

  it('is nobody’s matter in an app that makes its gateway’s alone', () => {
    const chart = new Chart(Testing.app(), 'edge');
    new MeshNamespace(chart, 'Egress', { name: 'istio-egress', membership: MeshMembership.none() });
    policyFor(chart, 'shop');
    expect(unknown(chart)).toEqual([]);
  });

  it('is that of its own mesh', () => {
    const app = Testing.app();
    const [one, other] = [new Chart(app, 'one'), new Chart(app, 'other')];
    for (const chart of [one, other]) MeshBoundary.at(chart);
    new MeshNamespace(one, 'Shop', { name: 'shop' });
    new MeshNamespace(other, 'Data', { name: 'data' });
    policyFor(one, 'data');
    policyFor(other, 'data');
    expect(unknown(one)).toEqual([expect.stringContaining('at one/Policy: ')]);
  });

  const stripe = (chart: Chart, audience?: Audience): ExternalService =>
    new ExternalService(chart, 'Stripe', { hosts: ['api.stripe.com'], audience });
  const shp = Workloads.in('shp', { app: 'web' });
  const shop = Workloads.in('shop', { app: 'web' });
  it.each<[string, (chart: Chart) => unknown]>([
    ['`audience`', (chart) => stripe(chart, Audience.namespaces('shp'))],
    ['`from`', (chart) => new EgressGateway(chart, 'Gateway').allow(shp, stripe(chart))],
    [
      'a mirror',
      (chart) =>
        new EgressGateway(chart, 'Gateway').forward(stripe(chart), {
          upstream: { mirrors: [{ to: MirrorTarget.service('copy', 'shp', 80) }] },
        }),
    ],
    ['`namespaces`', (chart) => lockdown(chart, { namespaces: ['shp'] })],
    ['`meshNamespaces`', (chart) => lockdown(chart, { namespaces: ['shop'], meshNamespaces: ['shp'] })],
    [
      '`namespace`',
      (chart) => new OutboundTrafficPolicy(chart, 'O', { namespace: 'shp', mode: OutboundMode.ALLOW_ANY }),
    ],
    ['`namespace`', (chart) => new AccessLog(chart, 'Log', { namespace: 'shp', format: AccessLogFormat.json() })],
    ['`appliesTo`', (chart) => new PeerAuthentication(chart, 'P', { appliesTo: PeerScope.inNamespace('shp') })],
    [
      '`target`',
      (chart) =>
        new RequestAuthentication(chart, 'R', {
          target: AccessTarget.workloads(shp),
          issuers: [{ issuer: 'https://login.example.com', jwksUri: 'https://login.example.com/keys' }],
        }),
    ],
    ['`target`', (chart) => new AuthorizationPolicy(chart, 'A', { target: AccessTarget.workloads(shp), rules: [] })],
    [
      '`callers`',
      (chart) =>
        new AuthorizationPolicy(chart, 'A', {
          target: AccessTarget.workloads(shop),
          rules: [{ callers: [Workloads.in('shp')] }],
        }),
    ],
    [
      '`exceptCallers`',
      (chart) =>
        new AuthorizationPolicy(chart, 'A', {
          target: AccessTarget.workloads(shop),
          rules: [{ exceptCallers: [Workloads.in('shp')] }],
        }),
    ],
    ['`listenersFrom`', (chart) => ingress(chart, { listenersFrom: ['shp'] })],
    ['`routesFrom` of listener "http"', (chart) => ingress(chart, {}, ['shp'])],
    [
      'backend "web"',
      (chart) =>
        new HttpIngressRoute(chart, 'Route', {
          gateway: ingress(chart, {}),
          rules: [{ backends: [IngressBackend.service('web', 80, { namespace: 'shp' })] }],
        }),
    ],
    [
      '`proxyNamespace`',
      (chart) =>
        new ClassicIngress(chart, 'Classic', {
          hosts: ['shop.example.com'],
          proxyNamespace: 'shp',
          paths: [{ prefix: '/', backend: IngressBackend.service('web', 80) }],
        }),
    ],
  ])('is refused at %s', (where, make) => {
    const chart = edge();
    make(chart);
    expect(unknown(chart)).toEqual([expect.stringContaining(`${where} names namespace "shp"`)]);
  });

  function lockdown(chart: Chart, props: { namespaces: string[]; meshNamespaces?: string[] }): EgressLockdown {
    const gateway = new EgressGateway(chart, 'Gateway');
    return new EgressLockdown(chart, 'Lockdown', { gateway, ...props });
  }

  function ingress(chart: Chart, props: { listenersFrom?: string[] }, routesFrom?: string[]): IngressGateway {
    const listeners = [IngressListener.http({ routesFrom })];
    return new IngressGateway(chart, 'Ingress', { ingressClass: IngressClass.istio(), listeners, ...props });
  }
});

describe('a namespace of another repository', () => {
  const refusals = (membership?: MeshMembership): string[] => {
    const chart = new Chart(Testing.app(), 'edge', { namespace: 'shop' });
    MeshNamespace.fromAttributes(chart, 'Shop', { name: 'shop', membership });
    policyFor(chart, 'shop');
    const found = chart.node.root.node.findAll().flatMap((node) => node.node.validate());
    return found.filter((problem) => problem.includes("can't match"));
  };

  it('is judged by what is known of it, and by nothing else', () => {
    expect(refusals()).toEqual([]);
    expect(refusals(MeshMembership.sidecar())).toEqual([]);
    expect(refusals(MeshMembership.ambient())).toEqual([expect.stringContaining('edge/Shop keeps sidecars out')]);
  });
});
