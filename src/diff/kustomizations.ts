/** Kustomizations as objects that can be compared: what they do to the objects of their files, patches included. */
import { dirname, relative } from 'node:path';
import { record, texts } from '../model/fields';
import type { FileTree } from '../model/file-tree';
import { findFiles } from '../model/files';
import { isKustomization, overlaid } from '../model/kustomize';
import type { Manifest } from '../model/manifest';
import { toManifest } from '../model/object';
import { readYamlDocument } from '../model/yaml-values';

const API = 'kustomize.config.k8s.io/v1beta1';

export function kustomizations(path: string, tree: FileTree, from: number): readonly Manifest[] {
  if (tree.kindOf(path) !== 'folder') return [];
  const files = findFiles([path], [], tree).filter(isKustomization);
  return files.flatMap((file, index) => {
    let body;
    try {
      body = record(readYamlDocument(tree.read(file).toString('utf8'), 'kubectl'));
    } catch {
      return []; // reading it as a manifest says what is wrong
    }
    const { resources, apiVersion: _api, kind: _kind, metadata: _metadata, ...rest } = body;
    // Files that it lists are read by themselves; folders and addresses bring objects that only kustomize sees together.
    const elsewhere = texts(resources).filter((one) => one.includes('://') || !/\.(ya?ml|json)$/.test(one));
    const patches = Object.fromEntries(
      overlaid(file, tree).map((one) => [relative(dirname(file), one), textOf(tree, relative(process.cwd(), one))]),
    );
    const name = relative(path, dirname(file)) || '.';
    return toManifest(
      { apiVersion: API, kind: 'Kustomization', metadata: { name }, ...rest, elsewhere, files: patches },
      from + index,
      { file: tree.nameOf(file) },
      () => undefined,
    );
  });
}

function textOf(tree: FileTree, file: string): string | null {
  return tree.kindOf(file) === 'file' ? tree.read(file).toString('utf8') : null;
}
