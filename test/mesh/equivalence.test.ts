import fc from 'fast-check';
import { oracleBinary } from '../lab/build';
import { ambientMeshes } from '../trace/oracle/ambient';
import { equivalence } from '../trace/oracle/equivalence';
import { gatewayApiMeshes } from '../trace/oracle/gateway-api';
import { meshes } from '../trace/oracle/meshes';
import { Oracle } from '../trace/oracle/process';

const SEED = 20261130;

/** Longer, and with what differs written down: npm run accuracy:equivalence. */
describe('the configuration that istiod sends each proxy, and the one that the manifests say', () => {
  let path: string;
  beforeAll(async () => {
    path = await oracleBinary();
  }, 1_800_000);

  it.each([
    ['50 random meshes', meshes, 50, 2500],
    ['15 random meshes by the Gateway API', gatewayApiMeshes, 15, 750],
    ['40 random ambient meshes with waypoints', ambientMeshes, 40, 40],
  ] as const)(
    'do the same for every request: %s',
    async (_, kind, count, least) => {
      const oracle = new Oracle(path, kind === ambientMeshes);
      const differing: unknown[] = [];
      let classes = 0;
      for (const mesh of fc.sample(kind(1), { numRuns: count, seed: SEED })) {
        const found = await equivalence(oracle, mesh);
        expect(found.failure).toBeUndefined();
        expect(found.undecided).toEqual([]);
        classes += found.classes;
        differing.push(...found.disagreements);
      }
      oracle.end();
      expect(differing).toEqual([]);
      expect(classes).toBeGreaterThan(least);
    },
    600_000,
  );
});
