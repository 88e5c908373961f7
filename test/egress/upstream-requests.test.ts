import { Duration } from 'cdk8s';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { ForwardOptions } from '../../src/egress/egress-route';
import { EgressTrafficPolicy } from '../../src/egress/egress-traffic-policy';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { Resolution } from '../../src/egress/resolution';
import { SidecarEgress } from '../../src/egress/sidecar-egress';
import { LocalityPreference } from '../../src/egress/upstream-locality';
import { MirrorTarget } from '../../src/egress/upstream-requests';
import { UpstreamSettings } from '../../src/egress/upstream-settings';
import { Audience } from '../../src/mesh/audience';
import { TlsVersion } from '../../src/mesh/tls-version';
import { Workloads } from '../../src/mesh/workloads';
import { findings, traceOf } from './judged';
import { Mesh, http, https, orders, payments } from './policy-mesh';
import { refusals, rendered, world } from './world';

const TWO_PLACES = Resolution.static(
  { address: '192.0.2.1', locality: 'eu-west/a' },
  { address: '192.0.2.2', locality: 'eu-north' },
);

function forwarded(upstream: UpstreamSettings, props: Partial<ExternalServiceProps> = {}, options?: ForwardOptions) {
  const chart = world();
  const site = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports: [http, https], ...props });
  EgressGateway.fromInstalled(chart, 'Egress').forward(site, { upstream, ...options });
  return chart;
}
const originating = { http: HttpEgress.originateTls() };

describe('what upstream says of single requests', () => {
  const treated: UpstreamSettings = {
    requestHeaders: { set: { 'x-source': 'mesh' }, remove: ['x-user'] },
    responseHeaders: { add: { 'x-via': 'egress' } },
    mirrors: [{ to: MirrorTarget.service('recorder', 'audit', 8080), percent: 5 }],
    fault: { delay: Duration.millis(250), delayPercent: 10, abortStatus: 503, abortPercent: 1 },
  };
  const asRendered = {
    headers: {
      request: { set: { 'x-source': 'mesh' }, remove: ['x-user'] },
      response: { add: { 'x-via': 'egress' } },
    },
    mirrors: [
      { destination: { host: 'recorder.audit.svc.cluster.local', port: { number: 8080 } }, percentage: { value: 5 } },
    ],
    fault: {
      delay: { fixedDelay: '250ms', percentage: { value: 10 } },
      abort: { httpStatus: 503, percentage: { value: 1 } },
    },
  };

  it("stands on the gateway's route, and not on the sidecar's before it", () => {
    const chart = forwarded(treated);
    const [first, second] = rendered(chart, 'VirtualService').spec.http;
    expect(second).toMatchObject(asRendered);
    for (const field of Object.keys(asRendered)) expect(first).not.toHaveProperty(field);
    expect(refusals(chart)).toEqual([]);
  });

  it("stands on the gateway's route of a policy, and on sidecars' where there is no gateway", () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com', { ports: [http] })], upstream: treated });
    expect(mesh.spec('VirtualService', 'a-example-com-through-istio-egressgateway').http[0]).toMatchObject(asRendered);
    new EgressTrafficPolicy(mesh.chart, 'Direct', {
      rules: [{ from: [orders], to: [mesh.service('b.example.com', { ports: [http] })], upstream: treated }],
    });
    expect(mesh.spec('VirtualService', 'b-example-com-from-shop').http[0]).toMatchObject(asRendered);
    expect(mesh.refused()).toBe('');
  });

  it('shows an external mirror to the proxy that sends the copies', () => {
    const mesh = new Mesh();
    const copy = mesh.service('copy.example.com', { ports: [http], name: 'copy' });
    const to = [mesh.service('a.example.com', { ports: [http] })];
    mesh.policy({ from: [payments], to, upstream: { mirrors: [{ to: MirrorTarget.external(copy) }] } });
    expect(mesh.spec('ServiceEntry', 'copy').exportTo).toEqual(['.', 'istio-system']);
    expect(mesh.refused()).toBe('');
  });
});

