import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { envoyGatewayBehavior } from '../../src/model/release-behavior';
import { releasesInForce } from '../../src/model/releases-in-force';
import { type KubeObject } from '../lab/api';
import { loginSocket } from '../lab/internet';
import { Authority } from '../lab/pki';
import { LAB_RELEASES } from '../lab/versions';
import { EnvoyGateway, NAMESPACE } from './envoy-gateway';
import { CLIENT, committed, eventually, fixture, Mesh, PLAIN } from './mesh';
import { OidcProvider } from './oidc-provider';

jest.setTimeout(180_000);

const { dialsRateLimitPods: dialsPods } = envoyGatewayBehavior(releasesInForce([], LAB_RELEASES).envoyGateway);

const HTTPBIN = 'httpbin.httpbin.svc.cluster.local';

let mesh: Mesh;
let eg: EnvoyGateway;
let example: Authority;

beforeAll(async () => {
  mesh = await Mesh.open();
  example = await Authority.create(fs.mkdtempSync(path.join(os.tmpdir(), 'example-ca-')), 'example.com');
  // So that the topology injector has something to inject.
  await mesh.lab.api.apply({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'zone-a' } },
  });
  eg = await EnvoyGateway.install(mesh);
  await eg.use(committed('apps-gateway-http'));
}, 2_400_000);

afterAll(async () => {
  await mesh.lab.delete([...committed('apps-gateway-http'), ...committed('strict-mutual-tls')]);
  await eg.remove();
});

const secret = (name: string, data: Readonly<Record<string, string>>, type = 'Opaque'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'httpbin' },
  type,
  stringData: data,
});

type Ports = { readonly spec: { readonly ports: readonly { readonly appProtocol?: string }[] } };

/** A partial Service that says nothing of the protocol. */
function withoutAppProtocol(service: KubeObject): KubeObject {
  const { ports } = (service as KubeObject & Ports).spec;
  return { ...service, spec: { ports: ports.map(({ appProtocol: _, ...port }) => port) } };
}

/** The headers that httpbin says it got. */
function received(body: string): Readonly<Record<string, readonly string[]>> {
  return (JSON.parse(body) as { headers: Record<string, readonly string[]> }).headers;
}

/** A request that httpbin answered, over mutual TLS with the identity of the gateway's Pod. */
async function expectDelivered(args: readonly string[] = [], scheme = 'http'): Promise<void> {
  const seen = await eg.request('/httpbin/get', args, scheme);
  expect(seen).toMatchObject({
    status: 200,
    gateway: { upstream_cluster: `outbound|8000||${HTTPBIN}`, authority: HTTPBIN, path: '/get' },
  });
  const headers = received(seen.body);
  expect(headers['X-Forwarded-Client-Cert']?.join()).toContain(`URI=spiffe://cluster.local/ns/${NAMESPACE}/sa/`);
  expect(headers['X-Forwarded-Host']).toEqual(['www.example.com']);
}

describe('apps-gateway-http', () => {
  it('delivers with the prefix taken off, over mutual TLS, with the host that was asked for kept', () =>
    eventually(() => expectDelivered(), 20));

  it('sends the path without its slash on as it is, which httpbin does not know', async () => {
    expect(await eg.request('/httpbin')).toMatchObject({ status: 404, gateway: { path: '/httpbin' } });
  });

  it('knows no other host', async () => {
    const seen = await eg.request('/httpbin/get', ['-H', 'Host: other.example.com']);
    expect(seen).toMatchObject({ status: 404, gateway: null });
  });
});

describe('strict-mutual-tls', () => {
  it('lets plain text from outside the mesh in as long as it is not in force', async () => {
    expect(await mesh.request({ url: `http://${HTTPBIN}:8000/get`, from: PLAIN })).toMatchObject({ status: 200 });
  });

  it('still lets the gateway deliver, and refuses plain text from outside the mesh', async () => {
    await eg.use(committed('strict-mutual-tls'));
    await eventually(async () => {
      expect(await mesh.request({ url: `http://${HTTPBIN}:8000/get`, from: PLAIN })).toMatchObject({ status: 0 });
    });
    await expectDelivered();
    expect(await mesh.request({ url: `http://${HTTPBIN}:8000/get`, from: CLIENT })).toMatchObject({ status: 200 });
  });

  it('lets the API server reach the webhook of Envoy Gateway, which puts the zone onto a new proxy', async () => {
    await eg.renewProxy();
    expect(await eg.proxyZone()).toContain('zone-a');
  });
});

