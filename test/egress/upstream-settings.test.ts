import { Duration } from 'cdk8s';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { ForwardOptions } from '../../src/egress/egress-route';
import { EgressTrafficPolicy } from '../../src/egress/egress-traffic-policy';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { SidecarEgress } from '../../src/egress/sidecar-egress';
import { UpstreamSettings } from '../../src/egress/upstream-settings';
import { Workloads } from '../../src/mesh/workloads';
import { http, https, orders, payments, Mesh } from './policy-mesh';
import { refusals, rendered, world } from './world';

const SETTINGS: UpstreamSettings = {
  timeout: Duration.seconds(5),
  retries: { attempts: 3, on: ['5xx', '429'], perTryTimeout: Duration.millis(1500) },
  connections: { maxConnections: 10, connectTimeout: Duration.seconds(2), idleTimeout: Duration.minutes(5) },
  outlierDetection: { consecutiveGatewayErrors: 3, baseEjectionTime: Duration.minutes(1), maxEjectionPercent: 100 },
};
const RETRIES = { attempts: 3, retryOn: '5xx,429', perTryTimeout: '1500ms' };
const SAFE = { attempts: 2, retryOn: 'connect-failure,refused-stream' };
const POLICY = {
  connectionPool: {
    http: { idleTimeout: '300s' },
    tcp: { maxConnections: 10, connectTimeout: '2s', idleTimeout: '300s' },
  },
  outlierDetection: {
    consecutiveGatewayErrors: 3,
    consecutive5xxErrors: 0,
    baseEjectionTime: '60s',
    maxEjectionPercent: 100,
  },
};

function forwarded(options: ForwardOptions, ports = [http, https]) {
  const chart = world();
  const site = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports });
  EgressGateway.fromInstalled(chart, 'Egress').forward(site, options);
  return chart;
}
/** The DestinationRule that a host has, and not the gateway's own. */
const ruleOf = (chart: ReturnType<typeof world>, name: string) => rendered(chart, 'DestinationRule', name);
const refused = (upstream: UpstreamSettings, ports = [http, https]) =>
  refusals(forwarded({ upstream }, ports)).join('\n');

describe('upstream settings of what is forwarded through a gateway', () => {
  it("puts timeout and retries on the gateway's own route, and lets the sidecar retry only what never left it", () => {
    const [first, second] = rendered(forwarded({ upstream: SETTINGS }), 'VirtualService').spec.http;
    expect(first.timeout).toBeUndefined();
    expect(first.retries).toEqual(SAFE);
    expect(second).toMatchObject({ timeout: '5s', retries: RETRIES });
  });

  it('renders limits as a DestinationRule beside the gateway, for the gateway alone', () => {
    const rule = ruleOf(forwarded({ upstream: SETTINGS }), 'connections-to-a-example-com');
    expect(rule.metadata.namespace).toBe('istio-system');
    expect(rule.spec).toEqual({
      host: 'a.example.com',
      exportTo: ['.'],
      trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' }, ...POLICY },
    });
  });

  it('joins the rule that originates TLS, at every level, since each replaces the one above it', () => {
    const chart = forwarded({ http: HttpEgress.originateTls(), upstream: SETTINGS });
    const { spec } = ruleOf(chart, 'originate-tls-for-a-example-com');
    expect(spec.trafficPolicy).toMatchObject(POLICY);
    expect(spec.subsets[0].trafficPolicy).toMatchObject(POLICY);
    expect(spec.subsets[0].trafficPolicy.portLevelSettings[0]).toMatchObject({
      ...POLICY,
      tls: { mode: 'SIMPLE' },
    });
    expect(refusals(chart)).toEqual([]);
  });

  it('holds connections of TLS that is passed through', () => {
    const upstream = { connections: { maxConnections: 4 } };
    const chart = forwarded({ upstream }, [https]);
    expect(ruleOf(chart, 'connections-to-a-example-com').spec.trafficPolicy.connectionPool).toEqual({
      tcp: { maxConnections: 4 },
    });
    expect(refusals(chart)).toEqual([]);
  });

  it('renders no DestinationRule for a timeout alone', () => {
    const chart = forwarded({ upstream: { timeout: Duration.seconds(1) } });
    expect(() => ruleOf(chart, 'connections-to-a-example-com')).toThrow(/0 objects/);
  });

  it('turns retries off', () => {
    const chart = forwarded({ upstream: { retries: { attempts: 0 } } });
    expect(rendered(chart, 'VirtualService').spec.http[1].retries).toEqual({ attempts: 0 });
  });
});