describe('where the addresses of a service lie', () => {
  it('fails over with the outlier detection that istiod wants for it, which may leave out all of a place', () => {
    const locality = LocalityPreference.failover({ from: 'eu-west', to: 'eu-north' });
    const chart = forwarded({ locality }, { resolution: TWO_PLACES });
    expect(rendered(chart, 'DestinationRule', 'connections-to-a-example-com').spec.trafficPolicy).toEqual({
      loadBalancer: {
        simple: 'ROUND_ROBIN',
        localityLbSetting: { enabled: true, failover: [{ from: 'eu-west', to: 'eu-north' }] },
      },
      outlierDetection: { consecutiveGatewayErrors: 5, consecutive5xxErrors: 0, maxEjectionPercent: 100 },
    });
    expect(refusals(chart)).toEqual([]);
  });

  it('holds at every level of a rule that originates TLS', () => {
    const locality = LocalityPreference.shares({ to: { 'eu-west/*': 80, 'eu-north': 20 } });
    const chart = forwarded({ locality }, { resolution: TWO_PLACES }, originating);
    const { spec } = rendered(chart, 'DestinationRule', 'originate-tls-for-a-example-com');
    const shares = { localityLbSetting: { distribute: [{ from: '*', to: { 'eu-west/*': 80, 'eu-north': 20 } }] } };
    expect(spec.trafficPolicy.loadBalancer).toMatchObject(shares);
    expect(spec.subsets[0].trafficPolicy.portLevelSettings[0].loadBalancer).toMatchObject(shares);
    expect(spec.trafficPolicy.outlierDetection).toBeUndefined();
  });

  it.each<[string, LocalityPreference, RegExp]>([
    ['shares that are not all of it', LocalityPreference.shares({ to: { a: 80, b: 10 } }), /are 80 and 10/],
    ['a zone to fail over to', LocalityPreference.failover({ from: 'a', to: 'b/c' }), /fails over by "b\/c"/],
    ['a region that fails over to itself', LocalityPreference.failover({ from: 'a', to: 'a' }), /"a" to itself/],
    ['no region', LocalityPreference.failover(), /no region/],
  ])('refuses %s', (_, locality, said) =>
    expect(refusals(forwarded({ locality }, { resolution: TWO_PLACES })).join()).toMatch(said),
  );

  it('refuses it of addresses that lie nowhere', () =>
    expect(refusals(forwarded({ locality: LocalityPreference.nearest() })).join()).toMatch(/have no `locality`/));
});

describe('what takes an EnvoyFilter', () => {
  const LIMIT = 'envoy.filters.http.local_ratelimit';
  const limited: UpstreamSettings = { rateLimit: { requests: 10, per: Duration.seconds(60), burst: 20 } };
  const bucket = { max_tokens: 20, tokens_per_fill: 10, fill_interval: '60s' };
  const patchesOf = (chart: ReturnType<typeof world>, name?: string) =>
    rendered(chart, 'EnvoyFilter', name).spec.configPatches;

  it('counts requests on the one route of the host, at the gateway', () => {
    const chart = forwarded(limited);
    expect(rendered(chart, 'VirtualService').spec.http[1].name).toBe('limited-a-example-com');
    const { metadata, spec } = rendered(chart, 'EnvoyFilter');
    expect(metadata).toMatchObject({ name: 'istio-egressgateway-upstreams', namespace: 'istio-system' });
    expect(spec.workloadSelector.labels).toEqual({ istio: 'egressgateway' });
    const [filter, route] = spec.configPatches;
    expect(filter.patch.value).toMatchObject({ name: LIMIT });
    expect(filter.patch.value.typed_config).not.toHaveProperty('token_bucket');
    expect(route.match).toEqual({
      context: 'GATEWAY',
      routeConfiguration: { vhost: { route: { name: 'limited-a-example-com' } } },
    });
    expect(route.patch.value.typed_per_filter_config[LIMIT].token_bucket).toEqual(bucket);
  });

  it('is one filter for all hosts of a gateway, so that requests are counted once', () => {
    const mesh = new Mesh();
    const to = ['a.example.com', 'b.example.com'].map((host) => mesh.service(host, { ports: [http] }));
    mesh.policy({ from: [payments], to, upstream: limited });
    const applied = mesh.spec('EnvoyFilter').configPatches.map(({ applyTo }: any) => applyTo);
    expect(applied).toEqual(['HTTP_FILTER', 'HTTP_ROUTE', 'HTTP_ROUTE']);
    expect(mesh.refused()).toBe('');
  });

  it('is a filter of its own for each construct at sidecars, in each namespace that calls', () => {
    const chart = world();
    const audience = Audience.namespaces('shop');
    const service = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports: [http], audience });
    new SidecarEgress(chart, 'Slowly', { service, upstream: limited });
    const filters = chart.node.findAll().filter((node: any) => node.kind === 'EnvoyFilter');
    expect(filters.map((node: any) => `${node.metadata.namespace} ${node.name}`)).toEqual([
      'default slowly-upstream',
      'shop slowly-upstream',
    ]);
    const [{ patch }, { match }] = (filters[0] as any).toJson().spec.configPatches;
    expect(patch.value.name).toBe(`${LIMIT}.slowly`);
    expect(match.context).toBe('SIDECAR_OUTBOUND');
  });

  it('counts what leaves straight from sidecars by policy, in the namespaces of the callers', () => {
    const mesh = new Mesh();
    const to = [mesh.service('a.example.com', { ports: [http] })];
    new EgressTrafficPolicy(mesh.chart, 'Direct', {
      rules: [{ from: [Workloads.in('billing')], to, upstream: limited }],
    });
    expect(rendered(mesh.chart, 'EnvoyFilter').metadata.namespace).toBe('billing');
    expect(mesh.spec('VirtualService').http[0].name).toBe('limited-a-example-com');
  });

  it('says versions to the cluster that makes the TLS, and to none that passes it on', () => {
    const tls = { minVersion: TlsVersion.V1_3 };
    const [patch] = patchesOf(forwarded({ tls }, {}, originating));
    expect(patch.match.cluster).toEqual({ service: 'a.example.com', portNumber: 443, subset: 'originate-tls' });
    expect(patch.patch.value.transport_socket.typed_config.common_tls_context.tls_params).toEqual({
      tls_minimum_protocol_version: 'TLSv1_3',
    });
  });

  it('leaves our own trace as certain as without it', () => {
    const ports = [ExternalPort.http(80, { targetPort: 443 })];
    const chart = forwarded({ ...limited, tls: { maxVersion: TlsVersion.V1_2 } }, { ports }, originating);
    const told = traceOf(chart)('http://a.example.com/', { from: 'default/sleep' });
    expect(told.outcome).toBe('delivered');
    expect(told.destination).toMatchObject({ host: 'a.example.com', tls: 'SIMPLE' });
    expect(findings(chart)).toEqual([]);
  });
});

