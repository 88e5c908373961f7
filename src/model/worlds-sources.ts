/** Where in the repository the tools that apply it look: folders by the paths that Flux and Argo CD name, and what is in them. */
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type Chart, chartOfSource } from './charts';
import { record, text } from './fields';
import type { FileTree } from './file-tree';
import { readText } from './files';
import { isKustomization } from './kustomize';
import type { Kustomizer } from './kustomize-build';
import { manifestsOf } from './kustomize-manifests';
import { type Built, NotBuilt } from './kustomize-resource';
import type { Manifest } from './manifest';
import { isRecord } from './recognize';
import { type Repository, argoOverlay, isIncluded, placed, pluginOf, sourcesOf } from './worlds-argo';
import { fluxOverlay } from './worlds-flux';

/** What a tool takes from the repository for one of its objects. */
export interface Brought {
  readonly manifests: readonly Manifest[];
  /** What it takes from elsewhere, or cannot be read. */
  readonly remote: readonly string[];
  readonly charts: readonly Chart[];
  /** Folders whose build roots it took, and files as messages name them. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

const NOTHING: Brought = { manifests: [], remote: [], charts: [], folders: [], files: [] };

export class Sources {
  /** Folders below those that were named, by full path, as the tree names them. */
  private readonly folders = new Map<string, string>();
  private readonly filesIn = new Map<string, string[]>();
  private readonly foldersIn = new Map<string, Set<string>>();
  private readonly usesOf = new Map<string, ReadonlySet<string>>();
  private readonly tops: readonly string[];

  /** @param loaded manifests of files that are no kustomization, by the file as messages name it */
  public constructor(
    named: readonly string[],
    private readonly files: readonly string[],
    private readonly kustomizer: Kustomizer,
    private readonly loaded: (file: string) => readonly Manifest[],
    private readonly tree: FileTree,
  ) {
    this.tops = named.map((folder) => resolve(folder));
    for (const file of files) {
      const own = resolve(dirname(file));
      this.filesIn.set(own, [...(this.filesIn.get(own) ?? []), file]);
      for (let at = dirname(file), full = own; !this.folders.has(full); at = dirname(at), full = dirname(full)) {
        this.folders.set(full, at);
        if (this.tops.includes(full) || full === dirname(full)) break;
        const above = this.foldersIn.get(dirname(full)) ?? new Set<string>();
        this.foldersIn.set(dirname(full), above.add(full));
      }
    }
  }

  /** A folder by its path from the top of the repository, which may be above the folders that were named. */
  public find(path: string): string | undefined {
    for (const named of this.tops)
      for (let top = named; ; top = dirname(top)) {
        const target = join(top, path).replace(/(.)\/$/, '$1');
        if (this.folders.has(target) && (target !== named || this.isRootPath(path, named))) return target;
        if (top === dirname(top)) break;
      }
    return undefined;
  }

  /**
   * What Flux applies from: the path is one of the repository, or of an artifact that was made of a part of it (OCIRepository, Bucket,
   * ExternalArtifact), whose top is then a folder around the Kustomization.
   */
  private sourceOf({ body, source }: Manifest, path: string): string | undefined {
    const found = this.find(path);
    const spec = record(record(body).spec);
    if (found !== undefined || text(record(spec.sourceRef).kind) === 'GitRepository') return found;
    if (source.file === undefined || /^(\.?\/?)*$/.test(path)) return undefined;
    for (let top = dirname(resolve(this.tree.pathOf(source.file))); this.folders.has(top); top = dirname(top)) {
      const target = join(top, path).replace(/(.)\/$/, '$1');
      if (this.folders.has(target)) return target;
    }
    return undefined;
  }

  /** `.` stands for this repository only if a build root lies there, since it may be that of any other. */
  private isRootPath(path: string, folder: string): boolean {
    return !/^(\.?\/?)$/.test(path) || this.kustomizationIn(folder);
  }

  public chartIn(folder: string): boolean {
    return (this.filesIn.get(folder) ?? []).some((file) => /^Chart\.ya?ml$/.test(basename(file)));
  }

  public nameOf(folder: string): string {
    return this.tree.nameOf(this.folders.get(folder) ?? folder);
  }

  private kustomizationIn(folder: string): boolean {
    return (this.filesIn.get(folder) ?? []).some(isKustomization);
  }

  /** Whether a build root holds the object itself. */
  private isBuiltOf(folder: string, { source }: Manifest): boolean {
    let files = this.usesOf.get(folder);
    if (files === undefined) {
      files = new Set(this.kustomizer.uses(this.folders.get(folder) ?? folder).map((file) => resolve(file)));
      this.usesOf.set(folder, files);
    }
    return source.file !== undefined && files.has(resolve(this.tree.pathOf(source.file)));
  }

