/**
 * The meshes that a folder holds. A repository keeps bases, overlays and clusters side by side; each build root is applied by itself,
 * so each is a world of its own: a kustomization that no other one takes up, with what Flux and Argo CD apply from there; a chart; else
 * a folder. Where the guess is wrong, mesh-edge.yaml says what is a root.
 */
import { basename, dirname, resolve } from 'node:path';
import { type Chart, type RenderChart, chartFolders } from './charts';
import type { KnownDocuments } from './documents';
import { DISK, type FileTree } from './file-tree';
import { InputError, findFiles } from './files';
import { isKustomization } from './kustomize';
import { Kustomizer } from './kustomize-build';
import { manifestsOf } from './kustomize-manifests';
import { NotBuilt } from './kustomize-resource';
import { load, loadFound, loadText } from './load';
import type { Beside, LeftOut, LoadProblem, Loaded, Manifest } from './manifest';
import { asideFrom, besideAll, besideOf, leftBeside } from './worlds-beside';
import { clustersIn } from './worlds-clusters';
import type { Draft, World } from './worlds-draft';
import { type Render, appliesMore, withTools } from './worlds-applied';
import { type Layout, configured, ignoring, placed } from './worlds-layout';
import { printable } from './printable';
import { Sources } from './worlds-sources';

export type { World } from './worlds-draft';

export interface WorldOptions extends Layout {
  /** Renders charts; without it they are named. */
  readonly renderChart?: RenderChart;
}

/** @throws InputError if a path does not exist, or if nothing that could be read is a Kubernetes object. */
export function findWorlds(
  paths: readonly string[],
  known?: KnownDocuments,
  disk: FileTree = DISK,
  said: WorldOptions = {},
): readonly World[] {
  const tree = ignoring(disk, said.ignore);
  const options: WorldOptions = { ...said, ...placed(said, tree) };
  const folders = paths.filter((path) => path !== '-' && tree.kindOf(path) === 'folder');
  const unread: LoadProblem[] = [];
  const passedOver: LeftOut[] = [];
  const files = folders.length === paths.length ? findFiles(paths, unread, tree, passedOver) : [];
  const kustomizations = files.filter(isKustomization);
  const charts = chartFolders(files);
  const all = paths.map((path) => tree.nameOf(path)).join(', ');
  if (kustomizations.length === 0) {
    const loaded = loadUnlessCharts(paths, known, tree, charts.length > 0 && options.renderChart !== undefined);
    const isPlain = (options.roots ?? []).length === 0 && charts.length === 0;
    if (folders.length < paths.length || (isPlain && !loaded.manifests.some(appliesMore)))
      return [{ name: all, folder: folders[0] ?? all, by: 'files', loaded, remote: [] }];
  }
  const kustomizer = new Kustomizer(
    (content, file) => loadText(content, file, { named: false, known, by: 'kustomize' }),
    tree,
  );
  const taken = new Set(kustomizations.flatMap((file) => kustomizer.takenUp(file)));
  const groups = leftOver(files, kustomizations, taken);
  const beside = besideOf(kustomizations, kustomizer, tree);
  const drafts = [
    ...rootsOf(kustomizer, kustomizations, taken).map((file) => build(kustomizer, dirname(file), tree)),
    ...groups
      .map(([folder, own]) =>
        plain(kustomizations.length === 0 && groups.length === 1 ? (folders[0] ?? folder) : folder, own, known, tree),
      )
      .flatMap((draft) => asideFrom(draft, beside, { tree, stays: appliesMore }))
      .flatMap((draft) => (draft.besideOf === undefined ? clustersIn(draft, folders, tree) : [draft])),
  ];
  const sources = new Sources(folders, files, kustomizer, asWritten(drafts, known, tree), tree);
  const render = renderer(options.renderChart, known, disk);
  const applied = withTools(drafts, sources, render);
  const rest = charts
    .filter((folder) => !applied.charts.has(resolve(folder)))
    .map((folder) => chartDraft(folder, options, render));
  const { live, aside } = configured([...applied.drafts, ...rest], options.roots, {
    tree,
    isBuilt: (folder) => kustomizer.fileOf(folder) !== undefined,
    build: (folder) => withTools([build(kustomizer, folder, tree)], sources, render).drafts,
  });
  const isWorld = ({ manifests, problems, remote, notBuilt, charts: own }: Draft): boolean =>
    manifests.length + problems.length + remote.length + own.length > 0 || notBuilt !== undefined;
  const leftOut = [...passedOver, ...live.filter((draft) => !isWorld(draft)).flatMap((draft) => draft.leftOut ?? [])];
  const unused = leftBeside(aside, tree);
  const worlds = live
    .filter(isWorld)
    .map((draft, at) => finished(draft, tree, at === 0 ? { unread, passedOver: leftOut, beside: unused } : undefined));
  if (!worlds.every(({ loaded, notBuilt }) => loaded.manifests.length === 0 && notBuilt === undefined)) return worlds;
  const loaded = asTheyStand(() => load(paths, known, tree), drafts);
  const named = (said.roots ?? []).flatMap((root) => root.paths);
  // A revision may be older than its roots.
  if (worlds.length > 0 || (named.length > 0 && !tree.isOnDisk)) return worlds;
  if (named.length > 0) throw new InputError(`mesh-edge.yaml: roots: no object of ${printable(all)} is in ${printable(named.join(', '))}`); // prettier-ignore
  // Objects that were given are never left out in silence.
  return [{ name: all, folder: folders[0] ?? all, by: 'files', loaded, remote: [] }];
}

