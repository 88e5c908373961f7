/**
 * Helm charts among files. Their templates say nothing before Helm has rendered them, and nothing of them is judged; whoever asks for it
 * has them rendered by their own `helm template`, with the values that a HelmRelease, an Application or mesh-edge.yaml names.
 */
import { dirname, join } from 'node:path';
import { record, records, text, texts } from './fields';
import type { FileTree } from './file-tree';
import type { Manifest } from './manifest';

export interface Chart {
  /** Its folder, as a message names it. */
  readonly folder: string;
  readonly release: string;
  readonly namespace: string;
  /** The later outweigh the earlier. */
  readonly values: readonly Values[];
  /** Who installs it with these values: `HelmRelease shop/web`, `mesh-edge.yaml`; left out where nobody says so. */
  readonly by?: string;
  /** Why it is not rendered, although it was asked for. */
  readonly reason?: string;
}

/** A file of values, or their text. */
export type Values = { readonly file: string } | { readonly text: string };

/** What `helm template` makes of a chart, or why nothing. */
export type RenderChart = (chart: Chart, tree: FileTree) => { readonly text: string } | { readonly reason: string };

/** Folders of charts, without charts within charts: Helm renders those with their parent. */
export function chartFolders(files: readonly string[]): readonly string[] {
  const all = new Set(files.filter((file) => /(^|[/\\])Chart\.ya?ml$/.test(file)).map((file) => dirname(file)));
  return [...all].filter((folder) => {
    for (let at = dirname(folder); at !== dirname(at); at = dirname(at)) if (all.has(at)) return false;
    return folder === '.' || !all.has('.');
  });
}

/** The chart of this repository that a HelmRelease of Flux installs; undefined if it comes from elsewhere. */
export function chartOfRelease(manifest: Manifest, find: (path: string) => string | undefined): Chart | undefined {
  const spec = record(record(manifest.body).spec);
  const template = record(record(spec.chart).spec);
  if (text(record(template.sourceRef).kind) !== 'GitRepository') return undefined;
  const folder = find(text(template.chart));
  if (folder === undefined) return undefined;
  const files = texts(template.valuesFiles).flatMap((file) => find(dirname(file)) ?? []);
  const values = texts(template.valuesFiles).map((file, at): Values => ({
    file: join(files[at] ?? '.', file.split('/').at(-1) ?? ''),
  }));
  return {
    folder,
    release: text(spec.releaseName) || manifest.name,
    namespace: text(spec.targetNamespace) || manifest.namespace,
    values: [...values, ...(spec.values === undefined ? [] : [asText(spec.values)])],
    by: `HelmRelease ${manifest.namespace}/${manifest.name}`,
    ...(records(spec.valuesFrom).length === 0
      ? {}
      : { reason: 'its HelmRelease takes values from ConfigMaps or Secrets (valuesFrom), which are not read here' }),
  };
}

/** The chart at a folder with what the source of an Application of Argo CD says of it. */
export function chartOfSource(
  folder: string,
  source: Record<string, unknown>,
  { name, namespace, by }: { readonly name: string; readonly namespace: string; readonly by: string },
): Chart {
  const helm = record(source.helm);
  const parameters = records(helm.parameters).map((one): Record<string, unknown> => nested(text(one.name), one.value));
  return {
    folder,
    release: text(helm.releaseName) || name,
    namespace,
    values: [
      // Files of other sources ($values/...) are not here.
      ...texts(helm.valueFiles)
        .filter((file) => !file.startsWith('$'))
        .map((file): Values => ({ file: join(folder, file) })),
      ...(text(helm.values) === '' ? [] : [{ text: text(helm.values) }]),
      ...(helm.valuesObject === undefined ? [] : [asText(helm.valuesObject)]),
      ...parameters.map(asText),
    ],
    by,
  };
}

const asText = (value: unknown): Values => ({ text: JSON.stringify(value) });

/** `a.b.c` as Helm's `--set` reads it, where it is plain. */
export function nested(path: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path.split('.');
  return { [first]: rest.length === 0 ? value : nested(rest.join('.'), value) };
}