  /** Flux builds the kustomization at the path, or writes one over all that is below (fluxcd/pkg kustomize generator). */
  public flux(manifest: Manifest): Brought {
    const path = text(record(record(manifest.body).spec).path);
    const label = `Kustomization ${manifest.namespace}/${manifest.name}`;
    const folder = this.sourceOf(manifest, path);
    if (folder === undefined) return { ...NOTHING, remote: [`${path || './'} (${label})`] };
    const folders: string[] = [];
    const files: string[] = [];
    const open = [folder];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (this.kustomizationIn(at)) {
        // What a cluster was bootstrapped with is below the folder that it applies, and there already.
        if (!this.isBuiltOf(at, manifest)) folders.push(at);
      } else {
        files.push(...(this.filesIn.get(at) ?? []));
        open.push(...(this.foldersIn.get(at) ?? []));
      }
    }
    // A cluster's own Kustomization has the folder around it, whose files are there as they are.
    const isOwn = files.some((file) => this.tree.nameOf(file) === manifest.source.file);
    return this.built(folder, folders, isOwn ? [] : files, isOwn ? {} : fluxOverlay(manifest), label);
  }

  public argo(application: Manifest): Brought {
    const spec = record(record(application.body).spec);
    const namespace = text(record(spec.destination).namespace);
    const label = `Application ${application.namespace}/${application.name}`;
    const all = sourcesOf(application).map((source): Brought => {
      const path = text(source.path);
      if (text(source.chart) !== '') return { ...NOTHING, remote: [`chart ${text(source.chart)} (${label})`] };
      if (path === '') return NOTHING; // a source of values alone
      const folder = this.find(path);
      if (folder === undefined || path.includes('{{')) return { ...NOTHING, remote: [`${path} (${label})`] };
      const plugin = pluginOf(source);
      if (plugin !== undefined) return { ...NOTHING, remote: [`${path} (${plugin} of ${label})`] };
      // `directory` says of any folder that its files are applied as they stand (Argo CD ExplicitType).
      const isDirectory = isRecord(source.directory);
      if (!isDirectory && this.chartIn(folder)) {
        const at = this.folders.get(folder) ?? folder;
        return { ...NOTHING, charts: [chartOfSource(at, source, { name: application.name, namespace, by: label })] };
      }
      if (!isDirectory && this.kustomizationIn(folder))
        return this.isBuiltOf(folder, application)
          ? NOTHING
          : this.built(folder, [folder], [], argoOverlay(source), label);
      const files = this.below(folder).filter((file) => isIncluded(source, relative(folder, resolve(file))));
      return this.built(folder, [], files, {}, label);
    });
    return {
      manifests: all.flatMap(({ manifests }) => manifests).map((one) => placed(one, namespace)),
      remote: all.flatMap(({ remote }) => remote),
      charts: all.flatMap(({ charts }) => charts),
      folders: all.flatMap(({ folders }) => folders),
      files: all.flatMap(({ files }) => files),
    };
  }

  private built(
    folder: string,
    folders: readonly string[],
    files: readonly string[],
    overlay: Record<string, unknown>,
    label: string,
  ): Brought {
    const at = this.folders.get(folder) ?? folder;
    const plain = files.filter((file) => !isKustomization(file)).map((file) => this.tree.nameOf(file));
    const manifests = plain.flatMap((file) => this.loaded(file));
    const taken = { folders: [folder, ...folders], files: plain };
    if (folders.length === 0 && Object.keys(overlay).length === 0) return { ...NOTHING, ...taken, manifests };
    let built: Built;
    try {
      const places = folders.map((one) => this.folders.get(one) ?? one);
      built = this.kustomizer.overlay({ folders: places, manifests }, overlay, { folder: at, label });
    } catch (error) {
      if (!(error instanceof NotBuilt)) throw error;
      return { ...NOTHING, files: plain, remote: [`${this.nameOf(folder)} (${error.message})`] };
    }
    return {
      ...NOTHING,
      ...taken,
      manifests: manifestsOf(built),
      remote: built.remote.map(({ entry }) => entry),
    };
  }

  private below(folder: string): readonly string[] {
    return [
      ...(this.filesIn.get(folder) ?? []),
      ...[...(this.foldersIn.get(folder) ?? [])].flatMap((one): readonly string[] => this.below(one)),
    ];
  }

  /** What generators of ApplicationSets see of the repository, from its top. */
  public repository(): Repository {
    const top = this.tops[0] ?? resolve('.');
    const inside = (path: string): string => relative(top, path);
    const byPath = new Map(this.files.map((file) => [inside(resolve(file)), file]));
    return {
      folders: [...this.folders.keys()].map(inside).filter((path) => path !== '' && !path.startsWith('..')),
      files: [...byPath.keys()],
      read: (path) => {
        const file = byPath.get(path);
        const read = file === undefined ? undefined : readText(file, this.tree);
        return read !== undefined && 'text' in read ? read.text : undefined;
      },
    };
  }
}
