/**
 * `mesh-edge check .` at the roots of repositories: how many objects, how many findings, how long. FOLDER holds clones, or bare
 * repositories (`NAME/repo` or `NAME.git`), which are unpacked for the run. Without one there is nothing to do.
 *
 *     npm run accuracy:repositories -- FOLDER [PATTERN]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CheckResult } from '../src/check/finding';

const [folder, pattern = '.'] = process.argv.slice(2);
if (folder === undefined || !existsSync(folder)) {
  process.stdout.write('accuracy:repositories: no folder of repositories is given, and nothing was read\n');
  process.exit(0);
}

const bin = resolve(__dirname, '../bin/mesh-edge');
const rows: string[][] = [];
for (const name of readdirSync(folder).filter((one) => new RegExp(pattern).test(one))) {
  const path = resolve(folder, name);
  const bare = [join(path, 'repo'), path].find(
    (one) => existsSync(join(one, 'HEAD')) && existsSync(join(one, 'objects')),
  );
  const scratch = bare === undefined ? undefined : mkdtempSync(join(tmpdir(), 'mesh-edge-repository-'));
  const root = scratch === undefined ? path : join(scratch, 'tree');
  try {
    if (bare !== undefined) unpack(bare, root);
    rows.push(judge(name, root));
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
  process.stderr.write(`${name}\n`);
}
const header = ['repository', 'objects', 'errors', 'warnings', 'infos', 'seconds', 'errors and warnings by rule'];
const lines = [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
process.stdout.write(`${lines.join('\n')}\n`);

/** Objects of a partial clone may be missing: what is there is unpacked. */
function unpack(bare: string, root: string): void {
  mkdirSync(root, { recursive: true });
  const git = ['--git-dir', bare, '--work-tree', root];
  const files = execFileSync('git', [...git, 'ls-tree', '-r', '-z', '--name-only', '--full-tree', 'HEAD'], {
    maxBuffer: 1 << 28,
  });
  const wanted = files.toString('utf8').split('\0').filter((file) => /\.(ya?ml|json|values)$|(^|\/)Kustomization$/.test(file)); // prettier-ignore
  const env = { ...process.env, GIT_NO_LAZY_FETCH: '1', GIT_INDEX_FILE: join(root, '..', 'index') };
  spawnSync('git', [...git, 'read-tree', 'HEAD'], { env });
  spawnSync('git', [...git, 'checkout-index', '-f', '-z', '--stdin'], { env, input: wanted.join('\0') });
}

function judge(name: string, root: string): string[] {
  const began = Date.now();
  const run = spawnSync('node', [bin, 'check', '.', '--format', 'json'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, timeout: 300_000 }); // prettier-ignore
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  if (run.status === 2) return [name, '0', '', '', '', seconds, (run.stderr.split('\n')[0] ?? '').slice(0, 80)];
  const { findings, summary } = JSON.parse(run.stdout) as CheckResult;
  const counts = new Map<string, number>();
  for (const { id, severity } of findings)
    if (severity !== 'info') counts.set(`${id} ${severity}`, (counts.get(`${id} ${severity}`) ?? 0) + 1);
  const byRule = [...counts].sort(([, a], [, b]) => b - a).map(([rule, count]) => `${count} ${rule}`);
  const { objects, errors, warnings, infos } = summary;
  return [name, `${objects}`, `${errors}`, `${warnings}`, `${infos}`, seconds, byRule.join(', ')];
}
