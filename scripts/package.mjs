// npm run package -- [python|java|go|dotnet ...]
//
// Builds the packages of other languages into lib/packages/LANGUAGE (Python, Java and Go unless told which), of what `npm run build` made. cdk8s' own
// bindings are built beside ours for Java and Go: with them no registry has to have them. A .NET SDK is needed for .NET.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const KNOWN = ['python', 'java', 'go', 'dotnet'];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

const asked = process.argv.slice(2);
const unknown = asked.filter((language) => !KNOWN.includes(language));
if (unknown.length > 0) {
  console.error(`no package for ${unknown.join(', ')}: say some of ${KNOWN.join(', ')}`);
  process.exit(2);
}
const env = { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '1' };
const run = (file, ...args) => execFileSync(file, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
if (!existsSync(join(root, '.jsii'))) run(process.execPath, 'scripts/build.mjs');

const pacmak = join(dirname(require.resolve('jsii-pacmak/package.json')), 'bin', 'jsii-pacmak');
const common = ['--outdir', 'lib/packages', '--no-npmignore', '--pack-command', 'npm pack --ignore-scripts'];
for (const language of asked.length > 0 ? asked : ['python', 'java', 'go']) {
  const modules = language === 'java' || language === 'go' ? ['node_modules/cdk8s', '.'] : ['.'];
  // A Go module is its source; there is nothing to compile before its user does.
  const how = language === 'go' ? ['--code-only'] : [];
  run(process.execPath, pacmak, '--targets', language, ...common, ...how, ...modules);
}
