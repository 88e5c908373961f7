import fc from 'fast-check';
import { oracleBinary } from '../lab/build';
import { compare } from '../trace/oracle/compare';
import { gatewayApiMeshes } from '../trace/oracle/gateway-api';
import { meshes } from '../trace/oracle/meshes';
import type { GeneratedMesh } from '../trace/oracle/vocabulary';
import { Oracle } from '../trace/oracle/process';

const MESHES = 100;
const REQUESTS = 10;
const SEED = 20261121;

/** The mesh with a CONNECT tunnel in three of four policies of its DestinationRules. */
function withTunnels(mesh: GeneratedMesh): GeneratedMesh {
  const tunnel = (targetHost: string) => ({ tunnel: { protocol: 'CONNECT', targetHost, targetPort: 443 } });
  let count = 0;
  const tunnelled = (policy: object | undefined) =>
    count++ % 4 < 3 ? { ...policy, ...tunnel(`site-${count}.example.com`) } : policy;
  const things = mesh.things.map((thing) => {
    if (thing.kind !== 'DestinationRule') return thing;
    const spec = thing.spec as { trafficPolicy?: object; subsets?: readonly { trafficPolicy?: object }[] };
    const subsets = spec.subsets?.map((one) => ({ ...one, trafficPolicy: tunnelled(one.trafficPolicy) }));
    return { ...thing, spec: { ...spec, trafficPolicy: tunnelled(spec.trafficPolicy), subsets } };
  });
  return { ...mesh, things };
}

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

  it('routes by the Gateway API, from outside and across the mesh, as istiod does', async () => {
    const oracle = new Oracle(path);
    const differences: string[] = [];
    for (const mesh of fc.sample(gatewayApiMeshes(REQUESTS), { numRuns: MESHES, seed: SEED })) {
      const result = await compare(oracle, mesh);
      expect(result.failure).toBeUndefined();
      differences.push(...result.differences.map((one) => `${JSON.stringify(one.ask)}: ${one.what}`));
    }
    oracle.end();
    expect(differences).toEqual([]);
  }, 600_000);

  it('tunnels where istiod has a proxy tunnel', async () => {
    const oracle = new Oracle(path);
    const differences: string[] = [];
    let tunnels = 0;
    const sample = fc.sample(meshes(REQUESTS), { numRuns: 1.5 * MESHES, seed: SEED + 1 });
    for (const mesh of sample.map(withTunnels)) {
      const result = await compare(oracle, mesh);
      expect(result.failure).toBeUndefined();
      tunnels += result.tunnels;
      differences.push(...result.differences.map((one) => `${JSON.stringify(one.ask)}: ${one.what}`));
    }
    oracle.end();
    expect(differences).toEqual([]);
    expect(tunnels).toBeGreaterThan(50);
  }, 600_000);
});
