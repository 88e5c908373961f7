import { type KubeObject } from '../lab/api';
import { type AccessLine } from '../lab/lab';
import { type EnvoyGatewayProxy, envoyGatewayChart, proxyOf } from './envoy-gateway';
import { committed, eventually, Mesh, PLAIN } from './mesh';

const HTTPBIN = 'httpbin.httpbin.svc.cluster.local';

const GATEWAY_CLASS = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass' };
const isClass = ({ kind }: KubeObject) => kind === GATEWAY_CLASS.kind;
const isTeg = ({ metadata }: KubeObject) => metadata.name === 'teg';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

/** What the three proxies on the way logged of one request, last line each. */
interface Way {
  readonly status: number;
  readonly body: string;
  readonly gateway: AccessLine | undefined;
  readonly sidecar: AccessLine | undefined;
  readonly httpbin: AccessLine | undefined;
}

describe('Envoy Gateway as a member of the mesh', () => {
  let proxy: EnvoyGatewayProxy;
  beforeAll(async () => {
    await mesh.use([
      ...committed('demo-httpbin'),
      ...committed('envoy-gateway-in-mesh').filter(({ kind }) => kind === 'Namespace'),
    ]);
    await mesh.install(await envoyGatewayChart('envoy-gateway-in-mesh'));
    await mesh.use([...committed('envoy-gateway-in-mesh'), ...committed('apps-gateway-http')]);
    proxy = await eventually(() => proxyOf(mesh, 'apps'), 60);
    await mesh.lab.ready(proxy.pod, 60);
    await mesh.lab.settle();
  }, 180_000);
  afterAll(async () => {
    // The controller has a finalizer on its class, so it goes last.
    await mesh.lab.delete([...committed('apps-gateway-http'), ...committed('envoy-gateway-in-mesh').filter(isClass)]);
    await eventually(async () => expect((await mesh.lab.api.list(GATEWAY_CLASS)).filter(isTeg)).toEqual([]), 30);
    await mesh.clear();
  });

  async function get(url: string): Promise<Way> {
    const { hostname, port } = new URL(url);
    const to = `${hostname}:${port || 80}:${proxy.address}:${port || 80}`;
    const { status, body } = await mesh.request({ url, from: PLAIN, args: ['--connect-to', to] });
    const last = async (pod: string, container: string) => {
      const lines = (await mesh.lab.containerLog(pod, container)).split('\n').slice(0, -1);
      const json = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as AccessLine);
      return json.filter((line) => 'response_code' in line).at(-1);
    };
    return {
      status,
      body,
      gateway: await last(proxy.pod, 'envoy'),
      sidecar: await last(proxy.pod, 'istio-proxy'),
      httpbin: await last('httpbin/httpbin', 'istio-proxy'),
    };
  }

  it('brings a request to httpbin, by mutual TLS', async () => {
    const way = await eventually(async () => {
      const seen = await get('http://www.example.com/httpbin/get');
      expect(seen.status).toBe(200);
      return seen;
    }, 60);
    expect(way.sidecar).toMatchObject({ upstream_cluster: `outbound|8000||${HTTPBIN}`, authority: HTTPBIN });
    expect(way.httpbin).toMatchObject({
      upstream_cluster: 'inbound|8080||',
      requested_server_name: `outbound_.8000_._.${HTTPBIN}`,
    });
    const { headers } = JSON.parse(way.body) as { headers: Record<string, readonly string[]> };
    expect(headers['X-Forwarded-Client-Cert']?.[0]).toContain('spiffe://cluster.local/ns/envoy-gateway-system/');
  });

  it('answers 404 for any other host itself', async () => {
    expect(await get('http://other.example.com/httpbin/get')).toMatchObject({ status: 404 });
  });

  it('is accepted by every proxy', async () => {
    expect(await mesh.newRejects()).toBe('');
  });
});
