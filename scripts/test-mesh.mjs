// npm run test:mesh -- [--newest] [--istio VERSION] [--write] [--mutation] [what jest takes]
//
// Runs the tests that need a real mesh. --newest takes the newest release of each that the lab can run, --istio another release of
// Istio than the pinned one; --write writes docs/conformance.md anew; --mutation asks instead whether these tests can fail. Everything
// else is handed to jest.
//
// The whole suite waits more than it computes, so it runs in several labs side by side, each of a worker of jest; what names
// files, writes pages or takes a running lab runs in one.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import * as os from 'node:os';

const args = process.argv.slice(2);
const env = { ...process.env };

const istio = args.indexOf('--istio');
if (istio >= 0) {
  const [, version] = args.splice(istio, 2);
  if (!version) {
    console.error('--istio needs a version, for example: npm run test:mesh -- --istio 1.29.1');
    process.exit(2);
  }
  env.MESH_EDGE_ISTIO = version;
}
const newest = args.indexOf('--newest');
if (newest >= 0) {
  args.splice(newest, 1);
  env.MESH_EDGE_NEWEST = '1';
}
const write = args.indexOf('--write');
if (write >= 0) {
  args.splice(write, 1);
  env.MESH_EDGE_WRITE = '1';
}

const mutation = args.indexOf('--mutation');
if (mutation >= 0) args.splice(mutation, 1);
const project = mutation >= 0 ? 'mutation' : 'mesh';

const isWhole =
  write < 0 && mutation < 0 && !env.MESH_EDGE_LAB && args.every((arg) => /^--(json|outputFile)/.test(arg));
const GIGABYTE = 2 ** 30;
/** A lab takes about 2 GB, and waits more than it computes: one more than there are cores. */
const labs = Math.max(1, Math.min(os.availableParallelism() + 1, Math.floor(os.totalmem() / (4 * GIGABYTE)), 4));

const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const { status } = spawnSync(
  process.execPath,
  [jest, '--selectProjects', project, isWhole ? `--maxWorkers=${labs}` : '--runInBand', ...args],
  {
    stdio: 'inherit',
    env,
  },
);
process.exit(status ?? 1);