describe('control-plane-restart', () => {
  it('makes the Pods of a Deployment anew, and leaves the rest of it as it was', async () => {
    const before = await eg.deployment('envoy-gateway');
    const pod = await mesh.lab.run('pod', { pod: `${NAMESPACE}/envoy-gateway` });
    const partial = committed('control-plane-restart').filter(({ metadata }) => metadata.name === 'envoy-gateway');
    await mesh.lab.apply(partial);
    await eventually(async () => {
      const now = await mesh.lab.run('pod', { pod: `${NAMESPACE}/envoy-gateway` });
      expect(now.name).not.toBe(pod.name);
      expect(now.ready).toBe(true);
    }, 60);
    const after = await eg.deployment('envoy-gateway');
    expect(after.spec.template.spec).toEqual(before.spec.template.spec);
    await mesh.lab.apply(partial);
    expect((await eg.deployment('envoy-gateway')).metadata.generation).toBe(after.metadata.generation);
  });
});

describe('apps-gateway-https', () => {
  it('delivers what comes by HTTPS, with a certificate of the example CA', async () => {
    const pair = await example.issue('www', 'www.example.com', ['DNS:www.example.com']);
    const read = (file: string) => fs.readFileSync(file, 'utf8');
    const files = { 'tls.crt': read(pair.cert), 'tls.key': read(pair.key) };
    await mesh.lab.apply([secret('httpbin-credential', files, 'kubernetes.io/tls')]);
    await eg.use(committed('apps-gateway-https'));
    const trust = await eg.clientFile('example-ca.pem', read(example.cert));
    await eventually(() => expectDelivered(['--cacert', trust], 'https'), 20);
    expect((await eg.request('/httpbin/get', [], 'https')).status).toBe(0);
  });
});

describe('single-sign-on', () => {
  const provider = new OidcProvider({ id: 'httpbin', secret: 'for-this-run-only' });
  const policies = () => committed('single-sign-on').filter(({ kind }) => kind !== 'Gateway');
  let curl: (args: readonly string[]) => ReturnType<EnvoyGateway['request']>;

  beforeAll(async () => {
    await provider.listen(loginSocket(mesh.lab.folder));
    const authorities = [example.cert, path.join(mesh.lab.folder, 'pki/public/ca.crt')];
    const trust = await eg.clientFile('both.pem', authorities.map((file) => fs.readFileSync(file, 'utf8')).join(''));
    curl = (args) => eg.request('/httpbin/get', ['--cacert', trust, ...args], 'https');
    await mesh.lab.apply([secret('httpbin-oidc-client', { 'client-secret': 'for-this-run-only' })]);
    await eg.use(committed('single-sign-on'));
  });
  afterAll(async () => {
    await mesh.lab.delete(policies().filter(({ kind }) => kind !== 'HTTPRoute'));
    await provider.close();
  });

  const location = /^location: (.*)$/im;

  it('sends browsers without a session to the provider', async () => {
    await eventually(async () => {
      const seen = await curl(['-D', '-']);
      expect(seen.status).toBe(302);
      expect(location.exec(seen.body)?.[1]).toContain('https://login.example.com/authorize?client_id=httpbin');
    }, 20);
  });

  it('lets a session in, whose tokens the proxy itself fetched under REGISTRY_ONLY', async () => {
    const jar = '/tmp/session';
    const seen = await curl(['-L', '-b', jar, '-c', jar]);
    expect(seen.status).toBe(200);
    expect(provider.asked).toContain('POST /token');
    expect(received(seen.body)['X-Forwarded-Client-Cert']?.join()).toContain(`/ns/${NAMESPACE}/`);
    expect((await curl(['-b', jar])).status).toBe(200);
  });

  it('takes no made-up session', async () => {
    const made = 'BearerToken=x; IdToken=x; OauthHMAC=x; OauthExpires=99999999999';
    expect((await curl(['-b', made])).status).toBe(302);
  });

  it('is not open for a moment while the provider is away, where the policy is there before its route', async () => {
    const fresh = policies().filter(({ kind }) => kind === 'HTTPRoute' || kind === 'SecurityPolicy');
    await mesh.lab.delete(fresh);
    await eventually(async () => expect((await curl([])).status).toBe(404), 20);
    await provider.close();
    const statuses: number[] = [];
    const watching = (async () => {
      while (statuses.at(-1) !== 302 && statuses.length < 300) statuses.push((await curl([])).status);
    })();
    await mesh.lab.apply(fresh.filter(({ kind }) => kind === 'SecurityPolicy'));
    // Of routes that come at once after it, some are open for a moment (docs/envoy-gateway-in-istio.md, Login).
    await delay(2000);
    await mesh.lab.apply(fresh.filter(({ kind }) => kind === 'HTTPRoute'));
    await watching;
    await provider.listen(loginSocket(mesh.lab.folder));
    expect(statuses.at(-1)).toBe(302);
    expect(statuses).not.toContain(200);
  });

  it('can fetch no token once the provider is not registered', async () => {
    const entry = policies().filter(({ kind }) => kind === 'ServiceEntry');
    await mesh.lab.delete(entry);
    await mesh.lab.settle();
    const before = provider.asked.length;
    const seen = await curl(['-L', '-b', '/tmp/other', '-c', '/tmp/other']);
    expect(seen.status).toBe(401);
    expect(provider.asked.slice(before)).toEqual(['GET /authorize']);
    await mesh.lab.apply(entry);
  });
});

