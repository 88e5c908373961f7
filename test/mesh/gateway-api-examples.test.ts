import * as fs from 'node:fs';
import * as path from 'node:path';
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { ApiError } from '../lab/api';
import { moduleFolder } from '../lab/build';
import { readManifests } from '../lab/manifests';
import { LAB_RELEASES, VERSIONS } from '../lab/versions';
import { Mesh } from './mesh';

const ROOT = path.join(moduleFolder('sigs.k8s.io/gateway-api', `v${VERSIONS.gatewayApi}`), 'hack/invalid-examples');

describe("Gateway API's own invalid examples", () => {
  const files = fs.readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));

  it('are there', () => expect(files.length).toBeGreaterThan(20));

  it.each(files.sort())('%s is refused by the API server and by check', async (file) => {
    const { lab } = await Mesh.open();
    const refusals: string[] = [];
    for (const object of readManifests([path.join(ROOT, file)])) {
      const own = { ...object, metadata: { ...object.metadata, namespace: 'default' } };
      await lab.api.apply(own, { dryRun: true }).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        refusals.push(error.message);
      });
    }
    expect(refusals).not.toEqual([]);
    const { findings } = check(loadText(fs.readFileSync(path.join(ROOT, file), 'utf8'), file), LAB_RELEASES);
    expect(findings.filter(({ severity }) => severity === 'error')).not.toEqual([]);
  });
});
