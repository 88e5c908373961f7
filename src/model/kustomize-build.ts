/**
 * What `kustomize build` makes of a folder, without running anything: kustomize/api internal/target/kusttarget.go. What it cannot do
 * here (plugins, charts) throws `NotBuilt` with the reason; remote bases are named, and the rest is built without them.
 */
import { basename, join, relative, resolve } from 'node:path';
import { record, records, strings, text, texts } from './fields';
import { readText } from './files';
import { DISK, type FileTree } from './file-tree';
import { type Built, NotBuilt, type Remote, type Resource, currentId, newResource } from './kustomize-resource';
import { annotate, fillIn, label, prefix, relocate, retag, scale } from './kustomize-transform';
import { applyPatch, type Patch } from './kustomize-apply';
import type { FieldSpec } from './kustomize-fields';
import { generated } from './kustomize-generate';
import { checkKind, checkShape } from './kustomize-shape';
import { followNames, replaceValues, resolveVars } from './kustomize-references';
import type { Loaded, Manifest } from './manifest';
import { isRecord } from './recognize';
import { readYamlDocument } from './yaml-values';

export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** What of a kustomization is neither done nor without effect on what is judged. */
const UNSUPPORTED = [
  'generators',
  'transformers',
  'validators',
  'helmCharts',
  'helmChartInflationGenerator',
  'openapi',
];

const MAX_DEPTH = 50;

/** Reads kustomizations of one tree; each file is read once. */
export class Kustomizer {
  private readonly texts = new Map<string, Loaded>();
  private readonly kustomizations = new Map<string, Record<string, unknown>>();

  public constructor(
    private readonly loadText: (text: string, file: string) => Loaded,
    private readonly tree: FileTree = DISK,
  ) {}

  /** @throws NotBuilt if kustomize would refuse the folder, or does there what is not done here. */
  public build(folder: string): Built {
    const remote: Remote[] = [];
    const files = new Set<string>();
    const state: State = { remote, files, depth: 0, configured: newConfigured() };
    const resources = this.accumulate(folder, [], state);
    followNames(resources, state.configured.references);
    resolveVars(resources, state.configured.variables, remote.length === 0);
    return { resources: resources.filter(({ isLocal }) => !isLocal), remote, files };
  }

  /**
   * What a kustomization that nobody wrote makes of folders and objects: Flux and Argo CD lay one over what they apply.
   *
   * @throws NotBuilt as `build` does
   */
  public overlay(
    { folders, manifests = [] }: { readonly folders: readonly string[]; readonly manifests?: readonly Manifest[] },
    kustomization: Record<string, unknown>,
    { folder, label }: { readonly folder: string; readonly label: string },
  ): Built {
    const remote: Remote[] = [];
    const state: State = { remote, files: new Set<string>(), depth: 0, configured: newConfigured() };
    let resources: Resource[] = [];
    for (const one of folders) resources = append(resources, this.accumulate(one, [], state), label);
    resources = append(resources, manifests.map(newResource), label);
    for (const entry of texts(kustomization.components)) {
      if (isRemote(entry)) remote.push({ entry, file: label });
      else resources = this.accumulate(join(folder, entry), resources, state, true);
    }
    resources = this.transform(resources, kustomization, folder, label, state);
    followNames(resources, state.configured.references);
    resolveVars(resources, state.configured.variables, remote.length === 0);
    return { resources: resources.filter(({ isLocal }) => !isLocal), remote, files: state.files };
  }

  /** The kustomization file of a folder. */
  public fileOf(folder: string): string | undefined {
    return KUSTOMIZATION_NAMES.map((name) => join(folder, name)).find((file) => this.tree.kindOf(file) === 'file');
  }

