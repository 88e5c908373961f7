// The app that cdk8s.yaml names: bundles src/main.ts and runs it. Nothing type-checks on the way (npm run typecheck does), so it is fast.
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outfile = join(root, 'node_modules', '.cache', 'cdk8s-mesh-edge', 'main.cjs');
mkdirSync(dirname(outfile), { recursive: true });
// Invariants are decided by the reading half, which looks for its schemas beside the folder of its bundle.
const schemas = join(dirname(outfile), '..', 'schemas');
if (!existsSync(schemas)) symlinkSync(join(root, 'src', 'check', 'schemas'), schemas);
buildSync({
  entryPoints: [join(root, 'src', 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
process.setSourceMapsEnabled(true);
try {
  createRequire(import.meta.url)(outfile);
} catch (error) {
  // What the user can mend is in the message; a stack of the library's own frames would bury it.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