describe('rate-limit', () => {
  const shared = ['-H', 'Host: shared.example.com'];
  const statuses = async (count: number, args: readonly string[] = []): Promise<readonly number[]> => {
    const all: number[] = [];
    for (let i = 0; i < count; i++) all.push((await eg.request('/httpbin/get', args)).status);
    return all;
  };

  beforeAll(async () => {
    await eg.upgrade('rate-limit');
    await mesh.lab.ready(`${NAMESPACE}/teg-redis`);
    await mesh.lab.ready(`${NAMESPACE}/envoy-ratelimit`, 60);
    await eg.proxyReady();
    await mesh.lab.settle();
  });
  afterAll(async () => {
    const policies = ['BackendTrafficPolicy', 'HTTPRoute'];
    await mesh.lab.delete(committed('rate-limit').filter(({ kind }) => policies.includes(kind)));
  });

  it('answers 429 over the local limit, by the proxy itself', async () => {
    await eventually(async () => expect((await eg.request('/httpbin/get')).status).toBe(429), 20);
    expect((await eg.request('/httpbin/get')).gateway).toBeNull();
  });

  it('answers 429 over the global limit, counted in Redis by way of the mesh', async () => {
    // Until the proxy has its connection to the rate-limit service, it lets requests pass uncounted.
    const first = await statuses(12, shared);
    expect(first.slice(0, 3)).toEqual([200, 200, 200]);
    expect(first.slice(-4)).toEqual([429, 429, 429, 429]);
    // Redis lets in one identity of the mesh, so what it counts came by mutual TLS.
    const keys = await mesh.lab.run('exec', { pod: `${NAMESPACE}/teg-redis`, command: ['redis-cli', 'keys', '*'] });
    expect(keys.stdout).toContain('httpbin/httpbin-shared');
  });

  it('counts for all proxies: a new proxy refuses at once', async () => {
    await eg.renewProxy();
    await eventually(async () => expect((await eg.request('/httpbin/get', shared)).status).toBe(429), 20);
  });

  const serviceNamed = (name: string): KubeObject =>
    committed('rate-limit').find(({ kind, metadata }) => kind === 'Service' && metadata.name === name)!;
  const limitsNothing = async (): Promise<void> => {
    await mesh.lab.settle();
    await eg.renewProxy();
    await eventually(async () => expect(await statuses(5, shared)).toEqual([200, 200, 200, 200, 200]), 20);
  };

  if (dialsPods)
    it('limits nothing globally where sidecars know no Pods of the rate-limit service', async () => {
      const service = serviceNamed('envoy-ratelimit-pods');
      await mesh.lab.delete([service]);
      await limitsNothing();
      await mesh.lab.apply([service]);
    });
  else
    it('limits nothing globally where the rate-limit service lacks its appProtocol', async () => {
      const service = serviceNamed('envoy-ratelimit');
      await mesh.lab.apply([withoutAppProtocol(service)]);
      await limitsNothing();
      await mesh.lab.apply([service]);
    });
});

describe('istio-ingress-path', () => {
  afterAll(() => mesh.lab.delete([...committed('istio-ingress-path'), ...fixture('istio-ingressgateway.yaml')]));

  it.each([
    ['Gateway API', 'httpbin/apps-istio-istio'],
    ["Istio's own API", 'istio-system/istio-ingressgateway'],
  ])('delivers by %s', async (_, pod) => {
    await mesh.lab.apply([...fixture('istio-ingressgateway.yaml'), ...committed('istio-ingress-path')]);
    await eventually(() => mesh.lab.ready(pod, 1), 60);
    await mesh.lab.settle();
    const [namespace, name] = pod.split('/');
    await eventually(async () => {
      const seen = await mesh.request({
        url: 'http://www.example.com/httpbin/get',
        from: PLAIN,
        args: ['--connect-to', `::${name}.${namespace}:80`],
        gateway: pod,
      });
      expect(seen).toMatchObject({ status: 200, gateway: { upstream_cluster: `outbound|8000||${HTTPBIN}` } });
      expect(received(seen.body)['X-Forwarded-Client-Cert']?.join()).toContain(`/ns/${namespace}/`);
    }, 20);
  });
});
