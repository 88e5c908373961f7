import { type KubeObject } from '../lab/api';
import { Mesh, PLAIN } from './mesh';

const SITE = 'http://edition.cnn.com/';

const policy = (name: string, egress: readonly object[]): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'legacy' },
  spec: { podSelector: { matchLabels: { app: 'plain' } }, policyTypes: ['Egress'], egress },
});
const NOTHING = policy('nothing', []);
const DNS = policy('dns', [{ to: [podsOf('kube-system')], ports: [{ port: 53, protocol: 'UDP' }] }]);
const WEB = policy('web', [{ to: [{ ipBlock: { cidr: '203.0.113.0/24' } }], ports: [{ port: 80 }] }]);

function podsOf(namespace: string): object {
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
}

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

/** What a Pod without a sidecar gets: an address for the name, and an answer. */
async function seen(): Promise<{ readonly name: boolean; readonly status: number }> {
  const command = ['getent', 'hosts', 'edition.cnn.com'];
  const [{ code }, { status }] = await Promise.all([
    mesh.lab.run('exec', { pod: PLAIN, command, timeoutSeconds: 4 }),
    mesh.request({ from: PLAIN, url: SITE }),
  ]);
  return { name: code === 0, status };
}

describe('a NetworkPolicy in the lab', () => {
  afterEach(() => mesh.clear());

  it('holds packets back, and no longer once it is deleted', async () => {
    expect(await seen()).toEqual({ name: true, status: 200 });
    await mesh.use([NOTHING]);
    expect(await seen()).toEqual({ name: false, status: 0 });
    await mesh.clear();
    expect(await seen()).toEqual({ name: true, status: 200 });
  });

  it('adds to what others allow: DNS, then port 80 of the internet', async () => {
    await mesh.use([NOTHING, DNS]);
    expect(await seen()).toEqual({ name: true, status: 0 });
    await mesh.add([WEB]);
    expect(await seen()).toEqual({ name: true, status: 200 });
    expect(await mesh.request({ from: PLAIN, url: 'https://edition.cnn.com/', args: ['-k'] })).toMatchObject({
      status: 0,
    });
  });

  it('is for the Pods that it selects', async () => {
    await mesh.use([{ ...NOTHING, spec: { podSelector: { matchLabels: { app: 'other' } }, policyTypes: ['Egress'] } }]);
    expect(await seen()).toEqual({ name: true, status: 200 });
  });
});
