import { type KubeObject } from '../lab/api';
import { CLIENT, committed, eventually, Mesh } from './mesh';

const SQUID = 'external/squid';

const networking = (kind: string, name: string, namespace: string, spec: object): KubeObject =>
  ({ apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace }, spec }) as KubeObject;

describe('external-https-proxy-transparent', () => {
  let mesh: Mesh;
  let address: string;

  beforeAll(async () => {
    mesh = await Mesh.open();
    const objects = committed('external-https-proxy-transparent');
    await mesh.lab.apply(objects.filter(({ kind }) => kind !== 'ServiceEntry'));
    await mesh.lab.ready(SQUID);
    ({ address } = await mesh.lab.run('pod', { pod: SQUID }));
    await mesh.use(JSON.parse(JSON.stringify(objects).replaceAll('192.0.2.10', address)) as KubeObject[]);
  });
  afterAll(() => mesh.clear());

  const asked = async () =>
    (await mesh.lab.containerLog(SQUID, 'squid')).split('\n').filter((l) => l.includes('CONNECT'));

  it.each([
    ['en.wikipedia.org', 'the sidecar'],
    ['edition.cnn.com', 'the gateway'],
  ])('has the proxy asked for %s by CONNECT, from %s', async (host, whence) => {
    const seen = await eventually(async () => {
      const one = await mesh.request({ url: `https://${host}/` });
      expect(one).toMatchObject({ status: 200, site: { sni: host, source: address } });
      return one;
    });
    expect(seen.gateway === null).toBe(whence === 'the sidecar');
    const from = await mesh.lab.run('pod', {
      pod: whence === 'the sidecar' ? CLIENT : 'istio-system/istio-egressgateway',
    });
    await eventually(async () =>
      expect((await asked()).at(-1)).toMatch(new RegExp(`${from.address} TCP_TUNNEL/200 .* CONNECT ${host}:443`)),
    );
  });

  it('lets nobody ask the proxy by himself, by its address or by its name', async () => {
    const before = (await asked()).length;
    for (const proxy of [`http://${address}:3128`, `https://${address}:3128`]) {
      const args = ['--proxy', proxy, '--proxy-insecure'];
      expect(await mesh.request({ url: 'https://hbchen.com/', args })).toMatchObject({ status: 0, site: null });
    }
    expect(await asked()).toHaveLength(before);
  });

  it('would get 404 from a gateway that stood in the place of the proxy', async () => {
    const host = 'istio-egressgateway.istio-system.svc.cluster.local';
    const tunnel = { tunnel: { targetHost: 'hbchen.com', targetPort: 443 } };
    await mesh.add([
      networking('ServiceEntry', 'nested', 'default', {
        hosts: ['hbchen.com'],
        ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
        resolution: 'DNS',
      }),
      networking('Gateway', 'nested', 'istio-system', {
        selector: { istio: 'egressgateway' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['hbchen.com'] }],
      }),
      networking('VirtualService', 'nested-out', 'istio-system', {
        hosts: ['hbchen.com'],
        gateways: ['istio-system/nested'],
        http: [{ route: [{ destination: { host: 'hbchen.com', port: { number: 443 } } }] }],
      }),
      networking('DestinationRule', 'nested', 'default', {
        host,
        subsets: [{ name: 'nested', trafficPolicy: tunnel }],
      }),
      networking('VirtualService', 'nested', 'default', {
        hosts: ['hbchen.com'],
        tls: [
          {
            match: [{ port: 443, sniHosts: ['hbchen.com'] }],
            route: [{ destination: { host, subset: 'nested', port: { number: 80 } } }],
          },
        ],
      }),
    ]);
    await eventually(async () =>
      expect(await mesh.request({ url: 'https://hbchen.com/' })).toMatchObject({
        status: 0,
        gateway: { method: 'CONNECT', response_code: 404, response_flags: 'NR' },
        site: null,
      }),
    );
  });

  it('is accepted by every proxy', async () => expect(await mesh.newRejects()).toBe(''));
});
