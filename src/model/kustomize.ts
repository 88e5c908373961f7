/** Files that kustomize lays over others: parts of objects, which say nothing by themselves. */
import { dirname, resolve } from 'node:path';
import { record, records, texts } from './fields';
import { DISK, type FileTree } from './file-tree';
import { readYamlDocument } from './yaml-values';

const KUSTOMIZATION = /(^|[/\\])(kustomization\.ya?ml|Kustomization)$/;

export function isKustomization(file: string): boolean {
  return KUSTOMIZATION.test(file);
}

/** What a kustomization names as patches, or as input of its generators and transformers, by full path. */
export function overlaid(file: string, tree: FileTree = DISK): readonly string[] {
  let kustomization;
  try {
    kustomization = record(readYamlDocument(tree.read(file).toString('utf8'), 'kubectl'));
  } catch {
    return []; // reading it as a manifest says what is wrong
  }
  const { patches, patchesStrategicMerge, patchesJson6902, replacements, configurations, crds } = kustomization;
  const named = [
    ...[patches, patchesJson6902, replacements].flatMap((list) => records(list).map(({ path }) => path)),
    // A patch may also be written where its path would be.
    ...texts(patchesStrategicMerge).filter((patch) => !patch.includes('\n')),
    ...texts(configurations),
    ...texts(crds),
    ...records(kustomization.helmCharts).flatMap(({ valuesFile, additionalValuesFiles }) => [
      valuesFile,
      ...texts(additionalValuesFiles),
    ]),
    ...[kustomization.configMapGenerator, kustomization.secretGenerator].flatMap((list) =>
      records(list).flatMap(({ files }) => texts(files).map((entry) => entry.slice(entry.indexOf('=') + 1))),
    ),
  ];
  return named
    .filter((path): path is string => typeof path === 'string' && path !== '')
    .map((path) => resolve(dirname(file), path));
}
