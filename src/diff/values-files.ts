/**
 * What tools are given to render with, and is not rendered here: files of values, ConfigMaps and Secrets. Where it differs, nobody knows what that
 * does to traffic.
 */
import { relative, sep } from 'node:path';
import { canonical } from '../model/canonical';
import { record, records, text, texts } from '../model/fields';
import type { FileTree } from '../model/file-tree';
import { findFiles, readText } from '../model/files';
import type { Manifest } from '../model/manifest';
import { readYaml } from '../model/yaml-values';
import { type Unrendered } from './charts';
import { digest } from '../model/digest';

const HELMFILE = /(^|[/\\])(helmfile(\.[\w-]+)?\.ya?ml|helmfile\.d[/\\][^/\\]+\.ya?ml)$/;

/** Fields, wherever they stand, that list files of values. */
const LISTS = new Set(['valueFiles', 'valuesFiles']);

export function valuesFiles(side: string, tree: FileTree, manifests: readonly Manifest[]): readonly Unrendered[] {
  if (tree.kindOf(side) !== 'folder') return [];
  const files = findFiles([side], [], tree);
  const helmfiles = files.filter((file) => HELMFILE.test(file));
  const named = [
    ...manifests.filter(installs).flatMap(({ body }) => listed(body, LISTS)),
    ...helmfiles.flatMap((file) => valuesOfHelmfile(file, tree)),
  ].flatMap((entry) => patternOf(entry) ?? []);
  // Values of istiod and the like are read themselves.
  const isRead = new Set(manifests.map(({ source }) => source.file));
  const given = named.length === 0 ? [] : files.filter((file) => !isRead.has(tree.nameOf(file)) && named.some((isMeant) => isMeant(file))); // prettier-ignore
  return [...new Set([...helmfiles, ...given])].map((file) => {
    const folder = relative(side, file);
    return {
      what: `${helmfiles.includes(file) ? 'helmfile' : 'values file'} ${folder}`,
      isChart: false,
      digest: digest(tree.read(file)),
    };
  });
}

function installs({ group, kind }: Manifest): boolean {
  if (group === 'argoproj.io') return kind === 'Application' || kind === 'ApplicationSet';
  return group === 'helm.toolkit.fluxcd.io' && kind === 'HelmRelease';
}

function listed(value: unknown, fields: ReadonlySet<string>): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => listed(item, fields));
  return Object.entries(record(value)).flatMap(([key, item]) =>
    fields.has(key) && Array.isArray(item) ? texts(item) : listed(item, fields),
  );
}

function valuesOfHelmfile(file: string, tree: FileTree): readonly string[] {
  const read = readText(file, tree);
  if (!('text' in read)) return [];
  try {
    return [...readYaml(read.text, 'kubectl')].flatMap((one) => listed(record(one).releases, new Set(['values', 'secrets']))); // prettier-ignore
  } catch {
    return []; // a template, of which nobody knows more than that it changed
  }
}

/** `$ref/envs/prod.yaml`, `../envs/{{ env }}.yaml`: the end of a path, of which some is filled in later. */
function patternOf(entry: string): ((file: string) => boolean) | undefined {
  if (entry.includes('://')) return undefined;
  const tail = entry.replace(/^\$[^/]+\//, '').replace(/^(\.{0,2}\/)+/, '');
  const parts = tail.split(/\{\{[^{}]*\}\}/);
  return tail === '' ? undefined : (file) => endsWith(`/${file.split(sep).join('/')}`, parts);
}

/** Whether a path ends with the parts in their order, whatever stands between them, the first at the start of a name. */
function endsWith(path: string, parts: readonly string[]): boolean {
  let end = path.length;
  for (const part of parts.slice(1).reverse()) {
    const at = end === path.length ? (path.endsWith(part) ? end - part.length : -1) : path.lastIndexOf(part, end - part.length); // prettier-ignore
    if (at < 0) return false;
    end = at;
  }
  const first = `/${parts[0] ?? ''}`;
  return parts.length === 1 ? path.endsWith(first) : path.lastIndexOf(first, end - first.length) >= 0;
}

/**
 * ConfigMaps and Secrets that a HelmRelease takes values from, or a Kustomization of Flux whose files are elsewhere.
 *
 * @param remote what the worlds take from elsewhere, each with the object that does
 */
export function valuesObjects(manifests: readonly Manifest[], remote: readonly string[]): readonly Unrendered[] {
  const named = new Map<string, string>();
  for (const { group, kind, namespace, name, body } of manifests) {
    const user = `${kind} ${namespace}/${name}`;
    const { valuesFrom, postBuild } = record(body.spec);
    const isElsewhere = (): boolean => remote.some((one) => one.endsWith(` (${user})`));
    const sources =
      group === 'helm.toolkit.fluxcd.io' && kind === 'HelmRelease'
        ? records(valuesFrom)
        : group === 'kustomize.toolkit.fluxcd.io' && kind === 'Kustomization' && isElsewhere()
          ? records(record(postBuild).substituteFrom)
          : [];
    for (const one of sources) named.set(`${text(one.kind)} ${namespace}/${text(one.name)}`, user);
  }
  return manifests.flatMap(({ group, kind, namespace, name, body }) => {
    const user = group === '' ? named.get(`${kind} ${namespace}/${name}`) : undefined;
    if (user === undefined) return [];
    const { data, stringData, binaryData } = body;
    return [
      { what: `${kind} ${namespace}/${name}, with values for ${user},`, isChart: false, digest: digest(canonical([data ?? null, stringData ?? null, binaryData ?? null])) },
    ]; // prettier-ignore
  });
}
