import { parse, stringify } from 'yaml';
import { type KubeObject } from '../lab/api';
import { until } from '../lab/process';
import { EnvoyGateway, NAMESPACE } from './envoy-gateway';
import { committed, eventually, Mesh } from './mesh';

jest.setTimeout(240_000);

/** What becomes of a global rate limit whose service cannot count: what a rule of `check` says of it. */
let mesh: Mesh;
let eg: EnvoyGateway;

const scenario = committed('rate-limit');
const named = (...names: readonly string[]) => scenario.filter(({ metadata }) => names.includes(metadata.name));
const LIMITED = named('httpbin-shared', 'httpbin-global');
const SERVICE: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'envoy-ratelimit', namespace: NAMESPACE },
};

beforeAll(async () => {
  mesh = await Mesh.open();
  eg = await EnvoyGateway.install(mesh);
  await eg.use([...committed('apps-gateway-http'), ...LIMITED]);
}, 2_400_000);

afterAll(async () => {
  await mesh.lab.delete([...committed('apps-gateway-http'), ...LIMITED]);
  await eg.remove();
});

/** The answers to more requests than the limit of the scenario lets pass. */
async function answers(): Promise<readonly number[]> {
  const all: number[] = [];
  for (let count = 0; count < 6; count++)
    all.push((await eg.request('/httpbin/get', ['-H', 'Host: shared.example.com'])).status);
  return all;
}
const ALL = (status: number) => Array<number>(6).fill(status);

interface Controller {
  readonly rateLimit: { backend: { redis: { url: string } } };
  provider?: object;
}

/** Configures the controller otherwise, and has it make the rate-limit service anew. */
async function configured(change: (controller: Controller) => void): Promise<void> {
  const config = { apiVersion: 'v1', kind: 'ConfigMap' };
  const read = await mesh.lab.api.tryGet(config, 'envoy-gateway-config', NAMESPACE);
  const { 'envoy-gateway.yaml': text = '' } = read?.data as Readonly<Record<string, string>>;
  const controller = parse(text) as Controller;
  change(controller);
  const metadata = { name: 'envoy-gateway-config', namespace: NAMESPACE };
  const changed = { ...config, metadata, data: { 'envoy-gateway.yaml': stringify(controller) } };
  await mesh.lab.api.apply(changed, { manager: 'helm' });
  // A rollout would leave the former Pod in place for as long as the new one is not ready.
  await mesh.lab.delete([SERVICE]);
  const pods = async () => {
    const all = await mesh.lab.api.list({ apiVersion: 'v1', kind: 'Pod' });
    return all.filter(({ metadata: { name } }) => name.startsWith('envoy-ratelimit-'));
  };
  await until('no rate-limit service runs', 60, async () => ((await pods()).length === 0 ? true : undefined));
  await eg.renewController();
  await until('a rate-limit service has been made', 60, async () => ((await pods()).length > 0 ? true : undefined));
  await eg.proxyReady();
}

const isReady = () => mesh.lab.ready(`${NAMESPACE}/envoy-ratelimit`, 60);
const isNeverReady = () => expect(mesh.lab.ready(`${NAMESPACE}/envoy-ratelimit`, 10)).rejects.toThrow('is ready');
const url = (host: string) => (controller: Controller) => (controller.rateLimit.backend.redis.url = host);
const REDIS = `teg-redis.${NAMESPACE}.svc.cluster.local:6379`;

it('without rateLimit.backend, the policy is refused, and every request that it covers is answered with 500', async () => {
  const policy = LIMITED.find(({ kind }) => kind === 'BackendTrafficPolicy')!;
  await eventually(async () => {
    const read = await mesh.lab.api.tryGet(policy, policy.metadata.name, policy.metadata.namespace);
    expect(JSON.stringify(read?.status)).toContain('enable Ratelimit in the EnvoyGateway config');
    expect(await answers()).toEqual(ALL(500));
  }, 20);
});

describe('with rateLimit.backend', () => {
  beforeAll(async () => {
    await eg.upgrade('rate-limit');
    await mesh.lab.ready(`${NAMESPACE}/teg-redis`);
    await isReady();
  });
  afterAll(() => mesh.lab.delete(scenario.filter(({ kind }) => kind !== 'Namespace')));

  it('limits', () => eventually(async () => expect(await answers()).toEqual(ALL(429)), 20));

  it.each([
    ['a port that it lacks', REDIS.replace('6379', '6380')],
    ['a name that no Service has', REDIS.replace('teg-redis', 'redis-master')],
  ])('has a rate-limit service that is never ready, and limits nothing, with %s for Redis', async (_, host) => {
    await configured(url(host));
    await isNeverReady();
    await eventually(async () => expect(await answers()).toEqual(ALL(200)), 20);
  });

  it('where Redis takes mutual TLS only, a rate-limit service without a sidecar is never ready, and nothing is limited', async () => {
    const apart = { 'sidecar.istio.io/inject': 'false' };
    const strict = (portLevelMtls?: object): KubeObject => ({
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name: 'teg-redis', namespace: NAMESPACE },
      spec: { selector: { matchLabels: { app: 'teg-redis' } }, mtls: { mode: 'STRICT' }, portLevelMtls },
    });
    await mesh.lab.delete(scenario.filter(({ kind }) => kind === 'AuthorizationPolicy'));
    await mesh.lab.apply([strict()]);
    await configured((controller) => {
      url(REDIS)(controller);
      const provider = { kubernetes: {}, ...controller.provider };
      const kubernetes = { ...provider.kubernetes, rateLimitDeployment: { pod: { labels: apart } } };
      controller.provider = { ...provider, type: 'Kubernetes', kubernetes };
    });
    await isNeverReady();
    await eventually(async () => expect(await answers()).toEqual(ALL(200)), 20);

    await mesh.lab.apply([strict({ 6379: { mode: 'PERMISSIVE' } })]);
    await isReady();
    await eventually(async () => expect(await answers()).toEqual(ALL(429)), 20);
    await mesh.lab.delete([strict()]);
  });
});
