import { App, Chart } from 'cdk8s';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { EgressTrafficPolicy } from '../../src/egress/egress-traffic-policy';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { Workloads } from '../../src/mesh/workloads';
import { type KubeObject } from '../lab/api';
import { siteAddress } from '../lab/internet';
import { eventually, fixture, Mesh } from './mesh';

const DATABASE_IP = siteAddress('db.example.com');
const PAYMENTS = 'shop/payments';
const ORDERS = 'shop/orders';
const SNOOP = 'rogue/snoop';
const GATEWAY_HOST = 'istio-egressgateway.istio-system.svc.cluster.local';

/** One policy with a rule for each way of traffic. */
function policy(): readonly KubeObject[] {
  const app = new App();
  const chart = new Chart(app, 'policy');
  const gateway = EgressGateway.fromInstalled(chart, 'Gateway');
  const service = (id: string, host: string, ports: ExternalPort[], addresses?: string[]) =>
    new ExternalService(chart, id, { hosts: [host], ports, addresses, namespace: 'shop' });
  const payments = [Workloads.serviceAccount('shop', 'payments', { app: 'payments' })];
  const both = service('stripe', 'stripe.example.com', [ExternalPort.http(), ExternalPort.https()]);
  const upgraded = service('ledger', 'ledger.example.com', [ExternalPort.http(80, { targetPort: 443 })]);
  const reads = service('httpbin', 'httpbin.org', [ExternalPort.http()]);
  const database = service('db', 'db.example.com', [ExternalPort.tcp(5432)], [DATABASE_IP]);
  const orders = [Workloads.in('shop', { app: 'orders' }, { serviceAccounts: ['orders'] })];
  const news = service('cnn', 'edition.cnn.com', [ExternalPort.https()]);
  new EgressTrafficPolicy(chart, 'Payments', {
    gateway,
    rules: [
      { from: payments, to: [both, database] },
      { from: payments, to: [upgraded], http: HttpEgress.originateTls() },
      { from: payments, to: [reads], methods: ['GET'], paths: ['/get*'] },
    ],
  });
  new EgressTrafficPolicy(chart, 'Orders', { gateway, rules: [{ from: orders, to: [news] }] });
  return chart.toJson() as KubeObject[];
}

const hop = (objects: readonly KubeObject[]) =>
  (objects.find(({ kind, metadata }) => kind === 'DestinationRule' && metadata.name.endsWith('-hop')) as any).spec;

/** A namespace that writes its own way to the gateway's hops, as anybody may who can write objects in a namespace of his own. */
function byOtherMeans(objects: readonly KubeObject[], namespace: string): readonly KubeObject[] {
  const mine = { namespace, name: 'by-other-means' };
  const subsets: any[] = hop(objects).subsets;
  const to = (subset: string, number: number) => [{ destination: { host: GATEWAY_HOST, subset, port: { number } } }];
  const tls = subsets.find(({ name }) => name.startsWith('tls-') && name.includes('payments')).name;
  const tcp = subsets.find(({ name }) => name.startsWith('tcp-')).name;
  const networking = 'networking.istio.io/v1';
  const hosts = ['stripe.example.com', 'ledger.example.com'];
  const entry = (host: string, ports: unknown[], addresses?: string[]) => ({
    apiVersion: networking,
    kind: 'ServiceEntry',
    metadata: { namespace, name: host },
    spec: { hosts: [host], addresses, ports, resolution: 'DNS', exportTo: ['.'] },
  });
  const ports = [
    { number: 80, name: 'http', protocol: 'HTTP' },
    { number: 443, name: 'tls', protocol: 'TLS' },
  ];
  return [
    entry('stripe.example.com', ports),
    entry('ledger.example.com', ports),
    entry('db.example.com', [{ number: 5432, name: 'tcp', protocol: 'TCP' }], [DATABASE_IP]),
    {
      apiVersion: networking,
      kind: 'DestinationRule',
      metadata: mine,
      spec: { host: GATEWAY_HOST, exportTo: ['.'], subsets },
    },
    {
      apiVersion: networking,
      kind: 'VirtualService',
      metadata: mine,
      spec: {
        hosts,
        exportTo: ['.'],
        http: [{ match: [{ port: 80 }], route: to('mutual-tls', 80) }],
        tls: [{ match: [{ port: 443, sniHosts: hosts }], route: to(tls, 443) }],
      },
    },
    {
      apiVersion: networking,
      kind: 'VirtualService',
      metadata: { namespace, name: 'by-other-means-tcp' },
      spec: { hosts: ['db.example.com'], exportTo: ['.'], tcp: [{ match: [{ port: 5432 }], route: to(tcp, 443) }] },
    },
  ] as unknown as KubeObject[];
}

const DATABASE = `telnet://${DATABASE_IP}:5432`;
const greets = { body: expect.stringContaining('hello') };

