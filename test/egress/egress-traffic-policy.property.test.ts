import fc from 'fast-check';
import { loadObjects } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';
import { CALLERS, GATEWAY_OBJECTS, callerObjects, policyWorlds } from './random-policies';

describe('random policies', () => {
  it('let exactly those calls arrive that a rule allows, by the way that their manifests are traced', () => {
    let calls = 0;
    fc.assert(
      fc.property(policyWorlds, (world) => {
        const pods = callerObjects((i) => `10.244.1.${10 + i}`);
        const { manifests } = loadObjects([...pods, ...GATEWAY_OBJECTS, ...world.objects]);
        const mesh = buildMesh(manifests, { outbound: 'REGISTRY_ONLY' });
        for (const { from, site, port, passes, passesSidecar } of world.calls) {
          calls++;
          const request =
            port === 5432
              ? `tcp://${site.address}:${port}`
              : `${port === 443 ? 'https' : 'http'}://${site.host}:${port}/`;
          const told = trace(mesh, { from: `${from.namespace}/${from.name}`, request, address: site.address });
          const what = `${from.namespace}/${from.name} ${request}: ${told.outcome} ${told.refusal?.what ?? ''}`;
          expect({ what, arrives: told.outcome === 'delivered' }).toEqual({ what, arrives: passes });
          const stopped = told.refusal?.proxy.kind;
          if (!passes)
            expect({ what, stopped }).toEqual({ what, stopped: passesSidecar ? 'egress-gateway' : 'sidecar' });
        }
      }),
      { numRuns: 60, seed: 20261121 },
    );
    expect(calls).toBe(60 * CALLERS.length * 9);
  });
});