describe('what upstream can not say of requests', () => {
  it.each<[string, UpstreamSettings, RegExp]>([
    ['a Host header', { requestHeaders: { set: { Host: 'b' } } }, /requestHeaders names "Host"/],
    ['a pseudo-header', { requestHeaders: { set: { ':path': '/' } } }, /names ":path"/],
    ['no header', { responseHeaders: {} }, /responseHeaders changes no header/],
    ['a fault that is none', { fault: {} }, /makes nothing fail/],
    ['a status that is none', { fault: { abortStatus: 42 } }, /abortStatus is 42/],
    ['a share of nothing', { fault: { abortStatus: 500, abortPercent: 0 } }, /abortPercent is 0/],
    ['a limit of nothing', { rateLimit: { requests: 0 } }, /rateLimit.requests is 0/],
    ['a bucket that is always filled', { rateLimit: { requests: 1, per: Duration.millis(10) } }, /per is 10ms/],
    ['TLS that nobody makes', { tls: { minVersion: TlsVersion.V1_3 } }, /no TLS is originated/],
  ])('refuses %s', (_, upstream, said) => expect(refusals(forwarded(upstream)).join('\n')).toMatch(said));

  it('refuses versions the wrong way round, and none', () => {
    const tls = { minVersion: TlsVersion.V1_3, maxVersion: TlsVersion.V1_2 };
    expect(refusals(forwarded({ tls }, {}, originating)).join()).toMatch(/minVersion is above/);
    expect(refusals(forwarded({ tls: {} }, {}, originating)).join()).toMatch(/names no version/);
  });

  it('refuses what is about requests where no proxy reads them', () => {
    const upstream = { rateLimit: { requests: 1 }, fault: { abortStatus: 500 }, mirrors: [] };
    const said = refusals(forwarded(upstream, { ports: [https] })).join('\n');
    expect(said).toMatch(/upstream\.rateLimit of a service without plain HTTP/);
    expect(said).toMatch(/upstream\.fault of/);
  });

  it('refuses mirrors of what takes no plain HTTP', () => {
    const mesh = new Mesh();
    const to = MirrorTarget.external(mesh.service('copy.example.com', { ports: [https] }));
    mesh.policy({
      from: [payments],
      to: [mesh.service('a.example.com', { ports: [http] })],
      upstream: { mirrors: [{ to }] },
    });
    expect(mesh.refused()).toMatch(/mirror at "copy.example.com", which takes no plain HTTP/);
  });

  it('refuses filters at the sidecars of a whole mesh', () => {
    const chart = world();
    const service = new ExternalService(chart, 'Site', {
      hosts: ['a.example.com'],
      ports: [http],
      audience: Audience.mesh(),
    });
    new SidecarEgress(chart, 'Slowly', { service, upstream: limitedOf(1) });
    expect(refusals(chart).join()).toMatch(/upstream.rateLimit for the sidecars of the whole mesh/);
  });
});

function limitedOf(requests: number): UpstreamSettings {
  return { rateLimit: { requests } };
}
