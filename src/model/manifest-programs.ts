/**
 * Files of programs that write manifests: Jsonnet, CUE, cdk8s and the like. Nothing in them is run, so what they make is not known, and whoever
 * compares or judges a folder is told that they are there.
 */
import { basename, dirname, extname, join, sep } from 'node:path';
import { record, text } from './fields';
import type { FileTree } from './file-tree';
import type { LeftOut } from './manifest';
import { readYaml } from './yaml-values';

export interface ManifestProgram {
  /** `Jsonnet`, `cdk8s`, as its users call it. */
  readonly tool: string;
  /** As the tree has them. */
  readonly files: readonly string[];
  /** How to get the manifests. */
  readonly render: string;
}

interface Language {
  readonly tool: string;
  readonly files: RegExp;
  readonly render: string;
  /** What the text has to say, where other programs have files of that name too. */
  readonly says?: RegExp;
  /** What one of all its files has to say, where a language is for other things as well. */
  readonly mark?: RegExp;
}

/** What is written about Kubernetes names it, or the fields that its objects have. */
const KUBERNETES = /\b(apiVersion|k8s|kubernetes|timoni)\b/i;
const PIPE = '| mesh-edge check -';

const LANGUAGES: readonly Language[] = [
  { tool: 'Jsonnet', files: /\.(jsonnet|libsonnet)$/, render: `jsonnet --yaml-stream FILE ${PIPE}` },
  { tool: 'CUE', files: /\.cue$/, mark: KUBERNETES, render: `cue export FILE --out yaml, or timoni build NAME FOLDER of a module, ${PIPE}` },
  { tool: 'ytt', files: /\.(star|lib\.ya?ml|lib\.txt)$/, render: `ytt -f FOLDER ${PIPE}` },
  { tool: 'KCL', files: /\.k$/, mark: KUBERNETES, render: `kcl run FILE ${PIPE}` },
  { tool: 'Dhall', files: /\.dhall$/, mark: KUBERNETES, render: `dhall-to-yaml --documents --file FILE ${PIPE}` },
  { tool: 'Pkl', files: /\.pkl$/, mark: KUBERNETES, render: `pkl eval --format yaml FILE ${PIPE}` },
  { tool: 'Nickel', files: /\.ncl$/, mark: KUBERNETES, render: `nickel export --format yaml FILE ${PIPE}` },
  { tool: 'Terraform', files: /\.(tf|tofu|tf\.json)$/, says: /\b(kubernetes_\w+|kubectl_manifest|kustomization_resource|helm_release)\b/, render: 'give the manifests that it applies, or what the cluster has: mesh-edge dump' },
  { tool: 'template', files: /\.(ya?ml|json)\.(j2|jinja2?|gotmpl|tmpl|tpl|template|erb|mustache|hbs|tftpl)$/, says: /\bapiVersion\b/, render: `render it: ... ${PIPE}` },
]; // prettier-ignore

/** Projects whose program may be in any language: a file that says so, and how to run it. */
const PROJECTS = [
  { tool: 'cdk8s', by: /^cdk8s\.ya?ml$/, render: `cdk8s synth --stdout ${PIPE}` },
  { tool: 'Pulumi', by: /^Pulumi\.ya?ml$/, render: 'let its Kubernetes provider write YAML (renderYamlToDirectory), and give that folder' },
] as const; // prettier-ignore

const SOURCE = /\.(ts|mts|cts|js|mjs|cjs|py|go|java|kt|cs|fs|rb)$/;
const TEST = /(\.(test|spec)\.\w+|_test\.\w+|(^|[/\\])(test|tests|__tests__|__snapshots__)[/\\].*)$/;
const SETTINGS = /^(cdk8s|Pulumi(\.[\w-]+)?)\.ya?ml$/;

/**
 * @param manifests files that are read as manifests
 * @param others all other files of the same folders
 */
export function manifestPrograms(
  manifests: readonly string[],
  others: readonly string[],
  tree: FileTree,
): readonly ManifestProgram[] {
  const projects = manifests.flatMap((file) => {
    const project = PROJECTS.find(({ by }) => by.test(basename(file)));
    return project === undefined ? [] : [{ ...project, folder: dirname(file) }];
  });
  const files = new Map<string, { readonly render: string; readonly files: string[] }>();
  const add = (tool: string, render: string, file: string): void => {
    const known = files.get(tool);
    if (known === undefined) files.set(tool, { render, files: [file] });
    else known.files.push(file);
  };
  const all = [...others, ...manifests];
  for (const { tool, files: ending, says: words, mark, render } of LANGUAGES) {
    const found = all.filter((file) => ending.test(file));
    if (words !== undefined || mark !== undefined) tree.prepare?.(found);
    if (mark !== undefined && !found.some((file) => says(file, mark, tree))) continue;
    for (const file of found) if (words === undefined || says(file, words, tree)) add(tool, render, file);
  }
  for (const { tool, render, folder } of projects) {
    if (tool === 'cdk8s' && hasOutput(folder, manifests, tree)) continue;
    for (const file of all) if (isBelow(file, folder) && isOfProject(file, folder)) add(tool, render, file);
  }
  return [...files].map(([tool, found]) => ({ tool, ...found }));
}

function says(file: string, words: RegExp, tree: FileTree): boolean {
  return words.test(tree.read(file).toString('utf8'));
}

/** Whether what a cdk8s app writes is among the manifests: then that is compared and judged, whatever the program is. */
function hasOutput(folder: string, manifests: readonly string[], tree: FileTree): boolean {
  const outputs = ['cdk8s.yaml', 'cdk8s.yml'].flatMap((name) => {
    const file = join(folder, name);
    return tree.kindOf(file) === 'file' ? (text(record(settingsOf(file, tree)).output) || []) : [];
  }); // prettier-ignore
  return ['dist', ...outputs].some((output) => {
    const place = join(folder, output);
    return place !== folder && manifests.some((file) => isBelow(file, place));
  });
}

function settingsOf(file: string, tree: FileTree): unknown {
  try {
    return readYaml(tree.read(file).toString('utf8'), 'kubectl')[0];
  } catch {
    return undefined;
  }
}

function isOfProject(file: string, folder: string): boolean {
  const within = folder === '.' || folder === '' ? file : file.slice(folder.length + 1);
  if (SETTINGS.test(basename(file))) return dirname(file) === folder;
  return SOURCE.test(extname(file)) && !TEST.test(within);
}

function isBelow(path: string, folder: string): boolean {
  return folder === '.' || folder === '' || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

/** As what is passed over: a project by the file that says so, others file by file. */
export function passedOver({ tool, files, render }: ManifestProgram, tree: FileTree): readonly LeftOut[] {
  const isProject = PROJECTS.some((one) => one.tool === tool);
  const named = isProject ? files.filter((file) => /^(cdk8s|Pulumi)\.ya?ml$/.test(basename(file))) : files;
  const what = isProject ? `a program of ${tool}` : tool === 'template' ? 'a template' : tool;
  return named.map((file, at) => ({
    file: tree.nameOf(file),
    why: `${what}, which is not ${tool === 'template' ? 'rendered' : 'run'}${at === 0 ? `: ${render}` : ''}`,
  }));
}
