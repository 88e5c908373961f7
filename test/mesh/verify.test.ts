/** What real proxies have, beside what the manifests say that they have. */
import { join } from 'node:path';
import { load } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { readConfigDump } from '../../src/verify/config-dump';
import { verify, type Verification } from '../../src/verify/verify';
import { CLIENT, committed, DIST, GATEWAY, Mesh } from './mesh';

jest.setTimeout(240_000);

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
}, 240_000);
afterEach(() => mesh.clear());

/** The proxy's own word, compared with the world's files, and one more or less of them. */
async function verified(pod: string, ...files: readonly string[]): Promise<Verification> {
  const { stdout } = await mesh.lab.run('exec', { pod, command: ['curl', '-s', 'localhost:15000/config_dump'] });
  const base = [join(__dirname, 'fixtures', 'base.yaml'), join(DIST, 'egress-gateway-install')];
  const { manifests } = load([...base, ...files]);
  return verify(buildMesh(manifests, { outbound: 'REGISTRY_ONLY' }), readConfigDump(stdout, pod));
}

const scenario = (id: string) => join(DIST, id, `${id}.yaml`);

it.each([
  'sidecar-http-https',
  'sidecar-tls-origination',
  'gateway-http',
  'gateway-tls-passthrough',
  'resilient-service',
  'egress-traffic-policy',
])('%s: the sidecar and the gateway have what the manifests say', async (id) => {
  await mesh.use(committed(id));
  for (const pod of [CLIENT, GATEWAY]) {
    const found = await verified(pod, scenario(id));
    expect({ pod, differences: found.differences }).toEqual({ pod, differences: [] });
    expect(found.verdict).toBe('agreed');
    expect(found.compared.listeners + found.compared.clusters).toBeGreaterThan(0);
  }
});

it('tells what the manifests say and the proxy has not, and names what only the proxy knows', async () => {
  await mesh.use(committed('sidecar-http-https'));
  const found = await verified(CLIENT, scenario('gateway-http'));
  expect(found.verdict).toBe('differs');
  expect(found.differences.map(({ part, of, proxy }) => ({ part, of, proxy }))).toEqual([
    { part: 'filter chain', of: '0.0.0.0_443, SNI edition.cnn.com', proxy: null },
    { part: 'route', of: '80 edition.cnn.com', proxy: null },
  ]);
  expect(found.notInManifests).toContain('www.aliyun.com');
});

it('tells a route that leads elsewhere', async () => {
  await mesh.use(committed('gateway-http'));
  const found = await verified(GATEWAY, scenario('gateway-tls-origination'));
  expect(found.differences.map(({ of }) => of)).toContainEqual(expect.stringMatching(/edition\.cnn\.com/));
  expect((await verified(GATEWAY, scenario('gateway-http'))).differences).toEqual([]);
});
