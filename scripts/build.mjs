// `npm run build`: compiles the constructs with jsii, bundles the reading half, writes docs/api/ and the notices of what is bundled.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeApiPages } from './api-pages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const bin = (pkg, file) => join(dirname(require.resolve(`${pkg}/package.json`)), file);
const run = (file, ...args) =>
  execFileSync(process.execPath, [file, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '1' },
  });

// Static factories are named by Istio's words, some of which another language reserves: jsii renames them there.
run(bin('jsii', 'bin/jsii'), '--silence-warnings=reserved-word', '--generate-tsconfig', 'tsconfig.jsii.json');
// The bindings are generated from files that the package does not hold, and nobody debugs them: their maps would be a quarter of it.
const bindings = join(root, 'lib', 'imports');
for (const file of readdirSync(bindings).filter((name) => name.endsWith('.js'))) {
  const code = readFileSync(join(bindings, file), 'utf8');
  writeFileSync(join(bindings, file), code.replace(/\n\/\/# sourceMappingURL=data:[^\n]*\s*$/, '\n'));
}
require('./bundle-reading-half.cjs').bundle();
await writeApiPages(root);
writeFileSync(join(root, 'lib', 'THIRD-PARTY-NOTICES.txt'), require('./notices.cjs').notices());
