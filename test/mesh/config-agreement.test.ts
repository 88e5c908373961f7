import fc from 'fast-check';
import { oracleBinary } from '../lab/build';
import { compareConfig } from '../trace/oracle/config';
import { gatewayApiMeshes } from '../trace/oracle/gateway-api';
import { meshes } from '../trace/oracle/meshes';
import { Oracle } from '../trace/oracle/process';

const MESHES = 25;
const SEED = 20261129;

/** Longer, and with what differs written down: npm run accuracy:config. */
describe('the configuration that istiod sends each proxy', () => {
  let path: string;
  beforeAll(async () => {
    path = await oracleBinary();
  }, 1_800_000);

  it.each([
    ['of random meshes', meshes],
    ['of random meshes by the Gateway API', gatewayApiMeshes],
  ])(
    `is what the manifests say, part by part: ${MESHES} %s`,
    async (_, kind) => {
      const oracle = new Oracle(path);
      const differences: string[] = [];
      let parts = 0;
      for (const mesh of fc.sample(kind(1), { numRuns: MESHES, seed: SEED })) {
        const result = await compareConfig(oracle, mesh);
        expect(result.failure).toBeUndefined();
        expect(result.proxies).toBeGreaterThan(0);
        parts += Object.values(result.parts).reduce((sum, count) => sum + count, 0);
        differences.push(
          ...result.differences.map(({ proxy, difference }) => `${proxy}: ${JSON.stringify(difference)}`),
        );
      }
      oracle.end();
      expect(differences).toEqual([]);
      expect(parts).toBeGreaterThan(MESHES * 50);
    },
    300_000,
  );
});
