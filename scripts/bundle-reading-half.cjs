// Bundles the reading half (the command line, and the cdk8s-cli validation plugin) with its libraries into lib/, so that
// an installed package needs none of them. Written so that commands that start at the same time do not see half a bundle.
const {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { dirname, join } = require('node:path');

const root = join(__dirname, '..');
const PLUGIN = 'lib/plugin/index.js';
const entries = [
  { from: 'src/cli/main.ts', to: 'lib/cli/mesh-edge.cjs' },
  { from: 'src/plugin/index.ts', to: PLUGIN, types: 'src/plugin/public.d.ts' },
  // For `adopt` in a clone; a package has them compiled by jsii, in lib/src.
  { from: 'src/index.ts', to: 'lib/cli/constructs.cjs' },
  { from: 'src/jest/index.ts', to: 'lib/jest/index.js', types: 'src/jest/public.d.ts' },
];

/** The constructs look for what decides invariants beside themselves, as it is in the sources: it is in the plugin's bundle. */
function linkInvariants() {
  const file = join(root, 'lib/src/plugin/invariants.js');
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, "module.exports = require('../../plugin');\n");
  renameSync(draft, file);
}

const OPTIONS = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'error',
  external: ['cdk8s', 'constructs', 'jest'],
};

/** Files of which anything is in a bundle, from the root of the repository: what esbuild itself says that it took. */
exports.bundledFiles = function bundledFiles() {
  const entryPoints = entries.map(({ from }) => from).filter((from) => existsSync(join(root, from)));
  const { metafile } = require('esbuild').buildSync({
    ...OPTIONS,
    entryPoints,
    outdir: join(root, 'lib'),
    metafile: true,
    write: false,
  });
  const taken = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  return [...new Set(taken)];
};

/** @param {string[]} [only] bundles to make, by their place in lib/; all of them if left out */
exports.bundle = function bundle(only) {
  const esbuild = require('esbuild');
  copySchemas();
  for (const { from, to, types } of entries) {
    if ((only && !only.includes(to)) || !existsSync(join(root, from))) continue;
    const outfile = join(root, to);
    const draft = `${outfile}.${process.pid}`;
    mkdirSync(dirname(outfile), { recursive: true });
    esbuild.buildSync({ ...OPTIONS, entryPoints: [from], outfile: draft });
    renameSync(draft, outfile);
    if (to === PLUGIN) linkInvariants();
    if (types) cpSync(join(root, types), outfile.replace(/\.js$/, '.d.ts'));
  }
};

/** Whether a bundle is there and no source is newer. */
exports.isFresh = function isFresh(to) {
  const bundle = statSync(join(root, to), { throwIfNoEntry: false });
  if (!bundle) return false;
  const newest = (folder) =>
    Math.max(
      statSync(folder).mtimeMs,
      ...readdirSync(folder, { withFileTypes: true }).map((entry) =>
        entry.isDirectory() ? newest(join(folder, entry.name)) : statSync(join(folder, entry.name)).mtimeMs,
      ),
    );
  return newest(join(root, 'src')) <= bundle.mtimeMs && statSync(join(root, 'package.json')).mtimeMs <= bundle.mtimeMs;
};

/**
 * Schemas are read one by one when a kind is met, from beside the bundles. They are there before the bundle that reads them, and a
 * command that runs already never finds one missing: files are replaced in their place, each at once.
 */
function copySchemas() {
  const from = join(root, 'src/check/schemas');
  if (existsSync(from)) mirror(from, join(root, 'lib/schemas'));
}

function mirror(from, to) {
  mkdirSync(to, { recursive: true });
  const entries = readdirSync(from, { withFileTypes: true });
  for (const entry of entries) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      mirror(source, target);
      continue;
    }
    const content = readFileSync(source);
    if (existsSync(target) && readFileSync(target).equals(content)) continue;
    const draft = `${target}.${process.pid}`;
    writeFileSync(draft, content);
    renameSync(draft, target);
  }
  const kept = new Set(entries.map(({ name }) => name));
  for (const name of readdirSync(to))
    if (!kept.has(name) && !/\.\d+$/.test(name)) rmSync(join(to, name), { recursive: true, force: true });
}

if (require.main === module) exports.bundle();
