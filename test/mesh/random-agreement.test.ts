import { Mesh } from './mesh';
import { LiveComparison } from './random/run';

/** Longer, and with what differs written down: npm run accuracy:live. */
const SECONDS = Number(process.env.MESH_EDGE_RANDOM_SECONDS ?? 60);
const SEED = 20261121;
const REQUESTS = 12;
/**
 * Meshes that are answered otherwise and not understood yet (docs/accuracy.md). In 9 the egress gateway has no listener on its port 8443,
 * where a Gateway that passes TLS through meets one that ends it; with the same objects in a lab of its own it has one, as trace says.
 */
const OPEN = [9];

describe('trace in random meshes', () => {
  it(
    `foretells what real proxies do with requests in ${SECONDS} seconds of them, seed ${SEED}`,
    async () => {
      const comparison = await LiveComparison.open(await Mesh.open());
      const totals = await comparison.run({ seed: SEED, seconds: SECONDS, requests: REQUESTS });
      await comparison.close();
      process.stderr.write(`${totals.meshes} random meshes, ${totals.requests} requests, ${totals.hops} log lines\n`);
      const [open, found] = [true, false].map((known) =>
        totals.differences.filter(({ mesh }) => OPEN.includes(mesh) === known),
      );
      expect(found!.map(({ mesh, ask, what }) => `mesh ${mesh}, ${JSON.stringify(ask)}: ${what}`)).toEqual([]);
      // One that has come right leaves the list.
      expect([...new Set(open!.map(({ mesh }) => mesh))]).toEqual(OPEN.filter((mesh) => mesh < totals.meshes));
      expect(totals.requests).toBeGreaterThan(REQUESTS);
      expect(totals.delivered).toBeGreaterThan(0);
      expect(totals.refused).toBeGreaterThan(0);
      expect(totals.unknown).toBeLessThan(totals.requests / 10);
    },
    (SECONDS + 240) * 1000,
  );
});
