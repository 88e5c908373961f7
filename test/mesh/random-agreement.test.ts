import { Mesh } from './mesh';
import { LiveComparison } from './random/run';

/** Longer, and with what differs written down: npm run accuracy:live. */
const SECONDS = Number(process.env.MESH_EDGE_RANDOM_SECONDS ?? 40);
const SEED = 20261121;
const REQUESTS = 12;
describe('trace in random meshes', () => {
  it(
    `foretells what real proxies do with requests in ${SECONDS} seconds of them, seed ${SEED}`,
    async () => {
      const comparison = await LiveComparison.open(await Mesh.open());
      const totals = await comparison.run({ seed: SEED, seconds: SECONDS, requests: REQUESTS });
      await comparison.close();
      process.stderr.write(`${totals.meshes} random meshes, ${totals.requests} requests, ${totals.hops} log lines\n`);
      expect(totals.differences.map(({ mesh, ask, what }) => `mesh ${mesh}, ${JSON.stringify(ask)}: ${what}`)).toEqual(
        [],
      );
      expect(totals.requests).toBeGreaterThan(REQUESTS);
      expect(totals.delivered).toBeGreaterThan(0);
      expect(totals.refused).toBeGreaterThan(0);
      expect(totals.unknown).toBeLessThan(totals.requests / 10);
    },
    (SECONDS + 240) * 1000,
  );
});