describe('upstream settings of what leaves straight from the sidecar', () => {
  function sidecar(upstream: UpstreamSettings, way?: HttpEgress) {
    const chart = world();
    const service = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports: [http, https] });
    new SidecarEgress(chart, 'Site-Way', { service, http: way, upstream });
    return chart;
  }

  it('renders a route and a rule with no TLS to originate', () => {
    const chart = sidecar(SETTINGS);
    expect(rendered(chart, 'VirtualService').spec.http).toEqual([
      {
        match: [{ port: 80 }],
        timeout: '5s',
        retries: RETRIES,
        route: [{ destination: { host: 'a.example.com', port: { number: 80 } } }],
      },
    ]);
    expect(rendered(chart, 'DestinationRule').spec.trafficPolicy).toMatchObject(POLICY);
    expect(refusals(chart)).toEqual([]);
  });

  it('renders the rule alone for limits', () => {
    const chart = sidecar({ connections: { maxConnections: 1 } });
    expect(() => rendered(chart, 'VirtualService')).toThrow(/0 objects/);
    expect(rendered(chart, 'DestinationRule').spec.trafficPolicy.connectionPool.tcp).toEqual({ maxConnections: 1 });
  });

  it('joins TLS origination', () => {
    const chart = sidecar(SETTINGS, HttpEgress.originateTls());
    expect(rendered(chart, 'VirtualService').spec.http[0]).toMatchObject({ timeout: '5s', retries: RETRIES });
    expect(rendered(chart, 'DestinationRule').spec.subsets[0].trafficPolicy.portLevelSettings[0]).toMatchObject(POLICY);
  });
});

describe('upstream settings of a rule of an EgressTrafficPolicy', () => {
  it('holds at the gateway, with TLS that it originates', () => {
    const mesh = new Mesh();
    const to = [mesh.service('a.example.com', { ports: [ExternalPort.http(80, { targetPort: 443 })] })];
    mesh.policy({ from: [payments], to, http: HttpEgress.originateTls(), upstream: SETTINGS });
    expect(mesh.spec('VirtualService', 'a-example-com-through-istio-egressgateway').http[0]).toMatchObject({
      timeout: '5s',
      retries: RETRIES,
    });
    const rule = mesh.spec('DestinationRule', 'originate-tls-for-a-example-com');
    expect(rule.trafficPolicy.portLevelSettings[0]).toMatchObject({ ...POLICY, tls: { mode: 'SIMPLE' } });
    expect(mesh.refused()).toBe('');
  });

  it('holds for all callers of the host once one rule says it, and is refused where two rules differ', () => {
    const mesh = new Mesh();
    const to = [mesh.service('a.example.com', { ports: [http] })];
    mesh.policy({ from: [payments], to }, { from: [orders], to, upstream: SETTINGS });
    expect(mesh.spec('DestinationRule', 'connections-to-a-example-com').trafficPolicy).toMatchObject(POLICY);
    expect(mesh.refused()).toBe('');
    mesh.policy({ from: [Workloads.in('billing')], to, upstream: { timeout: Duration.seconds(9) } });
    expect(mesh.refused()).toMatch(
      /`upstream` for "a.example.com" differs between world\/Policy1 rules\[1\] and world\/Policy2/,
    );
  });

  it('holds at sidecars, where whole namespaces need a route for it', () => {
    const mesh = new Mesh();
    const to = [mesh.service('a.example.com', { ports: [http] })];
    new EgressTrafficPolicy(mesh.chart, 'Direct', {
      rules: [{ from: [Workloads.in('shop')], to, upstream: { timeout: Duration.seconds(2), http2: true } }],
    });
    mesh.chart.node.tryRemoveChild('Egress');
    expect(mesh.spec('VirtualService').http[0]).toMatchObject({ match: [{ port: 80 }], timeout: '2s', retries: SAFE });
    expect(mesh.spec('DestinationRule').trafficPolicy.connectionPool).toEqual({ http: { h2UpgradePolicy: 'UPGRADE' } });
    expect(mesh.refused()).toBe('');
  });
});

describe('upstream settings that cannot be', () => {
  it('says so of HTTP settings where no proxy reads HTTP, and takes limits', () => {
    const said = refused({ timeout: Duration.seconds(1), http2: true, connections: { maxRequests: 3 } }, [https]);
    expect(said).toMatch(/upstream\.timeout of a service without plain HTTP/);
    expect(said).toMatch(/upstream\.http2 of/);
    expect(said).toMatch(/upstream\.connections\.maxRequests of/);
  });

  it.each<[string, UpstreamSettings, RegExp]>([
    ['nothing', {}, /`upstream` says nothing/],
    ['a number out of range', { connections: { maxConnections: 0 } }, /maxConnections is 0/],
    ['a share of addresses over 100 %', { outlierDetection: { maxEjectionPercent: 101 } }, /maxEjectionPercent is 101/],
    ['an unknown condition', { retries: { on: ['5XX'] } }, /upstream\.retries\.on has "5XX"/],
    ['a duration of 0', { timeout: Duration.millis(0) }, /upstream\.timeout is 0/],
    [
      'attempts longer than the whole',
      { timeout: Duration.seconds(1), retries: { perTryTimeout: Duration.seconds(2) } },
      /perTryTimeout is longer/,
    ],
  ])('refuses %s', (_, upstream, said) => expect(refused(upstream)).toMatch(said));
});
