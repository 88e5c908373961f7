import { type KubeObject } from '../lab/api';
import { MESH_CONFIG, meshConfigMap } from '../lab/istiod';
import { EnvoyGateway, PROXY } from './envoy-gateway';
import { committed, eventually, Mesh } from './mesh';

jest.setTimeout(240_000);

/**
 * What each setting of Envoy Gateway in the mesh is for: taken away, this breaks, under STRICT and REGISTRY_ONLY. What is seen
 * here is what docs/envoy-gateway-in-istio.md says.
 */
let mesh: Mesh;
let eg: EnvoyGateway;

const member = committed('envoy-gateway-in-mesh');
const ofKind = (objects: readonly KubeObject[], kind: string, name?: string): KubeObject =>
  objects.find((object) => object.kind === kind && (name === undefined || object.metadata.name === name))!;

/** An object without one of its fields. */
function without(object: KubeObject, ...field: readonly (string | number)[]): KubeObject {
  const copy = structuredClone(object) as KubeObject;
  let at = copy as unknown as Record<string | number, unknown>;
  for (const step of field.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  const last = field.at(-1)!;
  if (!(last in at)) throw new Error(`${object.kind} ${object.metadata.name} has no ${field.join('.')}`);
  delete at[last];
  return copy;
}

beforeAll(async () => {
  mesh = await Mesh.open();
  await mesh.lab.api.apply({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'zone-a' } },
  });
  eg = await EnvoyGateway.install(mesh);
  await eg.use([...committed('strict-mutual-tls'), ...committed('apps-gateway-http')]);
  await works();
}, 2_400_000);

afterAll(async () => {
  await mesh.lab.delete([...committed('apps-gateway-http'), ...committed('strict-mutual-tls')]);
  await eg.remove();
});

// All is put back, and shown to work again, so that each test breaks one thing only.
afterEach(async () => {
  await mesh.lab.apply([...member, ...committed('apps-gateway-http')]);
  await eg.templateAnnotated('traffic.sidecar.istio.io/includeInboundPorts');
  await mesh.lab.settle();
  await eg.renewProxy();
  await works();
  expect(await eg.proxyZone()).toContain('zone-a');
});

const works = () => eventually(async () => expect((await eg.request('/httpbin/get')).status).toBe(200), 20);

it('without the host written anew, the sidecar knows no such host: 502', async () => {
  const route = ofKind(committed('apps-gateway-http'), 'HTTPRoute');
  await eg.use([without(route, 'spec', 'rules', 0, 'filters', 0, 'urlRewrite', 'hostname')]);
  await eventually(async () => {
    const seen = await eg.request('/httpbin/get');
    expect(seen).toMatchObject({ status: 502, gateway: { authority: 'www.example.com', route_name: 'block_all' } });
  }, 20);
});

/** The scenario's route with another name written in. */
function withHost(host: string): KubeObject {
  const text = JSON.stringify(ofKind(committed('apps-gateway-http'), 'HTTPRoute'));
  return JSON.parse(text.replace('"httpbin.httpbin.svc.cluster.local"', `"${host}"`)) as KubeObject;
}

it.each([
  ['another public name', 'httpbin.internal.example.com'],
  ["another Service's name", 'httpbin.internal'],
])('with %s written in, the sidecar knows no such host either: 502', async (_, host) => {
  await eg.use([withHost(host)]);
  await eventually(async () => {
    const seen = await eg.request('/httpbin/get');
    expect(seen).toMatchObject({ status: 502, gateway: { authority: host, route_name: 'block_all' } });
  }, 20);
});

it("with the Service's short name written in, the sidecar knows it", async () => {
  await eg.use([withHost('httpbin.httpbin')]);
  await eventually(async () => {
    const seen = await eg.request('/httpbin/get');
    expect(seen).toMatchObject({ status: 200, gateway: { authority: 'httpbin.httpbin' } });
  }, 20);
});

it('with TLS of its own to a Service of the mesh, the sidecar finds no HTTP where it is declared: 503', async () => {
  const policy: KubeObject = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'BackendTLSPolicy',
    metadata: { name: 'httpbin', namespace: 'httpbin' },
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: 'httpbin' }],
      validation: { hostname: 'httpbin.example.com', wellKnownCACertificates: 'System' },
    },
  };
  await eg.use([policy]);
  await eventually(async () => {
    const seen = await eg.request('/httpbin/get');
    expect(seen).toMatchObject({ status: 503, gateway: { upstream_cluster: 'BlackHoleCluster', method: null } });
  }, 20);
  await mesh.lab.delete([policy]);
});

