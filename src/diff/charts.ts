/** Charts that are not rendered: where their files differ, nobody knows what that does to traffic. */
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import type { Chart } from '../model/charts';
import type { FileTree } from '../model/file-tree';
import type { Undecided } from './types';

/** What is given to a tool that renders, as it can be compared with that of another revision. */
export interface Unrendered {
  /** `chart FOLDER`, `values file PATH`, from the folder that the side is; an object by its kind and name. */
  readonly what: string;
  /** Whether it is a chart itself, which could be rendered here. */
  readonly isChart: boolean;
  /** What is told together: all files of one program are one doubt. */
  readonly group?: string;
  readonly digest: string;
}

export function unrendered(charts: readonly Chart[], side: string, tree: FileTree): readonly Unrendered[] {
  const folders = new Set(charts.map(({ folder }) => tree.pathOf(folder)));
  return [...folders].map((folder) => ({
    what: `chart ${relative(side, folder) || '.'}`,
    isChart: true,
    digest: digestOf(folder, tree),
  }));
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
  const [old, now] = [was, is].map((all) => new Map(all.map(({ what, digest }) => [what, digest])));
  const all = new Map([...was, ...is].map((one) => [one.what, one]));
  const differing = [...all.values()].filter(({ what }) => old?.get(what) !== now?.get(what));
  const change = ({ what }: Unrendered): string =>
    `${what} is ${old?.has(what) !== true ? 'added' : now?.has(what) !== true ? 'removed' : 'changed'}`;
  const groups = new Map<string, Unrendered[]>();
  for (const one of differing) {
    const key = one.group ?? one.what;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((group) => ({
    from: ['everybody'],
    to: 'every host',
    what: group.slice(0, NAMED).map(change).join(', ') + (group.length > NAMED ? ` and ${group.length - NAMED} more` : ''), // prettier-ignore
    why: group.some(({ isChart }) => isChart)
      ? 'it is not rendered, so what it makes of its templates is not known (--helm renders it)'
      : 'what is made with it is not rendered here, so what becomes of it is not known (compare what is rendered)',
  }));
}

/** As many files of a program as a sentence names. */
const NAMED = 5;