  public kustomization(file: string): Record<string, unknown> {
    const known = this.kustomizations.get(file);
    if (known) return known;
    const read = readText(file, this.tree);
    if (!('text' in read)) throw new NotBuilt(`${file}: ${read.what}`);
    let value: unknown;
    try {
      value = readYamlDocument(read.text, 'kubectl');
    } catch (error) {
      throw new NotBuilt(
        `${read.file} cannot be read: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
      );
    }
    // kustomize/api types CheckEmpty: nothing besides its type.
    if (
      !isRecord(value) ||
      !Object.keys(value).some((key) => !['apiVersion', 'kind'].includes(key) && value[key] !== null)
    )
      throw new NotBuilt(`${read.file} is empty`);
    this.kustomizations.set(file, value);
    return value;
  }

  /** Folders and files that a kustomization takes up. */
  public takenUp(file: string): readonly string[] {
    let kustomization: Record<string, unknown>;
    try {
      kustomization = this.kustomization(file);
    } catch {
      return [];
    }
    return ['resources', 'bases', 'components', 'generators', 'transformers']
      .flatMap((key) => texts(kustomization[key]))
      .filter((entry) => !entry.includes('\n') && !isRemote(entry))
      .map((entry) => resolve(file, '..', entry));
  }

  /** Files with the objects that a folder would be built of. */
  public uses(folder: string): readonly string[] {
    const files = new Set<string>();
    const seen = new Set<string>();
    const open = [folder];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const file = this.fileOf(at);
      if (file === undefined || seen.has(file)) continue;
      seen.add(file);
      for (const taken of this.takenUp(file)) {
        const path = relative(process.cwd(), taken);
        const kind = this.tree.kindOf(path);
        if (kind === 'folder') open.push(path);
        else if (kind === 'file') files.add(path);
      }
    }
    return [...files];
  }

  private accumulate(folder: string, above: Resource[], state: State, isComponent?: boolean): Resource[] {
    if (state.depth > MAX_DEPTH) throw new NotBuilt(`${folder} takes up itself`);
    const file = this.fileOf(folder);
    if (file === undefined) throw new NotBuilt(`${folder} holds no kustomization.yaml`);
    state.files.add(resolve(file));
    const several = KUSTOMIZATION_NAMES.filter((name) => this.tree.kindOf(join(folder, name)) === 'file');
    if (several.length > 1) throw new NotBuilt(`${folder} holds ${several.join(' and ')}`);
    const kustomization = this.kustomization(file);
    checkShape(kustomization, file);
    if (isComponent !== undefined) checkKind(kustomization, file, isComponent);
    this.configure(folder, kustomization, file, state);
    const strange = UNSUPPORTED.find(
      (key) => texts(kustomization[key]).length > 0 || records(kustomization[key]).length > 0,
    );
    if (strange !== undefined)
      throw new NotBuilt(`${file} has ${strange}, which ${/helm/.test(strange) ? 'render charts' : 'run programs'}`);
    const deeper = { ...state, depth: state.depth + 1 };
    let resources = [...above];
    for (const entry of [...texts(kustomization.resources), ...texts(kustomization.bases)])
      resources = append(resources, this.take(folder, entry, deeper), file);
    resources = append(resources, generated(resources, kustomization, file, (entry) => this.contentOf(folder, entry, state), state.remote.length === 0), file); // prettier-ignore
    for (const entry of texts(kustomization.components)) {
      if (isRemote(entry)) state.remote.push({ entry, file });
      else resources = this.accumulate(join(folder, entry), resources, deeper, true);
    }
    return this.transform(resources, kustomization, folder, file, state);
  }

  private take(folder: string, entry: string, state: State): readonly Resource[] {
    const path = join(folder, entry);
    const kind = this.tree.kindOf(path);
    if (kind === undefined) {
      if (!isRemote(entry)) throw new NotBuilt(`${path} is not there`);
      state.remote.push({ entry, file: join(folder, 'kustomization.yaml') });
      return [];
    }
    if (kind === 'folder') return this.accumulate(path, [], state, false);
    state.files.add(resolve(path));
    return this.objectsOf(path).map(newResource);
  }

  private objectsOf(file: string): readonly Manifest[] {
    let loaded = this.texts.get(file);
    if (!loaded) {
      const read = readText(file, this.tree);
      if (!('text' in read)) throw new NotBuilt(`${file}: ${read.what}`);
      loaded = this.loadText(read.text, read.file);
      this.texts.set(file, loaded);
    }
    const [problem] = loaded.problems;
    if (problem) throw new NotBuilt(`${problem.source.file ?? file}:${problem.source.line ?? 1}: ${problem.what}`);
    return loaded.manifests;
  }

  /** The order of kusttarget_configplugin.go. */
  private transform(
    resources: Resource[],
    kustomization: Record<string, unknown>,
    folder: string,
    file: string,
    state: State,
  ): Resource[] {
    let all = resources;
    const isWhole = state.remote.length === 0;
    const patch = (one: Patch): void => {
      all = applyPatch(all, one, isWhole);
    };
    for (const entry of texts(kustomization.patchesStrategicMerge))
      patch({ file, ...(entry.includes('\n') ? { text: entry } : this.textOf(folder, entry, state)) });
    for (const entry of records(kustomization.patches)) patch({ ...this.patchOf(folder, entry, file, state) });
    if (text(kustomization.namespace) !== '') {
      relocate(all, text(kustomization.namespace), file);
      fillIn(all, text(kustomization.namespace), state.configured.namespaces);
    }
    prefix(all, text(kustomization.namePrefix), text(kustomization.nameSuffix));
    for (const entry of records(kustomization.labels)) label(all, strings(entry.pairs), entry);
    label(all, strings(kustomization.commonLabels), { includeSelectors: true });
    annotate(all, strings(kustomization.commonAnnotations));
    for (const entry of records(kustomization.patchesJson6902)) patch({ ...this.patchOf(folder, entry, file, state) });
    scale(all, records(kustomization.replicas), file, isWhole);
    retag(all, [...records(kustomization.imageTags), ...records(kustomization.images)], state.configured.images);
    for (const entry of records(kustomization.replacements)) {
      const read = text(entry.path) === '' ? [entry] : this.replacementsIn(join(folder, text(entry.path)), state);
      for (const one of read) replaceValues(all, one, file, isWhole);
    }
    for (const one of records(kustomization.vars)) for (const resource of all) resource.vars.push(one);
    return all;
  }

  private patchOf(folder: string, entry: Record<string, unknown>, file: string, state: State): Patch {
    const target = isRecord(entry.target) ? entry.target : undefined;
    const inline = text(entry.patch);
    const options = record(entry.options);
    const found = inline === '' ? this.textOf(folder, text(entry.path), state) : { text: inline };
    return {
      file,
      target,
      ...found,
      allowNameChange: options.allowNameChange === true,
      allowKindChange: options.allowKindChange === true,
    };
  }

  private textOf(folder: string, entry: string, state: State): { readonly text: string } {
    const path = join(folder, entry);
    state.files.add(resolve(path));
    if (this.tree.kindOf(path) !== 'file') throw new NotBuilt(`${path} is not there`);
    const read = readText(path, this.tree);
    if (!('text' in read)) throw new NotBuilt(`${path}: ${read.what}`);
    return read;
  }

  /** What a generator reads; undefined for a file that is no text. */
  private contentOf(folder: string, entry: string, state: State): string | undefined {
    const path = join(folder, entry);
    state.files.add(resolve(path));
    if (this.tree.kindOf(path) !== 'file') throw new NotBuilt(`${path} is not there`);
    const read = readText(path, this.tree);
    return 'text' in read ? read.text : undefined;
  }

  /** Takes what files of `configurations` say of fields: names and vars there, images, namespaces. */
  private configure(folder: string, kustomization: Record<string, unknown>, file: string, state: State): void {
    const { configured } = state;
    for (const entry of texts(kustomization.configurations)) {
      const value = record(readYamlDocument(this.textOf(folder, entry, state).text, 'kubectl'));
      const strange = Object.keys(value).find((key) => !CONFIGURED.has(key) && value[key] !== null);
      if (strange !== undefined)
        throw new NotBuilt(`configurations of ${file} have ${strange}, which is not done here`);
      configured.images.push(...records(value.images).map(fieldSpec));
      configured.namespaces.push(...records(value.namespace).map(fieldSpec));
      configured.variables.push(...records(value.varReference).map(fieldSpec));
      for (const { kind, fieldSpecs } of records(value.nameReference))
        configured.references.push([text(kind), records(fieldSpecs).map(fieldSpec)]);
    }
  }

  private replacementsIn(path: string, state: State): readonly Record<string, unknown>[] {
    const { text: content } = this.textOf(join(path, '..'), basename(path), state);
    const value = readYamlDocument(content, 'kubectl');
    return Array.isArray(value) ? records(value) : [record(value)];
  }
}

interface Configured {
  readonly references: (readonly [string, readonly FieldSpec[]])[];
  readonly variables: FieldSpec[];
  readonly images: FieldSpec[];
  readonly namespaces: FieldSpec[];
}

const CONFIGURED = new Set(['nameReference', 'varReference', 'images', 'namespace']);
const newConfigured = (): Configured => ({ references: [], variables: [], images: [], namespaces: [] });
const fieldSpec = ({ kind, path, create }: Record<string, unknown>): FieldSpec => ({
  ...(text(kind) === '' ? {} : { kinds: [text(kind)] }),
  path: text(path),
  create: create === true,
});

interface State {
  readonly configured: Configured;
  readonly remote: Remote[];
  readonly files: Set<string>;
  readonly depth: number;
}

/** What kustomize fetches: an address, or a repository of a known host. */
export function isRemote(entry: string): boolean {
  return (
    /^(https?|ssh|git|file|oci)(:|::)|^git@|[?&]ref=|^[\w.-]+\.[a-z]{2,}[/:][^/]+\/|^[\w.-]+:[\w.-]+\//.test(entry) &&
    !/^\.{0,2}\//.test(entry)
  );
}

function append(all: Resource[], more: readonly Resource[], file: string): Resource[] {
  const known = new Set(all.map(currentId));
  for (const one of more) {
    const id = currentId(one);
    if (known.has(id)) throw new NotBuilt(`${file} takes up ${id} twice`);
    known.add(id);
  }
  return [...all, ...more];
}