it("without routingType Service, the proxy dials a Pod's address, which the sidecar does not know: 503", async () => {
  const proxy = ofKind(member, 'EnvoyProxy');
  await eg.use([without(proxy, 'spec', 'routingType')]);
  await eventually(async () => expect((await eg.request('/httpbin/get')).status).toBe(503), 20);
});

it('without includeInboundPorts "", the sidecar takes what clients send, and resets it', async () => {
  const proxy = ofKind(member, 'EnvoyProxy');
  const pod = { annotations: { 'example.com/instead': 'nothing' } };
  const provider = { type: 'Kubernetes', kubernetes: { envoyDeployment: { pod } } };
  const captured = { ...proxy, spec: { routingType: 'Service', provider } };
  await eg.replacingProxy(() => mesh.lab.apply([captured]));
  await eventually(async () => expect((await eg.request('/httpbin/get')).status).toBe(0), 20);
});

it('without appProtocol tls on 18000, a new proxy gets no configuration and is never ready', async () => {
  const service = ofKind(member, 'Service', 'envoy-gateway');
  await mesh.lab.apply([without(service, 'spec', 'ports', 0, 'appProtocol')]);
  await mesh.lab.settle();
  await eg.dropProxy();
  await eventually(async () => {
    const lines = await mesh.lab.accessLog(PROXY);
    const xds = lines.filter(({ downstream_local_address: to }) => String(to).endsWith(':18000'));
    expect(xds.map((line) => line.upstream_cluster)).toContain('BlackHoleCluster');
  }, 30);
  await expect(mesh.lab.ready(PROXY, 5)).rejects.toThrow('is ready');
});

it("without the namespace's label, a new proxy has no sidecar, and the controller refuses its plain TLS", async () => {
  const namespace = ofKind(member, 'Namespace');
  await mesh.lab.apply([without(namespace, 'metadata', 'labels', 'istio-injection')]);
  await eg.dropProxy();
  await eventually(async () => {
    // The controller's sidecar answers in its stead, with a certificate of Istio's that the proxy does not know.
    const command = ['curl', '-s', 'http://127.0.0.1:19000/stats?filter=cluster.xds_cluster.ssl'];
    const { stdout } = await mesh.lab.run('exec', { pod: PROXY, command });
    expect(stdout).toMatch(/ssl\.fail_verify_error: [1-9]/);
  }, 30);
  await expect(mesh.lab.containerLog(PROXY, 'istio-proxy')).rejects.toThrow('has no log');
  await expect(mesh.lab.ready(PROXY, 5)).rejects.toThrow('is ready');
});

it('without the exception for port 9443, the webhook is silently out of use', async () => {
  const exception = ofKind(member, 'PeerAuthentication');
  await mesh.lab.delete([exception]);
  await mesh.lab.settle();
  // The API server keeps its connection, which was made while the exception held.
  await eg.renewController();
  await eg.renewProxy();
  expect(await eg.proxyZone()).toBeUndefined();
});

describe('in a lenient mesh (ALLOW_ANY, no STRICT), nothing fails and plain text crosses the mesh', () => {
  beforeAll(async () => {
    await mesh.lab.apply([meshConfigMap({ ...MESH_CONFIG, outboundTrafficPolicy: { mode: 'ALLOW_ANY' } })]);
    await mesh.lab.delete(committed('strict-mutual-tls'));
    await mesh.lab.settle();
  });
  afterAll(async () => {
    await mesh.lab.apply([meshConfigMap(MESH_CONFIG), ...committed('strict-mutual-tls')]);
    await mesh.lab.settle();
  });

  /** @param logged what the proxy's sidecar logs */
  const isPlain = (logged: unknown) =>
    eventually(async () => {
      const seen = await eg.request('/httpbin/get');
      expect(seen).toMatchObject({ status: 200, gateway: logged });
      expect(seen.body).not.toContain('X-Forwarded-Client-Cert');
    }, 20);

  it('without the host written anew', async () => {
    const route = ofKind(committed('apps-gateway-http'), 'HTTPRoute');
    await eg.use([without(route, 'spec', 'rules', 0, 'filters', 0, 'urlRewrite', 'hostname')]);
    await isPlain({ upstream_cluster: 'PassthroughCluster' });
  });

  it('without routingType Service', async () => {
    await eg.use([without(ofKind(member, 'EnvoyProxy'), 'spec', 'routingType')]);
    // To the sidecar these are bytes, of a connection that stays open: it logs no request.
    await isPlain(null);
  });
});
