import { App, Chart } from 'cdk8s';
import { EgressGatewayWorkload } from '../../src/egress/egress-gateway-workload';
import { type KubeObject } from '../lab/api';
import { CLIENT, committed, eventually, fixture, Mesh, PLAIN } from './mesh';
import { type Expected } from './scenario';

const refused = (url: string): Expected => ({ status: url.startsWith('http:') ? 502 : 0, gateway: null, site: null });

/** The gateway that two of the scenarios say is there. */
function gatewayA(): readonly KubeObject[] {
  const chart = new Chart(new App(), 'gateway');
  new EgressGatewayWorkload(chart, 'egressgateway-a', { namespace: 'istio-system', minReplicas: 1 });
  return chart.toJson() as KubeObject[];
}

/** A Pod without a sidecar. */
const bare = (namespace: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'bare', namespace, labels: { 'sidecar.istio.io/inject': 'false' } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'bare', image: 'curlimages/curl' }] },
});

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

const world = (scenario: string, ...more: readonly KubeObject[]) =>
  mesh.use([...fixture('policy-scenarios.yaml'), ...more, ...committed(scenario)]);

async function expectSeen(from: string, url: string, gateway: string, seen: Expected): Promise<void> {
  const attempt = async () => expect(await mesh.request({ from, url, gateway })).toMatchObject(seen);
  await (seen.site === null ? attempt() : eventually(attempt));
}

describe('egress-traffic-policy', () => {
  const gateway = 'istio-system/istio-egressgateway';
  beforeAll(() => world('egress-traffic-policy'));
  afterAll(() => mesh.clear());

  it('lets the listed workload pass through the gateway', () =>
    expectSeen('default/sleep', 'http://aliyun.com/', gateway, {
      status: 200,
      sidecar: { upstream_cluster: 'outbound|80|mutual-tls|istio-egressgateway.istio-system.svc.cluster.local' },
      gateway: { upstream_cluster: 'outbound|80||aliyun.com' },
      site: { scheme: 'http', host: 'aliyun.com' },
    }));

  it.each([
    [CLIENT, 'http://aliyun.com/'],
    ['mytest/sleep-a', 'http://aliyun.com/'],
    ['default/sleep', 'https://aliyun.com/'],
    ['default/sleep', 'http://edition.cnn.com/'],
  ])('has the sidecar of %s refuse %s', (from, url) => expectSeen(from, url, gateway, refused(url)));
});

describe.each([
  ['egress-traffic-policy-http', 'http', false],
  ['egress-traffic-policy-https-upgrade', 'https', true],
])('%s', (scenario, scheme, takesHttps) => {
  const gateway = 'istio-system/egressgateway-a';
  beforeAll(() => world(scenario, ...gatewayA()));
  afterAll(() => mesh.clear());

  it.each(['www.httpbin.org', 'httpbin.org'])(`lets plain HTTP of sleep-a to %s arrive as ${scheme}`, (host) =>
    expectSeen('mytest/sleep-a', `http://${host}/`, gateway, {
      status: 200,
      gateway: { upstream_cluster: `outbound|80||${host}` },
      site: { scheme, host },
    }),
  );

  it(`${takesHttps ? 'lets' : 'does not let'} HTTPS of sleep-a pass`, () =>
    expectSeen(
      'mytest/sleep-a',
      'https://httpbin.org/',
      gateway,
      takesHttps ? { status: 200, site: { scheme: 'https', sni: 'httpbin.org' } } : refused('https://httpbin.org/'),
    ));

  it.each(['http://httpbin.org/', 'https://httpbin.org/'])('has the sidecar of sleep-b refuse %s', (url) =>
    expectSeen('mytest/sleep-b', url, gateway, refused(url)),
  );

  it('has the gateway refuse a workload with the label and another account', async () => {
    await expectSeen('mytest/pretender', 'http://httpbin.org/', gateway, {
      status: 403,
      gateway: { response_code: 403 },
      site: null,
    });
    if (!takesHttps) return;
    const seen = await mesh.request({ from: 'mytest/pretender', url: 'https://httpbin.org/', gateway });
    expect(seen).toMatchObject({ status: 0, site: null });
    expect(JSON.stringify(seen.gateway)).toContain('rbac');
  });

  it('is accepted by every proxy', async () => expect(await mesh.newRejects()).toBe(''));
});

