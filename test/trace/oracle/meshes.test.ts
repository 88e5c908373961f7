import fc from 'fast-check';
import { loadText } from '../../../src/model/load';
import { toYaml } from './compare';
import { meshes } from './meshes';

describe('random meshes', () => {
  it('are manifests that can be read', () => {
    for (const mesh of fc.sample(meshes(1), { numRuns: 20, seed: 20261121 })) {
      const loaded = loadText(toYaml(mesh.things));
      expect(loaded.problems).toEqual([]);
      expect(loaded.manifests).toHaveLength(mesh.things.length);
    }
  });
});
