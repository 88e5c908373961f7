/** The user's own `helm template`, run only where they ask for it: charts of the repository as they lie there, nothing fetched. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chart, RenderChart } from '../model/charts';
import type { FileTree } from '../model/file-tree';
import { UsageError } from './exit';

/** Charts that come to more than this are not manifests that somebody reads. */
const MAX_BYTES = 1 << 28;

export const renderChart: RenderChart = ({ folder, release, namespace, values }: Chart, tree: FileTree) => {
  const scratch = mkdtempSync(join(tmpdir(), 'mesh-edge-chart-'));
  try {
    const chart = tree.isOnDisk ? folder : checkedOut(tree, folder, join(scratch, 'chart'));
    const files = values.map((one, at) => {
      if ('file' in one && tree.isOnDisk) return one.file;
      const file = join(scratch, `${at}.yaml`);
      writeFileSync(file, 'text' in one ? one.text : tree.read(one.file));
      return file;
    });
    const run = spawnSync(
      process.env.HELM ?? 'helm',
      [
        'template',
        release,
        chart,
        '--namespace',
        namespace,
        '--include-crds',
        ...files.flatMap((file) => ['--values', file]),
      ],
      { encoding: 'utf8', maxBuffer: MAX_BYTES, timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    if (run.error !== undefined && 'code' in run.error && run.error.code === 'ENOENT')
      throw new UsageError('--helm runs your own helm, and there is none on the PATH');
    if (run.status === 0) return { text: run.stdout };
    const [first = 'it fails'] = (run.stderr || (run.error?.message ?? ''))
      .split('\n')
      .filter((line) => line.trim() !== '');
    return { reason: first.replace(/^Error: /, '') };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

/** The files of a revision where helm finds them. */
function checkedOut(tree: FileTree, folder: string, target: string): string {
  mkdirSync(target, { recursive: true });
  for (const entry of tree.entries(folder)) {
    const path = join(folder, entry);
    const kind = tree.kindOf(path);
    if (kind === 'folder') checkedOut(tree, path, join(target, entry));
    else if (kind === 'file') writeFileSync(join(target, entry), tree.read(path));
  }
  return target;
}
