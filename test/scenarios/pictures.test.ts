import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { picturesSource } from '../../scripts/pictures';

it("shows in the scenarios' READMEs the paths that the manifests have now (npm run pictures, npm run synth)", () => {
  const committed = readFileSync(join(__dirname, '..', '..', 'src', 'scenarios', 'pictures.ts'), 'utf8');
  expect(committed).toBe(picturesSource());
}, 60_000);