/** Objects of files as they stand, by the file as messages name it. */
function asWritten(
  drafts: readonly Draft[],
  known: KnownDocuments | undefined,
  tree: FileTree,
): (file: string) => readonly Manifest[] {
  const byFile = new Map<string, Manifest[]>();
  for (const { isPlain, manifests } of drafts)
    for (const manifest of isPlain === true ? manifests : []) {
      const { file = '' } = manifest.source;
      byFile.set(file, [...(byFile.get(file) ?? []), manifest]);
    }
  // What a kustomization has made of a file is not what it holds.
  return (file) => {
    const own = byFile.get(file) ?? [...loadFound([tree.pathOf(file)], known, tree).manifests];
    byFile.set(file, own);
    return own;
  };
}

/** @throws InputError that says what is there instead of objects. */
function asTheyStand(read: () => Loaded, drafts: readonly Draft[]): Loaded {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const elsewhere = drafts
      .filter(({ remote }) => remote.length > 0)
      .map(
        ({ name, remote }) =>
          `\n  ${printable(`${name} takes up ${remote.join(', ')}, and nothing is fetched: build it and give the result: kubectl kustomize ${name} | mesh-edge check -`)}`,
      );
    throw new InputError(`${error.message}${elsewhere.join('')}`);
  }
}

function loadUnlessCharts(
  paths: readonly string[],
  known: KnownDocuments | undefined,
  tree: FileTree,
  mayBeEmpty: boolean,
): Loaded {
  try {
    return load(paths, known, tree);
  } catch (error) {
    if (!mayBeEmpty || !(error instanceof InputError)) throw error;
    return { manifests: [], problems: [] };
  }
}

function finished(
  { folder, name, by, manifests, problems, remote, charts, notBuilt, uses, leftOut = [] }: Draft,
  tree: FileTree,
  first:
    | {
        readonly unread: readonly LoadProblem[];
        readonly passedOver: readonly LeftOut[];
        readonly beside: readonly Beside[];
      }
    | undefined,
): World {
  return {
    name: name === folder ? tree.nameOf(folder) : name,
    folder,
    by,
    loaded: {
      manifests: manifests.map((manifest, index) => ({ ...manifest, index })),
      // What is in no world is told with the first.
      problems: [...(first?.unread ?? []), ...problems],
      leftOut: [...(first?.passedOver ?? []), ...leftOut],
      ...besideAll(first === undefined ? [] : [{ manifests: [], problems: [], beside: first.beside }]),
    },
    remote: [...new Set(remote)],
    ...(charts.length === 0 ? {} : { charts }),
    ...(notBuilt === undefined ? {} : { notBuilt }),
    ...(uses === undefined ? {} : { uses }),
  };
}

/** The worlds of a name: the folder from here, or what `mesh-edge worlds` calls it. */
export function worldsNamed(name: string, worlds: readonly World[], tree: FileTree = DISK): readonly World[] {
  const place = resolve(tree.placeOf(name));
  return worlds.filter(
    (world) => world.name === name || (tree.nameOf(world.folder) === world.name && resolve(world.folder) === place),
  );
}

/** Worlds as one, with what of them was not read. */
export interface Joined extends Loaded {
  readonly charts: readonly Chart[];
  /** Build roots that were not built, and why: their files are read as they are. */
  readonly unbuilt: readonly { readonly folder: string; readonly reason: string }[];
}

/**
 * These worlds of the paths as one mesh: what commands that ask one question of everything read. Files of roots that are not built are
 * taken as they are.
 */
export function joined(
  worlds: readonly World[],
  paths: readonly string[],
  known?: KnownDocuments,
  tree: FileTree = DISK,
): Joined {
  const charts = worlds.flatMap((world) => world.charts ?? []);
  const unbuilt = worlds.flatMap(({ name, notBuilt }) =>
    notBuilt === undefined ? [] : [{ folder: name, reason: notBuilt }],
  );
  const unread = { charts, unbuilt };
  const shown = worlds.filter(({ loaded, notBuilt }) => loaded.manifests.length > 0 || notBuilt !== undefined);
  const built = worlds.map(({ loaded }) => loaded);
  const told = {
    ...besideAll(built),
    problems: distinct(built.flatMap(({ problems }) => problems)),
    leftOut: distinct(built.flatMap(({ leftOut = [] }) => leftOut)),
  };
  if (shown.length === 1 && shown[0]?.by === 'files') return { ...shown[0].loaded, ...told, ...unread };
  const files = new Set(built.flatMap(({ manifests }) => manifests.map(({ source }) => source.file)));
  const rest = loadFound(
    worlds.flatMap(({ uses = [] }) => uses),
    known,
    tree,
  );
  const manifests = [
    ...built.flatMap((loaded) => loaded.manifests),
    ...rest.manifests.filter(({ source }) => !files.has(source.file)),
  ];
  if (manifests.length === 0) return { ...load(paths, known, tree), ...unread };
  const seen = new Set<string>();
  const once = manifests
    .filter(({ group, kind, namespace, name, body }) => {
      const key = JSON.stringify([group, kind, namespace, name, body]);
      return seen.has(key) ? false : seen.add(key);
    })
    .map((manifest, index) => ({ ...manifest, index }));
  return {
    ...told,
    manifests: once,
    problems: distinct([...told.problems, ...rest.problems]),
    leftOut: distinct([...told.leftOut, ...(rest.leftOut ?? [])]),
    ...unread,
  };
}

