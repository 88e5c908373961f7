import { type KubeObject } from '../lab/api';
import { committed, eventually, GATEWAY, Mesh, PLAIN } from './mesh';
import { SCENARIOS } from './scenarios';

const SITE = 'http://edition.cnn.com/';
/** The user that a sidecar runs as, whose packets are not captured. */
const PROXY_USER = 1337;

/** Lets the Pods of a namespace reach Pods, and nothing else. */
const onlyInside = (namespace: string): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'only-inside', namespace },
  spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: {} }] }] },
});

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

describe('a way round the egress gateway', () => {
  let gatewayAddress: string;
  beforeAll(async () => {
    await mesh.use(committed('gateway-http'));
    ({ address: gatewayAddress } = await mesh.lab.run('pod', { pod: GATEWAY }));
  });
  afterAll(() => mesh.clear());

  it('is open to a workload without a sidecar, which Istio cannot see', async () => {
    const seen = await mesh.request({ url: SITE, from: PLAIN });
    expect(seen).toMatchObject({ status: 200, gateway: null });
  });

  it('is open to a process that runs as the proxy does', async () => {
    const seen = await mesh.request({ url: SITE, user: PROXY_USER });
    expect(seen).toMatchObject({ status: 200, sidecar: null, gateway: null });
  });

  it('is shut to both where NetworkPolicies let only the gateway out, and the way through it stays open', async () => {
    await mesh.add(['default', 'legacy'].map(onlyInside));
    expect(await mesh.request({ url: SITE, from: PLAIN })).toMatchObject({ status: 0, site: null });
    expect(await mesh.request({ url: SITE, user: PROXY_USER })).toMatchObject({ status: 0, site: null });
    const through = await eventually(async () => {
      const seen = await mesh.request({ url: SITE });
      expect(seen).toMatchObject({ status: 200 });
      return seen;
    });
    expect(through.site).toMatchObject({ source: gatewayAddress });
  });
});

describe('a gateway that serves the mesh alone', () => {
  const { id, arrange, gateway } = SCENARIOS.find((scenario) => scenario.id === 'many-hosts')!;
  beforeAll(async () => mesh.use(await arrange!(mesh, committed(id))));
  afterAll(() => mesh.clear());

  it('resets a client with no certificate of the mesh', async () => {
    const { address } = await mesh.lab.run('pod', { pod: gateway! });
    const args = ['-H', 'Host: edition.cnn.com'];
    const seen = await mesh.request({ url: `http://${address}:8080/`, from: PLAIN, args, gateway });
    expect(seen).toMatchObject({ status: 0, site: null });
  });

  it('resets one that offers TLS without it, even under the right name', async () => {
    const { address } = await mesh.lab.run('pod', { pod: gateway! });
    const name = 'egress.istio-egress.svc.cluster.local';
    const args = ['--insecure', '--connect-to', `${name}:8080:${address}:8080`];
    const seen = await mesh.request({ url: `https://${name}:8080/`, from: PLAIN, args, gateway });
    expect(seen).toMatchObject({ status: 0, site: null });
  });
});
