import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Chart } from 'cdk8s';
import { ClusterLockdown } from '../../src/egress/cluster-lockdown';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { EgressLockdown } from '../../src/egress/egress-lockdown';
import { type KubeObject } from '../lab/api';
import { moduleFolder } from '../lab/build';
import { readYaml } from '../lab/controlplane';
import { VERSIONS } from '../lab/versions';
import { refusalsOf } from './admission';
import { eventually, Mesh } from './mesh';

/** What EgressLockdown has the network plugin hold, as it is rendered. */
function clusterPolicy(clusterWide: ClusterLockdown): KubeObject {
  const chart = new Chart(new App(), 'lockdown');
  const gateway = new EgressGateway(chart, 'Egress', { name: 'egress', namespace: 'istio-egress' });
  const lockdown = new EgressLockdown(chart, 'Lockdown', { gateway, namespaces: ['shop'], clusterWide });
  return lockdown.clusterPolicy!.toJson() as KubeObject;
}

const misspelt = (policy: KubeObject, from: string, to: string) =>
  JSON.parse(JSON.stringify(policy).replace(`"${from}"`, `"${to}"`)) as KubeObject;

describe("EgressLockdown's policy of the network plugin", () => {
  // The lab runs no Cilium. Its definition says what the API server takes; what Cilium does with it is its own.
  describe('of Cilium', () => {
    let mesh: Mesh;
    let definition: KubeObject;
    const policy = clusterPolicy(ClusterLockdown.cilium());

    beforeAll(async () => {
      mesh = await Mesh.open();
      const folder = moduleFolder('github.com/cilium/cilium', `v${VERSIONS.cilium}`);
      const file = path.join(folder, 'pkg/k8s/apis/cilium.io/client/crds/v2/ciliumclusterwidenetworkpolicies.yaml');
      [definition] = readYaml(fs.readFileSync(file, 'utf8')) as [KubeObject];
      await mesh.lab.apply([definition]);
      await eventually(async () => expect(await refusalsOf(mesh, [policy])).toEqual([]));
    });
    afterAll(() => mesh.lab.delete([definition]));

    it('is admitted by its definition', async () => expect(await refusalsOf(mesh, [policy])).toEqual([]));

    it.each([
      ['egressDeny', 'egressDenies', 'field not declared in schema'],
      ['world', 'wrold', 'Unsupported value'],
      ['NotIn', 'NoneOf', 'Unsupported value'],
    ])('would not be with %s misspelt', async (from, to, said) => {
      expect(await refusalsOf(mesh, [misspelt(policy, from, to)])).toEqual([expect.stringContaining(said)]);
    });
  });

  // Calico's definitions come in no module; its API types do.
  describe('of Calico', () => {
    const policy = clusterPolicy(ClusterLockdown.calico());
    const read = (object: KubeObject) =>
      execFileSync('nice', ['go', 'run', '.'], {
        cwd: path.resolve(__dirname, '../calico'),
        env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
        input: JSON.stringify(object),
        encoding: 'utf8',
        stdio: 'pipe',
      });

    it('is what its API types say, field for field', () => {
      expect(JSON.parse(read(policy))).toMatchObject(policy.spec as object);
    }, 600_000);

    it.each(['namespaceSelector', 'nets', 'action'])('would not be with %s misspelt', (field) => {
      expect(() => read(misspelt(policy, field, `${field}s`))).toThrow(`unknown field "${field}s"`);
    });
  });
});