describe('egress-traffic-policy-direct', () => {
  const gateway = 'istio-system/istio-egressgateway';
  beforeAll(() => world('egress-traffic-policy-direct'));
  afterAll(() => mesh.clear());

  it('leads a listed workload through the gateway', () =>
    expectSeen('default/sleep', 'http://hbchen.com/', gateway, {
      status: 200,
      gateway: { upstream_cluster: 'outbound|80||hbchen.com' },
      site: { scheme: 'http', host: 'hbchen.com' },
    }));

  it('lets it leave from its sidecar, in TLS that the sidecar makes', () =>
    expectSeen('default/sleep', 'http://aliyun.com/', gateway, {
      status: 200,
      sidecar: { upstream_cluster: 'outbound|80||aliyun.com' },
      gateway: null,
      site: { scheme: 'https', sni: 'aliyun.com' },
    }));

  it.each(['en.wikipedia.org', 'www.wikipedia.org'])('lets TLS of its own leave to %s', (host) =>
    expectSeen('default/sleep', `https://${host}/`, gateway, {
      status: 200,
      sidecar: { upstream_cluster: 'outbound|443||*.wikipedia.org' },
      gateway: null,
      site: { scheme: 'https', sni: host },
    }),
  );

  it.each([
    [CLIENT, 'http://hbchen.com/'],
    [CLIENT, 'http://aliyun.com/'],
    [CLIENT, 'https://en.wikipedia.org/'],
    ['default/sleep', 'https://aliyun.com/'],
    ['default/sleep', 'http://en.wikipedia.org/'],
    ['default/sleep', 'http://edition.cnn.com/'],
    ['mytest/sleep-a', 'http://aliyun.com/'],
    ['mytest/sleep-a', 'https://en.wikipedia.org/'],
  ])('has the sidecar of %s refuse %s', (from, url) => expectSeen(from, url, gateway, refused(url)));

  it('gives nobody a way to the entry that leads nowhere', async () => {
    const host = 'nowhere-of-any-wikipedia-org.mesh-edge.invalid';
    const args = ['--connect-to', `${host}:9:en.wikipedia.org:443`, '--insecure'];
    expect(await mesh.request({ from: CLIENT, url: `https://${host}:9/`, args })).toMatchObject({
      status: 0,
      site: null,
    });
  });

  it('is accepted by every proxy', async () => expect(await mesh.newRejects()).toBe(''));
});

describe('enforcement', () => {
  const gateway = 'istio-egress/egress';
  const site = 'http://edition.cnn.com/';
  beforeAll(() => world('enforcement', bare('default'), bare('istio-egress')));
  afterAll(() => mesh.clear());

  it('leaves the way through the gateway open', async () => {
    const { address } = await mesh.lab.run('pod', { pod: gateway });
    await expectSeen('default/sleep', site, gateway, { status: 200, site: { source: address } });
  });

  it.each([
    ['a process that bypasses its sidecar', 'default/sleep', 1337],
    ['a Pod without a sidecar', 'default/bare', undefined],
    ["another Pod of the gateway's namespace", 'istio-egress/bare', undefined],
  ])('shuts every other way: that of %s', async (_, from, user) =>
    expect(await mesh.request({ from, url: site, user, gateway })).toMatchObject({ status: 0, site: null }),
  );

  it('says nothing of a namespace that it does not name', async () =>
    expect(await mesh.request({ from: PLAIN, url: site, gateway })).toMatchObject({ status: 200, gateway: null }));
});
