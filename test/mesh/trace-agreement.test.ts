import fc from 'fast-check';
import { oracleBinary } from '../lab/build';
import { compare } from '../trace/oracle/compare';
import { meshes } from '../trace/oracle/meshes';
import { Oracle } from '../trace/oracle/process';

const MESHES = 100;
const REQUESTS = 10;
const SEED = 20261121;

describe('trace', () => {
  let path: string;
  beforeAll(async () => {
    path = await oracleBinary();
  }, 1_800_000);

  it(`routes ${MESHES * REQUESTS} requests in random meshes as Istio's own simulation does`, async () => {
    const oracle = new Oracle(path);
    const differences: string[] = [];
    let requests = 0;
    for (const mesh of fc.sample(meshes(REQUESTS), { numRuns: MESHES, seed: SEED })) {
      const result = await compare(oracle, mesh);
      expect(result.failure).toBeUndefined();
      requests += result.requests;
      differences.push(...result.differences.map((one) => `${JSON.stringify(one.ask)}: ${one.what}`));
    }
    oracle.end();
    expect(differences).toEqual([]);
    expect(requests).toBeGreaterThan((MESHES * REQUESTS * 9) / 10);
  }, 600_000);
});
