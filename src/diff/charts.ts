/** Charts that are not rendered: where their files differ, nobody knows what that does to traffic. */
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import type { Chart } from '../model/charts';
import type { FileTree } from '../model/file-tree';
import type { Undecided } from './types';

/** A chart as it can be compared with that of another revision. */
export interface Unrendered {
  /** From the folder that the side is. */
  readonly folder: string;
  readonly digest: string;
}

export function unrendered(charts: readonly Chart[], side: string, tree: FileTree): readonly Unrendered[] {
  const folders = new Set(charts.map(({ folder }) => tree.pathOf(folder)));
  return [...folders].map((folder) => ({ folder: relative(side, folder) || '.', digest: digestOf(folder, tree) }));
}

function digestOf(chart: string, tree: FileTree): string {
  const hash = createHash('sha256');
  const open = [chart];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop())
    for (const entry of [...tree.entries(folder)].sort()) {
      const path = join(folder, entry);
      const kind = tree.kindOf(path);
      if (kind === 'folder') open.push(path);
      else if (kind === 'file')
        hash
          .update(`${relative(chart, path)}\0`)
          .update(tree.read(path))
          .update('\0');
    }
  return hash.digest('hex');
}

export function changedCharts(was: readonly Unrendered[], is: readonly Unrendered[]): readonly Undecided[] {
  const [old, now] = [was, is].map((all) => new Map(all.map(({ folder, digest }) => [folder, digest])));
  return [...new Set([...was, ...is].map(({ folder }) => folder))]
    .filter((folder) => old?.get(folder) !== now?.get(folder))
    .map((folder) => ({
      from: ['everybody'],
      to: 'every host',
      what: `chart ${folder} is ${old?.has(folder) !== true ? 'added' : now?.has(folder) !== true ? 'removed' : 'changed'}`,
      why: 'it is not rendered, so what it makes of its templates is not known (--helm renders it)',
    }));
}
