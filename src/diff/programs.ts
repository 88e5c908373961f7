/** Programs that write manifests, by their files and by data beside them: where these differ, nobody knows what that does to traffic. */
import { dirname, relative, sep } from 'node:path';
import type { FileTree } from '../model/file-tree';
import { findAll } from '../model/files';
import { isKustomization } from '../model/kustomize';
import type { Loaded } from '../model/manifest';
import { digest } from '../model/digest';
import { type Unrendered } from './charts';

/** @param loaded what was read of the side: files with an object are compared by their objects */
export function programFiles(side: string, tree: FileTree, { manifests, problems, leftOut = [] }: Loaded): readonly Unrendered[] {
  if (tree.kindOf(side) !== 'folder') return [];
  const { files, programs } = findAll([side], [], tree, []);
  const isRead = new Set([...[...manifests, ...problems].map(({ source }) => source.file), ...leftOut.map(({ file }) => file)]);
  const data = files.filter((file) => !isRead.has(tree.nameOf(file)) && !isKustomization(file));
  tree.prepare?.([...programs.flatMap((one) => one.files), ...data]);
  return programs.flatMap((one) => {
    const folder = folderOf(one.files);
    const given = data.filter((file) => !one.files.includes(file) && (folder === '' || file.startsWith(`${folder}${sep}`))); // prettier-ignore
    return [...one.files, ...given].map((file) => ({
      what: `${one.tool} file ${relative(side, file)}`,
      isChart: false,
      group: one.tool,
      digest: digest(tree.read(file)),
    }));
  });
} // prettier-ignore

/** The folder around all of these: what data lies there may be what the program is given. */
function folderOf(files: readonly string[]): string {
  const [first = [], ...rest] = files.map((file) => dirname(file).split(sep));
  const differs = first.findIndex((part, at) => rest.some((other) => other[at] !== part));
  const folder = (differs < 0 ? first : first.slice(0, differs)).join(sep);
  return folder === '.' ? '' : folder;
}
