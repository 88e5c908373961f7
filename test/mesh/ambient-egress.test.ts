import { MESH_CONFIG, meshConfigMap } from '../lab/istiod';
import { type AmbientRequest, AmbientMesh, caller, type SeenThroughWaypoint } from './ambient';
import { CLIENT, committed, eventually } from './mesh';
import { partner } from './arrangements';
import { secret } from './secrets';

let ambient: AmbientMesh;

beforeAll(async () => {
  ambient = await AmbientMesh.open();
  const authority = partner(ambient.mesh, 'partner.example.com');
  const { cert, key } = await authority.issue('waypoint', 'waypoint', ['DNS:waypoint']);
  await ambient.use([
    ...committed('ambient-egress'),
    ...['storefront', 'payments', 'stranger'].flatMap((name) => caller('shop', name)),
    secret('partner-client', 'istio-egress', { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert }),
  ]);
});

afterAll(async () => {
  await ambient.clear();
  await ambient.close();
});

const from = (account: string) => ({ from: `shop/${account}`, account });

async function expectSeen(request: AmbientRequest, seen: Partial<Record<keyof SeenThroughWaypoint, unknown>>) {
  const attempt = async () => expect(await ambient.request(request)).toMatchObject(seen);
  await (seen.site === null ? attempt() : eventually(attempt));
}

describe('ambient-egress', () => {
  it('lets storefront pass by plain HTTP, of which the waypoint makes TLS', () =>
    expectSeen(
      { ...from('storefront'), url: 'http://edition.cnn.com/' },
      {
        status: 200,
        waypoint: { upstream_cluster: 'inbound-vip|80|http|edition.cnn.com' },
        site: { scheme: 'https', host: 'edition.cnn.com', sni: 'edition.cnn.com', client: '' },
      },
    ));

  it('lets the TLS of storefront itself pass through', () =>
    expectSeen(
      { ...from('storefront'), url: 'https://edition.cnn.com/' },
      {
        status: 200,
        waypoint: { upstream_cluster: 'inbound-vip|443|tcp|edition.cnn.com', requested_server_name: 'edition.cnn.com' },
        site: { scheme: 'https', sni: 'edition.cnn.com' },
      },
    ));

  it('shows the waypoint’s client certificate to a partner that asks for one', () =>
    expectSeen(
      { ...from('payments'), url: 'http://partner.example.com/' },
      {
        status: 200,
        waypoint: { upstream_cluster: 'inbound-vip|80|http|partner.example.com' },
        site: { scheme: 'https', sni: 'partner.example.com', client: 'CN=waypoint' },
      },
    ));

  it('lets payments reach the database', () =>
    expectSeen(
      { ...from('payments'), url: 'tcp://db.example.com:5432' },
      { body: expect.stringContaining('hello'), site: { scheme: 'tcp' } },
    ));

  it.each([
    ['another account', 'stranger', 'http://edition.cnn.com/', {}],
    ['an account with rights elsewhere', 'payments', 'http://edition.cnn.com/', {}],
    ['a method that the rule leaves out', 'payments', 'http://partner.example.com/', { method: 'DELETE' }],
    [
      'another Host at the address of an allowed one',
      'storefront',
      'http://forbidden.example.com/',
      { host: 'edition.cnn.com' },
    ],
  ])('answers 403 to %s', (_, account, url, more) =>
    expectSeen(
      { ...from(account), url, ...more },
      { tunnel: 200, status: 403, waypoint: { response_code: 403, upstream_cluster: expect.anything() }, site: null },
    ),
  );

  it.each([
    ['TLS of another account', 'stranger', 'https://edition.cnn.com/', {}],
    [
      'TLS with another SNI at the address of an allowed host',
      'storefront',
      'https://forbidden.example.com/',
      { host: 'edition.cnn.com' },
    ],
  ])('closes the connection of %s', (_, account, url, more) =>
    expectSeen({ ...from(account), url, ...more }, { status: 0, body: '', site: null }),
  );

  // A server that speaks first is heard: Envoy judges a TCP connection when the caller's first byte comes.
  it('cuts another account off from the database at its first byte', () =>
    expectSeen(
      { ...from('storefront'), url: 'tcp://db.example.com:5432' },
      {
        status: 0,
        waypoint: { bytes_received: 0, connection_termination_details: 'rbac_access_denied_matched_policy[none]' },
      },
    ));

  it('knows no host that is not bound to it', () =>
    expectSeen(
      {
        ...from('storefront'),
        url: 'http://forbidden.example.com/',
        address: '203.0.113.99',
        waypoint: 'egress.istio-egress.svc.cluster.local',
      },
      { status: 0, waypoint: { response_flags: 'NR', response_code_details: 'filter_chain_not_found' }, site: null },
    ));

  it('is the only way: NetworkPolicies drop what goes past it, or to it by another port than the tunnel', async () => {
    const past = { from: 'shop/storefront', url: 'http://edition.cnn.com/' };
    expect(await ambient.mesh.request(past)).toMatchObject({ status: 0, site: null });
    const waypoint = 'http://egress.istio-egress.svc.cluster.local:15021/healthz/ready';
    expect(await ambient.mesh.request({ ...past, url: waypoint })).toMatchObject({ status: 0 });
  });

  it('is bound, with an address, in what istiod tells every ztunnel', async () => {
    for (const host of ['edition.cnn.com', 'partner.example.com', 'db.example.com']) {
      expect(await ambient.addressOf(host)).toMatch(/^240\.240\./);
      expect(await ambient.service(host)).toMatchObject({
        waypoint: { hostname: { namespace: 'istio-egress', hostname: 'egress.istio-egress.svc.cluster.local' } },
      });
    }
  });

  it('tells ztunnels the same with REGISTRY_ONLY as with ALLOW_ANY, which only sidecars tell apart', async () => {
    const { mesh } = ambient;
    // istiod's order is another each time.
    const told = async () => {
      const { services, workloads, policies } = await ambient.told();
      return [...services, ...workloads, ...policies].map((one) => JSON.stringify(one)).sort();
    };
    const before = await told();
    const unknown = () => mesh.request({ url: 'http://www.aliyun.com/', from: CLIENT });
    await eventually(async () => expect(await unknown()).toMatchObject({ status: 502 }));
    await mesh.lab.apply([meshConfigMap({ ...MESH_CONFIG, outboundTrafficPolicy: { mode: 'ALLOW_ANY' } })]);
    await eventually(async () => expect(await unknown()).toMatchObject({ status: 200 }));
    expect(await told()).toEqual(before);
    await mesh.lab.apply([meshConfigMap(MESH_CONFIG)]);
    await mesh.lab.settle();
  });

  it('is accepted by every proxy', async () => expect(await ambient.mesh.newRejects()).toBe(''));
});
