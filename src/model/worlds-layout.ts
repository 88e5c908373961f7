/** What mesh-edge.yaml says of a repository: which folders are build roots, which are none of the mesh, and what charts are given. */
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Chart } from './charts';
import type { FileTree } from './file-tree';
import { InputError, isRead } from './files';
import { isGlob, matcher } from './glob';
import type { Source } from './manifest';
import type { Draft } from './worlds-draft';

/** A world that is named: one folder, or several that are one cluster. */
export interface Root {
  readonly name?: string;
  /** Folders or patterns, from the folder of mesh-edge.yaml. */
  readonly paths: readonly string[];
}

export interface Layout {
  readonly roots?: readonly Root[];
  /** Patterns of files and folders that are not read. */
  readonly ignore?: readonly string[];
  readonly charts?: readonly Chart[];
}

/** The same files without those that are none of the mesh. */
export function ignoring(tree: FileTree, ignore: readonly string[] = []): FileTree {
  if (ignore.length === 0) return tree;
  const patterns = ignore.map((pattern) => matcher(tree.placeOf(pattern)));
  const isIgnored = (path: string): boolean => {
    const from = relative(process.cwd(), resolve(path)).split(sep).join('/');
    return patterns.some((fits) => fits(from) || fits(`${from}/`));
  };
  return {
    kindOf: (path) => (isIgnored(path) ? undefined : tree.kindOf(path)),
    at: (path) => tree.at(path),
    real: (path) => tree.real(path),
    entries: (folder) => tree.entries(folder).filter((entry) => !isIgnored(`${folder}/${entry}`)),
    ignored: (folder) =>
      tree
        .entries(folder)
        .map((entry) => join(folder, entry))
        .filter((path) => isIgnored(path) && isRead(tree, path)),
    read: (file) => tree.read(file),
    nameOf: (path) => tree.nameOf(path),
    pathOf: (name) => tree.pathOf(name),
    placeOf: (path) => tree.placeOf(path),
    isOnDisk: tree.isOnDisk,
    ...(tree.prepare === undefined ? {} : { prepare: (files: readonly string[]) => tree.prepare?.(files) }),
    ...(tree.leftOut === undefined ? {} : { leftOut: (folder: string) => tree.leftOut?.(folder) ?? [] }),
  };
}

/** What a repository says of its layout, with paths as the tree has them. */
export function placed(layout: Layout, tree: FileTree): Layout {
  const { roots = [], charts = [] } = layout;
  return {
    ...layout,
    roots: roots.map((root) => ({ ...root, paths: root.paths.map((path) => tree.placeOf(path)) })),
    charts: charts.map((chart) => ({
      ...chart,
      folder: tree.placeOf(chart.folder),
      values: chart.values.map((one) => ('file' in one ? { file: tree.placeOf(one.file) } : one)),
    })),
  };
}

interface Builder {
  readonly tree: FileTree;
  readonly isBuilt: (folder: string) => boolean;
  readonly build: (folder: string) => readonly Draft[];
}

/** The worlds, and files beside kustomizations that are in none. */
export interface Configured {
  readonly live: readonly Draft[];
  readonly aside: readonly Draft[];
}

