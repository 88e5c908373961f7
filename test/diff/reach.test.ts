import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { load } from '../../src/model/load';
import { agree, company, without } from './narrow-and-wide';

const root = join(__dirname, '..', '..');

describe('what a changed object can reach', () => {
  it.each(
    company.map((manifest, index) => [`${manifest.kind} ${manifest.namespace}/${manifest.name}`, index] as const),
  )('covers all that the removal and the addition of %s alters', (what, index) => {
    agree(company, without(company, index), `without ${what}`);
    agree(without(company, index), company, `with ${what}`);
  });

  it.each(readdirSync(join(root, 'dist')))(
    'covers all that the removal of any object of scenario %s alters',
    (scenario) => {
      const { manifests } = load([join(root, 'dist', scenario)]);
      manifests.slice(0, 60).forEach((manifest, index) => {
        if (manifests.length > 1)
          agree(manifests, without(manifests, index), `without ${manifest.kind} ${manifest.name}`);
      });
    },
  );
});
