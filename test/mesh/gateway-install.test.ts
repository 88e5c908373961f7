import { type KubeObject } from '../lab/api';
import { eventually, Mesh } from './mesh';

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
}

/** Every world has this gateway; here is what is special about it. */
describe('egress-gateway-install', () => {
  let mesh: Mesh;
  beforeAll(async () => {
    mesh = await Mesh.open();
  });

  const scale = (replicas: number) =>
    mesh.lab.api.request(
      'PATCH',
      '/apis/apps/v1/namespaces/istio-system/deployments/istio-egressgateway/scale',
      { spec: { replicas } },
      'application/merge-patch+json',
    );

  const pods = async () => (await mesh.lab.api.list({ apiVersion: 'v1', kind: 'Pod' })) as readonly Pod[];
  const isGateway = ({ metadata }: Pod) => metadata.labels?.istio === 'egressgateway';

  it('runs the gateway, however many of it, on the dedicated nodes only', async () => {
    await scale(3);
    const nodes = await eventually(async () => {
      const found = (await pods()).filter(isGateway).map(({ spec }) => spec.nodeName);
      expect(found).toHaveLength(3);
      expect(found).not.toContain(undefined);
      return found;
    });
    await scale(1);
    expect(new Set(nodes)).toEqual(new Set(['edge-1']));
    await eventually(async () => expect((await pods()).filter(isGateway)).toHaveLength(1));
  });

  it('leaves the dedicated nodes to the gateway', async () => {
    const there = (await pods()).filter(({ spec }) => spec.nodeName === 'edge-1');
    expect(there.every(isGateway)).toBe(true);
  });
});
