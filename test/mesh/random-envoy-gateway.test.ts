import { Mesh } from './mesh';
import { EnvoyComparison } from './random/envoy-run';

/** Longer, and with what differs written down: npm run accuracy:envoy-gateway. */
const SECONDS = Number(process.env.MESH_EDGE_RANDOM_SECONDS ?? 40);
const SEED = 20261121;
const REQUESTS = 12;

describe('trace in random routes of Envoy Gateway', () => {
  it(`foretells what its proxies do with requests in ${SECONDS} seconds of them, seed ${SEED}`, async () => {
    const comparison = await EnvoyComparison.open(await Mesh.open());
    const totals = await comparison.run({ seed: SEED, seconds: SECONDS, requests: REQUESTS });
    await comparison.close();
    process.stderr.write(`${totals.meshes} random sets of routes, ${totals.requests} requests\n`);
    expect(totals.differences.map(({ mesh, ask, what }) => `mesh ${mesh}, ${JSON.stringify(ask)}: ${what}`)).toEqual(
      [],
    );
    expect(totals.requests).toBeGreaterThan(REQUESTS);
    expect(totals.refused).toBeGreaterThan(0);
    expect(totals.unknown).toBeLessThan(totals.requests / 5);
  }, 2_400_000);
});