function distinct<T>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

/** Kustomizations that no other one takes up; of those that take up one another in a circle, which kustomize does not build, the first. */
function rootsOf(kustomizer: Kustomizer, files: readonly string[], taken: ReadonlySet<string>): readonly string[] {
  const byFolder = new Map(files.map((file) => [resolve(dirname(file)), file]));
  const reached = new Set<string>();
  const reach = (from: string): void => {
    const open = [from];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (reached.has(file)) continue;
      reached.add(file);
      open.push(...kustomizer.takenUp(file).flatMap((path) => byFolder.get(path) ?? []));
    }
  };
  const first = files.filter((file) => !taken.has(resolve(dirname(file))));
  for (const file of first) reach(file);
  const circles = files.filter((file) => {
    if (reached.has(file)) return false;
    reach(file);
    return true;
  });
  return [...first, ...circles].filter((file) => !isComponent(kustomizer, file));
}

function isComponent(kustomizer: Kustomizer, file: string): boolean {
  try {
    return kustomizer.kustomization(file).kind === 'Component';
  } catch {
    return false;
  }
}

function build(kustomizer: Kustomizer, folder: string, tree: FileTree): Draft {
  const draft = { name: folder, folder, by: 'kustomize' as const, problems: [], charts: [] };
  try {
    const built = kustomizer.build(folder);
    const remote = built.remote.map(({ entry }) => entry);
    const leftOut = built.remote.map(({ entry, file }) => ({ file: tree.nameOf(file), why: `takes up ${entry}, which is not fetched` })); // prettier-ignore
    return { ...draft, manifests: manifestsOf(built), remote, ...(leftOut.length === 0 ? {} : { leftOut }) };
  } catch (error) {
    if (!(error instanceof NotBuilt)) throw error;
    return { ...draft, manifests: [], remote: [], notBuilt: error.message, uses: kustomizer.uses(folder) };
  }
}

/** Files that no kustomization takes up, by the largest folder around them in which there is none. */
function leftOver(
  files: readonly string[],
  kustomizations: readonly string[],
  taken: ReadonlySet<string>,
): readonly (readonly [string, readonly string[]])[] {
  const above = new Set<string>();
  for (const file of kustomizations)
    for (let at = dirname(file); ; at = dirname(at)) {
      above.add(at);
      if (at === dirname(at)) break;
    }
  const groups = new Map<string, string[]>();
  for (const file of files) {
    if (isKustomization(file) || taken.has(resolve(file))) continue;
    let folder = dirname(file);
    while (!above.has(folder) && !above.has(dirname(folder)) && folder !== dirname(folder)) folder = dirname(folder);
    groups.set(folder, [...(groups.get(folder) ?? []), file]);
  }
  return [...groups];
}

function plain(folder: string, files: readonly string[], known: KnownDocuments | undefined, tree: FileTree): Draft {
  const { manifests, problems, leftOut } = loadFound(files, known, tree);
  const rest = leftOut === undefined ? {} : { leftOut };
  const own = { manifests: [...manifests], problems: [...problems] };
  return { name: folder, folder, by: 'files', isPlain: true, remote: [], charts: [], ...own, ...rest };
}

function renderer(render: RenderChart | undefined, known: KnownDocuments | undefined, tree: FileTree): Render {
  return (chart) => {
    const named = { ...chart, folder: tree.nameOf(chart.folder) };
    if (render === undefined || chart.reason !== undefined) return { chart: named };
    const made = render(chart, tree);
    if ('reason' in made) return { chart: { ...named, reason: made.reason } };
    return { manifests: loadText(made.text, `${named.folder} (helm template)`, { named: true, known }).manifests };
  };
}

function chartDraft(folder: string, { charts = [] }: WorldOptions, render: Render): Draft {
  const said = charts.find((one) => resolve(one.folder) === resolve(folder));
  const chart = said ?? { folder, release: basename(resolve(folder)), namespace: 'default', values: [] };
  const made = render(chart);
  const draft = { name: folder, folder, by: 'helm' as const, problems: [], remote: [] };
  return 'chart' in made
    ? { ...draft, manifests: [], charts: [made.chart] }
    : { ...draft, manifests: [...made.manifests], charts: [] };
}