describe('EgressTrafficPolicy', () => {
  let mesh: Mesh;
  let objects: readonly KubeObject[];

  beforeAll(async () => {
    mesh = await Mesh.open();
    objects = policy();
    await mesh.use([...fixture('policy-callers.yaml'), ...objects]);
  });
  afterAll(() => mesh.clear());

  it('lets a listed workload pass by plain HTTP', async () => {
    await eventually(async () =>
      expect(await mesh.request({ from: PAYMENTS, url: 'http://stripe.example.com/' })).toMatchObject({
        status: 200,
        sidecar: { upstream_cluster: `outbound|80|mutual-tls|${GATEWAY_HOST}` },
        gateway: { upstream_cluster: 'outbound|80||stripe.example.com' },
        site: { scheme: 'http' },
      }),
    );
  });

  it('lets a listed workload pass by TLS of its own, unopened', async () => {
    await eventually(async () =>
      expect(await mesh.request({ from: PAYMENTS, url: 'https://stripe.example.com/' })).toMatchObject({
        status: 200,
        gateway: { upstream_cluster: expect.stringMatching(/^outbound\|(443\|\|stripe\.example\.com|\d+\|\|.*inner)/) },
        site: { scheme: 'https', sni: 'stripe.example.com' },
      }),
    );
  });

  it('lets a listed workload pass by TLS that the gateway makes', async () => {
    await eventually(async () =>
      expect(await mesh.request({ from: PAYMENTS, url: 'http://ledger.example.com/' })).toMatchObject({
        status: 200,
        gateway: { upstream_cluster: 'outbound|80||ledger.example.com' },
        site: { scheme: 'https', sni: 'ledger.example.com' },
      }),
    );
  });

  it('lets a listed workload pass by TCP', async () => {
    await eventually(async () =>
      expect(await mesh.request({ from: PAYMENTS, url: DATABASE, args: ['--max-time', '1'] })).toMatchObject(greets),
    );
  });

  it('lets a workload of another policy pass at the same gateway', async () => {
    await eventually(async () =>
      expect(await mesh.request({ from: ORDERS, url: 'https://edition.cnn.com/' })).toMatchObject({
        status: 200,
        site: { sni: 'edition.cnn.com' },
      }),
    );
  });

  const refused: readonly (readonly [string, string])[] = [
    [ORDERS, 'http://stripe.example.com/'],
    [ORDERS, 'http://ledger.example.com/'],
    [ORDERS, 'https://stripe.example.com/'],
    [ORDERS, DATABASE],
    [PAYMENTS, 'https://edition.cnn.com/'],
    [PAYMENTS, 'https://ledger.example.com/'],
    [PAYMENTS, 'http://edition.cnn.com/'],
    [SNOOP, 'http://stripe.example.com/'],
    [SNOOP, 'https://stripe.example.com/'],
    [SNOOP, DATABASE],
  ];

  it.each(refused)('has the sidecar of %s refuse %s', async (from, url) => {
    const seen = await mesh.request({ from, url, args: ['--max-time', '2'] });
    expect(seen).toMatchObject({ status: url.startsWith('http:') ? 502 : 0, gateway: null, site: null });
    expect(seen.body).not.toContain('hello');
  });

  it('allows the methods and paths of the rule, and answers 403 to others', async () => {
    const at = (path: string, ...args: string[]) =>
      mesh.request({ from: PAYMENTS, url: `http://httpbin.org${path}`, args });
    await eventually(async () => expect(await at('/get')).toMatchObject({ status: 200 }));
    expect(await at('/get', '-X', 'POST')).toMatchObject({ status: 403, site: null });
    expect(await at('/other')).toMatchObject({ status: 403, site: null });
  });

  it('is accepted by every proxy', async () => {
    expect(await mesh.newRejects()).toBe('');
  });

  describe.each([
    ['another namespace', SNOOP],
    ['another account of the same namespace', ORDERS],
  ])('at the gateway, for %s that gets there by other means', (_, from) => {
    const namespace = from.split('/')[0]!;
    const forged = () => byOtherMeans(objects, namespace);
    // In the callers' own namespace the policy's routes are in force; someone takes them away.
    const routes = () =>
      objects.filter(
        (o) => o.kind === 'VirtualService' && o.metadata.name.startsWith(`istio-egressgateway-from-${namespace}`),
      );

    beforeAll(async () => {
      await mesh.lab.delete(routes());
      await mesh.add(forged());
    });
    afterAll(async () => {
      await mesh.lab.delete(forged());
      await mesh.add(routes());
    });

    it.each(['http://stripe.example.com/', 'http://ledger.example.com/'])('answers 403 to %s', async (url) => {
      await eventually(async () =>
        expect(await mesh.request({ from, url })).toMatchObject({ status: 403, site: null }),
      );
      expect((await mesh.request({ from, url })).gateway).toMatchObject({ response_code: 403 });
    });

    it('closes TLS', async () => {
      const seen = await mesh.request({ from, url: 'https://stripe.example.com/' });
      expect(seen).toMatchObject({ status: 0, site: null });
      expect(JSON.stringify(seen.gateway)).toContain('rbac');
    });

    // Envoy asks who it is when the first byte comes, and a server that speaks first has spoken by then.
    it('closes TCP at the first byte that the caller sends', async () => {
      const seen = await mesh.request({ from, url: DATABASE.replace('telnet', 'http'), args: ['--http0.9'] });
      expect(JSON.stringify(seen.gateway)).toContain('rbac');
      expect(seen.gateway).toMatchObject({ bytes_received: expect.any(Number) });
    });
  });
});
