import { App, Chart } from 'cdk8s';
import { join } from 'node:path';
import '../../src/jest/index';
import type {} from '../../src/jest/public';
import { EgressGateway, ExternalPort, ExternalService, HttpEgress, TlsEgress, Workloads } from '../../src/index';

function edge(): { app: App; chart: Chart } {
  const app = new App();
  const chart = new Chart(app, 'edge');
  const gateway = EgressGateway.fromInstalled(chart, 'Egress');
  const cnn = new ExternalService(chart, 'Cnn', {
    hosts: ['edition.cnn.com'],
    ports: [ExternalPort.http(), ExternalPort.https()],
    namespace: 'default',
  });
  gateway.forward(cnn, { http: HttpEgress.originateTls(), https: TlsEgress.passthrough() });
  return { app, chart };
}

const REGISTRY_ONLY = { outbound: 'REGISTRY_ONLY' } as const;

function messageOf(assertion: () => void): string {
  try {
    assertion();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('the assertion passes');
}

describe('the matchers of every request', () => {
  const mesh = REGISTRY_ONLY;
  const { chart } = edge();

  it('say what is never reached, with a request that does', () => {
    expect(chart).not.toNeverReach({ to: 'edition.cnn.com', mesh });
    const elsewhere = { to: { hosts: ['edition.cnn.com'], ports: [8080] }, mesh };
    expect(chart).not.toNeverReach(elsewhere);
    expect(chart).toNeverReach({ ...elsewhere, mayBeVacuous: true });
    const said = messageOf(() => expect(chart).toNeverReach({ from: 'default/sleep', to: 'outside', mesh }));
    expect(said).toMatch(/refuted: toNeverReach[^]*default\/sleep to http:\/\/edition\.cnn\.com\/ gets through/);
    expect(said).toMatch(/mesh-edge trace PATH --from 'default\/sleep' --request 'http:\/\/edition\.cnn\.com\/'/);
  });

  it('say what alone is reached', () => {
    expect(chart).toOnlyReach({ to: '*.cnn.com', mesh });
    expect(chart).not.toOnlyReach({ to: 'www.cnn.com', mesh });
    expect(chart).not.toOnlyReach({ to: [], mesh });
    expect(chart).not.toOnlyReach({ to: 'edition.cnn.com' });
  });

  it('say which way is taken always', () => {
    expect(chart).toAlwaysPass({ through: 'istio-system/istio-egressgateway', tls: 'encrypted', mesh });
    expect(chart).not.toAlwaysPass({ through: 'istio-egress/other', mesh });
  });

  it('refuse what they cannot read, and names that nothing is about', () => {
    expect(() => expect(chart).toAlwaysPass({ mesh })).toThrow(/toAlwaysPass: .*it demands nothing/);
    expect(() => expect(chart).toNeverReach({ from: 'nowhere', to: 'outside', mesh })).toThrow(/namespace "nowhere"/);
  });
});

describe('the matchers', () => {
  it('count a gateway once that opens the TLS of the hop, and hands what is inside to a listener of its own', () => {
    const chart = new Chart(new App(), 'edge');
    const api = new ExternalService(chart, 'Api', { hosts: ['api.example.com'], ports: [ExternalPort.https()] });
    new EgressGateway(chart, 'Egress').allow(Workloads.in('shop'), api);
    const payments = { from: 'shop/payments', to: 'https://api.example.com/' };
    expect(chart).toDeliver({ ...payments, via: 'istio-egress/egress' });
    expect(chart).not.toDeliver({ ...payments, via: ['istio-egress/egress', 'istio-egress/other'] });
  });

  it('follow a request through what a chart or an app renders', () => {
    const { app, chart } = edge();
    expect(chart).toDeliver({
      from: 'default/sleep',
      to: 'http://edition.cnn.com/',
      via: 'istio-system/istio-egressgateway',
      tls: 'SIMPLE',
    });
    expect(app).toDeliver({
      from: 'default/sleep',
      to: 'https://edition.cnn.com/',
      via: 'istio-egressgateway',
      tls: 'APPLICATION',
      sni: 'edition.cnn.com',
    });
    expect(chart).toRefuse({
      from: 'default/sleep',
      to: 'http://example.com/',
      status: 502,
      code: 'BlackHoleCluster',
      mesh: REGISTRY_ONLY,
    });
    expect(chart).toRefuse({ from: 'default/sleep', to: 'https://example.com/', status: null, mesh: REGISTRY_ONLY });
    expect(chart).not.toRefuse({ from: 'default/sleep', to: 'https://example.com/' });
    expect(chart).not.toDeliver({ from: 'default/sleep', to: 'http://edition.cnn.com/', via: [] });
  });

  it('tell an answer of the proxy itself from what is delivered or refused', () => {
    const redirect = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'old', namespace: 'default' },
      spec: { hosts: ['old.example.com'], http: [{ redirect: { authority: 'new.example.com', redirectCode: 308 } }] },
    };
    const entry = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'old', namespace: 'default' },
      spec: { hosts: ['old.example.com'], ports: [{ number: 80, name: 'http', protocol: 'HTTP' }], resolution: 'DNS' },
    };
    const objects = [redirect, entry];
    const asked = { from: 'default/sleep', to: 'http://old.example.com/a' };
    expect(objects).toAnswer({ ...asked, status: 308, location: 'http://new.example.com/a' });
    expect(objects).not.toAnswer({ ...asked, status: 301 });
    expect(objects).not.toRefuse(asked);
    expect(messageOf(() => expect(objects).toDeliver(asked))).toContain(
      'it is answered by the proxy itself (308 to http://new.example.com/a)',
    );
    expect([entry]).not.toAnswer(asked);
  });

  it('judge committed manifests and plain objects', () => {
    const dist = join(__dirname, '..', '..', 'dist', 'sidecar-http');
    expect(dist).toDeliver({ from: 'default/sleep', to: 'http://hbchen.com/', via: [], destination: 'hbchen.com:80' });
    expect([
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'ServiceEntry',
        metadata: { name: 'x' },
        spec: { hosts: ['a.example'], ports: 'none' },
      },
    ]).not.toHaveNoFindings();
    expect(dist).toHaveNoFindings();
  });

  it('show what was expected and every hop when they fail', () => {
    const { chart } = edge();
    const wrongWay = messageOf(() =>
      expect(chart).toDeliver({ from: 'default/sleep', to: 'http://edition.cnn.com/', via: [], tls: 'NONE' }),
    );
    expect(wrongWay).toContain('expected it to pass no gateway, and it passes istio-system/istio-egressgateway');
    expect(wrongWay).toContain('expected tls NONE on the way out, and it is SIMPLE');
    expect(wrongWay).toMatch(/1 {2}sidecar default\/sleep[\s\S]*2 {2}egress gateway istio-system\/istio-egressgateway/);
    const notDelivered = messageOf(() =>
      expect(chart).toDeliver({ from: 'default/sleep', to: 'http://example.com/', mesh: REGISTRY_ONLY }),
    );
    expect(notDelivered).toContain('expected it to be delivered, and it is refused (BlackHoleCluster, status 502)');
    const notRefused = messageOf(() =>
      expect(chart).toRefuse({ from: 'default/sleep', to: 'http://example.com/', mesh: REGISTRY_ONLY, status: 403 }),
    );
    expect(notRefused).toContain('expected status 403, and it is status 502');
  });

  it('show findings with construct path, reason and cure', () => {
    const broken = [
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'ServiceEntry',
        metadata: { name: 'x' },
        spec: { hosts: ['a.example'], ports: 'none' },
      },
    ];
    expect(messageOf(() => expect(broken).toHaveNoFindings())).toMatch(
      /error[\s\S]*ServiceEntry default\/x[\s\S]*Fix:/,
    );
  });

  it('refuse what is nothing to judge', () => {
    expect(messageOf(() => expect(undefined).toHaveNoFindings())).toContain(
      'judges a chart, an app, a list of objects, or a path',
    );
    expect(messageOf(() => expect(new Chart(new App(), 'empty')).toHaveNoFindings())).toContain('renders no object');
  });
});
