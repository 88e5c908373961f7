// npm run test:languages -- [python|java|go ...]
//
// Builds each language's package, runs its example with that package as its user would, and compares what it writes, byte by byte, with what the
// TypeScript example has written (examples/typescript/dist). Prints the seconds that each took.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const packages = join(root, 'lib', 'packages');
const env = { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '1', GOFLAGS: '-mod=mod' };
const runIn = (folder) => (file, args) =>
  execFileSync(file, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 900_000 });

/** How a user of each language runs the example in that folder. */
const EXAMPLES = {
  python(run) {
    const [wheel] = readdirSync(join(packages, 'python')).filter((name) => name.endsWith('.whl'));
    run('python3', ['-m', 'venv', '.venv']);
    run('.venv/bin/pip', ['install', '--quiet', join(packages, 'python', wheel)]);
    run('.venv/bin/python', ['main.py']);
  },
  java(run) {
    // What was built last has the version of what was built before.
    rmSync(join(homedir(), '.m2', 'repository', 'io', 'github', 'cdk8s-mesh-edge'), { recursive: true, force: true });
    run('mvn', ['-q', '-B', 'compile', 'exec:java', `-Dbuilt.packages=${join(packages, 'java')}`]);
  },
  go(run) {
    const ours = 'github.com/cdk8s-mesh-edge/cdk8s-mesh-edge-go/meshedge';
    const cdk8s = 'github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2';
    run('go', ['mod', 'edit', '-replace', `${ours}=${join(packages, 'go', 'meshedge')}`]);
    run('go', ['mod', 'edit', '-replace', `${cdk8s}=${join(packages, 'go', 'cdk8s')}`]);
    run('go', ['run', '.']);
  },
};

function filesOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return paths.map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]);
}

const asked = process.argv.slice(2);
const unknown = asked.filter((language) => !(language in EXAMPLES));
if (unknown.length > 0) {
  console.error(`no example in ${unknown.join(', ')}: say some of ${Object.keys(EXAMPLES).join(', ')}`);
  process.exit(2);
}
const expected = JSON.stringify(filesOf(join(root, 'examples', 'typescript', 'dist')));
let failed = 0;
for (const language of asked.length > 0 ? asked : Object.keys(EXAMPLES)) {
  const start = Date.now();
  const folder = mkdtempSync(join(tmpdir(), `mesh-edge-${language}-`));
  try {
    execFileSync(process.execPath, [join(root, 'scripts', 'package.mjs'), language], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    cpSync(join(root, 'examples', language), folder, { recursive: true });
    EXAMPLES[language](runIn(folder));
    const isSame = JSON.stringify(filesOf(join(folder, 'dist'))) === expected;
    if (!isSame) failed++;
    console.log(
      `${language}: ${isSame ? 'the same bytes as TypeScript' : 'DIFFERS from TypeScript'}, ${Math.round((Date.now() - start) / 1000)} s`,
    );
  } catch (error) {
    failed++;
    console.log(`${language}: FAILED: ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.exit(failed === 0 ? 0 : 1);