/** The worlds that mesh-edge.yaml names, each of all that was guessed below its folders; without `roots`, the guess itself. */
export function configured(all: readonly Draft[], roots: readonly Root[] = [], builder: Builder): Configured {
  const drafts = all.filter(({ besideOf }) => besideOf === undefined);
  const aside = all.filter(({ besideOf }) => besideOf !== undefined);
  if (roots.length === 0) return { live: drafts, aside };
  const { tree } = builder;
  const absent = roots.flatMap(({ paths }) => paths).filter((path) => !isGlob(path) && isAbsent(path, tree));
  if (absent.length > 0)
    throw new InputError(
      `mesh-edge.yaml: roots: there is no folder ${absent.map((path) => tree.nameOf(path)).join(', ')}; a root is a folder, or a pattern of folders, from the folder of mesh-edge.yaml`,
    );
  // What lies beside a kustomization is applied if its file is named, and not because a folder around it is.
  const taken = new Set<string>();
  const filesOf = (path: string): readonly Draft[] => {
    if (isGlob(path) && !/\.(ya?ml|json)$/.test(path)) return []; // a pattern of folders
    const fits = isGlob(path) ? matcher(path) : undefined;
    const isNamed = ({ source: { file = '' } }: { readonly source: Source }): boolean => {
      const place = tree.pathOf(file);
      const from = relative(process.cwd(), resolve(place)).split(sep).join('/');
      const is = fits === undefined ? resolve(path) === resolve(place) : fits(from);
      if (is) taken.add(file);
      return is;
    };
    return aside
      .map((draft) => ({
        ...draft,
        manifests: draft.manifests.filter(isNamed),
        problems: draft.problems.filter(isNamed),
      }))
      .filter(({ manifests, problems }) => manifests.length + problems.length > 0);
  };
  const live = roots.flatMap(({ name, paths }): readonly Draft[] => {
    const expandedPaths = [...new Set(paths.flatMap((path) => expanded(path, drafts, tree)))];
    const named = paths.flatMap(filesOf);
    // A pattern stands for a world each, unless a name makes them one.
    const groups = name === undefined ? expandedPaths.map((folder) => [folder]) : [expandedPaths];
    const worlds = groups
      .map((group) => [group, group.flatMap((folder) => within(folder, drafts, builder))] as const)
      .filter(([, parts]) => parts.length > 0);
    const [first, ...rest] = worlds;
    if (first === undefined)
      return named.length === 0 ? [] : [together(name ?? paths[0] ?? '.', paths[0] ?? '.', named)];
    const [group, parts] = first;
    return [[group, [...parts, ...named]] as const, ...rest].map(([folders, own]) =>
      together(name ?? folders[0] ?? '.', folders[0] ?? '.', own),
    );
  });
  const isLeft = ({ source: { file = '' } }: { readonly source: Source }): boolean => !taken.has(file);
  const left = aside.map((draft) => ({
    ...draft,
    manifests: draft.manifests.filter(isLeft),
    problems: draft.problems.filter(isLeft),
  }));
  return { live, aside: left };
}

/** Of a revision a folder may be missing that another one has. */
const isAbsent = (path: string, tree: FileTree): boolean => tree.isOnDisk && tree.kindOf(path) === undefined;

function expanded(path: string, drafts: readonly Draft[], tree: FileTree): readonly string[] {
  if (!isGlob(path)) return [path.replace(/(.)\/+$/, '$1')];
  const fits = matcher(path);
  const folders = new Set<string>();
  for (const { folder, manifests } of drafts)
    for (const place of [folder, ...manifests.map(({ source }) => dirname(tree.pathOf(source.file ?? folder)))])
      for (
        let at = relative(process.cwd(), resolve(place));
        at !== '' && at !== '.' && at !== dirname(at);
        at = dirname(at)
      )
        if (fits(at.split(sep).join('/'))) folders.add(at);
  return [...folders].sort();
}

function within(folder: string, drafts: readonly Draft[], { tree, isBuilt, build }: Builder): readonly Draft[] {
  const full = resolve(folder);
  const isBelow = (path: string): boolean => path === full || path.startsWith(full + sep);
  const isIn = ({ source }: { readonly source: Source }): boolean =>
    source.file !== undefined && isBelow(resolve(tree.pathOf(source.file)));
  const exact = drafts.filter((draft) => draft.name === draft.folder && resolve(draft.folder) === full);
  if (exact.some(({ by }) => by !== 'files')) return exact;
  if (isBuilt(folder)) return build(folder);
  const below = drafts.filter((draft) => isBelow(resolve(draft.folder)));
  // Of a world that is larger than the folder, what lies in it.
  const parts = drafts
    .filter((draft) => !below.includes(draft))
    .map((draft) => ({
      ...draft,
      manifests: draft.manifests.filter(isIn),
      problems: draft.problems.filter(isIn),
      charts: draft.charts.filter((chart) => isBelow(resolve(chart.folder))),
    }))
    .filter(({ by, manifests, problems }) => by === 'files' && manifests.length + problems.length > 0);
  return [...below, ...parts];
}

function together(name: string, folder: string, parts: readonly Draft[]): Draft {
  const broken = parts.filter(({ notBuilt }) => notBuilt !== undefined);
  const whole = parts.filter(({ notBuilt }) => notBuilt === undefined);
  return {
    name,
    folder,
    by: 'configured',
    manifests: whole.flatMap(({ manifests }) => manifests),
    problems: whole.flatMap(({ problems }) => problems),
    remote: [...whole.flatMap(({ remote }) => remote), ...broken.map((one) => `${one.folder} (${one.notBuilt ?? ''})`)],
    charts: whole.flatMap(({ charts }) => charts),
    leftOut: whole.flatMap(({ leftOut }) => leftOut ?? []),
    ...(broken.length === 0 ? {} : { uses: broken.flatMap(({ uses = [] }) => uses) }),
    ...(whole.length === 0 && broken[0]?.notBuilt !== undefined ? { notBuilt: broken[0].notBuilt } : {}),
  };
}
