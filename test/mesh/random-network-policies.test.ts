import { Mesh } from './mesh';
import { NetworkComparison } from './random/network-run';

/** Longer, and with what differs written down: npm run accuracy:network. */
const SECONDS = Number(process.env.MESH_EDGE_RANDOM_SECONDS ?? 20);
const SEED = 20261121;
const REQUESTS = 16;

describe('trace under random NetworkPolicies', () => {
  it(
    `foretells which requests packets are dropped of in ${SECONDS} seconds of them, seed ${SEED}`,
    async () => {
      const comparison = await NetworkComparison.open(await Mesh.open());
      const totals = await comparison.run({ seed: SEED, seconds: SECONDS, requests: REQUESTS });
      await comparison.close();
      process.stderr.write(`${totals.policies} random NetworkPolicies, ${totals.requests} requests\n`);
      expect(totals.differences.map(({ set, ask, what }) => `set ${set}, ${JSON.stringify(ask)}: ${what}`)).toEqual([]);
      expect(totals.policies).toBeGreaterThan(1);
      expect(totals.delivered).toBeGreaterThan(0);
      expect(totals.refused).toBeGreaterThan(0);
      expect(totals.unknown).toBeLessThan(totals.requests / 10);
    },
    (SECONDS + 240) * 1000,
  );
});
